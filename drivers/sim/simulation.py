"""Several simulated modems on one network, plugged into pseudo-terminals or TCP ports, for any AT client.

What `tocsin simulate` and `python -m drivers.sim` run. The command lines themselves are elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO

from drivers.sim import control
from drivers.sim.ends import PtyEnd, TcpEnd
from drivers.sim.ledger import Submission
from drivers.sim.modem import SimulatedModem
from drivers.sim.network import SimulatedNetwork
from drivers.sim.settings import SimSettings, numbered
from drivers.sim.troubles import TroubleSpec, make_trouble

CONTROL = "control"
MAX_COUNT = 256
MAX_CONTROL_LINE = 16 * 1024


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """`directory` takes the links and the control pipe; `tcp` (host, first port) replaces pseudo-terminals.

    `ledger` is a file to which each submission is appended as one JSON line. `settings` holds for every modem, but for
    its name, number, IMEI, IMSI and ICCID; where `profiles` are given, the modems play them in turn. `troubles` begin
    on every modem, at their times; `history` is a file to which what becomes of each is appended as one JSON line.
    """

    count: int = 1
    directory: Path | None = None
    tcp: tuple[str, int] | None = None
    ledger: Path | None = None
    settings: SimSettings = field(default_factory=SimSettings)
    profiles: tuple[str, ...] = ()
    troubles: tuple[TroubleSpec, ...] = ()
    history: Path | None = None


class Simulation:
    """Open it, use `modems`, close it.

    `complain` is told, without any content, of control lines that make no sense, and what becomes of troubles.
    """

    def __init__(self, options: SimulationOptions, complain: Callable[[str], object] = lambda _text: None) -> None:
        self._options = options
        self._complain = complain
        network = SimulatedNetwork()
        self.modems = tuple(SimulatedModem(_settings_of(options, index), network) for index in range(options.count))
        self._ends = [self._end(modem, index) for index, modem in enumerate(self.modems)]
        self._control = ControlPipe(options.directory / CONTROL, self.obey) if options.directory else None
        self._files: list[IO[str]] = []

    @property
    def ports(self) -> tuple[str, ...]:
        """What a client opens, modem by modem; known once the simulation is open."""
        return tuple(end.name for end in self._ends)

    async def open(self) -> None:
        """Plug everything in; OSError when a file stands in the way or an address is taken, with nothing left open.

        ValueError when the modems cannot have one of the troubles.
        """
        try:
            self._open_files()
            if self._options.directory:
                self._options.directory.mkdir(parents=True, exist_ok=True)
            # First the pipe: it tells whether another simulation lives here, whose links must stay.
            if self._control:
                self._control.open()
            for end in self._ends:
                await end.open()
            for modem in self.modems:
                self._go_wrong(modem)
        except (OSError, ValueError):
            await self.close()
            raise

    async def close(self) -> None:
        """Unplug everything and remove links and pipe."""
        if self._control:
            self._control.close()
        for end in self._ends:
            await end.close()
        for modem in self.modems:
            modem.close()
        for file in self._files:
            file.close()

    def _open_files(self) -> None:
        if self._options.ledger:
            ledger = self._options.ledger.open("a", encoding="utf-8")
            self._files.append(ledger)
            for modem in self.modems:
                modem.ledger.listeners.append(lambda submission: _append(ledger, _submitted(submission)))
        if self._options.history:
            history = self._options.history.open("a", encoding="utf-8")
            self._files.append(history)
            for modem in self.modems:
                modem.troubles.listeners.append(lambda event: _append(history, asdict(event)))

    def obey(self, line: str) -> None:
        """Do what a line of the control pipe says."""
        try:
            control.obey(self.modems, line)
        except control.ControlError as error:
            self._complain(f"control: {error}")

    def _go_wrong(self, modem: SimulatedModem) -> None:
        modem.troubles.listeners.append(lambda event: self._complain(str(event)))
        for spec in self._options.troubles:
            modem.troubles.begin_later(make_trouble(spec.name, spec.options), spec.when)

    def _end(self, modem: SimulatedModem, index: int) -> PtyEnd | TcpEnd:
        if self._options.tcp:
            host, port = self._options.tcp
            return TcpEnd(modem, host, port + index if port else 0)
        if self._options.directory is None:
            raise ValueError("a simulation needs a directory or a TCP address")
        return PtyEnd(modem, self._options.directory / modem.settings.name)


def _settings_of(options: SimulationOptions, index: int) -> SimSettings:
    settings = numbered(options.settings, index)
    return replace(settings, profile=options.profiles[index % len(options.profiles)]) if options.profiles else settings


def _submitted(submission: Submission) -> dict[str, object]:
    return {
        "modem": submission.modem,
        "to": submission.destination,
        "tp_mr": submission.tp_mr,
        "tpdu": submission.tpdu.hex(),
        "at": submission.at.isoformat(),
    }


def _append(file: IO[str], entry: Mapping[str, object]) -> None:
    """Write one line and flush it: whoever reads the file sees what has been answered."""
    file.write(json.dumps(entry) + "\n")
    file.flush()


def _is_read(pipe: Path) -> bool:
    """Whether somebody has the pipe open for reading."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


class ControlPipe:
    """A named pipe that any shell can write lines to."""

    def __init__(self, path: Path, obey: Callable[[str], None]) -> None:
        self._path = path
        self._obey = obey
        self._descriptor = -1
        self._buffer = bytearray()

    def open(self) -> None:
        """Make the pipe, in place of one that an earlier simulation left.

        FileExistsError for anything else, and for the pipe of a simulation that still runs.
        """
        if self._path.is_fifo():
            if _is_read(self._path):
                raise FileExistsError(errno.EEXIST, "another simulation runs there", str(self._path))
            self._path.unlink()
        os.mkfifo(self._path, 0o600)
        # Open for writing as well: otherwise each shell that finishes would end the input.
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def close(self) -> None:
        """Remove the pipe."""
        if self._descriptor < 0:
            return
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._buffer += os.read(self._descriptor, MAX_CONTROL_LINE)
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest[:MAX_CONTROL_LINE]
        for line in lines:
            if line.strip():
                self._obey(line.decode("utf-8", "replace"))


async def simulate(options: SimulationOptions, say: Callable[[str], object], complain: Callable[[str], object]) -> None:
    """Run a simulation until SIGINT or SIGTERM; `say` is told `ready PORT` for each modem once all are plugged in."""
    simulation = Simulation(options, complain)
    await simulation.open()
    try:
        with _signals() as stop:
            for port in simulation.ports:
                say(f"ready {port}")
            await stop.wait()
    finally:
        await simulation.close()


@contextlib.contextmanager
def _signals() -> Generator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
