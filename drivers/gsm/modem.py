"""A GSM modem as an object, for the time that its port stays open: initialise, submit, receive, look after itself.

It never opens its port again and never retries a submit: that is for the supervisor, and for whoever owns the message.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from drivers.at.commands import ATTENTION, FULL_FUNCTIONALITY, PDU_MODE, AtCommand
from drivers.at.commands import submit as submit_command
from drivers.at.events import Urc
from drivers.at.urc import RESTARTS
from drivers.errors import (
    CommandFailed,
    CommandTimeout,
    DriverError,
    ModemNotReady,
    ModemRestarted,
    SettingsLost,
    SubmitRefused,
    SubmitUncertain,
    TransportError,
    TransportLost,
)
from drivers.events import CallMissed, ModemIdentity, Receipt, SubmitResult, WireWitness
from drivers.gsm import calls, conversation, ussd
from drivers.gsm.channel import AtChannel
from drivers.gsm.decoding import MessageEvent
from drivers.gsm.identity import read_operator, read_service_centre, read_signal
from drivers.gsm.initialisation import greet, is_in_pdu_mode, open_sim
from drivers.gsm.overdue import OverdueSubmit
from drivers.gsm.profiles import GENERIC, profile_of
from drivers.gsm.reception import Reception
from drivers.gsm.registration import NAMES as REGISTRATION_NAMES
from drivers.gsm.registration import Registration
from drivers.gsm.routing import Routing
from drivers.gsm.settings import ModemSettings
from drivers.gsm.sim_pin import SimPin, require_unlocked
from drivers.gsm.storage import Storage
from drivers.gsm.submit_answer import judge, refused_before_prompt
from drivers.tpdu import Address, join_smsc
from drivers.transport.base import Transport

log = logging.getLogger(__name__)

# Without registration nothing can be sent, so it is asked for more often than the rest is looked after.
_UNREGISTERED_SECONDS = 5.0
_AGAIN_SECONDS = 5.0
_LATE_LOOKS = 3


class GsmModem:
    """One modem on one open port. `session` numbers the openings; `changed` is called when its condition is another."""

    def __init__(
        self,
        settings: ModemSettings,
        transport: Transport,
        *,
        sim_pin: SimPin,
        session: int,
        overdue: OverdueSubmit,
        publish: Callable[[MessageEvent | CallMissed], None],
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._smsc = Address.from_text(settings.smsc) if settings.smsc else None
        self._sim_pin = sim_pin
        self._changed = changed
        self._overdue = overdue
        self._channel = AtChannel(transport, self._hear, self._fail, settings.deadlines, overdue)
        self._storage = Storage(self._channel)
        self._routing = Routing(self._channel)
        self._reception = Reception(self._channel, self._storage, self._routing, session, publish)
        self._calls = calls.Calls(self._channel, publish, self._reception.wake.set)
        self._ussd = ussd.Ussd(self._channel)
        # Whoever uses the memories holds it: there is one selection of a memory for all.
        self._care = asyncio.Lock()
        self._failure: asyncio.Future[DriverError] = asyncio.get_running_loop().create_future()
        self._echoes = 0
        self._due = 0.0
        self._initialised = False
        self._radio_off = False
        #: How many looks at the modem ended in a time-out, in a row.
        self.late_looks = 0
        self.profile = GENERIC
        self.smsc = settings.smsc
        self.identity = ModemIdentity()
        self.registration = Registration()
        self.operator: str | None = None
        self.signal_dbm: int | None = None

    # --- its life

    async def open(self) -> None:
        """Open the port and initialise; raises `TransportError`, `CommandTimeout`, `ModemNotReady`, `ModemParked`."""
        await self._channel.open()
        if self._overdue.patience is not None:
            await self._channel.listen(self._overdue.patience)
            self._overdue.conclude()
        await self._initialise()

    async def _initialise(self) -> None:
        self.identity = await greet(self._channel)
        self.profile = profile_of(self.identity.manufacturer, self.identity.model)
        self._routing.profile, self._ussd.form = self.profile, self.profile.ussd
        self._changed()
        for step in self.profile.start_up:
            await self._first_taken(step)
        self.identity = await open_sim(self._channel, self._sim_pin, self.identity)
        await self._storage.set_up()
        await self._routing.set_up()
        await self._calls.set_up()
        self.smsc = self._settings.smsc or await read_service_centre(self._channel)
        await self._read_network()
        self._echoes = self._channel.echoes
        # One more command shows whether the modem goes on echoing: then echo is no sign of a reset.
        await self._read_signal()
        self._echoes = -1 if self._channel.echoes > self._echoes else self._echoes
        if self._failure.done():
            raise self._failure.result()
        self._initialised = True
        self._reception.look_everywhere()

    async def _first_taken(self, commands: Sequence[str]) -> bool:
        for command in commands:
            if await self._channel.optional(AtCommand(command)) is not None:
                return True
        return False

    async def reinitialise(self) -> None:
        """Set everything anew on the open port; raises what `open` raises."""
        self._initialised = False
        async with self._care:
            await self._initialise()
        self._changed()

    async def reset(self) -> None:
        """Start the modem anew. The life of this opening ends by it, whatever the modem says."""
        self._initialised = False
        with contextlib.suppress(CommandTimeout, TransportError):
            if not await self._first_taken(self.profile.reset):
                log.warning("%s: the modem takes no command to start anew", self._settings.name)
        self._fail(TransportLost("the modem was told to start anew"))

    async def cycle_radio(self) -> None:
        """Leave the network and come back; raises `CommandFailed`, `CommandTimeout`, `TransportError`."""
        self._radio_off = True
        try:
            off = await self._first_taken(self.profile.radio_off)
            on = await self._first_taken(self.profile.radio_on)
        finally:
            self._radio_off = False
        if not off or not on:
            raise CommandFailed(FULL_FUNCTIONALITY.text, "ERROR")
        self._look_now()

    async def run(self) -> None:
        """Receive and look after the modem until it fails; raises what it failed of."""
        worker = asyncio.create_task(self._serve())
        try:
            await asyncio.wait({worker, self._failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        if self._failure.done():
            raise self._failure.result()
        worker.result()

    async def attach(self) -> None:
        """Open the port and write nothing; raises `TransportError`."""
        await self._channel.open()

    async def idle(self) -> DriverError:
        """Write nothing more; the failure that ends it: the port is lost, or the modem starts anew by itself."""
        return await asyncio.shield(self._failure)

    async def answer(self) -> None:
        """Have it answer AT; raises `CommandTimeout`, `TransportError`."""
        with contextlib.suppress(CommandFailed):
            await self._channel.execute(ATTENTION)

    async def close(self) -> None:
        """Let the port go."""
        self._initialised = False
        await self._channel.close()

    async def settle(self) -> None:
        """Wait until what was acknowledged is also confirmed or freed; a failing modem never gets there."""
        await self._reception.settled.wait()

    @property
    def opened(self) -> bool:
        """Whether initialisation has succeeded."""
        return self._initialised

    @property
    def usable(self) -> bool:
        """Whether a submit makes sense now."""
        working = self._initialised and not self._radio_off and not self._failure.done()
        return working and self.registration.usable

    @property
    def storage_used(self) -> int | None:
        """How many slots of the memory that is received into are in use; None where the modem does not tell."""
        return self._storage.occupancy.get(self._storage.receiving, (None, None))[0]

    @property
    def storage_total(self) -> int | None:
        """How many slots that memory has."""
        return self._storage.occupancy.get(self._storage.receiving, (None, None))[1]

    # --- news

    def _hear(self, urc: Urc) -> None:
        if urc.name in RESTARTS:
            self._fail(ModemRestarted("the modem has started anew"))
        elif urc.name in REGISTRATION_NAMES:
            self._hear_registration(urc)
        elif urc.name in calls.NAMES:
            self._calls.hear(urc)
        elif urc.name == ussd.NAME:
            self._ussd.hear(urc)
        else:
            self._reception.hear(urc)

    def _hear_registration(self, urc: Urc) -> None:
        before = self.registration.word
        self.registration.hear(urc.line)
        if self.registration.word != before:
            self._changed()

    def _fail(self, error: Exception) -> None:
        if not self._failure.done():
            known = error if isinstance(error, DriverError) else TransportError(type(error).__name__)
            self._failure.set_result(known)
            self._changed()

    # --- the one task that reads and looks after

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + self._settings.poll_seconds
        while True:
            try:
                async with self._care:
                    await self._reception.work()
                    await self._calls.work()
                    if loop.time() >= self._due:
                        self._due = loop.time() + self._settings.poll_seconds
                        await self._look_after()
                if not self._reception.wake.is_set():  # all that was to be read has been read
                    self.late_looks = 0
            except (CommandTimeout, CommandFailed) as error:
                self._count_late(error)
                # What was being read is still there, and found by the next look. Not at once: a command that hangs
                # each time would keep the line from everybody else.
                log.warning("%s: %s", self._settings.name, error)
                self._due = min(self._due, loop.time() + _AGAIN_SECONDS)
            await self._wait()

    def _count_late(self, error: CommandTimeout | CommandFailed) -> None:
        """A modem that answers AT and hangs at what matters, each time, is silent."""
        if isinstance(error, CommandTimeout):
            self.late_looks += 1
            if self.late_looks >= _LATE_LOOKS:
                raise error

    async def _wait(self) -> None:
        """Until there is work, or the next look is due; meanwhile ask for the registration if it is missing."""
        loop = asyncio.get_running_loop()
        wake = self._reception.wake
        while not wake.is_set() and loop.time() < (due := min(self._due, self._calls.due or self._due)):
            asking = not self.registration.usable
            try:
                async with asyncio.timeout_at(min(due, loop.time() + _UNREGISTERED_SECONDS) if asking else due):
                    await wake.wait()
            except TimeoutError:
                if asking:
                    await self._read_network()
        wake.clear()

    def _look_now(self) -> None:
        """Find out whether the modem still answers, and still has its settings."""
        self._due = 0.0
        self._reception.wake.set()

    async def _look_after(self) -> None:
        self._find_reset()
        if await is_in_pdu_mode(self._channel) is False:
            self._fail(SettingsLost("the modem has left PDU mode"))
            return
        await require_unlocked(self._channel)
        await self._routing.check()
        await self._read_network()
        await self._read_signal()
        self._reception.look_everywhere()

    def _was_reset(self) -> bool:
        """A modem that had stopped echoing and does so again has lost its settings."""
        return self._echoes >= 0 and self._channel.echoes > self._echoes

    def _find_reset(self) -> None:
        if self._was_reset():
            self._fail(SettingsLost("the modem has lost its settings"))

    async def _read_network(self) -> None:
        before = self.registration.word, self.operator
        await self.registration.read(self._channel)
        if self.registration.usable:
            self.operator = await read_operator(self._channel)
        if (self.registration.word, self.operator) != before:
            self._changed()

    async def _read_signal(self) -> None:
        self.signal_dbm = await read_signal(self._channel)

    # --- for its owner

    async def converse(self, command: str, seconds: float) -> tuple[str, ...]:
        """Give the modem a line by hand; the lines of its answer, the final result last, errors among them.

        Raises `CommandRefusedHere` for what could harm, `CommandTimeout`, `TransportError`.
        """
        return await conversation.converse(self._channel, command, seconds)

    async def ussd(self, code: str, seconds: float) -> str:
        """The text that the network answers to a USSD code; raises `UssdFailed`, `CommandTimeout`, `TransportError`."""
        return await self._ussd.ask(code, seconds)

    def acknowledge(self, receipt: Receipt) -> None:
        """The event of this receipt is safe; the modem is told as soon as its line is free."""
        self._reception.acknowledge(receipt)

    async def submit(self, tpdu: bytes, witness: WireWitness | None = None) -> SubmitResult:
        """Hand over one SMS-SUBMIT; raises `SubmitRefused`, `SubmitUncertain` or `ModemNotReady`."""
        payload = join_smsc(self._smsc, tpdu).hex().upper()
        self._find_reset()
        if not self.usable:
            raise ModemNotReady("not usable")
        try:
            if self._echoes < 0:
                # Echo tells nothing here; a modem that forgot PDU mode would send the PDU's digits as a text.
                await self._channel.optional(PDU_MODE)
            command = submit_command(len(tpdu))
            answer = await self._channel.submit(command, payload, refuse=self._was_reset, witness=witness)
        except SubmitUncertain:
            self._overdue.expect(witness, tpdu)
            self._look_now()
            raise
        except CommandFailed as error:
            if self._was_reset():
                self._find_reset()
                raise ModemNotReady("it has lost its settings") from error
            self._look_now()
            raise refused_before_prompt(error) from error
        except (CommandTimeout, TransportError) as error:
            raise ModemNotReady(error.user_text) from error
        try:
            return judge(answer.lines, answer.final, tpdu)
        except SubmitRefused as error:
            if error.local:
                self._look_now()  # the SIM may be gone, or the modem may have forgotten its settings
            raise
