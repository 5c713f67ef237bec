"""The switch: a modem's wire is always wrapped, and recorded while a trace is on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from drivers.trace.files import MAX_OCTETS, TraceFile
from drivers.trace.recorder import Recorder
from drivers.transport.base import Transport
from drivers.transport.trace import TracedTransport

log = logging.getLogger(__name__)


class WireTap:
    """The tap on one modem's line. `title` is told with each section: who recorded, with which version."""

    def __init__(self, name: str, title: str = "tocsin") -> None:
        self.name = name
        self._title = title
        self._port: str | None = None
        self._recorder: Recorder | None = None
        self._file: TraceFile | None = None
        #: What is known of the modem, in a few words; set by who knows it.
        self.about: Callable[[], str] = str

    @property
    def path(self) -> Path | None:
        """The file that is being written; None while no trace is on."""
        return None if self._file is None else self._file.path

    def wrap(self, transport: Transport) -> Transport:
        """The same line, with this tap on it."""
        return TracedTransport(transport, self)

    def start(self, path: Path, *, redacted: bool = True, max_octets: int = MAX_OCTETS) -> None:
        """Record into `path` from now on, instead of what was recorded before."""
        if self._file is not None:
            raise RuntimeError(f"a trace of {self.name} is being written already")
        loop = asyncio.get_running_loop()
        self._file = TraceFile(path, self._fail, max_octets=max_octets)
        self._recorder = Recorder(
            self._file.write, loop.time, title=f"{self._title}, modem {self.name}", about=self.about, redacted=redacted
        )
        if self._port is not None:
            self._recorder.opened(self._port)

    async def stop(self) -> None:
        """Record no more; returns when everything is written."""
        recorder, file = self._recorder, self._file
        self._recorder = self._file = None
        if recorder is not None:
            recorder.ended("the trace ends")
        if file is not None:
            await file.close()

    def _fail(self, reason: str) -> None:
        log.error("the trace of modem %s cannot be written (%s): it ends", self.name, reason)
        self._recorder = self._file = None

    # --- an observer of the wire

    def opened(self, port: str) -> None:
        self._port = port
        if self._recorder is not None:
            self._recorder.opened(port)

    def sent(self, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.sent(data)

    def received(self, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.received(data)

    def ended(self, reason: str) -> None:
        self._port = None
        if self._recorder is not None:
            self._recorder.ended(reason)
