"""The terminal's side of an AT link, without any input or output of its own.

Strategy: `receive_data` only stores; `next_event` makes one event of what is stored, or says `NEED_DATA`. Lines are
judged in a fixed order: the PDU that belongs to the news before it, echo, final result, news, answer. What fits nothing
that is running comes out as `Late`, so that an answer that is overdue is never taken for the next command's.
The bytes to write are returned by the methods that move the dialogue; writing them, and time, are the caller's.
Sources: ITU-T V.250, 5.2 to 5.7; TS 27.005, 3.4.1 and 4.3; TS 27.007, 9.
"""

from __future__ import annotations

from drivers.at.commands import AtCommand
from drivers.at.events import AtEvent, Echo, InformationText, Late, Prompt, Urc
from drivers.at.framing import LineFramer, Mark, Noise
from drivers.at.results import FinalResult, ResultKind, parse_final
from drivers.at.state import Dialogue, Step, move
from drivers.at.urc import WITH_PDU, announces_call, is_hexadecimal, is_overdue, is_unsolicited, name_of

CR = b"\r"
CTRL_Z = b"\x1a"
ESC = b"\x1b"

_NOTHING: frozenset[str] = frozenset()
_ANSWERED = frozenset({Dialogue.COMMAND_SENT, Dialogue.PAYLOAD_SENT})
_BEFORE_PAYLOAD = frozenset({Dialogue.PROMPT_AWAITED, Dialogue.PROMPTED})
_OUT_OF_STEP = frozenset({Dialogue.LOST, Dialogue.PROBING})
# What a line that ends with a prompt may have asked for before it.
_BEFORE_PROMPT = frozenset({"+CMGF"})


class AtConnection:
    """One dialogue with one modem. It begins `LOST`: the modem may still be busy with somebody else's command."""

    def __init__(self) -> None:
        self._framer = LineFramer()
        self._state = Dialogue.LOST
        self._sent = ""
        self._answers = _NOTHING
        self._awaiting_pdu: str | None = None
        self._held: str | None = None
        self._ringing = False
        self._probe_answered = False
        self._told_before_prompt = False

    @property
    def state(self) -> Dialogue:
        """Where the dialogue stands."""
        return self._state

    # --- what the terminal does: each returns the octets to write

    def send_command(self, command: AtCommand) -> bytes:
        """Begin a command that ends with a final result code."""
        return self._begin(command, Step.COMMAND)

    def send_prompted_command(self, command: AtCommand) -> bytes:
        """Begin a command that the modem answers with the prompt."""
        self._told_before_prompt = False
        return self._begin(command, Step.PROMPTED_COMMAND)

    def send_payload(self, payload: str) -> bytes:
        """What to write at the prompt, without the Ctrl-Z that ends it: the caller writes that as its own step."""
        self._state = move(self._state, Step.PAYLOAD)
        self._sent = payload
        return payload.encode("ascii")

    def abandon(self) -> None:
        """Give up what is running, after a time-out: whatever comes now may be its answer."""
        self._state = move(self._state, Step.ABANDON)
        self._answers = _NOTHING

    def attention(self, command: AtCommand) -> bytes:
        """A command that only wakes the modem while the dialogue is lost; its result comes as `Late`."""
        if self._state is not Dialogue.LOST:
            self.abandon()
        self._sent = command.text
        return command.text.encode("ascii") + CR

    def probe(self, command: AtCommand) -> bytes:
        """A reading command whose answer cannot be mistaken: the OK after its own name means that we are in step."""
        self._probe_answered = False
        return self._begin(command, Step.PROBE)

    def vouch(self) -> None:
        """Take the dialogue for in step because the modem answered and has been silent since."""
        self._state = move(self._state, Step.IN_STEP)

    def _begin(self, command: AtCommand, step: Step) -> bytes:
        self._state = move(self._state, step)
        self._sent = command.text
        self._answers = command.answers
        return command.text.encode("ascii") + CR

    # --- what the modem does

    def receive_data(self, data: bytes) -> None:
        """Store octets, cut anywhere."""
        self._framer.feed(data)

    def next_event(self) -> AtEvent | Mark:
        """The next event, or `NEED_DATA`."""
        while True:
            item = self._next_item()
            if isinstance(item, str):
                event = self._judge(item)
            elif item is Mark.PROMPT:
                event = self._prompt()
            else:
                return item
            if event is not None:
                return event

    def _next_item(self) -> str | Mark | Noise:
        if self._held is None:
            return self._framer.next()
        line, self._held = self._held, None
        return line

    def _prompt(self) -> Prompt | None:
        if self._state is Dialogue.PROMPT_AWAITED:
            self._state = move(self._state, Step.PROMPT)
        elif self._state is Dialogue.PAYLOAD_SENT:
            return None  # a modem that repeats its prompt before each echoed line
        return Prompt()

    def _judge(self, line: str) -> AtEvent | None:
        header, self._awaiting_pdu = self._awaiting_pdu, None
        if header is not None and is_hexadecimal(line):
            return Urc(name_of(header), header, line)
        if header is not None and self._is_other_news(line):
            self._awaiting_pdu = header  # told in between: the PDU is still to come
            return self._news(line)
        if header is not None:
            self._held = line  # the PDU never came: the news is told without it, then this line is judged
            return Urc(name_of(header), header)
        return self._classify(line)

    def _classify(self, line: str) -> AtEvent | None:
        if self._is_echo(line):
            return Echo()
        final = parse_final(line)
        if final is not None:
            return self._finish(final)
        if is_unsolicited(line, self._answers):
            return self._news(line)
        return self._answer(line)

    def _is_other_news(self, line: str) -> bool:
        """News that brings no PDU of its own, and is no piece of a line (these have no name or no end)."""
        name = name_of(line)
        return is_unsolicited(line, self._answers) and name not in WITH_PDU and parse_final(line) is None

    def _is_echo(self, line: str) -> bool:
        return line == self._sent or (self._state in _OUT_OF_STEP and line.startswith("AT"))

    def _news(self, line: str) -> Urc | None:
        name = name_of(line)
        if name in WITH_PDU:
            self._awaiting_pdu = line
            return None
        self._ringing = self._ringing or announces_call(name)
        return Urc(name, line)

    def _answer(self, line: str) -> InformationText | Late:
        if self._state in _ANSWERED and not is_overdue(line, self._answers):
            return InformationText(line)
        if self._state is Dialogue.PROBING and name_of(line) in self._answers:
            self._probe_answered = True
            return InformationText(line)
        if self._state is Dialogue.PROMPT_AWAITED and name_of(line) in _BEFORE_PROMPT & self._answers:
            self._told_before_prompt = True
            return InformationText(line)
        return Late(line)

    def _finish(self, final: FinalResult) -> AtEvent:
        if final.kind is ResultKind.NO_CARRIER and self._is_end_of_call():
            return Urc("NO CARRIER", final.line)
        if self._state is Dialogue.PROBING and self._probe_answered and final.is_ok:
            self._state = move(self._state, Step.IN_STEP)
            return final
        if not self._can_end(final):
            return Late(final.line, final)
        prompt_may_follow = self._state is Dialogue.PROMPT_AWAITED and final.is_ok
        self._state = move(self._state, Step.ABANDON if prompt_may_follow else Step.FINAL)
        self._answers = _NOTHING
        return final

    def _is_end_of_call(self) -> bool:
        """NO CARRIER ends a call that rang, or any call when nothing is running; else it is a command's result."""
        rang, self._ringing = self._ringing, False
        return rang or self._state is Dialogue.IDLE

    def _can_end(self, final: FinalResult) -> bool:
        if self._state in _BEFORE_PAYLOAD:
            # Only an error is an answer here; an OK belongs to something older, unless a line of ours came before it.
            return not final.is_ok or (self._told_before_prompt and self._state is Dialogue.PROMPT_AWAITED)
        return self._state in _ANSWERED
