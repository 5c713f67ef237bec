"""One modem's line: one command at a time, each with its deadline, and back in step after every time-out.

It pumps octets between a transport and the sans-IO connection. It knows how dialogues end, not what commands mean. The
price of a time-out is paid by the next command: it first makes sure that no overdue answer can be taken for its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from drivers.at.commands import ATTENTION, PROBE, VERBOSE_RESULTS, AtCommand
from drivers.at.connection import CR, CTRL_Z, ESC, AtConnection
from drivers.at.events import AtEvent, Echo, InformationText, Late, Prompt, Urc
from drivers.at.framing import Mark, Noise
from drivers.at.results import FinalResult
from drivers.at.state import Dialogue
from drivers.at.urc import name_of
from drivers.errors import CommandFailed, CommandTimeout, LineNoisy, SubmitUncertain, TransportLost
from drivers.events import WireStage, WireWitness
from drivers.gsm.limit import Limit
from drivers.gsm.overdue import OverdueSubmit
from drivers.gsm.patience import Patience
from drivers.gsm.settings import Deadlines
from drivers.gsm.submit_answer import Answer
from drivers.gsm.torn import READINGS, Doubts
from drivers.transport.base import Transport

log = logging.getLogger(__name__)
_ATTENTION_ATTEMPTS = 6  # one that has just been woken (autobauding, start-up) may miss the first lines
_PROBE_ATTEMPTS, _QUIET_ROUNDS = 2, 10
_SUBMITTING = frozenset({Dialogue.PROMPT_AWAITED, Dialogue.PROMPTED, Dialogue.PAYLOAD_SENT})  # the next one has begun
_MAX_NOISE = 64 * 1024  # without a line end: no modem in AT mode; opening the port anew is the only remedy
_MAX_LINES = 10_000  # more than any answer has: 1000 stored messages are 2000

_Turn: TypeAlias = FinalResult | Prompt | Late | None
Execute: TypeAlias = Callable[[AtCommand], Awaitable[tuple[str, ...]]]


class AtChannel:
    """The line. `on_urc` gets every unsolicited result code, `on_failure` is told once when the line is of no use."""

    def __init__(
        self,
        transport: Transport,
        on_urc: Callable[[Urc], None],
        on_failure: Callable[[Exception], None],
        deadlines: Deadlines,
        overdue: OverdueSubmit,
    ) -> None:
        self._transport = transport
        self._on_urc = on_urc
        self._on_failure = on_failure
        self.deadlines = deadlines
        self._overdue = overdue
        self._connection, self._lock = AtConnection(), asyncio.Lock()
        self._turn: asyncio.Future[_Turn] | None = None
        self._lines: list[str] = []
        self._witness: WireWitness | None = None
        self._failure: Exception | None = None
        self._doubts = Doubts()
        self._received = self._noise = self.echoes = 0
        self._left, self._patience, self._limit = False, Patience(), Limit()

    # --- the transport's receiver

    def data_received(self, data: bytes) -> None:
        self._received += 1
        self._connection.receive_data(data)
        while not isinstance(event := self._connection.next_event(), Mark):
            self._handle(event)

    def transport_lost(self, error: TransportLost) -> None:
        self._fail(error)

    def _handle(self, event: AtEvent) -> None:
        match event:
            case InformationText(line):
                self._doubts.line()
                self._show(line)
                self._patience.line()
                if len(self._lines) < _MAX_LINES:
                    self._lines.append(line)
            case FinalResult():
                self._noise = 0
                self._show(event.line)
                self._resolve(event)
            case Prompt():
                # While a command without payload runs, a prompt is left to the command's deadline and to ESC.
                if self._connection.state is not Dialogue.COMMAND_SENT:
                    self._resolve(event)
            case Urc():
                self._doubts.news = True
                self._on_urc(event)
            case Late(line, final):
                self._doubts.stray(line)
                self._hear_late(line, final)
                if final is not None and self._tells_something(final):
                    self._resolve(event)
            case Echo():
                self.echoes += 1
            case Noise(octets):
                self._noise += octets
                if self._noise > _MAX_NOISE:
                    self._fail(LineNoisy(f"{self._transport.name} sends noise, not AT answers"))

    def _ended(self) -> None:
        self._left = True
        if self._witness is not None:
            self._witness.on_wire(WireStage.ENDED)

    def _show(self, line: str) -> None:
        if self._witness is not None:
            self._witness.on_line(line)

    def _hear_late(self, line: str, final: FinalResult | None) -> None:
        """The answer to a submit that was given up is known by its name; an error, by nothing else being owed one."""
        state = self._connection.state
        of_submit = name_of(line) == "+CMGS" if final is None else state is not Dialogue.PROBING
        if of_submit and self._overdue.missed and state not in _SUBMITTING:
            self._overdue.hear(line)
            if not self._overdue.missed and state is Dialogue.LOST:
                self._resolve(Late(line, final))

    def _tells_something(self, final: FinalResult) -> bool:
        """While waking the modem an OK counts and an older error does not; while probing it is the other way round."""
        if self._connection.state is Dialogue.LOST:
            return final.is_ok
        return self._connection.state is Dialogue.PROBING and not final.is_ok

    def _resolve(self, turn: _Turn) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(turn)

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self._resolve(None)
            self._on_failure(error)

    # --- for the modem
    async def open(self) -> None:
        """Open the port; raises `TransportError`."""
        await self._transport.open(self)

    async def close(self) -> None:
        """Let the port go; a command still running ends with `TransportLost`."""
        self._fail(TransportLost(f"{self._transport.name} was closed"))
        self._limit.close()
        await self._transport.close()

    async def synchronise(self) -> None:
        """Find the modem in AT mode and in step; raises `CommandTimeout` when it does not answer."""
        async with self._lock:
            await self._get_in_step()

    async def execute(self, command: AtCommand) -> tuple[str, ...]:
        """Run a command; its information text. Raises `CommandFailed`, `CommandTimeout`, `TransportLost`."""
        async with self._lock:
            return await self._execute(command)

    async def optional(self, command: AtCommand) -> tuple[str, ...] | None:
        """As `execute`, for what a modem need not know: None when it refuses or ignores it."""
        try:
            return await self.execute(command)
        except (CommandFailed, CommandTimeout) as error:
            return (error.lines or None) if isinstance(error, CommandTimeout) else None

    async def pause(self) -> None:
        """Give a modem or SIM some time."""
        await asyncio.sleep(self.deadlines.pause)

    async def submit(
        self,
        command: AtCommand,
        payload: str,
        *,
        before: Callable[[Execute], Awaitable[None]] | None = None,
        refuse: Callable[[tuple[str, ...]], bool] = lambda _told: False,
        witness: WireWitness | None = None,
    ) -> Answer:
        """Run a command with a payload. Everything raised but `SubmitUncertain` means that Ctrl-Z was not written.

        `before` may run commands, and nobody else's come between. `refuse` is asked at the prompt, with the information
        text before it: if it says so, only ESC follows.
        `witness` is told of each stage, and each line after Ctrl-Z. An `Answer` without final result has the reference.
        """
        async with self._lock:
            if before is not None:
                await before(self._execute)
            await self._get_in_step()
            self._lines.clear()
            self._doubts = Doubts()
            self._overdue.forget()
            await self._reach_prompt(command)
            told, self._lines = tuple(self._lines), []
            if refuse(told):
                self._connection.abandon()
                await self._leave_prompt()
                raise CommandFailed(command.label, "a prompt that is not to be trusted")
            await self._tell(witness, WireStage.PROMPTED)
            await self._type_payload(payload)
            await self._tell(witness, WireStage.TYPED)
            self._witness = witness
            try:
                return await self._finish_submit()
            finally:
                self._witness = None

    async def listen(self, seconds: float) -> None:
        """Write nothing while an earlier process's submit may be answered; then see if its PDU is still waited for."""
        async with self._lock:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(seconds, self.deadlines.quiet)):
                    while self._overdue.missed:
                        await self._write_and_wait(b"")
            if self._overdue.missed and self._overdue.silent and await self._prompt_was_open():
                self._overdue.taken_back()

    # --- the steps of a dialogue, under the lock

    async def _execute(self, command: AtCommand) -> tuple[str, ...]:
        final: FinalResult | None = None
        for _ in range(READINGS):
            await self._get_in_step()
            final = await self._exchange(command)
            if not self._doubts.may_be_dispelled(command, self._lines):
                break
        return self._doubts.settle(command, final, self._lines)

    async def _exchange(self, command: AtCommand) -> FinalResult | None:
        """The command and its answer; None when time ended it."""
        self._lines.clear()
        self._doubts = Doubts()
        try:
            async with self._patience.of(command, self.deadlines):
                turn = await self._write_and_wait(self._connection.send_command(command))
        except BaseException as error:
            self._connection.abandon()
            self._overdue.doubt()
            if isinstance(error, TimeoutError):
                return None
            raise
        assert isinstance(turn, FinalResult)
        return turn

    async def _reach_prompt(self, command: AtCommand) -> None:
        try:
            with self._limit.of(self.deadlines.prompt):
                turn = await self._write_and_wait(self._connection.send_prompted_command(command))
        except BaseException as error:
            self._connection.abandon()
            if isinstance(error, TimeoutError):
                await self._leave_prompt()
                raise CommandTimeout(command.label) from None
            raise
        if isinstance(turn, FinalResult):
            raise CommandFailed(command.label, turn.line, cme=turn.cme, cms=turn.cms)

    async def _type_payload(self, payload: str) -> None:
        """The payload without Ctrl-Z: until that is written, ESC takes everything back."""
        if self._connection.state is not Dialogue.PROMPTED:
            self._connection.abandon()  # whether the modem still waits at its prompt is anybody's guess
            raise CommandFailed("the PDU", "a result at the prompt")
        try:
            with self._limit.of(self.deadlines.prompt):
                self._turn = asyncio.get_running_loop().create_future()
                await self._transport.write(self._connection.send_payload(payload))
            if self._failure is not None:
                raise self._failure
        except BaseException as error:
            self._connection.abandon()
            if isinstance(error, TimeoutError):
                raise CommandTimeout("the PDU") from None
            raise
        if self._turn.done():  # the modem left the prompt by itself; Ctrl-Z would only be a stray octet now
            self._connection.abandon()
            raise CommandFailed("the PDU", "a result before its end")

    async def _tell(self, witness: WireWitness | None, stage: WireStage) -> None:
        """Tell of a stage before Ctrl-Z; if the witness objects, take back what was typed."""
        if witness is None:
            return
        try:
            witness.on_wire(stage)
        except BaseException:
            self._connection.abandon()
            await self._leave_prompt()
            raise

    async def _finish_submit(self) -> Answer:
        self._left = False
        try:
            with self._limit.of(self.deadlines.submit):
                turn = await self._write_and_wait(CTRL_Z, self._ended)
        except (TimeoutError, TransportLost) as error:
            self._connection.abandon()
            if not self._left:  # a port that took not even this octet has passed nothing on
                raise TransportLost(f"{self._transport.name} is gone before the end of the PDU") from error
            if self._lines:
                return Answer(tuple(self._lines), None)
            raise SubmitUncertain("timeout" if isinstance(error, TimeoutError) else "port_lost") from error
        except BaseException:
            self._connection.abandon()
            raise
        assert isinstance(turn, FinalResult)
        return Answer(tuple(self._lines), await self._whole(turn))

    async def _whole(self, final: FinalResult) -> FinalResult:
        """An error without its code where digits follow that news may have torn off: 500 must not be read as 50."""
        if final.code is not None:
            await asyncio.sleep(self.deadlines.quiet)
        return FinalResult(final.kind, final.line) if self._doubts.digits else final

    async def _write_and_wait(
        self, data: bytes, written: Callable[[], None] = lambda: None
    ) -> FinalResult | Prompt | Late:
        if self._failure is not None:
            raise self._failure
        self._turn = asyncio.get_running_loop().create_future()
        await self._transport.write(data)
        written()
        turn = await self._turn
        if turn is None:
            raise self._failure or TransportLost(f"{self._transport.name} is gone")
        return turn

    async def _leave_prompt(self) -> None:
        """ESC, never Ctrl-Z: Ctrl-Z would send whatever the modem holds."""
        self._overdue.escaped()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.deadlines.attention):
                await self._transport.write(ESC + CR)

    async def _prompt_was_open(self) -> bool:
        """Whether the modem was at its prompt, so that Ctrl-Z has not come; it has dropped the PDU then.

        By 27.005, 3.5.1, ESC at the prompt is answered OK, and elsewhere it is no command at all. The second ESC finds
        out a modem that answers each of them: of such a one nothing is proved.
        """
        if await self._try(ESC, self.deadlines.attention) is None or not self._overdue.missed:
            return False
        return await self._try(ESC, self.deadlines.attention) is None and self._overdue.missed

    # --- getting in step

    async def _get_in_step(self) -> None:
        if self._connection.state is Dialogue.IDLE:
            return
        try:
            await self._wake()
            for _ in range(_PROBE_ATTEMPTS):
                if await self._probe():
                    return
            await self._wake()
            await self._wait_until_quiet()
            self._connection.vouch()
        except CommandTimeout as error:
            self._fail(error)
            raise

    async def _wake(self) -> None:
        await self._leave_prompt()
        for attempt in range(_ATTENTION_ATTEMPTS):
            command = ATTENTION if attempt % 3 < 2 else VERBOSE_RESULTS
            turn = await self._try(self._connection.attention(command), self.deadlines.attention)
            if isinstance(turn, Late):
                return
            await self._leave_prompt()  # a prompt that came after our first ESC has swallowed the line
        raise CommandTimeout(ATTENTION.text)

    async def _probe(self) -> bool:
        turn = await self._try(self._connection.probe(PROBE), self.deadlines.probe)
        if isinstance(turn, FinalResult):
            return True
        if turn is not None:  # an error: either the modem does not know the probe, or it is an overdue one
            await self._wait_until_quiet()
        self._connection.abandon()
        return False

    async def _try(self, data: bytes, seconds: float) -> FinalResult | Prompt | Late | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._write_and_wait(data)
        except TimeoutError:
            return None
        except BaseException:
            self._connection.abandon()
            raise

    async def _wait_until_quiet(self) -> None:
        for _ in range(_QUIET_ROUNDS):
            before = self._received
            await asyncio.sleep(self.deadlines.quiet)
            if self._received == before:
                return
        log.warning("%s is never quiet", self._transport.name)
