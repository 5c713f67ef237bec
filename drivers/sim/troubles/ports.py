"""Troubles at a step of a submission that take the port or the power away."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.at.equipment import CTRL_Z, Phase
from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import Answer, Later, Silence
from drivers.sim.troubles.base import Produce, Striking, once_given
from drivers.sim.troubles.options import (
    DURATION,
    FLAG,
    LINES,
    TEXT,
    between,
    count,
    either,
    one_of,
    option,
    part_of_longest,
)
from drivers.sim.troubles.submissions import LEFT, NOT_LEFT


class Step(StrEnum):
    """Where a submission stands: the command heard, the prompt written, an octet of the PDU heard, Ctrl-Z come but not
    heeded, Ctrl-Z heeded, the answer due."""

    NOW = "now"
    COMMAND = "command"
    PROMPT = "prompt"
    OCTET = "octet"
    BEFORE_END = "before-end"
    END = "end"
    ANSWER = "answer"


STEPS = tuple(Step)


@dataclass(kw_only=True, eq=False)
class Stepped(Striking, ABC):
    """Something that happens at a step, or at once."""

    step: str = option(one_of(*STEPS), Step.NOW, "when", draw=either(*STEPS))
    octet: int = option(count(range(1, 1000)), 10, "which one of the PDU's digits, at that step", draw=between(1, 30))
    left: bool = option(FLAG, True, "whether the message leaves at step end", draw=either(True, False))
    _typed: int = field(default=0, init=False, repr=False)

    @abstractmethod
    def happen(self, note: str) -> None:
        """It has come to the step."""

    def begin(self) -> None:
        if self.step == Step.NOW:
            self.happen("")

    def command(self, command: Command, produce: Produce) -> Answer:
        if (command.name, command.form) == ("+CMGS", Form.SET):
            self._typed = 0
            if self._waits(Step.COMMAND):
                self.happen(NOT_LEFT)
        return produce()

    def said(self, data: bytes) -> None:
        if self._waits(Step.PROMPT) and self._in_prompt() and data.rstrip().endswith(b">"):
            self.happen(NOT_LEFT)

    def heard(self, octet: int) -> bool:
        if self._in_prompt():
            self._typed += 1
            due = self._waits(Step.OCTET) and self._typed == self.octet
            if due or (octet == CTRL_Z and self._waits(Step.BEFORE_END)):
                self.happen(NOT_LEFT)
                return False
        return True

    def submission(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - any submission
        if self._waits(Step.ANSWER):
            return once_given(produce(), self._before_answer)
        if self._waits(Step.END):
            if self.left:
                leave_now(produce())
            self.happen(LEFT if self.left else NOT_LEFT)
            return Silence()
        return produce()

    def _before_answer(self, answer: Answer) -> Answer:  # noqa: ARG002 - nobody hears it
        self.happen(LEFT)
        return Silence()

    def _waits(self, step: Step) -> bool:
        return self.step == step

    def _in_prompt(self) -> bool:
        return self.modem.interface.phase is Phase.PAYLOAD


def leave_now(answer: Answer) -> None:
    """Let the network take it at once, however long its answer would have been put off."""
    while isinstance(answer, Later):
        answer = answer.then()


@dataclass(kw_only=True, eq=False)
class Absent(Stepped):
    """Something that is gone for a while and comes back."""

    away: float = option(DURATION, 2.0, "how long it is gone", word="for", draw=part_of_longest)
    _return: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    @abstractmethod
    def leave(self) -> None:
        """It goes."""

    @abstractmethod
    def come_back(self) -> None:
        """It is there again."""

    def plug(self, link: str | None = None) -> None:
        """Bring the port back; what stands in its way is told in the history."""
        try:
            self.modem.plug(link)
        except (OSError, ValueError) as error:
            self.host.struck(self, f"cannot come back: {error}")

    def happen(self, note: str) -> None:
        if self._return is None:
            self._return = self.later(self.away, self._end_absence)
            self.strike(note, done=False)
            self.leave()

    def finish(self) -> None:
        if self._return:
            self._end_absence()

    def _end_absence(self) -> None:
        if self._return:
            self._return.cancel()
            self._return = None
            self.come_back()
            self.spend()


@dataclass(kw_only=True, eq=False)
class Unplugged(Absent):
    """the port vanishes and comes back after a while"""

    name = "unplug"
    weight = 3.0

    power: bool = option(FLAG, False, "whether it loses its power by that", draw=either(True, False))
    link: str = option(TEXT, "", "the name, or TCP port, under which it comes back")

    def leave(self) -> None:
        self.modem.unplug()
        if self.power:
            self.modem.switch_off()

    def come_back(self) -> None:
        """Without power it starts when the port is heard again."""
        self.plug(self.link or None)


@dataclass(kw_only=True, eq=False)
class Reboot(Absent):
    """the modem begins anew by itself: silent, then start-up lines; settings are forgotten"""

    name = "reboot"
    weight = 2.0

    text_mode: bool = option(FLAG, False, "whether it comes back in text mode", draw=either(True, False))
    port: bool = option(FLAG, False, "whether the port vanishes meanwhile", draw=either(True, False))
    lines: tuple[str, ...] = option(LINES, (), "start-up lines besides the family's; {pin} is the word of +CPIN")

    def leave(self) -> None:
        self.modem.switch_off()
        if self.port:
            self.modem.unplug()

    def come_back(self) -> None:
        if self.port:
            self.plug()
        self.modem.switch_on()
        equipment = self.modem.station.equipment
        equipment.command_settings.text_mode = self.text_mode
        for line in self.lines:
            self.modem.notify(line.format(pin=equipment.pin_word))

    def heard(self, octet: int) -> bool:
        return super().heard(octet) and self._return is None

    def say(self, data: bytes) -> bytes:
        return data if self._return is None else b""
