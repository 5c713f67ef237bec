"""What is known of a modem's condition: SIM, network, signal, service centre; asked at a modest pace, and told.

Every question is one command that takes its turn on the line, so that a submit waits for one of them at most. It raises
what ends an opening: a SIM that is gone, locked, or another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from drivers.at.commands import AtCommand
from drivers.errors import CommandFailed, CommandTimeout, ModemNotReady, SubmitRefused
from drivers.gsm.channel import AtChannel
from drivers.gsm.identity import read_iccid, read_operator, read_service_centre, read_signal
from drivers.gsm.profiles import Profile
from drivers.gsm.registration import Registration
from drivers.gsm.settings import ModemSettings
from drivers.gsm.sim_pin import require_unlocked

log = logging.getLogger(__name__)

# So many looks in a row that end in a time-out are silence.
_LATE_LOOKS = 3

OTHER_SIM = "another SIM is in the modem"

# Refusals after which the SIM may be gone, or another (TS 27.007, 9.2.1; TS 27.005, 3.2.5).
_OF_THE_SIM = frozenset({*(f"cme_{code}" for code in range(10, 16)), *(f"cms_{code}" for code in range(310, 319))})

# Families exist that repeat a line about the SIM every other second, whatever it is like.
_SAME_NEWS_SECONDS = 30.0


class Health:
    """The condition of one opened modem. `changed` is called when people would see another one, `look` when it is to
    be looked at without delay.
    """

    def __init__(
        self, channel: AtChannel, settings: ModemSettings, changed: Callable[[], None], look: Callable[[], None]
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._changed = changed
        self._look = look
        self._iccid_commands: tuple[AtCommand, ...] = ()
        self._sim_news = ("", float("-inf"))
        self._early, self._stirred = "", asyncio.Event()
        self.registration = Registration()
        self.operator: str | None = None
        self.signal_dbm: int | None = None
        self.iccid: str | None = None
        self.smsc: str | None = settings.smsc
        self._late: list[CommandTimeout] = []
        # How often there was reason to doubt the SIM, and how many of them its number has been read after.
        self._doubts = self._settled = 0
        self._returns = 0

    @property
    def usable(self) -> bool:
        """Whether the network would take a message of the SIM that is known."""
        return self.registration.usable and not self.sim_in_doubt

    @property
    def sim_in_doubt(self) -> bool:
        """Whether the SIM may be gone, or another: until that is known nothing is sent by it."""
        return self._doubts > self._settled

    def _doubt_sim(self) -> None:
        self._doubts += 1
        self._look()
        self._changed()

    # --- looks

    def note_look(self, error: CommandTimeout | CommandFailed | None) -> None:
        """How a look at the modem ended. One that answers AT and hangs at what matters is silent: raises then."""
        if error is None:
            self._late.clear()
        elif isinstance(error, CommandTimeout):
            self._late.append(error)
            if len(self._late) >= _LATE_LOOKS:
                raise error

    def require_looks(self) -> None:
        """Raise `CommandTimeout` when the last look has ended so."""
        if self._late:
            raise self._late[-1]

    # --- news

    def hear_registration(self, line: str) -> None:
        """Take +CREG and its like."""
        before = self.registration.word
        self.registration.hear(line)
        self._note_returns()
        if self.registration.word != before:
            self._changed()

    def _note_returns(self) -> None:
        """Families exist that say nothing of a SIM that is swapped, but that the network was lost and is back."""
        if self.registration.returns > self._returns:
            self._returns = self.registration.returns
            self._doubt_sim()

    def hear_sim(self, line: str) -> None:
        """Take news about the SIM."""
        now = asyncio.get_running_loop().time()
        before, told_at = self._sim_news
        if line != before or now - told_at >= _SAME_NEWS_SECONDS:
            self._sim_news = line, now
            self._doubt_sim()

    def hear_refusal(self, error: CommandFailed | SubmitRefused) -> None:
        """Take a refusal: one that is about the SIM says that another may come."""
        words = {error.code} if isinstance(error, SubmitRefused) else {f"cme_{error.cme}", f"cms_{error.cms}"}
        if words & _OF_THE_SIM:
            self._doubt_sim()

    def hear_early(self, line: str) -> None:
        """Take news about the SIM, or that messages can be sent, of a modem that is not initialised."""
        if line != self._early:  # some say the same every second
            self._early = line
            self._stirred.set()

    async def early_news(self, seconds: float) -> None:
        """Wait for such news, but no longer than so many seconds."""
        self._stirred.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred.wait()

    # --- questions

    async def set_up(self, profile: Profile) -> None:
        """Learn all of it for the first time."""
        self._iccid_commands = tuple(AtCommand(text) for text in profile.iccid)
        doubts = self._doubts
        self.iccid, known = await read_iccid(self._channel, self._iccid_commands)
        self._iccid_commands = self._iccid_commands if known is None else (known,)
        self._settled = doubts
        await self._read_service_centre()
        if self.smsc is None:
            log.warning("%s: the SIM names no service centre, and none is configured", self._settings.name)
        await self.read_network(first=True)

    async def check_sim(self) -> None:
        """Make sure that it is the same SIM; raises `ModemNotReady`, `CommandFailed` when that cannot be told yet."""
        doubts = self._doubts
        await require_unlocked(self._channel)
        number, _ = await read_iccid(self._channel, self._iccid_commands if self.iccid or self.sim_in_doubt else ())
        if number is None and self.iccid and self.sim_in_doubt:
            raise CommandFailed("the question for the SIM's number", "nothing")
        if number and self.iccid and number != self.iccid:
            raise ModemNotReady(OTHER_SIM)
        self.iccid = self.iccid or number
        if self.sim_in_doubt:
            self._settled = doubts  # what came meanwhile calls for one more look
            self._changed()

    async def look(self) -> None:
        """Ask for what changes by itself."""
        await self.check_sim()
        await self.read_network()
        await self.read_signal()
        if self.smsc is None:
            await self._read_service_centre()

    async def read_network(self, *, first: bool = False) -> None:
        """Ask for the registration and the operator. What is said for the first time is no return."""
        before = self.registration.word, self.operator
        await self.registration.read(self._channel)
        if first:
            self._returns = self.registration.returns
        self._note_returns()
        if self.registration.usable:
            self.operator = await read_operator(self._channel)
        if (self.registration.word, self.operator) != before:
            self._changed()

    async def read_signal(self) -> None:
        """Ask for the strength of the signal."""
        self.signal_dbm = await read_signal(self._channel)

    async def _read_service_centre(self) -> None:
        self.smsc = self._settings.smsc or await read_service_centre(self._channel)
