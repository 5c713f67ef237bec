"""A GSM modem as an object, for the time that its port stays open: initialise, submit, receive, look after itself.

It never opens its port again and never retries a submit: that is for the supervisor, and for whoever owns the message.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace

from drivers.at.commands import ATTENTION
from drivers.at.events import Urc
from drivers.at.urc import RESTARTS, tells_full
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
from drivers.gsm import calls, conversation, power, ussd
from drivers.gsm.channel import AtChannel
from drivers.gsm.decoding import MessageEvent
from drivers.gsm.health import Health
from drivers.gsm.initialisation import await_messages, greet, open_sim, start_up
from drivers.gsm.overdue import OverdueSubmit
from drivers.gsm.pdu_mode import PduMode
from drivers.gsm.port_names import require_named
from drivers.gsm.profiles import GENERIC, profile_of
from drivers.gsm.reception import Reception
from drivers.gsm.registration import NAMES as REGISTRATION_NAMES
from drivers.gsm.registration import Registration
from drivers.gsm.routing import Routing
from drivers.gsm.settings import ModemSettings
from drivers.gsm.sim_pin import SimPin
from drivers.gsm.storage import Storage
from drivers.gsm.submit_answer import judge, refused_before_prompt
from drivers.tpdu import Address, join_smsc
from drivers.transport.base import Transport

log = logging.getLogger(__name__)

# Without registration nothing can be sent, so it is asked for more often than the rest is looked after.
_UNREGISTERED_SECONDS = 5.0
_AGAIN_SECONDS = 5.0
# News that calls for a look may come every second.
_SOON_SECONDS = 5.0


class GsmModem:
    """One modem on one open port. `session` numbers the openings; `changed` is called when its condition is another.

    `kept` are the PDUs that stay on the SIM and need not be told again: it outlives the openings.
    """

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
        kept: set[str] | None = None,
    ) -> None:
        self._settings = settings
        self._smsc = Address.from_text(settings.smsc) if settings.smsc else None
        self._sim_pin = sim_pin
        self._changed = changed
        self._overdue = overdue
        self._channel = AtChannel(transport, self._hear, self._fail, settings.deadlines, overdue)
        self._pdu_mode = PduMode(self._channel)
        self._storage = Storage(self._channel)
        self._routing = Routing(self._channel)
        self._reception = Reception(
            self._channel, self._storage, self._routing, session, publish, kept=set() if kept is None else kept
        )
        self._health = Health(self._channel, settings, changed, self._look_now)
        self._calls = calls.Calls(self._channel, publish, self._reception.wake.set)
        self._ussd = ussd.Ussd(self._channel)
        self._failure: asyncio.Future[DriverError] = asyncio.get_running_loop().create_future()
        self._echoes = 0
        self._due = float("inf")
        self._looked_at = float("-inf")
        self._started_anew = False
        self._initialised = False
        self._radio_off = False
        self.profile = GENERIC
        self.identity = ModemIdentity()

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
        require_named(self._settings.port, self.identity.imei)
        self.profile = profile_of(self.identity.manufacturer, self.identity.model)
        self._routing.profile = self._storage.profile = self.profile
        self._ussd.form = self.profile.ussd
        deadlines = self._settings.deadlines
        self._channel.deadlines = replace(deadlines, factor=deadlines.factor * self.profile.patience)
        self._changed()
        await start_up(self._channel, self.profile, self._settings.port)
        await open_sim(self._channel, self._sim_pin, self.profile, self._pdu_mode, self.identity.imei)
        await await_messages(self._channel, self.profile)
        await self._agree()
        await self._calls.set_up()
        await self._health.set_up(self.profile)
        self._sim_pin.require_known(self._health.iccid)
        self.identity = replace(self.identity, iccid=self._health.iccid)
        self._echoes = self._channel.echoes
        # One more command shows whether the modem goes on echoing: then echo is no sign of a reset.
        await self._health.read_signal()
        self._echoes = -1 if self._channel.echoes > self._echoes else self._echoes
        if self._failure.done():
            raise self._failure.result()
        self._initialised = True
        self._reception.look_everywhere()

    async def _agree(self) -> None:
        """Where messages are kept and how they are told."""
        before = self._storage.memories
        await self._storage.set_up()
        if self._storage.memories != before:
            self._reception.start_over()
        await self._routing.set_up()
        self._started_anew = False

    async def reset(self) -> None:
        """Start the modem anew. The life of this opening ends by it, whatever the modem says."""
        self._initialised = False
        await power.start_anew(self._channel, self.profile)
        self._fail(TransportLost("the modem was told to start anew"))

    async def cycle_radio(self) -> None:
        """Leave the network and come back; raises `CommandFailed`, `CommandTimeout`, `TransportError`."""
        self._radio_off = True
        try:
            await power.cycle_radio(self._channel, self.profile)
        finally:
            self._radio_off = False
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

    async def idle(self) -> DriverError:
        """Write nothing more; the failure that ends it: the port is lost, or the modem starts anew by itself."""
        return await asyncio.shield(self._failure)

    async def answer(self) -> None:
        """Have it answer AT; raises `CommandTimeout`, also when it owes the last look an answer, `TransportError`."""
        with contextlib.suppress(CommandFailed):
            await self._channel.execute(ATTENTION)
        self._health.require_looks()

    async def news_of_sim(self, seconds: float) -> None:
        """Wait, but no longer than until it tells of its SIM, or that messages can be sent now."""
        await self._health.early_news(seconds)

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
        return working and self._health.usable

    @property
    def registration(self) -> Registration:
        """How the network serves it."""
        return self._health.registration

    @property
    def operator(self) -> str | None:
        """The operator's name."""
        return self._health.operator

    @property
    def signal_dbm(self) -> int | None:
        """The strength of the signal in dBm."""
        return self._health.signal_dbm

    @property
    def smsc(self) -> str | None:
        """The service centre that messages go to; None where neither the configuration nor the SIM names one."""
        return self._health.smsc

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
            self._health.hear_registration(urc.line)
        elif urc.name in calls.NAMES:
            self._calls.hear(urc)
        elif urc.name == ussd.NAME:
            self._ussd.hear(urc)
        else:
            self._reception.hear(urc)
            self._hear_family(urc)

    def _hear_family(self, urc: Urc) -> None:
        """News that each family has names of its own for."""
        if not self._initialised:
            if self.profile.tells_sim(urc.line) or self.profile.tells_ready(urc.line):
                self._health.hear_early(urc.line)
            return
        if self.profile.tells_sim(urc.line):
            self._health.hear_sim(urc.line)
        if self.profile.tells_ready(urc.line):
            self._started_anew = True
            self._look_soon()
        elif tells_full(urc.line):
            self._look_soon()

    def _fail(self, error: Exception) -> None:
        if not self._failure.done():
            known = error if isinstance(error, DriverError) else TransportError(type(error).__name__)
            self._failure.set_result(known)
            self._changed()

    # --- the one task that reads and looks after

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = min(self._due, loop.time() + self._settings.poll_seconds)
        while True:
            try:
                await self._reception.work()
                await self._calls.work()
                if loop.time() >= self._due:
                    self._due = loop.time() + self._settings.poll_seconds
                    await self._look_after()
                if not self._reception.wake.is_set():  # all that was to be read has been read
                    self._health.note_look(None)
            except (CommandTimeout, CommandFailed) as error:
                self._health.note_look(error)
                if isinstance(error, CommandFailed):
                    self._health.hear_refusal(error)
                # What was being read is still there, and found by the next look. Not at once: a command that hangs
                # each time would keep the line from everybody else.
                log.warning("%s: %s", self._settings.name, error)
                self._due = min(self._due, loop.time() + _AGAIN_SECONDS)
            await self._wait()

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
                    await self._health.read_network()
        wake.clear()

    def _look_now(self) -> None:
        """Find out whether the modem still answers, and still has its settings."""
        self._due = 0.0
        self._reception.wake.set()

    def _look_soon(self) -> None:
        """The same, but not at every line of a modem that repeats itself."""
        self._due = min(self._due, self._looked_at + _SOON_SECONDS)
        self._reception.wake.set()

    async def _look_after(self) -> None:
        self._looked_at = asyncio.get_running_loop().time()
        self._find_reset()
        if await self._pdu_mode.ask() is False:
            self._find_reset()
            return
        await self._health.look()
        self.identity = replace(self.identity, iccid=self._health.iccid)
        if self._started_anew:
            await self._agree()
        await self._routing.check()
        await self._storage.count()
        self._reception.look_everywhere()

    def _was_reset(self) -> bool:
        """A modem that had stopped echoing and does so again has lost its settings."""
        return self._echoes >= 0 and self._channel.echoes > self._echoes

    def _find_reset(self) -> None:
        if self._was_reset():
            self._fail(SettingsLost("the modem has lost its settings"))
        elif self._pdu_mode.left:
            self._fail(SettingsLost("the modem has left PDU mode"))

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
            answer = await self._pdu_mode.submit(len(tpdu), payload, lost=self._was_reset, witness=witness)
        except SubmitUncertain:
            self._overdue.expect(witness, tpdu)
            self._look_now()
            raise
        except CommandFailed as error:
            if self._was_reset() or self._pdu_mode.left:
                self._find_reset()
                raise ModemNotReady("it has lost its settings") from error
            self._health.hear_refusal(error)
            self._look_now()
            raise refused_before_prompt(error) from error
        except (CommandTimeout, TransportError) as error:
            raise ModemNotReady(error.user_text) from error
        try:
            return judge(answer.lines, answer.final, tpdu)
        except SubmitRefused as error:
            self._health.hear_refusal(error)
            if error.local:
                self._look_now()  # the SIM may be gone, or the modem may have forgotten its settings
            raise
