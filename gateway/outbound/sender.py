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
from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.message import NO_PAUSE, PartEvent
from gateway.outbound.gate import Gate, Marked
from gateway.ports import Modem
from gateway.rules.retry import TRIED_ONCE_MORE, next_try_us
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

    def __init__(self, modem: Modem, store: Store, gate: Gate, clock: Clock, facts: Callable[[], ModemFacts]) -> None:
        self._modem = modem
        self._store = store
        self._gate = gate
        self._clock = clock
        self._facts = facts
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        #: Called after an outcome that leaves something to be done: another try, another modem, a further copy.
        self.on_unsettled: Callable[[], None] = lambda: None

    def nudge(self) -> None:
        """There may be something to send."""
        self._work.set()

    def stop(self) -> None:
        """Begin nothing more; what is in flight is finished and written."""
        self._stopping.set()
        self._work.set()

    async def run(self) -> None:
        """Send until `stop`."""
        outcome: Outcome | None = None
        while outcome is not None or not self._stopping.is_set():
            if outcome is None and not await self._modem_ready():
                continue
            self._work.clear()
            # After a release the modem is given time to say whether it is still there.
            more = not self._stopping.is_set() and (outcome is None or outcome.event is not PartEvent.RELEASED)
            marked = await self._pass_gate(outcome, more=more)
            if outcome is not None and outcome.event in _UNSETTLED:
                self.on_unsettled()
            if outcome is not None and outcome.event is PartEvent.RELEASED:
                await self._clock.wait(self._stopping, self._clock.now_us() + _MODEM_PAUSE_US)
            released = outcome is not None and not more
            outcome = None
            if marked is not None:
                outcome = await self._submit(marked)
            elif not released:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        """Wait for a nudge; while something is paused look oneself, since it may be lifted on the store alone."""
        paused = self._gate.pause != NO_PAUSE
        await self._clock.wait(self._work, self._clock.now_us() + _PAUSED_LOOK_US if paused else None)

    async def _modem_ready(self) -> bool:
        """Wait for the modem, or for the end; True when the modem can take a submit."""
        ready = asyncio.ensure_future(self._modem.wait_ready())
        ending = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({ready, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            ending.cancel()
        return not self._stopping.is_set()

    async def _pass_gate(self, outcome: Outcome | None, *, more: bool) -> Marked | None:
        """Settle and mark in one transaction; comes again for as long as the store refuses an outcome."""

        def work(connection: Connection) -> Marked | None:
            now_us = self._clock.now_us()
            if outcome is not None:
                self._gate.settle(connection, outcome, self._modem.name, now_us)
            return self._gate.next(connection, facts, now_us) if more else None

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

    async def _submit(self, marked: Marked) -> Outcome:
        """Hand one part to the modem; every way it can end is an outcome."""
        try:
            result = await self._modem.submit(marked.octets)
        except ModemNotReady as error:
            return Outcome(marked.attempt_id, PartEvent.RELEASED, code=error.code, counts=False)
        except SubmitRefused as error:
            return self._refused(marked, error)
        except SubmitUncertain as error:
            return _lost(marked, error.cause, error.user_text)
        except Exception:
            log.exception("submit failed", extra={"action": "submit_failed", "modem": self._modem.name})
            return _lost(marked, "internal", "the submit was broken off by an internal error")
        return Outcome(marked.attempt_id, PartEvent.ACCEPTED, tp_mr=result.reference)

    def _refused(self, marked: Marked, error: SubmitRefused) -> Outcome:
        refused = Outcome(marked.attempt_id, PartEvent.REFUSED, code=error.code, sentence=error.user_text)
        if not error.retryable or (error.code in TRIED_ONCE_MORE and marked.copies > 1):
            return refused
        at_us = next_try_us(self._clock.now_us(), 1 if error.local else marked.copies, marked.expires_us)
        if at_us is None:
            return refused
        return Outcome(
            marked.attempt_id,
            PartEvent.RELEASED,
            code=error.code,
            sentence=error.user_text,
            next_try_us=at_us,
            counts=not error.local,
        )


def _lost(marked: Marked, cause: str, sentence: str) -> Outcome:
    return Outcome(marked.attempt_id, PartEvent.OUTCOME_LOST, code=cause, sentence=sentence)
