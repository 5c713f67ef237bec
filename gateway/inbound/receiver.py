"""One receiver per modem: what the modem tells is committed first and acknowledged then.

Only an acknowledged message is deleted from the modem. What has come while a commit was under way shares the next one.
While the store refuses, nothing is acknowledged and nothing lost; when a group fails, each of it is taken by itself,
and an event that fails in any other way is tried three times, then kept as raw octets with the reason, so that it
cannot block the ones behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Connection

from drivers.events import (
    CallMissed,
    DeliverReceived,
    ModemEvent,
    ModemState,
    ModemStateChanged,
    PduUndecodable,
    StatusReportReceived,
    SubmitAnsweredLate,
)
from gateway.address import normalise_sender
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import GatewaySettings
from gateway.config.test_network import RESERVED
from gateway.errors import StoreClosed, Unavailable
from gateway.failpoints import reach
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Heard, Inbox
from gateway.inbound.reports import HeardReport, Reports
from gateway.ports import Modem
from gateway.store import calls, recipients
from gateway.store import events as store_events
from gateway.store.database import Store
from gateway.store.modem_facts import modem_facts

log = logging.getLogger(__name__)

#: So many share a commit at most: a sender waits for it, and so does a STOP that comes behind them.
MOST_TOGETHER = 64
#: Far less than a network waits for the confirmation of a report, and longer than a part takes where that matters.
_WITH_OTHERS_S = 0.005
# Less than a network waits for a confirmation, and longer than a modem takes from its first word to its SIM's number.
_SIM_S = 5.0
_TRIES = 3
_PAUSE_US = 2 * SECOND_US
_SET_UP = frozenset({ModemState.READY, ModemState.BUSY, ModemState.PAUSED})
#: News that the modem need not be told to forget.
_WITHOUT_RECEIPT = (CallMissed, ModemStateChanged, SubmitAnsweredLate)


def _nobody_asks(_connection: Connection, _event: SubmitAnsweredLate, _modem: str, _now_us: int) -> None:
    """Where nothing is sent nothing is answered late."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the modem told, and where it was heard; `news` is the event that a change of its state is, if any."""

    event: ModemEvent
    origin: Origin
    news: _News | None = None


@dataclass(frozen=True, slots=True)
class _News:
    """That a modem went up, down or was parked: the event's type, and how the modem was then."""

    kind: str
    facts: Mapping[str, object]


class Receiver:
    """Listens to one modem until it is stopped."""

    def __init__(
        self, modem: Modem, store: Store, inbox: Inbox, reports: Reports, clock: Clock, *, gateway: GatewaySettings
    ) -> None:
        self._modem = modem
        self._store = store
        self._inbox = inbox
        self._reports = reports
        self._clock = clock
        self._node = gateway.node
        self._country = gateway.country
        self._heard: deque[_Heard] = deque()
        self._news = asyncio.Event()
        self._ended = False
        #: The last event of `_STATE_EVENTS` that was heard. A gateway that stops tells none, and one that starts tells
        #: each modem that comes up: nobody knows what was meanwhile.
        self._told: str | None = None
        #: Takes what a modem says of a submit that had been given up, in the transaction; the name is the modem's.
        self.on_answer: Callable[[Connection, SubmitAnsweredLate, str, int], None] = _nobody_asks
        #: Called after each commit: a reply may have put something into the queue, or taken it out.
        self.on_committed: Callable[[], None] = lambda: None
        #: Whether parts are being sent through this modem.
        self.is_sending: Callable[[], bool] = lambda: False
        #: Called when the modem said that its state is another now.
        self.on_state: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Take what the modem tells until its events end. What comes meanwhile waits, and is taken together."""
        listening = asyncio.create_task(self._listen())
        try:
            while await self._something_heard():
                await self._take([self._heard.popleft() for _ in range(min(len(self._heard), MOST_TOGETHER))])
            # An error of ours ends the gateway loudly; it is no end of the modem's events.
            await listening
        except StoreClosed:
            return
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        """Note what the modem tells, and through which SIM it came."""
        try:
            async for event in self._modem.events():
                origin = Origin(self._modem.name, self._node, self._modem.status().iccid)
                self._heard.append(_Heard(event, origin, self._news_of(event)))
                self._news.set()
        finally:
            self._ended = True
            self._news.set()

    def _news_of(self, event: ModemEvent) -> _News | None:
        """What people are told of this change; a modem that is down stays down while the reason changes."""
        kind = _STATE_EVENTS.get(event.state) if isinstance(event, ModemStateChanged) else None
        if not isinstance(event, ModemStateChanged) or kind is None or kind == self._told:
            return None
        self._told = kind
        # What the modem says of itself may be newer than the event.
        status = replace(self._modem.status(), state=event.state, reason=event.reason)
        return _News(kind, modem_facts(status, self._node))

    async def _something_heard(self) -> bool:
        """Wait for it; False when the modem's events are over and all of them were taken."""
        while not self._heard and not self._ended:
            self._news.clear()
            await self._news.wait()
        return bool(self._heard)

    async def _take(self, group: Sequence[_Heard]) -> None:
        """Commit, then acknowledge."""
        if any(isinstance(heard.event, ModemStateChanged) for heard in group):
            self.on_state()
        group = await self._placed(group)
        if len(group) > 1 and await self._commit_together(group):
            self.on_committed()
            for heard in group:
                await self._acknowledge(heard.event)
            return
        for heard in group:
            await self._commit(heard)
            self.on_committed()
            await self._acknowledge(heard.event)

    async def _placed(self, group: Sequence[_Heard]) -> Sequence[_Heard]:
        """What a modem tells before its SIM was read is of that SIM: told again later, it has to be known again."""
        if all(heard.origin.iccid is not None or isinstance(heard.event, _WITHOUT_RECEIPT) for heard in group):
            return group
        # One that is set up has been asked for its SIM's number, and does not tell it.
        if self._modem.status().state not in _SET_UP:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SIM_S):
                    await self._modem.wait_ready()
        iccid = self._modem.status().iccid
        return [replace(heard, origin=replace(heard.origin, iccid=heard.origin.iccid or iccid)) for heard in group]

    async def _acknowledge(self, event: ModemEvent) -> None:
        if not isinstance(event, _WITHOUT_RECEIPT):
            reach("recorded")
            await self._modem.acknowledge(event.receipt)

    async def _commit_together(self, group: Sequence[_Heard]) -> bool:
        """Write down several by one flush; False, and nothing is written, where one of them stands in the way, or the
        store refuses so much at once: each is then taken by itself."""
        try:
            await self._store.write(
                lambda connection: self._write_all(connection, group), within_s=self._patience_s(group)
            )
        except StoreClosed:
            raise
        except Exception as error:  # noqa: BLE001 - each says for itself what is wrong with it
            details = {"action": "inbound_apart", "modem": self._modem.name, "cause": type(error).__name__}
            log.warning("a group of inbound events is taken one by one", extra=details)
            return False
        return True

    async def _commit(self, heard: _Heard) -> None:
        """Write it down, however often the store refuses; what fails otherwise is set aside after some tries."""
        event, origin = heard.event, heard.origin
        problem = ""
        for _ in range(_TRIES):
            try:
                await self._patiently(
                    lambda connection: self._write_all(connection, [heard]), within_s=self._patience_s([heard])
                )
            except StoreClosed:
                raise
            except Exception as error:
                log.exception("inbound failed", extra={"action": "inbound_failed", "modem": origin.modem})
                problem = f"could not be handled: {type(error).__name__}"
            else:
                return
        if not isinstance(event, _WITHOUT_RECEIPT):
            raw = event.raw if isinstance(event.raw, str) else event.raw.hex().upper()
            now_us = self._clock.now_us()
            await self._patiently(lambda c: self._inbox.take_undecodable(c, raw, problem, origin, now_us))

    def _patience_s(self, group: Sequence[_Heard]) -> float:
        """How long it can wait for others. While parts are sent the result of one will soon be written down: a report
        that goes with it neither costs a flush nor keeps the sender waiting for one."""
        reports = all(isinstance(heard.event, StatusReportReceived) for heard in group)
        return _WITH_OTHERS_S if reports and self.is_sending() else 0.0

    async def _patiently(self, work: Callable[[Connection], None], *, within_s: float = 0.0) -> None:
        """Come again for as long as the store can take nothing."""
        while True:
            try:
                await self._store.write(work, within_s=within_s)
            except StoreClosed:
                raise
            except Unavailable as error:
                log.error("the store refused", extra={"action": "inbound_refused", "code": error.code})
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
            else:
                return

    def _write_all(self, connection: Connection, group: Sequence[_Heard]) -> None:
        """Write them down in their order; neighbours of one kind together."""
        now_us = self._clock.now_us()
        for kind, neighbours in groupby(group, lambda heard: type(heard.event)):
            if kind is DeliverReceived:
                self._inbox.take_all(connection, [self._message(heard) for heard in neighbours], now_us)
            elif kind is StatusReportReceived:
                self._reports.take_all(connection, [_report(heard) for heard in neighbours], now_us)
            else:
                for heard in neighbours:
                    self._write(connection, heard, now_us)

    def _message(self, heard: _Heard) -> Heard:
        assert isinstance(heard.event, DeliverReceived)
        reach("heard")
        arrival = arrival_of(heard.event, heard.origin, self._country)
        return Heard(arrival, self._store.fingerprint(arrival.sender), heard.origin)

    def _write(self, connection: Connection, heard: _Heard, now_us: int) -> None:
        event, origin = heard.event, heard.origin
        match event:
            case PduUndecodable():
                problem = f"{event.error.field} at octet {event.error.octet}: {event.error.message}"
                self._inbox.take_undecodable(connection, event.raw, problem, origin, now_us)
            case SubmitAnsweredLate():
                self.on_answer(connection, event, origin.modem, now_us)
            case CallMissed():
                self._keep_call(connection, event, origin, now_us)
            case ModemStateChanged():
                _record_state(connection, event, heard, now_us)
            case _:
                raise AssertionError("messages and reports are written in groups")

    def _keep_call(self, connection: Connection, event: CallMissed, origin: Origin, now_us: int) -> None:
        """Somebody called: who, is kept as of one who writes."""
        person = None
        if event.caller:
            number, kind = normalise_sender(event.caller, self._country)
            person = recipients.ensure(connection, number, kind, self._store.fingerprint(number), now_us)
        calls.add(connection, person, now_us, modem=origin.modem, node=origin.node, iccid=origin.iccid)


def _report(heard: _Heard) -> HeardReport:
    assert isinstance(heard.event, StatusReportReceived)
    return heard.event, heard.origin


#: States that people are told of; the others are passing.
_STATE_EVENTS = {
    "ready": "modem.up",
    "absent": "modem.down",
    "repairing": "modem.down",
    "paused": "modem.down",
    "parked": "modem.parked",
}


def _record_state(connection: Connection, event: ModemStateChanged, heard: _Heard, now_us: int) -> None:
    news = heard.news
    if news is not None and heard.origin.modem not in RESERVED:
        detail = f"{heard.origin.modem}: {event.reason or event.state}"
        store_events.record(connection, now_us, news.kind, detail=detail, facts=news.facts)
