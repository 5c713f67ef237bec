"""How long one answer is waited for: its command's deadline, and less once a line came that may be all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from drivers.at.commands import AtCommand
from drivers.gsm.settings import Deadlines


class Patience:
    """That of one channel: one command runs at a time."""

    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None
        self._seconds = 0.0

    @asynccontextmanager
    async def of(self, command: AtCommand, deadlines: Deadlines) -> AsyncGenerator[None]:
        """Wait no longer than that; raises TimeoutError."""
        async with asyncio.timeout(deadlines.of(command)) as limit:
            if command.bare is not None:
                self._limit, self._seconds = limit, command.bare * deadlines.factor
            try:
                yield
            finally:
                self._limit = None

    def line(self) -> None:
        """A line has come; the answer may end without a final result."""
        if self._limit is not None:
            soon = asyncio.get_running_loop().time() + self._seconds
            self._limit.reschedule(min(self._limit.when() or soon, soon))
