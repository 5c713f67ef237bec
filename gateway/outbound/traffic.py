"""The caps of the whole gateway, as the gate asks them of a message before it begins, and the first part to a country.

A message is counted with all its parts when it begins, so that what has begun is finished; a further copy of an
`uncertain` part counts once more, and what the network refused is not taken back. Messages that only test are left out.
"""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from gateway.address import calling_code, country_of
from gateway.clock import SECOND_US
from gateway.config.settings import Settings
from gateway.message import Hold, Rule
from gateway.rules.traffic import Ceiling, Ceilings
from gateway.rules.verdict import Defer
from gateway.store import events, messages, traffic
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

# Spans that are this much older than a cap looks back are dropped.
_KEPT_LONGER_US = 3600 * SECOND_US


class Meter:
    """The caps, within one transaction."""

    def __init__(self, connection: Connection, ceilings: Ceilings, now_us: int) -> None:
        self._connection = connection
        self._ceilings = ceilings
        self._now_us = now_us
        self._used: dict[str, dict[int, int]] = {}

    def lets(self, row: AnyRow, *, held: bool) -> bool:
        """Whether there is room for a message; else it is held. `held`: caps hold its category."""
        waits = [wait for each in self._over(row) if (wait := self._wait(each, row.parts)) is not None]
        if not waits:
            return True
        longest = max(waits, key=lambda wait: (wait.until_us is None, wait.until_us or 0))
        if not held:
            detail = f"{Rule.CAP}: {longest.explanation}"
            events.record(self._connection, self._now_us, "rule.bypassed", message_id=row.id, detail=detail)
            return True
        due_us = row.expires_us if longest.until_us is None else longest.until_us
        hold = Hold(Rule.CAP, longest.until_us, longest.explanation)
        messages.hold(self._connection, row.id, hold, due_us, self._now_us)
        return False

    def count(self, row: AnyRow, parts: int) -> None:
        """So many parts of this message leave; that a cap is reached is told once."""
        for ceiling in self._over(row):
            used = self._of(ceiling)
            before = sum(used.values())
            begun_us = self._now_us - self._now_us % ceiling.grain_us
            is_new = begun_us not in used
            forget_us = ceiling.since_us(self._now_us) - _KEPT_LONGER_US if is_new else None
            traffic.add(self._connection, ceiling.name, begun_us, parts, forget_us=forget_us)
            used[begun_us] = used.get(begun_us, 0) + parts
            if before < ceiling.count <= before + parts:
                self._tell(ceiling)

    def _tell(self, ceiling: Ceiling) -> None:
        log.warning("traffic cap", extra={"action": "traffic.limit", "key": ceiling.of, "cap": ceiling.written})
        events.record(
            self._connection,
            self._now_us,
            "traffic.limit",
            detail=f"{ceiling.of}: {ceiling.written} in parts is reached",
            facts={"key": ceiling.of, "cap": ceiling.written},
        )

    def _over(self, row: AnyRow) -> tuple[Ceiling, ...]:
        return () if row.test else self._ceilings.over(row.number or "")

    def _wait(self, ceiling: Ceiling, parts: int) -> Defer | None:
        return ceiling.wait(self._of(ceiling), parts)

    def _of(self, ceiling: Ceiling) -> dict[int, int]:
        found = self._used.get(ceiling.name)
        if found is None:
            since_us = ceiling.since_us(self._now_us)
            found = traffic.used(self._connection, ceiling.name, since_us)
            if found is None:
                longer = [
                    each
                    for each in self._ceilings.prefixes
                    if each != ceiling.prefix and each.startswith(ceiling.prefix)
                ]
                found = traffic.count_from_attempts(
                    self._connection,
                    ceiling.name,
                    since_us,
                    ceiling.grain_us,
                    prefix=ceiling.prefix,
                    longer=longer if ceiling.prefix else (),
                )
            self._used[ceiling.name] = found
        return found


class Traffic:
    """The caps of a configuration, and the countries that were sent to."""

    def __init__(self, settings: Settings) -> None:
        self._ceilings = Ceilings(settings.traffic)
        self._tells = settings.traffic.alarm_new_countries
        # Seen in the store, so that they stay known whatever becomes of a transaction.
        self._countries: set[str] = set()
        self._home = settings.gateway.country

    def open(self, connection: Connection, now_us: int) -> Meter | None:
        """The caps in this transaction; None where there are none, and then nothing is read."""
        return Meter(connection, self._ceilings, now_us) if self._ceilings else None

    def note_country(self, connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int) -> None:
        """Tell of the first message that a real modem sends to a country."""
        if modem.simulated or not self._tells or row.number is None:
            return
        code = calling_code(row.number)
        if code in self._countries or code == row.number:
            return
        if traffic.knows_country(connection, code):
            self._countries.add(code)
            return
        traffic.add_country(connection, code, now_us)
        country = country_of(row.number)
        if country is not None and country == self._home:
            return
        log.warning("new country", extra={"action": "traffic.new_country", "country": country, "code": code})
        events.record(
            connection,
            now_us,
            "traffic.new_country",
            message_id=row.id,
            detail=f"the first message to {country or code}",
            facts={"country": country, "calling_code": code},
        )
