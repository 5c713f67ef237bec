"""What nobody notices but over some time: that a modem has been well for a while, or has no network for too long.

One watch a life; it ends by raising what is to be done something about.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import NoReturn, Protocol

from drivers.errors import CommandTimeout, DriverError, NotRegistered, SubmitsUnanswered
from drivers.gsm.registration import Registration
from drivers.gsm.repair import Repair, in_words


class Watched(Protocol):
    """What a watch sees of a modem."""

    @property
    def registration(self) -> Registration: ...
    @property
    def opened(self) -> bool: ...
    @property
    def usable(self) -> bool: ...
    async def answer(self) -> None: ...


class Watch:
    """Over one life of `modem`. `idle` is set while no submit is in flight."""

    def __init__(self, modem: Watched, repair: Repair, idle: asyncio.Event) -> None:
        self._modem = modem
        self._repair = repair
        self._idle = idle
        self._unanswered = 0
        self._well_since: float | None = None
        self._proved = False
        self._alone_since: float | None = None
        #: Set it when anything about the modem is another.
        self.news = asyncio.Event()

    def unanswered(self, count: int) -> None:
        """So many submits in a row got no answer: that is trouble."""
        self._unanswered = count
        self.news.set()

    async def run(self) -> NoReturn:
        """Raises `SubmitsUnanswered` or `NotRegistered`; nothing else is seen from here."""
        loop = asyncio.get_running_loop()
        while True:
            self.news.clear()
            now = loop.time()
            if self._unanswered:
                raise SubmitsUnanswered(f"{self._unanswered} submits in a row got no answer, though it answers AT")
            self._note(now)
            if self._well_since is not None and not self._proved and now >= self._well_since + self._calm:
                await self._prove()
            elif self._alone_since is not None and now >= self._alone_since + self._repair.patience():
                await self._idle.wait()
                raise self._not_registered(now - self._alone_since)
            else:
                due = self._next()
                await self._wait(None if due is None else max(due - now, 0.0))

    @property
    def _calm(self) -> float:
        return self._repair.policy.calm

    def _note(self, now: float) -> None:
        well = self._modem.usable
        alone = self._modem.opened and not self._modem.registration.usable
        self._well_since = (self._well_since or now) if well else None
        self._alone_since = (self._alone_since or now) if alone else None
        self._proved = self._proved and well

    def _next(self) -> float | None:
        """When there is something to do if nothing changes before; None for never."""
        if self._alone_since is not None:
            return self._alone_since + self._repair.patience()
        if self._well_since is not None and not self._proved:
            return self._well_since + self._calm
        return None

    async def _wait(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.news.wait()

    async def _prove(self) -> None:
        """It has been ready for a while. If it answers, to its looks as well, that is success."""
        try:
            await self._modem.answer()
        except CommandTimeout:
            self._well_since = None
            return
        except DriverError:
            self._well_since = None
            await self._wait(self._calm)  # the line is lost; whoever runs the modem knows by now
            return
        self._proved = True
        self._repair.calmed(asyncio.get_running_loop().time())

    def _not_registered(self, seconds: float) -> NotRegistered:
        word = self._modem.registration.word
        return NotRegistered(f"not registered with a network ({word}) for {in_words(round(seconds))}")
