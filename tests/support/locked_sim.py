"""A simulated modem whose SIM asks for a PIN, as a process of its own on a pseudo-terminal, and a look at its counter.

As a program: `locked_sim.py DIR PIN` puts the modem at DIR/modem0 until it is terminated.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import serial

from drivers.sim import SimSettings, SimulationOptions
from drivers.sim.simulation import simulate

#: Of a SIM until its PIN is blocked.
TRIES = 3


class LockedSim:
    """The modem from outside."""

    def __init__(self, folder: Path) -> None:
        self.port = folder / "modem0"

    async def presented_wrongly(self) -> int:
        """How many wrong PINs the SIM has counted since the last right one; nobody else may hold the port."""
        lines = await asyncio.to_thread(self._ask, "AT+CPINR")
        (left,) = [line.split(",")[1] for line in lines if line.startswith("+CPINR: SIM PIN,")]
        return TRIES - int(left)

    async def present(self, pin: str) -> None:
        """Somebody gives the SIM a PIN."""
        await asyncio.to_thread(self._ask, f'AT+CPIN="{pin}"')

    async def power_cycle(self) -> None:
        """The modem starts anew: the SIM asks for its PIN again."""
        await asyncio.to_thread(self._ask, "AT+CFUN=1,1")

    def _ask(self, command: str) -> list[str]:
        with serial.Serial(str(self.port), timeout=5) as port:
            port.write(f"{command}\r".encode())
            lines: list[str] = []
            while not lines or lines[-1] not in {"OK", "ERROR"}:
                read = port.readline()
                assert read, (command, lines)
                lines.append(read.decode().strip())
            return lines


@asynccontextmanager
async def locked_sim(folder: Path, pin: str) -> AsyncIterator[LockedSim]:
    """The process with its modem, until the end of the block."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    command = [sys.executable, __file__, str(folder), pin]
    process = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 30)
        assert line.startswith("ready "), line
        yield LockedSim(folder)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)
        process.stdout.close()


def main(folder: str, pin: str) -> None:
    options = SimulationOptions(1, Path(folder), None, None, SimSettings(pin=pin))
    asyncio.run(simulate(options, _say, _say))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
