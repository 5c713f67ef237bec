"""One sender per modem: takes a marked part, hands it over, and brings its outcome to the gate.

There is never more than one submit in flight per modem, and the outcome of one is written in the same flush as the mark
of the next. An outcome is kept until the store took it, whatever that needs; nothing is submitted meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection

from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import ModemState, SubmitResult
from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.failpoints import reach
from gateway.message import NO_PAUSE, PartEvent
from gateway.outbound import submit_outcome
from gateway.outbound.gate import Gate, Marked
from gateway.outbound.journal import WireJournal
from gateway.outbound.watch import SubmitWatch
from gateway.ports import Modem
from gateway.store.database import Store
from gateway.store.outcomes import Outcome
from gateway.store.queue import ModemFacts

log = logging.getLogger(__name__)

_UNSETTLED = frozenset({PartEvent.RELEASED, PartEvent.OUTCOME_LOST})
# A modem that said no before the prompt is asked again after this, should it call itself ready at once.
_MODEM_PAUSE_US = SECOND_US
# After the store refused a transaction: long enough not to spin, short enough that nobody notices.
_STORE_PAUSE_US = 2 * SECOND_US

_PAUSED_LOOK_US = 2 * SECOND_US


class Sender:
    """Works for one modem until it is stopped."""

    def __init__(
        self,
        modem: Modem,
        store: Store,
        gate: Gate,
        clock: Clock,
        *,
        journal: WireJournal,
        facts: Callable[[], ModemFacts],
    ) -> None:
        self._modem = modem
        self._journal = journal
        self._store = store
        self._gate = gate
        self._clock = clock
        self._facts = facts
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        #: Called after an outcome that leaves something to be done: another try, another modem, a further copy.
        self.on_unsettled: Callable[[], None] = lambda: None
        #: Called when there was something to send after a time of idleness.
        self.on_found: Callable[[], None] = lambda: None
        #: Whether it waits for a nudge, and has got none yet.
        self.idle = False
        # When the last part was handed over, while there was no break since (monotonic clock).
        self._handed_us: int | None = None

    def is_sending(self) -> bool:
        """Whether it is between two parts, or at one."""
        return not self.idle

    def nudge(self) -> None:
        """There may be something to send."""
        self.idle = False
        self._work.set()

    def stop(self) -> None:
        """Begin nothing more; what is in flight is finished and written."""
        self._stopping.set()
        self._work.set()

    async def run(self) -> None:
        """Send until `stop`."""
        outcome: Outcome | None = None
        rested = False
        while outcome is not None or not self._stopping.is_set():
            if outcome is None and not await self._modem_ready():
                continue
            self._work.clear()
            # After a release the modem is given time to say whether it is still there.
            more = not self._stopping.is_set() and (outcome is None or outcome.event is not PartEvent.RELEASED)
            marked = await self._pass_gate(outcome, more=more)
            if outcome is not None:
                reach("settled")
            if outcome is not None and outcome.event in _UNSETTLED:
                self.on_unsettled()
            if outcome is not None and outcome.event is PartEvent.RELEASED:
                await self._clock.wait(self._stopping, self._clock.now_us() + _MODEM_PAUSE_US)
            released = outcome is not None and not more
            outcome = None
            if marked is not None:
                if rested:
                    self.on_found()
                rested = False
                outcome = await self._submit(*marked)
            elif not released:
                await self._wait_for_work()
                rested = True

    async def _wait_for_work(self) -> None:
        """Wait for a nudge; look oneself while something is paused, since it may be lifted on the store alone, and
        when what was left to another modem for a moment may still be there."""
        until_us = self._gate.look_again_us.get(self._modem.name)
        if self._gate.pause != NO_PAUSE:
            look_us = self._clock.now_us() + _PAUSED_LOOK_US
            until_us = look_us if until_us is None else min(until_us, look_us)
        self.idle, self._handed_us = not self._work.is_set(), None
        try:
            await self._clock.wait(self._work, until_us)
        finally:
            self.idle = False

    async def _modem_ready(self) -> bool:
        """Wait for the modem, or for the end; True when the modem can take a submit."""
        if self._modem.state is ModemState.READY:
            return not self._stopping.is_set()
        self._handed_us = None
        ready = asyncio.ensure_future(self._modem.wait_ready())
        ending = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({ready, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            ending.cancel()
        return not self._stopping.is_set()

    async def _pass_gate(self, outcome: Outcome | None, *, more: bool) -> tuple[Marked, int] | None:
        """Settle and mark in one transaction; comes again for as long as the store refuses an outcome.

        A marked part comes with the boot-time clock's reading of its mark.
        """

        def work(connection: Connection) -> tuple[Marked, int] | None:
            now_us = self._clock.now_us()
            marked_us = self._clock.boottime_us()
            if outcome is not None:
                self._gate.settle(connection, outcome, self._modem.name, now_us)
            marked = self._gate.next(connection, facts, now_us) if more else None
            return None if marked is None else (marked, marked_us)

        while True:
            facts = self._facts()
            try:
                return await self._store.write(work)
            except Unavailable as error:
                log.error(
                    "the store refused", extra={"action": "gate_refused", "modem": facts.name, "code": error.code}
                )
            except Exception:
                log.exception("the gate failed", extra={"action": "gate_failed", "modem": facts.name})
            if outcome is None and self._stopping.is_set():
                return None
            await self._clock.wait(asyncio.Event(), self._clock.now_us() + _STORE_PAUSE_US)

    async def _measured(self, marked: Marked, watch: SubmitWatch) -> SubmitResult:
        """Hand it to the modem, and note how long that took and how long it had waited."""
        measures, begun_us = self._store.measures, self._clock.monotonic_us()
        if self._handed_us is not None:
            measures.paces.add_cycle(self._modem.name, (begun_us - self._handed_us) / SECOND_US)
        self._handed_us = begun_us
        if marked.due_us is not None:
            measures.accept_to_wire.add((self._clock.now_us() - marked.due_us) / SECOND_US)
        try:
            result = await self._modem.submit(marked.octets, watch, iccid=marked.iccid)
        finally:
            took_s = (self._clock.monotonic_us() - begun_us) / SECOND_US
            measures.submit.add(took_s)
        measures.paces.add_submit(self._modem.name, took_s)
        measures.parts_sent[self._modem.name] += 1
        return result

    async def _submit(self, marked: Marked, marked_us: int) -> Outcome:
        """Hand one part to the modem; every way it can end is an outcome."""
        attempt_id = marked.attempt_id
        watch = SubmitWatch(self._journal, self._clock, attempt_id, marked_us)
        try:
            reach("marked")
            watch.begin()
            result = await self._measured(marked, watch)
            reach("answered")
        except ModemNotReady as error:
            return submit_outcome.not_sent(attempt_id, error.code)
        except SubmitRefused as error:
            reach("answered")
            now_us = self._clock.now_us()
            return submit_outcome.refused(attempt_id, error, now_us, copies=marked.copies, expires_us=marked.expires_us)
        except SubmitUncertain as error:
            reach("answered")
            return submit_outcome.lost(attempt_id, error.cause, error.user_text)
        except Exception:
            log.exception("submit failed", extra={"action": "submit_failed", "modem": self._modem.name})
            return submit_outcome.lost(attempt_id, "internal", "the submit was broken off by an internal error")
        return submit_outcome.accepted(attempt_id, result.reference)
