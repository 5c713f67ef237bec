"""Ears on an open port to which nothing is written: does it vanish, does the modem start anew by itself?"""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from drivers.at.connection import AtConnection
from drivers.at.events import Urc
from drivers.at.framing import Mark
from drivers.at.urc import RESTARTS
from drivers.errors import DriverError, PortMissing, TransportLost


class News(Enum):
    """What is waited for."""

    VANISHED = auto()
    RESTARTED = auto()


class Lookout:
    """A transport's receiver; noise is passed over, however much."""

    def __init__(self) -> None:
        self._connection = AtConnection()
        self._news: asyncio.Future[News] = asyncio.get_running_loop().create_future()

    async def news(self) -> News:
        """The first that comes."""
        return await asyncio.shield(self._news)

    def data_received(self, data: bytes) -> None:
        self._connection.receive_data(data)
        while not isinstance(event := self._connection.next_event(), Mark):
            if isinstance(event, Urc) and event.name in RESTARTS:
                self._tell(News.RESTARTED)

    def transport_lost(self, error: TransportLost) -> None:  # noqa: ARG002 - the receiver's signature
        self._tell(News.VANISHED)

    def _tell(self, news: News) -> None:
        if not self._news.done():
            self._news.set_result(news)


class Absence:
    """Whether a port that is looked for again and again was away, so that somebody has pulled it.

    That it is lost and found again says so; of a `wobbly` one, that it was not there either at the look after that.
    """

    def __init__(self, *, wobbly: bool) -> None:
        self.wobbly = wobbly
        self._since: float | None = None
        self._away = False

    def began(self, now: float) -> None:
        """It was open, and has vanished."""
        self._since, self._away = now, not self.wobbly

    def missed(self, now: float, error: DriverError, look: float) -> None:
        """It could not be opened; looks are `look` seconds apart."""
        if self.wobbly and isinstance(error, PortMissing):
            self._since = now if self._since is None else self._since
            self._away = self._away or now - self._since >= look * 0.9

    def ended(self) -> bool:
        """It is open: whether it was away. One that was gone for a moment only has to be gone anew."""
        self._since = None if self.wobbly else self._since
        return self._away
