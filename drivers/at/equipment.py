"""The equipment's side of an AT link, without any input or output of its own: the role that a modem plays.

Bytes of the terminal go in by `receive_data`, commands and payloads come out of `next_event`, answers are given
with `respond`, `succeed`, `fail` and `prompt`, and the bytes for the terminal are taken from `data_to_send`.
The machine owns what V.250 gives to the interface itself: the prefix, echo, the repetition `A/`, line editing, result
format and the S-registers. It must not know what any other command means.
Sources: ITU-T V.250 (07/2003), 3GPP TS 27.005, 3.5.1 (prompt, Ctrl-Z and ESC).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from drivers.at.equipment_grammar import Command, CommandLineError, Form, next_command, strip_blanks

MAX_LINE = 2048
MAX_PAYLOAD = 4096
CR, LF, BACKSPACE, CTRL_Z, ESC = 0x0D, 0x0A, 0x08, 0x1A, 0x1B


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A command waits for `succeed`, `fail` or `prompt`; what follows on its line comes after that answer."""

    command: Command


@dataclass(frozen=True, slots=True)
class PayloadReceived:
    """What was typed at the prompt, ended by Ctrl-Z; waits for `succeed` or `fail`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PayloadCancelled:
    """The prompt was left by ESC; waits for `succeed` or `fail`."""


EquipmentEvent = CommandReceived | PayloadReceived | PayloadCancelled


class Phase(Enum):
    """Where the dialogue stands."""

    PREFIX = auto()
    BODY = auto()
    LINE = auto()
    EXECUTING = auto()
    PAYLOAD = auto()


class Step(Enum):
    """What moves the dialogue on."""

    PREFIX_SEEN = auto()
    LINE_ENDED = auto()
    COMMAND_TAKEN = auto()
    COMMAND_DONE = auto()
    LINE_DONE = auto()
    PROMPTED = auto()
    PAYLOAD_ENDED = auto()


TRANSITIONS = {
    (Phase.PREFIX, Step.PREFIX_SEEN): Phase.BODY,
    (Phase.BODY, Step.LINE_ENDED): Phase.LINE,
    (Phase.LINE, Step.COMMAND_TAKEN): Phase.EXECUTING,
    (Phase.LINE, Step.LINE_DONE): Phase.PREFIX,
    (Phase.EXECUTING, Step.COMMAND_DONE): Phase.LINE,
    (Phase.EXECUTING, Step.PROMPTED): Phase.PAYLOAD,
    (Phase.PAYLOAD, Step.PAYLOAD_ENDED): Phase.EXECUTING,
}

# V.250, 5.7.1: the results that have a number when ATV0 is in force. Those of 27.005 and 27.007 stay in words.
NUMERIC_RESULTS = {
    "OK": "0",
    "CONNECT": "1",
    "RING": "2",
    "NO CARRIER": "3",
    "ERROR": "4",
    "NO DIALTONE": "6",
    "BUSY": "7",
    "NO ANSWER": "8",
}

_PREFIX = re.compile(rb"AT|at|[Aa]/")
_PAYLOAD_END = re.compile(rb"[\x1a\x1b]")
_REGISTER_NAME = re.compile(r"S\d+")
_FLAGS = {"E": "echo", "Q": "quiet", "V": "verbose"}
# A body that follows no syntax: what stands for a line that was too long to keep.
OVERLONG = "="
FACTORY_REGISTERS = {0: 0, 3: CR, 4: LF, 5: BACKSPACE, 6: 2, 7: 50, 8: 2, 10: 14}


class EquipmentStateError(RuntimeError):
    """An answer was given while no command waited for one: a mistake of the program around the machine."""


class Equipment:
    """One AT link as seen by the modem. `echo` is the factory setting of the command E."""

    def __init__(self, *, echo: bool = True) -> None:
        self._factory_echo = echo
        self._phase = Phase.PREFIX
        self._input = bytearray()
        self._typed = bytearray()
        self._output = bytearray()
        self._held = list[tuple[str, ...]]()
        self._lead = b""
        self._body = ""
        self._position = 0
        self.reset()

    def reset(self) -> None:
        """Echo, result format and registers as the factory set them (`Z` and `&F`: V.250, 6.1.1 and 6.1.2)."""
        self.echo, self.quiet, self.verbose = self._factory_echo, False, True
        self._registers = dict(FACTORY_REGISTERS)

    @property
    def phase(self) -> Phase:
        """Where the dialogue stands now."""
        return self._phase

    # --- bytes in, events out

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the terminal. Those that come while a command executes wait until it is answered."""
        self._input += data

    def next_event(self) -> EquipmentEvent | None:
        """The next thing the modem must act on, or None when more bytes (or an answer) must come first."""
        while self._phase is not Phase.EXECUTING:
            if self._phase is Phase.LINE:
                event = self._take_command()
            elif not self._input:
                return None
            else:
                event = self._read()
            if event is not None:
                return event
        return None

    def data_to_send(self) -> bytes:
        """Echo, answers and notifications since the last call, to be written in this order."""
        data = bytes(self._output)
        self._output.clear()
        return data

    # --- answers

    def respond(self, *lines: str) -> None:
        """Information text of the command that executes, sent as one block (V.250, 5.7.1)."""
        self._require(Phase.EXECUTING)
        self._write_block(lines)

    def succeed(self) -> None:
        """The command is done; OK is sent when it was the last of its line."""
        self._step(Step.COMMAND_DONE)
        if self._position >= len(self._body):
            self._finish_line("OK")

    def fail(self, result: str = "ERROR") -> None:
        """The command failed: `result` is sent and the rest of its line is not executed (V.250, 5.2.2)."""
        self._step(Step.COMMAND_DONE)
        self._finish_line(result)

    def give_up(self) -> None:
        """The command ends without any result, as on equipment that has lost it; the rest of its line with it."""
        self._step(Step.COMMAND_DONE)
        self._step(Step.LINE_DONE)

    def prompt(self) -> None:
        """Ask for a payload: four octets, no line end after them (27.005, 3.5.1)."""
        self._step(Step.PROMPTED)
        self._typed.clear()
        self._output += self._line_end + b"> "

    def notify(self, *lines: str) -> None:
        """An unsolicited result; it waits while a payload is typed, where it would be taken for something else."""
        if self._phase is Phase.PAYLOAD:
            self._held.append(lines)
        elif not self.quiet:
            self._write_block(lines)

    # --- reading

    def _read(self) -> EquipmentEvent | None:
        match self._phase:
            case Phase.PREFIX:
                self._read_prefix()
            case Phase.BODY:
                self._read_body()
            case _:
                return self._read_payload()
        return None

    def _read_prefix(self) -> None:
        """Everything before `AT` is noise (V.250, 5.2.1); its first letter may have come in an earlier read."""
        window = self._lead + bytes(self._input)
        found = _PREFIX.search(window)
        self._consume(len(self._input) if found is None else found.end() - len(self._lead))
        self._lead = window[-1:] if found is None and window[-1:] in (b"A", b"a") else b""
        if found is None:
            return
        self._typed.clear()
        self._step(Step.PREFIX_SEEN)
        if found[0].endswith(b"/"):
            self._begin_line(self._body)

    def _read_body(self) -> None:
        end = self._input.find(self._registers[3])
        piece = self._consume(len(self._input) if end < 0 else end + 1)
        self._typed += piece
        if end < 0:
            # One octet over the limit is kept: it tells at the end of the line that some are missing.
            del self._typed[MAX_LINE + 1 :]
            return
        line = self._edited(self._typed[:-1])
        self._begin_line(line if len(self._typed) <= MAX_LINE else OVERLONG)

    def _read_payload(self) -> EquipmentEvent | None:
        found = _PAYLOAD_END.search(self._input)
        piece = self._consume(len(self._input) if found is None else found.end())
        self._typed += piece if found is None else piece[:-1]
        del self._typed[MAX_PAYLOAD:]
        if found is None:
            return None
        self._step(Step.PAYLOAD_ENDED)
        self._release_held()
        return PayloadCancelled() if piece[-1] == ESC else PayloadReceived(bytes(self._typed))

    def _consume(self, count: int) -> bytes:
        """Take octets from the input and echo them (V.250, 6.2.4)."""
        piece = bytes(self._input[:count])
        del self._input[:count]
        if self.echo:
            self._output += piece
        return piece

    def _edited(self, typed: bytes | bytearray) -> str:
        """The body after the corrections made while typing (V.250, 5.2.2); octets that are no UTF-8 are kept."""
        backspace = self._registers[5]
        if backspace in typed:
            kept = bytearray()
            for octet in typed:
                if octet != backspace:
                    kept.append(octet)
                elif kept:
                    kept.pop()
            typed = kept
        return strip_blanks(typed.decode("utf-8", "surrogateescape"))

    # --- executing

    def _begin_line(self, body: str) -> None:
        self._body, self._position = body, 0
        self._step(Step.LINE_ENDED)

    def _take_command(self) -> EquipmentEvent | None:
        """The next command of the line, unless the interface itself executes it."""
        try:
            taken = next_command(self._body, self._position)
        except CommandLineError:
            self._finish_line("ERROR")
            return None
        if taken is None:
            self._finish_line("OK")
            return None
        command, self._position = taken
        self._step(Step.COMMAND_TAKEN)
        return None if self._execute_own(command) else CommandReceived(command)

    def _execute_own(self, command: Command) -> bool:
        """Execute E, Q, V and the S-registers; `Z` and `&F` reset here and are then the modem's to execute too."""
        if command.name in ("Z", "&F"):
            self.reset()
        elif command.name in _FLAGS and command.form is Form.EXECUTE:
            self._set_flag(_FLAGS[command.name], command)
            return True
        elif _REGISTER_NAME.fullmatch(command.name) and command.form is not Form.EXECUTE:
            self._execute_register(int(command.name[1:]), command)
            return True
        return False

    def _set_flag(self, flag: str, command: Command) -> None:
        if command.value not in ("", "0", "1"):
            return self.fail()
        setattr(self, flag, command.value == "1")
        return self.succeed()

    def _execute_register(self, register: int, command: Command) -> None:
        """S-registers hold an octet; the three that shape the line hold an ASCII character (V.250, 5.3.2, 6.2)."""
        if command.form is Form.READ:
            self.respond(f"{self._registers.get(register, 0):03}")
        elif int(command.value or "0") > (127 if register in (3, 4, 5) else 255):
            return self.fail()
        else:
            self._registers[register] = int(command.value or "0")
        return self.succeed()

    def _finish_line(self, result: str) -> None:
        self._step(Step.LINE_DONE)
        if self.quiet:
            return
        if self.verbose or result not in NUMERIC_RESULTS:
            self._output += self._line_end + result.encode() + self._line_end
        else:
            self._output += NUMERIC_RESULTS[result].encode() + self._line_end[:1]

    # --- writing

    @property
    def _line_end(self) -> bytes:
        return bytes((self._registers[3], self._registers[4]))

    def _write_block(self, lines: tuple[str, ...]) -> None:
        end = self._line_end
        text = end.join(line.encode("utf-8", "surrogateescape") for line in lines)
        self._output += (end if self.verbose else b"") + text + end

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for lines in held:
            self.notify(*lines)

    # --- the table

    def _require(self, phase: Phase) -> None:
        if self._phase is not phase:
            raise EquipmentStateError(f"nothing waits for an answer in phase {self._phase.name}")

    def _step(self, step: Step) -> None:
        try:
            self._phase = TRANSITIONS[self._phase, step]
        except KeyError:
            raise EquipmentStateError(f"{step.name} cannot come in phase {self._phase.name}") from None
