"""One receiver per modem: what the modem tells is committed first and acknowledged then.

Only an acknowledged message is deleted from the modem. While the store refuses, nothing is acknowledged and nothing
lost; an event that fails in any other way is tried three times, then kept as raw octets with the reason, so that it
cannot block the ones behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection

from drivers.events import (
    DeliverReceived,
    ModemEvent,
    ModemStateChanged,
    PduUndecodable,
    StatusReportReceived,
    SubmitAnsweredLate,
)
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import GatewaySettings
from gateway.errors import StoreClosed, Unavailable
from gateway.failpoints import reach
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Inbox
from gateway.inbound.reports import Reports
from gateway.ports import Modem
from gateway.store import events as store_events
from gateway.store.database import Store

log = logging.getLogger(__name__)

_TRIES = 3
_PAUSE_US = 2 * SECOND_US
#: News that the modem need not be told to forget.
_WITHOUT_RECEIPT = (ModemStateChanged, SubmitAnsweredLate)


def _nobody_asks(_connection: Connection, _event: SubmitAnsweredLate, _modem: str, _now_us: int) -> None:
    """Where nothing is sent nothing is answered late."""


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
        #: Takes what a modem says of a submit that had been given up, in the transaction; the name is the modem's.
        self.on_answer: Callable[[Connection, SubmitAnsweredLate, str, int], None] = _nobody_asks
        #: Called after each commit: a reply may have put something into the queue, or taken it out.
        self.on_committed: Callable[[], None] = lambda: None
        #: Called when the modem said that its state is another now.
        self.on_state: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Take what the modem tells until its events end."""
        async for event in self._modem.events():
            try:
                await self._take(event)
            except StoreClosed:
                return

    async def _take(self, event: ModemEvent) -> None:
        """Commit, then acknowledge."""
        origin = Origin(self._modem.name, self._node, self._modem.status().iccid)
        if isinstance(event, ModemStateChanged):
            self.on_state()
        await self._commit(event, origin)
        self.on_committed()
        if not isinstance(event, _WITHOUT_RECEIPT):
            reach("recorded")
            await self._modem.acknowledge(event.receipt)

    async def _commit(self, event: ModemEvent, origin: Origin) -> None:
        """Write it down, however often the store refuses; what fails otherwise is set aside after some tries."""
        problem = ""
        for _ in range(_TRIES):
            try:
                await self._patiently(lambda connection: self._write(connection, event, origin))
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

    async def _patiently(self, work: Callable[[Connection], None]) -> None:
        """Come again for as long as the store can take nothing."""
        while True:
            try:
                await self._store.write(work)
            except StoreClosed:
                raise
            except Unavailable as error:
                log.error("the store refused", extra={"action": "inbound_refused", "code": error.code})
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
            else:
                return

    def _write(self, connection: Connection, event: ModemEvent, origin: Origin) -> None:
        now_us = self._clock.now_us()
        match event:
            case DeliverReceived():
                reach("heard")
                arrival = arrival_of(event, origin, self._country)
                self._inbox.take(connection, arrival, self._store.fingerprint(arrival.sender), origin, now_us)
            case StatusReportReceived():
                self._reports.take(connection, event, origin, now_us)
            case PduUndecodable():
                problem = f"{event.error.field} at octet {event.error.octet}: {event.error.message}"
                self._inbox.take_undecodable(connection, event.raw, problem, origin, now_us)
            case SubmitAnsweredLate():
                self.on_answer(connection, event, origin.modem, now_us)
            case ModemStateChanged():
                _record_state(connection, event, origin, now_us)


#: States that people are told of; the others are passing.
_STATE_EVENTS = {"ready": "modem.up", "absent": "modem.down", "repairing": "modem.down", "parked": "modem.parked"}


def _record_state(connection: Connection, event: ModemStateChanged, origin: Origin, now_us: int) -> None:
    kind = _STATE_EVENTS.get(event.state)
    if kind is not None:
        store_events.record(connection, now_us, kind, detail=f"{origin.modem}: {event.reason or event.state}")
