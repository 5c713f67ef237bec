"""Troubles of a submission: what is answered after Ctrl-Z, and whether the message has left all the same.

Whether it leaves is decided here and stands in the ledger and in the note of the strike; 3GPP TS 27.005, 3.2.5 and
3.5.1, ITU-T V.250, 5.7.1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from drivers.at.codes import CmeError, CmsError
from drivers.at.equipment import CTRL_Z, ESC, Phase
from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, Later, RefusedError, Silence, lines
from drivers.sim.troubles.base import Produce, Striking, once_given
from drivers.sim.troubles.options import DURATION, FLAG, count, either, one_of, option, part_of_longest

LEFT, NOT_LEFT = "left", "not left"
PROMPT = b"> "


@dataclass(kw_only=True, eq=False)
class Unclear(Striking, ABC):
    """What is answered does not say whether the message has left."""

    left: bool = option(FLAG, True, "whether the message leaves all the same", draw=either(True, False))

    def submission(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - any submission
        if self.left:
            return once_given(produce(), self._instead)
        delay = self.modem.settings.latency
        return Later(delay, self._without) if delay else self._without()

    @abstractmethod
    def answer(self) -> Answer:
        """What is answered, or RefusedError."""

    def _without(self) -> Answer:
        self.strike(NOT_LEFT)
        return self.answer()

    def _instead(self, answer: Answer) -> Answer:  # noqa: ARG002 - nobody hears the true one
        self.strike(LEFT)
        return self.answer()


@dataclass(kw_only=True, eq=False)
class BareOk(Unclear):
    """after Ctrl-Z comes OK without +CMGS"""

    name = "bare-ok"

    def answer(self) -> Answer:
        return OK


@dataclass(kw_only=True, eq=False)
class SilentSubmit(Unclear):
    """after Ctrl-Z no answer ever comes; the next command is taken"""

    name = "silent-submit"

    def answer(self) -> Answer:
        return Silence()


@dataclass(kw_only=True, eq=False)
class Refusal(Unclear):
    """What is answered is an error."""

    left: bool = option(FLAG, False, "whether the message leaves all the same")
    at: str = option(
        one_of("answer", "prompt"),
        "answer",
        "in place of the answer or of the prompt",
        draw=lambda lots, _longest: "prompt" if lots.random() < 0.25 else "answer",
    )

    def command(self, command: Command, produce: Produce) -> Answer:
        if self.at == "prompt" and (command.name, command.form) == ("+CMGS", Form.SET):
            self.strike(NOT_LEFT)
            return self.answer()
        return produce()

    def submission(self, command: Command, produce: Produce) -> Answer:
        return super().submission(command, produce) if self.at == "answer" else produce()

    @abstractmethod
    def refusal(self) -> RefusedError:
        """How it ends."""

    def answer(self) -> Answer:
        raise self.refusal()


class NumberedRefusal(RefusedError):
    """A result with a number that no table has."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self._line = line

    def result(self, cmee: int) -> str:  # noqa: ARG002 - numbers without a name stay numbers
        return self._line


# What a network or modem may well say; 512 and above belong to the makers (27.005, 3.2.5).
USUAL_CMS = (17, 21, 27, 38, 41, 42, 47, 69, 304, 310, 322, 331, 332, 500, 512, 515)
USUAL_CME = (3, 4, 13, 14, 30, 100)


@dataclass(kw_only=True, eq=False)
class CmsRefusal(Refusal):
    """a submission ends with +CMS ERROR"""

    name = "cms-error"

    code: int = option(count(range(10_000)), 500, "the number", draw=either(*USUAL_CMS))

    def refusal(self) -> RefusedError:
        try:
            return RefusedError(CmsError(self.code))
        except ValueError:
            return NumberedRefusal(f"+CMS ERROR: {self.code}")


@dataclass(kw_only=True, eq=False)
class CmeRefusal(Refusal):
    """a submission ends with +CME ERROR, or with ERROR while +CMEE is 0"""

    name = "cme-error"

    code: int = option(count(range(10_000)), 100, "the number", draw=either(*USUAL_CME))

    def refusal(self) -> RefusedError:
        try:
            return RefusedError(CmeError(self.code))
        except ValueError:
            return NumberedRefusal(f"+CME ERROR: {self.code}")


@dataclass(kw_only=True, eq=False)
class BareError(Refusal):
    """a submission ends with ERROR and no number"""

    name = "error"

    left: bool = option(FLAG, False, "whether the message leaves all the same", draw=either(True, False))

    def refusal(self) -> RefusedError:
        return RefusedError()


@dataclass(kw_only=True, eq=False)
class LateAnswer(Striking):
    """the message leaves at once, +CMGS comes later; nothing is obeyed meanwhile"""

    name = "late-answer"

    after: float = option(DURATION, 30.0, "from Ctrl-Z to the answer", draw=part_of_longest)

    def submission(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - any submission
        return once_given(produce(), self._put_off)

    def _put_off(self, answer: Answer) -> Answer:
        self.strike(LEFT, done=False)
        return Later(self.after, partial(self._give, answer))

    def _give(self, answer: Answer) -> Answer:
        self.spend()
        return answer


@dataclass(kw_only=True, eq=False)
class Lies(Striking):
    """+CMGS is answered and nothing goes on the air"""

    name = "lies"

    def submission(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - it never happens
        delay = self.modem.settings.latency
        lie = partial(self._lie, command.name)
        return Later(delay, lie) if delay else lie()

    def _lie(self, name: str) -> Answer:
        self.strike(NOT_LEFT)
        return lines(f"{name}: {self.modem.station.equipment.next_reference()}")


@dataclass(kw_only=True, eq=False)
class PromptHang(Striking):
    """the prompt is not shown, or Ctrl-Z is not heeded: ESC alone leads out"""

    name = "prompt-hang"
    weight = 0.5

    at: str = option(one_of("end", "prompt"), "end", "what does not work", draw=either("end", "prompt"))
    _hangs: bool = False

    def say(self, data: bytes) -> bytes:
        if self.at == "prompt" and data.endswith(PROMPT) and self._in_prompt():
            self._hang()
            return data.removesuffix(PROMPT)
        return data

    def heard(self, octet: int) -> bool:
        if not self._in_prompt():
            return True
        if octet == CTRL_Z:
            self._hang()
            return False
        if octet == ESC and self._hangs:
            self._hangs = False
            self.spend()
        return True

    def _hang(self) -> None:
        if not self._hangs:
            self._hangs = True
            self.strike(NOT_LEFT, done=False)

    def _in_prompt(self) -> bool:
        return self.modem.interface.phase is Phase.PAYLOAD
