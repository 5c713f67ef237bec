"""Keeps one modem usable: opens its port, initialises it, watches it, and begins again after a loss.

It owns the modem's state as others see it and the queue of its events. What a modem does is in `modem`; here is only
when it is opened, how long to wait after a failure, and what to tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from drivers.errors import (
    ModemNotReady,
    SubmitRefused,
    SubmitUncertain,
)
from drivers.events import (
    ModemEvent,
    ModemIdentity,
    ModemState,
    ModemStateChanged,
    ModemStatus,
    Receipt,
    SubmitResult,
    WireWitness,
)
from drivers.gsm.health import OTHER_SIM
from drivers.gsm.modem import GsmModem
from drivers.gsm.overdue import OverdueSubmit
from drivers.gsm.settings import ModemSettings
from drivers.gsm.sim_pin import PinLedger, PinRefusal, SimPin
from drivers.gsm.upkeep import Upkeep
from drivers.transport.base import Transport

log = logging.getLogger(__name__)

_SETTLE_SECONDS = 5.0


class Simulator(Protocol):
    """What a simulated modem offers beyond a real one."""

    def inject_sms(self, sender: str, text: str) -> object:
        """Let an SMS arrive."""
        ...


class ModemSupervisor:
    """One configured modem. `make_transport` gives a fresh, unopened transport for each opening of the port."""

    def __init__(
        self,
        settings: ModemSettings,
        make_transport: Callable[[], Transport],
        *,
        simulator: Simulator | None = None,
        pins: PinLedger | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self.simulator = simulator
        self._sim_pin = SimPin(settings, pins)
        self._identity = ModemIdentity()
        self._state = ModemState.STARTING
        self._reason: str | None = None
        self._was_ready = False
        self._paused = False
        self._stopping = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._ready = asyncio.Event()
        self._events: asyncio.Queue[ModemEvent | None] = asyncio.Queue()
        self._overdue = OverdueSubmit(self._events.put_nowait, self._refresh_idle)
        self._upkeep = Upkeep(
            settings,
            make_transport,
            sim_pin=self._sim_pin,
            overdue=self._overdue,
            idle=self._idle,
            publish=self._events.put_nowait,
            changed=self._refresh,
            tell=self._tell,
            spread=spread,
        )
        self._resetting: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.settings.name

    # --- for its owner

    async def start(self) -> None:
        """Begin to open the modem; returns at once."""
        if self._task is None and not self._stopping:
            self._begin(0.0)

    def _begin(self, pause: float) -> None:
        self._task = asyncio.create_task(self._upkeep.run(pause), name=f"modem {self.name}")

    def expect_answer(self, witness: WireWitness, tpdu: bytes, age: float) -> None:
        """Before `start`: an earlier process submitted `tpdu` through the port that it left open, `age` seconds ago.

        What became of it comes as `SubmitAnsweredLate`, before anything is submitted; the wait is a submit in flight,
        and each line of its answer is told to `witness`.
        """
        longest = self.settings.deadlines.submit
        self._overdue.expect(witness, tpdu, min(max(longest - age, 0.0), longest))
        self._refresh_idle()

    async def stop(self) -> None:
        """Take no further submit, let the one in flight finish, let what was acknowledged be freed, close the port."""
        self._stopping = True
        self._ready.clear()
        if self._task is not None:
            await self._idle.wait()
        if self._upkeep.modem is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SETTLE_SECONDS):
                    await self._upkeep.modem.settle()
        for task in (self._resetting, self._task):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._state, self._reason = ModemState.ABSENT, "stopped"
        self._events.put_nowait(None)

    @property
    def state(self) -> ModemState:
        """That of `status` alone: it is asked of every modem for every part."""
        if self._state is not ModemState.READY:
            return self._state
        # For a moment nothing is taken where the SIM may be another by now: until its number has been read again.
        return ModemState.READY if not self._in_flight and self._ready.is_set() else ModemState.BUSY

    @property
    def identity(self) -> ModemIdentity:
        """Equipment and SIM, as `status` has them."""
        return self._identity

    def status(self) -> ModemStatus:
        """What is known of the modem now; never waits."""
        modem, identity = self._upkeep.modem, self._identity
        return ModemStatus(
            name=self.name,
            state=self.state,
            reason=self._reason,
            port=self.settings.port,
            manufacturer=identity.manufacturer,
            model=identity.model,
            imei=identity.imei,
            iccid=identity.iccid,
            operator=modem.operator if modem else None,
            registration=modem.registration.word if modem else None,
            signal_dbm=modem.signal_dbm if modem else None,
            simulated=self.simulator is not None,
            profile=modem.profile.name if modem else None,
            smsc=modem.smsc if modem else None,
            storage_used=modem.storage_used if modem else None,
            storage_total=modem.storage_total if modem else None,
        )

    async def wait_ready(self) -> None:
        """Return when a submit can be taken; for ever, if that never comes."""
        await self._ready.wait()

    @property
    def pin_refusal(self) -> PinRefusal | None:
        """Why the SIM was not given its PIN, or did not take it, if that is what parks the modem."""
        return self._sim_pin.refusal

    async def confirm_pin(self) -> None:
        """A person allows one more try of the PIN; it is made when the modem is opened next."""
        await self._sim_pin.confirm()

    def set_paused(self, paused: bool) -> None:
        """Refuse submits, or take them again; receiving goes on."""
        self._paused = paused
        self._refresh()

    async def submit(
        self, tpdu: bytes, witness: WireWitness | None = None, *, iccid: str | None = None
    ) -> SubmitResult:
        """Hand one SMS-SUBMIT (octets without service centre) to the network, under the eyes of `witness`; with
        `iccid`, through this SIM alone: it may have been swapped since the message was recorded for it.

        Raises `ModemNotReady` (it did not leave), `SubmitRefused` (it was not accepted) or `SubmitUncertain`.
        """
        modem = self._upkeep.modem
        if modem is None or not self._ready.is_set():
            raise ModemNotReady(self._why_not())
        if iccid is not None and modem.identity.iccid != iccid:
            raise ModemNotReady(OTHER_SIM)
        self._in_flight += 1
        self._idle.clear()
        try:
            result = await modem.submit(tpdu, witness)
        except (SubmitRefused, SubmitUncertain) as error:
            self._upkeep.submitted(error)
            raise
        else:
            self._upkeep.submitted(None)
            return result
        finally:
            self._in_flight -= 1
            self._refresh_idle()

    async def reset(self) -> None:
        """An operator's: the submit in flight is waited for, then the modem is reset and begun anew, parked or not.

        Returns when that is under way. Raises `ModemNotReady` before the start and after the stop.
        """
        if self._task is None or self._stopping:
            raise ModemNotReady(self._why_not())
        if self._resetting is None or self._resetting.done():
            self._resetting = asyncio.create_task(self._reset(self._task), name=f"reset of modem {self.name}")
        # Whoever asked may go away; half a reset would leave a modem that nobody looks after.
        await asyncio.shield(self._resetting)

    async def _reset(self, life: asyncio.Task[None]) -> None:
        self._tell(ModemState.REPAIRING, "reset by an operator")
        await self._idle.wait()
        pause = await self._upkeep.reset()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        if not self._stopping:
            self._upkeep.repair.begin_anew()
            self._begin(pause)

    def unlock(self) -> None:
        """A person says that the PIN may be asked for again: ends PARKED, and does nothing else."""
        self._upkeep.unlock()

    async def converse(self, command: str, seconds: float = 30.0) -> tuple[str, ...]:
        """Give the modem a line by hand; its answer. Raises `ModemNotReady`, and what `GsmModem.converse` does."""
        return await self._at_hand().converse(command, seconds)

    async def ussd(self, code: str, seconds: float = 60.0) -> str:
        """The text that the network answers to a USSD code; raises `ModemNotReady`, and as `GsmModem.ussd`."""
        return await self._at_hand().ussd(code, seconds)

    def _at_hand(self) -> GsmModem:
        if self._upkeep.modem is None:
            raise ModemNotReady(self._why_not())
        return self._upkeep.modem

    async def events(self) -> AsyncIterator[ModemEvent]:
        """What the modem tells, in its order, until it is stopped. There is one queue: one consumer."""
        while (event := await self._events.get()) is not None:
            yield event

    async def acknowledge(self, receipt: Receipt) -> None:
        """The event of this receipt is committed: the modem may forget it. A receipt from before a loss is let go."""
        if self._upkeep.modem is not None:
            self._upkeep.modem.acknowledge(receipt)

    def _refresh_idle(self) -> None:
        """Nothing is in flight: neither a submit of ours nor one that is waited for since before the start."""
        if self._in_flight or self._overdue.patience is not None:
            self._idle.clear()
        else:
            self._idle.set()

    def _why_not(self) -> str:
        if self._stopping:
            return "stopping"
        if self._state is ModemState.READY:
            return "it is being looked at"  # after news about its SIM, or a failure that is not told yet
        return self._reason or self._state.value

    # --- what others see

    def _refresh(self) -> None:
        """The state as it follows from the modem; called whenever something about it is another."""
        modem = self._upkeep.modem
        if modem is None:
            self._ready.clear()
            self._was_ready = False
            return
        if self._stopping:
            return
        if modem.identity != ModemIdentity():
            self._identity = modem.identity
        if not modem.opened or not self._upkeep.in_use or (self._resetting is not None and not self._resetting.done()):
            return
        if not modem.registration.usable:
            waiting = ModemState.REPAIRING if self._was_ready else ModemState.STARTING
            self._tell(waiting, f"not registered with a network ({modem.registration.word})")
        elif not modem.usable:
            self._ready.clear()
        elif self._paused:
            self._tell(ModemState.PAUSED, "paused by an operator")
        else:
            self._was_ready = True
            self._tell(ModemState.READY, None)

    def _tell(self, state: ModemState, reason: str | None) -> None:
        if state is ModemState.READY and not self._stopping:
            self._ready.set()
        else:
            self._ready.clear()
        if (state, reason) != (self._state, self._reason):
            self._state, self._reason = state, reason
            log.info("modem %s is %s%s", self.name, state, f": {reason}" if reason else "")
            self._events.put_nowait(ModemStateChanged(state, reason))
