"""The limits of the SIM behind a modem, as the gate asks them: of a message before it begins, and of every part."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from gateway.config.limits import SimLimits
from gateway.config.settings import Category, ModemConfig
from gateway.config.test_network import RESERVED
from gateway.rules.sim_limits import Counts, Spans, alarms, may_send, spans_at
from gateway.rules.verdict import Allow, Defer, Verdict
from gateway.store import events, sim_counts
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow
from gateway.store.sim_counts import Used

log = logging.getLogger(__name__)


class Sim:
    """One SIM with limits, within one transaction."""

    def __init__(self, connection: Connection, modem: ModemFacts, limits: SimLimits, spans: Spans, used: Used) -> None:
        self._connection = connection
        self._modem = modem
        self._limits = limits
        self._spans = spans
        self._used = used
        self._begun: int | None = None
        self._refusal: tuple[int, str] | None = None

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one part, whoever it is for."""
        return not self._has_room(self._ask(parts=1, new_people=0))

    def takes(self, row: AnyRow) -> bool:
        """Whether there is room for a message that has not begun, beside what is begun."""
        if self._begun is None:
            self._begun = sim_counts.begun_parts(self._connection, self._modem)
        return self._has_room(self._ask(parts=self._begun + row.parts, new_people=self._new_people(row)))

    def takes_part(self, row: AnyRow) -> bool:
        """Whether there is room for one more part of a message that has begun."""
        return self._has_room(self._ask(parts=1, new_people=self._new_people(row)))

    def count(self, row: AnyRow, now_us: int, *, held: bool) -> None:
        """One part of this message is marked; what is told of it is told once. `held`: limits hold its category."""
        before = self._counts()
        after = before.plus(1, self._new_people(row))
        sim_counts.count(self._connection, self._modem, self._limits.billing_day, self._used, row.recipient_id)
        # That the SIM of the test network has no room is nobody's trouble.
        rehearsed = self._modem.name in RESERVED
        for alarm in () if rehearsed else alarms(self._limits, before, after, held=held):
            log.warning("SIM limit", extra={"action": alarm.kind, "modem": self._modem.name, "detail": alarm.detail})
            events.record(
                self._connection,
                now_us,
                alarm.kind,
                detail=f"{self._modem.name}: {alarm.detail}",
                facts={
                    "modem": self._modem.name,
                    "node": self._modem.node,
                    "limit": alarm.limit,
                    "most": alarm.most,
                    "used": alarm.used,
                },
            )

    def tell_bypass(self, row: AnyRow, now_us: int) -> None:
        """A line for the audit when a message that limits do not hold begins where they would hold others."""
        verdict = self._ask(parts=1, new_people=self._new_people(row))
        if isinstance(verdict, Defer):
            detail = f"{verdict.rule}: {self._modem.name}: {verdict.explanation}"
            events.record(self._connection, now_us, "rule.bypassed", message_id=row.id, detail=detail)

    def close(self) -> int | None:
        """Write down until when something waits for this SIM, and return it; it is told once for each wait."""
        refusal = self._refusal
        if refusal is None:
            return None
        until_us, explanation = refusal
        if self._used.held_until_us != until_us:
            sim_counts.hold(self._connection, self._modem, until_us, explanation)
            log.info("SIM limit holds", extra={"action": "sim_limit", "modem": self._modem.name})
        return until_us

    def _has_room(self, verdict: Verdict) -> bool:
        if isinstance(verdict, Defer):
            # The soonest: something else may fit before.
            until_us = verdict.until_us
            if until_us is not None and (self._refusal is None or until_us < self._refusal[0]):
                self._refusal = until_us, verdict.explanation
            return False
        return isinstance(verdict, Allow)

    def _ask(self, *, parts: int, new_people: int) -> Verdict:
        return may_send(self._limits, self._counts(), self._spans, parts=parts, new_people=new_people)

    def _counts(self) -> Counts:
        return Counts(self._used.minute_parts, self._used.day_parts, self._used.month_parts, self._used.people)

    def _new_people(self, row: AnyRow) -> int:
        if self._limits.recipients_per_month is None:
            return 0
        known = sim_counts.parts_to(self._connection, self._modem, row.recipient_id, self._used.month_us)
        return int(known == 0)


class Sims:
    """The SIMs of this host's modems, by their configuration."""

    def __init__(self, modems: Mapping[str, ModemConfig], categories: Mapping[str, Category], timezone: str) -> None:
        self._limits = {name: modem.limits for name, modem in modems.items() if modem.limits}
        self._unheld = frozenset(name for name, category in categories.items() if category.sim_limits == "ignore")
        self._zone = ZoneInfo(timezone)

    def open(self, connection: Connection, modem: ModemFacts, now_us: int) -> Sim | None:
        """The SIM of this modem with its counts; None when it has no limits, and then nothing is read."""
        limits = self._limits.get(modem.name)
        if limits is None:
            return None
        spans = spans_at(now_us, limits.billing_day, self._zone)
        used = sim_counts.used(
            connection,
            modem,
            limits.billing_day,
            minute_us=spans.minute_us,
            day_us=spans.day_us,
            month_us=spans.month_us,
        )
        return Sim(connection, modem, limits, spans, used)

    def holds(self, category: str) -> bool:
        """Whether messages of this category wait when a limit is reached; the others are counted alone."""
        return category not in self._unheld
