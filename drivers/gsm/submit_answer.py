"""What the modem's answer to a submit says of the message: the reference, a refusal, or that nobody knows.

The live dialogue asks here, and so does whoever finds the lines of an answer after a restart. It knows no line and no
modem. Sources: TS 27.005, 3.5.1 and 4.3 (+CMGS); TS 23.040, 9.2.3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.at.parameters import parse_parameters
from drivers.at.results import FinalResult, parse_final
from drivers.at.submit_outcomes import SubmitClass, class_of, word_of
from drivers.at.urc import body_of, name_of
from drivers.errors import CommandFailed, SubmitRefused, SubmitUncertain
from drivers.events import SubmitResult

_NAME = "+CMGS"
_TEXT_BY_CLASS = {
    SubmitClass.REFUSED_PERMANENT: "the network refused the message",
    SubmitClass.REFUSED_ONCE: "the network rejected the message",
    SubmitClass.REFUSED_TEMPORARY: "the network cannot take the message now",
    SubmitClass.OUR_FAULT: "the modem could not read the message that it was given",
    SubmitClass.LOCAL: "the modem or its SIM cannot send now",
}
_RETRYABLE = frozenset({SubmitClass.REFUSED_ONCE, SubmitClass.REFUSED_TEMPORARY, SubmitClass.LOCAL})
_NEVER_LEFT = frozenset({SubmitClass.OUR_FAULT, SubmitClass.LOCAL})


@dataclass(frozen=True, slots=True)
class Answer:
    """Information text and how it ended; `final` is None when time or the line ended first."""

    lines: tuple[str, ...]
    final: FinalResult | None


def tells_outcome(line: str) -> bool:
    """Whether a line after Ctrl-Z belongs to the answer: the reference or a final result."""
    return name_of(line) == _NAME or parse_final(line) is not None


def judge_lines(lines: Sequence[str], tpdu: bytes) -> SubmitResult:
    """What the lines after Ctrl-Z say, as far as they are known; raises as `judge` does."""
    final = next((found for line in lines if (found := parse_final(line)) is not None), None)
    return judge(lines, final, tpdu)


def judge(lines: Sequence[str], result: FinalResult | None, tpdu: bytes) -> SubmitResult:
    """The outcome of the submit of `tpdu`: information text and final result, None where that is missing.

    Raises `SubmitRefused` or `SubmitUncertain`.
    """
    reference = _reference(lines)
    if result is None or result.is_ok:
        if reference is None:
            raise SubmitUncertain("bare_ok" if result is not None else "timeout")
        return SubmitResult(reference)
    kind = class_of(result)
    if kind is SubmitClass.SENT:
        return SubmitResult(tpdu[1], duplicate=True)
    if kind is SubmitClass.AMBIGUOUS or reference is not None:
        raise SubmitUncertain(word_of(result))
    raise SubmitRefused(word_of(result), _TEXT_BY_CLASS[kind], retryable=kind in _RETRYABLE, local=kind in _NEVER_LEFT)


def _reference(lines: Sequence[str]) -> int | None:
    """<mr> of ``+CMGS: <mr>[,…]``; TP-MR is one octet (23.040, 9.2.3.6), whatever a modem counts on."""
    for line in lines:
        parameters = parse_parameters(body_of(line))
        if name_of(line) == _NAME and parameters and isinstance(parameters[0], int) and parameters[0] >= 0:
            return parameters[0] & 0xFF
    return None


def refused_before_prompt(error: CommandFailed) -> SubmitRefused:
    """Whatever the error: without prompt nothing was handed over."""
    code = f"cms_{error.cms}" if error.cms is not None else f"cme_{error.cme}" if error.cme is not None else "error"
    ours = error.cms in {304, 305}
    kind = SubmitClass.OUR_FAULT if ours else SubmitClass.LOCAL
    return SubmitRefused(code, _TEXT_BY_CLASS[kind], retryable=not ours, local=True)
