"""Answers that come after their submit was given up, by us or by a process that died: settled like any outcome.

The attempt may be open still (nobody has settled it), uncertain by now, or settled by somebody else: the gate and the
store know the difference. Nothing here sends anything.
"""

from __future__ import annotations

from sqlalchemy import Connection

from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import SubmitAnsweredLate
from gateway.outbound import submit_outcome
from gateway.outbound.gate import Gate
from gateway.store import marks
from gateway.store.outcomes import Outcome


class Answers:
    """Takes them, for every modem."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def take(self, connection: Connection, event: SubmitAnsweredLate, modem: str, now_us: int) -> None:
        """Write down what became of the attempt that the event's tag names."""
        assert isinstance(event.tag, int), "a submit is tagged with its attempt"
        outcome = _outcome_of(connection, event.tag, event, now_us)
        if outcome is not None:
            self._gate.settle(connection, outcome, modem, now_us)


def _outcome_of(connection: Connection, attempt_id: int, event: SubmitAnsweredLate, now_us: int) -> Outcome | None:
    match event.result:
        case SubmitRefused() as error:
            facts = marks.facts_of(connection, attempt_id)
            if facts is None:
                return None
            return submit_outcome.refused(attempt_id, error, now_us, copies=facts.copies, expires_us=facts.expires_us)
        case SubmitUncertain() as error:
            return submit_outcome.lost(attempt_id, error.cause, error.user_text)
        case ModemNotReady() as error:
            return submit_outcome.not_sent(attempt_id, error.code, error.user_text)
        case result:
            return submit_outcome.accepted(attempt_id, result.reference)
