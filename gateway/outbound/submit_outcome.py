"""From how a submit ended to the outcome that is written down: the same live and after a crash."""

from __future__ import annotations

from drivers.errors import SubmitRefused
from gateway.message import PartEvent
from gateway.rules.retry import TRIED_ONCE_MORE, next_try_us
from gateway.store.outcomes import Outcome


def accepted(attempt_id: int, tp_mr: int) -> Outcome:
    """The network took it under this reference."""
    return Outcome(attempt_id, PartEvent.ACCEPTED, tp_mr=tp_mr)


def lost(attempt_id: int, cause: str, sentence: str) -> Outcome:
    """It may have left, and nobody knows."""
    return Outcome(attempt_id, PartEvent.OUTCOME_LOST, code=cause, sentence=sentence)


def not_sent(attempt_id: int, cause: str, sentence: str | None = None) -> Outcome:
    """It certainly did not leave, through no fault of its own: no try is used up."""
    return Outcome(attempt_id, PartEvent.RELEASED, code=cause, sentence=sentence, counts=False)


def refused(attempt_id: int, error: SubmitRefused, now_us: int, *, copies: int, expires_us: int) -> Outcome:
    """Refused for good, or to be tried again while there is time; `copies` counts this one."""
    final = Outcome(attempt_id, PartEvent.REFUSED, code=error.code, sentence=error.user_text)
    if not error.retryable or (error.code in TRIED_ONCE_MORE and copies > 1):
        return final
    at_us = next_try_us(now_us, 1 if error.local else copies, expires_us)
    if at_us is None:
        return final
    return Outcome(
        attempt_id,
        PartEvent.RELEASED,
        code=error.code,
        sentence=error.user_text,
        next_try_us=at_us,
        counts=not error.local,
    )
