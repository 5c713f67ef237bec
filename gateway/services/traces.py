"""Wire traces, switched on for a while: who may ask is the route's business, where they lie is said here.

The octets stay on the host that has the modem: a trace is a file in its state directory, mode 0600.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from drivers.trace.files import size_of_writable
from drivers.trace.tap import WireTap
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import InvalidRequest, NotFound, Unavailable
from gateway.requests import TRACE_MOST_S, Principal, TraceView
from gateway.services.modem_acts import refuse_real_to_test

log = logging.getLogger(__name__)

FOLDER = "traces"
_VARIABLE = "TOCSIN_TRACE"


@dataclass(slots=True)
class _Running:
    timer: asyncio.Task[None] | None = None


class Traces:
    """The traces of this host's modems, each by the tap on its line."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        title = f"tocsin {version('tocsin')}"
        self._clock = clock
        self._node = settings.gateway.node
        self._folder = settings.gateway.state_dir / FOLDER
        self._taps = {name: WireTap(name, title) for name in settings.modems}
        self._simulated = {name for name, modem in settings.modems.items() if modem.simulated}
        self._running: dict[str, _Running] = {}

    def tap(self, name: str) -> WireTap:
        """The tap for the line of the modem `name`."""
        return self._taps[name]

    async def start_if_told(self, environ: Mapping[str, str]) -> None:
        """With TOCSIN_TRACE=1 every modem's trace, redacted, from the first octet and as long as the gateway runs."""
        if environ.get(_VARIABLE) != "1":
            return
        for name, tap in self._taps.items():
            try:
                await self._begin(name, tap, redacted=True)
            except Unavailable as error:
                log.error(error.message, extra={"action": "trace_unwritable", "modem": name})

    async def start(self, principal: Principal, name: str, seconds: int, *, redacted: bool = True) -> TraceView:
        """Trace the modem `name`, or `node:name` of this host, for so long; one that runs is replaced."""
        bare, tap = self._meant(principal, name)
        if not 1 <= seconds <= TRACE_MOST_S:
            raise InvalidRequest.field("trace_invalid", "/seconds", f"is from 1 to {TRACE_MOST_S}")
        log.info(
            "a trace begins",
            extra={"action": "trace_begins", "modem": bare, "by": principal.name, "redacted": redacted},
        )
        path, offset = await self._begin(bare, tap, redacted=redacted)
        until_us = self._clock.now_us() + seconds * SECOND_US
        self._running[bare].timer = asyncio.create_task(self._end_at(bare, tap, until_us), name=f"trace {bare}")
        return TraceView(path, offset, until_us, redacted)

    async def stop(self, principal: Principal, name: str) -> None:
        """End the trace of one modem, if there is one."""
        bare, tap = self._meant(principal, name)
        await self._end(bare, tap)

    async def close(self) -> None:
        """End them all; the gateway stops."""
        for name, tap in self._taps.items():
            await self._end(name, tap)

    async def _begin(self, name: str, tap: WireTap, *, redacted: bool) -> tuple[Path, int]:
        await self._end(name, tap)
        path = self._folder / f"{name}.trace" if redacted else self._folder / f"{name}.unredacted.trace"
        try:
            offset = await asyncio.to_thread(size_of_writable, path)
        except OSError as error:
            raise Unavailable("trace_unwritable", f"{path} cannot be written: {error.strerror}") from None
        self._running[name] = _Running()
        tap.start(path, redacted=redacted)
        return path, offset

    async def _end(self, name: str, tap: WireTap) -> None:
        running = self._running.pop(name, None)
        if running is not None and running.timer is not None and running.timer is not asyncio.current_task():
            running.timer.cancel()
        await tap.stop()

    async def _end_at(self, name: str, tap: WireTap, until_us: int) -> None:
        await self._clock.wait(asyncio.Event(), until_us)
        await self._end(name, tap)
        log.info("a trace ends", extra={"action": "trace_ends", "modem": name})

    def _meant(self, principal: Principal, name: str) -> tuple[str, WireTap]:
        node, _, bare = name.rpartition(":")
        tap = self._taps.get(bare) if node in {"", self._node} else None
        if tap is None:
            raise NotFound("modem_not_found", "this host has no such modem; ask the modem's own host for a trace")
        refuse_real_to_test(principal, simulated=bare in self._simulated)
        return bare, tap


@asynccontextmanager
async def recording(clock: Clock, settings: Settings, environ: Mapping[str, str]) -> AsyncGenerator[Traces]:
    """The traces of a gateway that runs; what is on is ended when it stops."""
    traces = Traces(clock, settings)
    await traces.start_if_told(environ)
    try:
        yield traces
    finally:
        await traces.close()
