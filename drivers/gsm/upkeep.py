"""The life of one modem, from the start of its supervisor to the stop: it opens, uses, repairs, rests and parks it.

What follows which trouble is in `ladder` and `repair`; here it is carried out, and told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from drivers.at.connection import CR, ESC
from drivers.errors import (
    DriverError,
    ModemNotReady,
    ModemParked,
    SubmitRefused,
    SubmitUncertain,
)
from drivers.events import CallMissed, ModemIdentity, ModemState
from drivers.gsm.decoding import MessageEvent
from drivers.gsm.ladder import LADDER, ON_THE_PORT, Rung, Trouble, trouble_of
from drivers.gsm.lookout import Absence, Lookout, News
from drivers.gsm.modem import GsmModem
from drivers.gsm.overdue import OverdueSubmit
from drivers.gsm.profiles import GENERIC
from drivers.gsm.repair import Repair, Step
from drivers.gsm.settings import ModemSettings
from drivers.gsm.sim_pin import SimPin
from drivers.gsm.watch import Watch
from drivers.transport.base import Transport
from drivers.transport.open_port import OpenPort

log = logging.getLogger(__name__)

# Longer than switching a radio off and on takes.
_REPAIR_SECONDS = 70.0
# What a person has to know of at once, as the word of the log.
_ACTIONS = {Rung.REST: "modem_resting", Rung.PARK: "modem_parked"}


class Upkeep:
    """`make_transport` gives a fresh, unopened transport for each opening of the port; `idle` is set while no submit is
    in flight. `changed` is called when the modem's condition is another, `tell` with a state and its reason.
    """

    def __init__(
        self,
        settings: ModemSettings,
        make_transport: Callable[[], Transport],
        *,
        sim_pin: SimPin,
        overdue: OverdueSubmit,
        idle: asyncio.Event,
        publish: Callable[[MessageEvent | CallMissed], None],
        changed: Callable[[], None],
        tell: Callable[[ModemState, str], None],
        spread: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._make_transport = make_transport
        self._overdue = overdue
        self._idle = idle
        self._publish = publish
        self._changed = changed
        self._tell = tell
        self._spread = spread
        self._sim_pin = sim_pin
        # What stays on the SIM and was told: an opening more is no reason to tell it again.
        self._kept: set[str] = set()
        self._session = 0
        self._port: OpenPort | None = None
        self._watch: Watch | None = None
        self._profile = GENERIC
        # Whether it was silent when it was judged last.
        self._mute = False
        self._parked = False
        # What was logged last, and is so far the same.
        self._logged: tuple[Trouble, Rung, str] | None = None
        self._unlocked = asyncio.Event()
        self.repair = Repair(settings.deadlines.repair, settings.deadlines.reopen)
        #: The modem on its open port, if it is open; not necessarily initialised.
        self.modem: GsmModem | None = None

    # --- for the supervisor

    @property
    def in_use(self) -> bool:
        """Whether the modem is initialised and looked after; one that awaits its repair is not."""
        return self._watch is not None

    def unlock(self) -> None:
        """A person says that the PIN may be asked for again: ends PARKED, and does nothing else."""
        if self._parked:
            self._tell(ModemState.STARTING, "unlocked by an operator")
            self._unlocked.set()

    async def reset(self) -> float:
        """Write the reset, if there is a port to write it to; how long the modem is then to be left alone."""
        modem, port = self.modem, self._port
        if modem is None or port is None:
            return 0.0
        await self._reset(modem, port, blindly=self._mute or not (modem.opened or self._parked))
        return self._settings.deadlines.repair.after_reset

    def submitted(self, error: Exception | None) -> None:
        """How a submit ended: a final result is no trouble of the modem's, silence is; a lost port tells for itself."""
        match error:
            case SubmitRefused(local=True):
                return
            case None | SubmitRefused():
                self.repair.answered()
            case SubmitUncertain(cause="timeout"):
                count = self.repair.unanswered(asyncio.get_running_loop().time())
                if count and self._watch is not None:
                    self._watch.unanswered(count)
            case SubmitUncertain(cause="port_lost"):
                return
            case SubmitUncertain():
                self.repair.heard()
            case _:
                return

    def _note_change(self) -> None:
        if self.modem is not None and self.modem.identity != ModemIdentity():
            self._profile = self.modem.profile
        if self._watch is not None:
            self._watch.news.set()
        self._changed()

    # --- the life

    async def run(self, pause: float = 0.0) -> None:
        """Open, use, repair, until it is cancelled. Between a port that was closed and its next opening is a pause."""
        step = Step(Rung.REOPEN, pause)
        while True:
            try:
                step = await self._open(step)
            except Exception as error:  # noqa: BLE001 - one more trouble, and judged as such
                step = self._judge(error)

    async def _open(self, step: Step) -> Step:
        if step.rung is Rung.REST:
            await self._rest(step)
        else:
            await asyncio.sleep(step.pause)
        port = self._port = OpenPort(self._settings.port, self._make_transport)
        try:
            return await self._live_on(port)
        finally:
            await port.release()

    async def _live_on(self, port: OpenPort) -> Step:
        """All that is done with one opening of the port; the step that is taken without it."""
        while True:
            step = await self._live(port)
            if step.rung not in ON_THE_PORT or not port.reusable:
                return step

    async def _live(self, port: OpenPort) -> Step:
        """From the first command to the trouble; what is to be done about it, as far as it is not done here."""
        modem = self._fresh_modem(port)
        try:
            step = self._judge(await self._use(modem))
            if step.rung is Rung.PARK:
                step = await self._park(modem)
            if Rung.RESET in {step.rung, step.also}:
                await self._reset(modem, port, blindly=self._mute)
            elif step.rung in ON_THE_PORT and port.reusable:
                await modem.news_of_sim(step.pause)
                if step.rung is Rung.CYCLE_RADIO:
                    await _bounded(modem.cycle_radio())
            return step
        finally:
            await self._let_go(modem)

    def _fresh_modem(self, port: OpenPort) -> GsmModem:
        self._session += 1
        modem = self.modem = GsmModem(
            self._settings,
            port,
            sim_pin=self._sim_pin,
            session=self._session,
            overdue=self._overdue,
            publish=self._publish,
            changed=self._note_change,
            kept=self._kept,
        )
        modem.profile = self._profile
        return modem

    async def _let_go(self, modem: GsmModem) -> None:
        self.modem = None
        self._changed()
        await modem.close()
        # Whoever has waited for it on this port will hear nothing any more.
        self._overdue.conclude()

    async def _use(self, modem: GsmModem) -> Exception:
        """Initialise, receive, look after it; what it ended with."""
        watch = Watch(modem, self.repair, self._idle)
        tasks: list[asyncio.Task[None]] = []
        try:
            await modem.open()
            self._mute, self._watch, self._logged = False, watch, None
            self._changed()
            tasks = [asyncio.create_task(modem.run()), asyncio.create_task(watch.run())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # The modem's own word goes first: it is the nearer cause.
            next(task for task in tasks if task in done).result()
        except Exception as error:  # noqa: BLE001 - what it was is judged
            return error
        finally:
            self._watch = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise AssertionError("a life ends with an error")

    def _judge(self, error: Exception) -> Step:
        """What is to be done about it, told to everybody."""
        trouble = trouble_of(error)
        self._mute = trouble is Trouble.SILENT
        step = self.repair.after(trouble, asyncio.get_running_loop().time(), self._spread())
        why, name = self._remark(trouble) or _words(error), self._settings.name
        self._tell(LADDER[trouble].shown, step.reason or why)
        about = {"action": _ACTIONS.get(step.rung, "modem_repair"), "modem": name, "trouble": trouble.value}
        if trouble is Trouble.INTERNAL:
            log.error("modem %s failed", name, exc_info=error, extra={**about, "action": "modem_error"})
        if step.rung in _ACTIONS:
            log.error("modem %s: %s", name, step.reason or why, extra=about)
        else:
            # A port is looked for every second, for days if need be: that is told once, and again when it is another.
            said = trouble, step.rung, why
            again = step.rung is Rung.LOOK_AGAIN and said == self._logged
            log.log(
                logging.DEBUG if again else logging.INFO, "modem %s: %s, so %s", name, why, step.rung.value, extra=about
            )
            self._logged = said
        return step

    def _remark(self, trouble: Trouble) -> str | None:
        """What is known of the port that says more than that its modem is silent."""
        at_opening = self.modem is not None and not self.modem.opened
        return self._port.remark if trouble is Trouble.SILENT and at_opening and self._port is not None else None

    async def _park(self, modem: GsmModem) -> Step:
        """Until a person has acted: by the command, at its power, or at its port, which stays open for that."""
        self._unlocked.clear()
        self._parked = True
        lost, unlocked = asyncio.create_task(modem.idle()), asyncio.create_task(self._unlocked.wait())
        try:
            await asyncio.wait({lost, unlocked}, return_when=asyncio.FIRST_COMPLETED)
            if not unlocked.done():
                return self._judge(lost.result())
        finally:
            self._parked = False
            lost.cancel()
            unlocked.cancel()
            await asyncio.gather(lost, unlocked, return_exceptions=True)
        self.repair.begin_anew()
        return Step(Rung.REINITIALISE, 0.0)

    async def _reset(self, modem: GsmModem, port: OpenPort, *, blindly: bool) -> None:
        """By its profile's command; `blindly` when no answer is to be waited for."""
        if not blindly:
            await _bounded(modem.reset())
            return
        for command in self._profile.reset:
            await _bounded(port.write(ESC + CR + command.encode("ascii") + CR))
            await asyncio.sleep(self._settings.deadlines.quiet)

    async def _rest(self, step: Step) -> None:
        """Leave it alone for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(step.pause):
                if step.also is Rung.RESET:
                    await asyncio.sleep(self._settings.deadlines.repair.after_reset)
                if not step.watched:
                    await asyncio.Event().wait()
                await self._await_person(Absence(wobbly=step.wobbly))

    async def _await_person(self, absence: Absence) -> None:
        """Hold the port, and write nothing, until the modem starts anew, or the port has vanished and is back."""
        now = asyncio.get_running_loop().time
        while True:
            port, lookout = OpenPort(self._settings.port, self._make_transport), Lookout()
            try:
                await port.open(lookout)
                if absence.ended():
                    return
                if await lookout.news() is News.RESTARTED and not absence.wobbly:
                    return
                absence.began(now())
            except DriverError as error:
                absence.missed(now(), error, self._settings.deadlines.repair.look)
                log.debug("modem %s, at rest: %s", self._settings.name, error.user_text)
            finally:
                await port.release()
            await asyncio.sleep(self._settings.deadlines.repair.look)


def _words(error: Exception) -> str:
    """For a person."""
    if isinstance(error, ModemNotReady | ModemParked):
        return error.reason
    return error.user_text if isinstance(error, DriverError) else "an internal error of the driver"


async def _bounded(work: Awaitable[None]) -> None:
    """A repair that is tried: whether it has helped is seen afterwards."""
    try:
        async with asyncio.timeout(_REPAIR_SECONDS):
            await work
    except (DriverError, TimeoutError) as error:
        log.info("a repair did not go as it should: %s", error)
