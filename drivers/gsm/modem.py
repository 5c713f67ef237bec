"""A GSM modem as an object, for the time that its port stays open: initialise, submit, receive, look after itself.

It never opens its port again and never retries a submit: that is for the supervisor, and for whoever owns the message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from drivers.at.commands import PDU_MODE
from drivers.at.commands import submit as submit_command
from drivers.at.events import Urc
from drivers.at.urc import RESTARTS
from drivers.errors import (
    CommandFailed,
    CommandTimeout,
    DriverError,
    ModemNotReady,
    SubmitRefused,
    SubmitUncertain,
    TransportError,
    TransportLost,
)
from drivers.events import ModemIdentity, Receipt, SubmitResult, WireWitness
from drivers.gsm.channel import AtChannel
from drivers.gsm.decoding import MessageEvent
from drivers.gsm.identity import read_operator, read_signal
from drivers.gsm.initialisation import greet, is_in_pdu_mode, open_sim
from drivers.gsm.overdue import OverdueSubmit
from drivers.gsm.port_names import require_named
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
        publish: Callable[[MessageEvent], None],
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
        self._failure: asyncio.Future[DriverError] = asyncio.get_running_loop().create_future()
        self._echoes = 0
        self._due = 0.0
        self._initialised = False
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
        self.identity = await greet(self._channel)
        require_named(self._settings.port, self.identity.imei)
        self._changed()
        self.identity = await open_sim(self._channel, self._sim_pin, self.identity)
        await self._storage.set_up()
        await self._routing.set_up()
        await self._read_network()
        self._echoes = self._channel.echoes
        # One more command shows whether the modem goes on echoing: then echo is no sign of a reset.
        await self._read_signal()
        self._echoes = -1 if self._channel.echoes > self._echoes else self._echoes
        if self._failure.done():
            raise self._failure.result()
        self._initialised = True
        self._reception.look_everywhere()

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
        return self._initialised and not self._failure.done() and self.registration.usable

    # --- news

    def _hear(self, urc: Urc) -> None:
        if urc.name in RESTARTS:
            self._fail(TransportLost("the modem has started anew"))
        elif urc.name in REGISTRATION_NAMES:
            self._hear_registration(urc)
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
                await self._reception.work()
                if loop.time() >= self._due:
                    self._due = loop.time() + self._settings.poll_seconds
                    await self._look_after()
            except (CommandTimeout, CommandFailed) as error:
                # What was being read is still there, and found by the next look. Not at once: a command that hangs
                # each time would keep the line from everybody else.
                log.warning("%s: %s", self._settings.name, error)
                self._due = min(self._due, loop.time() + _AGAIN_SECONDS)
            await self._wait()

    async def _wait(self) -> None:
        """Until there is work, or the next look is due; meanwhile ask for the registration if it is missing."""
        loop = asyncio.get_running_loop()
        wake = self._reception.wake
        while not wake.is_set() and loop.time() < self._due:
            asking = not self.registration.usable
            try:
                async with asyncio.timeout_at(
                    min(self._due, loop.time() + _UNREGISTERED_SECONDS) if asking else self._due
                ):
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
            self._fail(TransportLost("the modem has left PDU mode"))
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
            self._fail(TransportLost("the modem has lost its settings"))

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
