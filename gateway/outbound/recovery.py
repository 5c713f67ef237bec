"""What a crash left: marks without a result, settled in the order of the evidence.

1. The journal of the process that made the mark shows that Ctrl-Z was not next: the part did not leave, and it waits
   again.
2. The journal holds the answer: the part was sent, or refused.
3. The port was kept open for us, and the answer may still come out of it: the mark stands, the modem is listened to
   until the time of the submit is over, and what comes of it is settled like any outcome (`answers`).
4. Otherwise it may have left, and nobody saw the answer: `uncertain`. It is never put back in the queue by age: only
   its policy, evidence or an operator moves it on. A journal that is missing, torn or of another boot proves nothing.

A status report that came meanwhile is the next evidence; the gate looks for it when a part becomes uncertain.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from drivers.errors import SubmitRefused, SubmitUncertain
from drivers.gsm.submit_answer import judge_lines
from gateway.clock import Clock
from gateway.failpoints import reach
from gateway.message import PartEvent
from gateway.outbound import submit_outcome
from gateway.outbound.gate import Gate
from gateway.outbound.journal import Journals, Trace
from gateway.store import marks
from gateway.store.database import Store
from gateway.store.outcomes import Outcome
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

_UNKNOWN = "the gateway was stopped after it began to hand the message over"
_NOT_LEFT = "the gateway was stopped before the message could leave"


async def answerable(store: Store, node: str, journals: Journals, held: Collection[str]) -> Sequence[AnyRow]:
    """The marks whose answer may still come out of a port of `held` (names of modems): rows of `open_marks`.

    A modem has one submit in flight, so there is at most one for each.
    """

    def work(connection: Connection) -> Sequence[AnyRow]:
        marks.adopt(connection, node)
        return marks.open_marks(connection, node)

    left = [mark for mark in await store.write(work) if mark.modem in held]
    alone = {modem for modem, count in Counter(mark.modem for mark in left).items() if count == 1}
    return [mark for mark in left if mark.modem in alone and _may_be_answered(mark, journals.trace(mark.modem))]


def _may_be_answered(mark: AnyRow, trace: Trace | None) -> bool:
    """Not if nothing had left, if something was answered already, or if a later submit has begun on this modem."""
    if trace is not None and (trace.attempt_id or 0) > mark.id:
        return False
    if trace is None or trace.journal != mark.journal:
        return True
    return trace.attempt_id == mark.id and trace.ended and not trace.lines


async def recover(
    store: Store, gate: Gate, clock: Clock, node: str, journals: Journals, *, leave: Collection[int] = ()
) -> int:
    """Settle every open mark but those of `leave` (ids); returns how many. No journal may have been opened yet.

    Who holds an embedded store is its only host: what an earlier name of this host began is taken over.
    """

    def work(connection: Connection) -> Counter[str]:
        marks.adopt(connection, node)
        found: Counter[str] = Counter()
        for mark in marks.open_marks(connection, node):
            if mark.id in leave:
                continue
            now_us = clock.now_us()
            outcome = outcome_of(mark, journals.trace(mark.modem), now_us)
            gate.settle(connection, outcome, mark.modem, now_us)
            found[outcome.event.value] += 1
        for mark in marks.given_up(connection, node):
            now_us = clock.now_us()
            outcome = outcome_of(mark, journals.trace(mark.modem), now_us)
            if outcome.event is not PartEvent.OUTCOME_LOST:
                # Another host could not know; what is known here is evidence.
                gate.settle(connection, outcome, mark.modem, now_us)
                found[f"late_{outcome.event}"] += 1
        reach("recovered")
        return found

    found = await store.write(work)
    if found:
        log.warning("marks settled after restart", extra={"action": "recovered", **found})
    return found.total()


def outcome_of(mark: AnyRow, trace: Trace | None, now_us: int) -> Outcome:
    """What the journal proves of a mark: a row with id, journal, octets, copies, expires_us."""
    if trace is None or trace.journal != mark.journal or (trace.attempt_id or 0) > mark.id:
        return submit_outcome.lost(mark.id, "restart", _UNKNOWN)
    if trace.attempt_id != mark.id or not trace.ended:
        return submit_outcome.not_sent(mark.id, "restart", _NOT_LEFT)
    if not trace.lines:
        return submit_outcome.lost(mark.id, "restart", _UNKNOWN)
    try:
        result = judge_lines(trace.lines, bytes(mark.octets))
    except SubmitRefused as error:
        return submit_outcome.refused(mark.id, error, now_us, copies=mark.copies, expires_us=mark.expires_us)
    except SubmitUncertain as error:
        return submit_outcome.lost(mark.id, error.cause, error.user_text)
    return submit_outcome.accepted(mark.id, result.reference)
