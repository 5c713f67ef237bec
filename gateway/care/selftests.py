"""Every modem proves itself from time to time: a message to its own number, or to another SIM of its host, must arrive.

It goes through the queue and the last gate like any other, pinned to its modem, and is known by its token when it comes
in (`gateway.inbound`). The schedule lies in the store. What has become due while nobody was there is spread anew, and
one test begins at a time, so that a host that slept for a month does not write from all its SIMs at once.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from drivers.events import ModemState
from drivers.tpdu import segment
from gateway.address import AddressKind
from gateway.care.rounds import go_round
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import ModemConfig, Settings
from gateway.ids import IdSource
from gateway.message import WAITING, Encoding, Status
from gateway.ports import Modem
from gateway.rules.routing import Lane, wanted_text
from gateway.rules.self_test import ALPHABET, CATEGORY, TOKEN_LENGTH, text_with
from gateway.store import care, events, messages, pauses, recipients
from gateway.store.care import NewTest, SelfTestOutcome
from gateway.store.database import Store
from gateway.store.modem_facts import modem_facts
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

FAILED = "modem.selftest_failed"
#: So long after it left it must have arrived.
PATIENCE_US = 900 * SECOND_US
#: It may wait so long for its turn, a pause or a limit.
EXPIRES_US = 86_400 * SECOND_US
#: The first test of a modem comes so long after the start; those of several are spread over a day at most.
FIRST_US = 600 * SECOND_US
#: Between two looks, and so between the beginnings of two tests.
LOOK_US = 60 * SECOND_US
_SPREAD_US = 86_400 * SECOND_US
# One that is later than this is spread anew.
_LATE_US = 3600 * SECOND_US
# When one could not leave for reasons that are not its modem's.
_AGAIN_US = 3600 * SECOND_US
_PRIORITY = 5
_USABLE = frozenset({ModemState.READY, ModemState.BUSY})
_TOLD = {
    Status.SENT: "it was sent",
    Status.DELIVERED: "it was sent and reported delivered",
    Status.UNDELIVERED: "it was sent, and the service centre gave up",
    Status.UNCERTAIN: "nobody knows whether it left",
    Status.SENDING: "it is still being sent",
}


class SelfTests:
    """Tests the modems of this host until it is cancelled."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        *,
        modems: Mapping[str, Modem],
        nudge: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._node = settings.gateway.node
        self._store = store
        self._clock = clock
        self._ids = ids
        self._modems = modems
        self._nudge = nudge
        self._started_us = clock.now_us()
        self._planned = False
        #: How often each modem is tested. One whose number is not known cannot be written to.
        self.tested = {
            name: modem.self_test_us
            for name, modem in sorted(settings.modems.items())
            if modem.self_test_us is not None and modem.number is not None
        }

    async def run(self) -> None:
        """Test what is due, and see what came of it."""
        await go_round(self._clock, "selftest", self._look)

    async def _look(self) -> int:
        now_us = self._clock.now_us()
        rows, running = await self._store.read(
            lambda connection: (care.rows(connection, self._node), care.open_tests(connection, self._node))
        )
        ended = [(row, end) for row in running if (end := self._end_of(row, now_us)) is not None]
        if ended:
            await self._store.write(lambda connection: self._end(connection, ended, now_us))
            return now_us
        due = self._due(rows, now_us)
        if due or not self._planned:
            await self._store.write(lambda connection: self._plan(connection, due, now_us))
            self._planned = True
            return now_us
        left = {row.modem for row in running}
        ready = [name for name in self.tested if self._is_due(rows, name, now_us) and name not in left]
        begun = next((name for name in ready if self._is_usable(name)), None)
        if begun is not None:
            await self._store.write(lambda connection: self._begin(connection, begun, now_us))
            self._nudge()
        if begun is not None or left or ready:
            return now_us + LOOK_US
        return min((rows[name].test_due_us for name in self.tested), default=now_us + _SPREAD_US)

    def _is_due(self, rows: Mapping[str, AnyRow], name: str, now_us: int) -> bool:
        return name in rows and (rows[name].test_due_us or 0) <= now_us

    def _is_usable(self, name: str) -> bool:
        """Of one that is away or paused people know already; its test waits."""
        return name in self._modems and self._modems[name].status().state in _USABLE

    def _due(self, rows: Mapping[str, AnyRow], now_us: int) -> Mapping[str, int]:
        """The instants of modems that have none, or one that makes no sense any more."""
        found: dict[str, int] = {}
        for place, (name, every_us) in enumerate(self.tested.items()):
            due_us = rows[name].test_due_us if name in rows else None
            late_us = _LATE_US if self._planned else 0
            if due_us is None or not now_us - late_us <= due_us <= now_us + max(every_us, _SPREAD_US + FIRST_US):
                found[name] = now_us + FIRST_US + place * min(every_us, _SPREAD_US) // len(self.tested)
        return found

    def _plan(self, connection: Connection, due: Mapping[str, int], now_us: int) -> None:
        care.forget_tests(connection, now_us - care.KEPT_US)
        for name, due_us in due.items():
            care.write(connection, self._node, name, test_due_us=due_us)

    # --- the beginning

    def _begin(self, connection: Connection, name: str, now_us: int) -> None:
        modem = self._settings.modems[name]
        targets = self._targets(modem)
        target = targets[care.tests_of(connection, self._node, name) % len(targets)]
        assert modem.number is not None, "only these are tested"
        assert target.number is not None, "only these are written to"
        token = "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))
        lookup = self._store.fingerprint(target.number)
        person = recipients.ensure(connection, target.number, AddressKind.E164, lookup, now_us)
        row = self._row(modem, person, text_with(token), now_us)
        messages.add(connection, row)
        sender = self._store.fingerprint(modem.number)
        care.begin_test(connection, NewTest(token, self._node, name, target.name, sender, row.id, now_us))
        care.write(connection, self._node, name, test_due_us=now_us + self.tested[name])

    def _targets(self, modem: ModemConfig) -> Sequence[ModemConfig]:
        """To whom it writes, one after the other: other SIMs of this host, so that each is heard by another; and to
        itself too, where none of those writes to it. A simulated one has a network of its own."""
        if modem.simulated:
            return [modem]
        others = [
            each
            for each in self._settings.modems.values()
            if not each.simulated and each.number not in {None, modem.number} and self._is_usable(each.name)
        ]
        return others if any(each.name in self.tested for each in others) else [*others, modem]

    def _row(self, modem: ModemConfig, person: int, text: str, now_us: int) -> messages.NewRow:
        found = segment(text)
        node = self._node if self._store.engine.shared else None
        lane = Lane(_PRIORITY, CATEGORY, None, modem.simulated, wanted_text(node, modem.name))
        return messages.NewRow(
            id=self._ids.new(),
            recipient_id=person,
            category=CATEGORY,
            priority=_PRIORITY,
            stoppable=False,
            test=modem.simulated,
            text=text,
            encoding=Encoding(found.encoding),
            parts=len(found.parts),
            lane=lane.text(),
            on_uncertain="never",
            simulated=modem.simulated,
            status=Status.QUEUED,
            created_us=now_us,
            due_us=now_us,
            expires_us=now_us + EXPIRES_US,
            wanted_modem=modem.name,
            wanted_node=node,
        )

    # --- the end

    def _end_of(self, row: AnyRow, now_us: int) -> str | None:
        """What is known of a test that is over and did not arrive; None while it may."""
        status = Status(row.status)
        if status in WAITING:
            return None
        if status not in _TOLD:
            return f"its message is {status}"
        # After a restart what came meanwhile is still to be read.
        since_us = max(row.left_us or row.begun_us, self._started_us)
        return None if now_us < since_us + PATIENCE_US else _TOLD[status]

    def _end(self, connection: Connection, ended: Sequence[tuple[AnyRow, str]], now_us: int) -> None:
        still = {row.token for row in care.open_tests(connection, self._node)}
        for row, known in ended:
            if row.token not in still:
                continue  # it has arrived at this moment
            if self._says_nothing(connection, row, now_us):
                care.end_test(connection, row.token, SelfTestOutcome.DROPPED, now_us)
                care.write(connection, self._node, row.modem, test_due_us=now_us + _AGAIN_US)
                log.info("self-test dropped", extra={"action": "selftest_dropped", "modem": row.modem})
                continue
            care.end_test(connection, row.token, SelfTestOutcome.FAILED, now_us)
            detail = f"{row.modem}: a message to the SIM of {row.target} did not arrive; {known}"
            facts = self._facts_of(row.modem)
            events.record(connection, now_us, FAILED, message_id=row.message_id, detail=detail, facts=facts)
            log.error("self-test failed", extra={"action": "selftest_failed", "modem": row.modem, "detail": detail})

    def _facts_of(self, name: str) -> Mapping[str, object]:
        modem = self._modems.get(name)
        return {"name": name, "node": self._node} if modem is None else modem_facts(modem.status(), self._node)

    def _says_nothing(self, connection: Connection, row: AnyRow, now_us: int) -> bool:
        """Whether it could not leave for a reason that is not its modem's: somebody took it back, sending is paused, or
        the SIM waits for the end of a limit."""
        if row.status == Status.CANCELED:
            return True
        paused = pauses.standing(connection).holds(CATEGORY)
        return row.status == Status.EXPIRED and (paused or care.is_held(connection, self._node, row.modem, now_us))
