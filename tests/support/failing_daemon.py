"""`tocsin` as the crash tests start it: ended or stopped at a named place, and with a short submit deadline.

`TOCSIN_FAILPOINT` names a file. While it holds a line `PLACE`, `PLACE COUNT` or `PLACE COUNT stop`, the process gets a
SIGKILL (or SIGSTOP) when it reaches that place for the COUNT-th time; the file is removed just before. `body:1` to
`body:3` are the quarters of the PDU, at `torn:N` N octets of the answer were read. A file of the same name that ends in
`.boot` says which start of the machine this is, as after a power cut. `TOCSIN_SUBMIT_SECONDS` is how long an answer is
waited for; `TOCSIN_LEASE_SECONDS` and `TOCSIN_PATIENCE_SECONDS` are times between hosts (`gateway.outbound.lease`);
`TOCSIN_TRIP_SECONDS` is how long a silent database is waited for (`gateway.store.server_settings`).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.transport.serial import SerialTransport

_PDU = re.compile(rb"[0-9A-F]{24,}")


class Armed:
    """What the file says, asked anew at each place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reached: Counter[str] = Counter()

    def wanted(self) -> list[str]:
        try:
            return self._path.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []

    def reach(self, name: str) -> None:
        place, *more = self.wanted() or [""]
        if name != place:
            return
        self._reached[name] += 1
        if self._reached[name] == int(more[0] if more else 1):
            self._path.unlink()
            # To this thread, and by it to the others: else another might take it, and this one go on meanwhile.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP if "stop" in more else signal.SIGKILL)

    def torn(self) -> int:
        """After how many octets of the answer the process is to end; 0 for none."""
        place, *_ = self.wanted() or [""]
        return int(place.removeprefix("torn:")) if place.startswith("torn:") else 0

    def quarter(self) -> int:
        """After which quarter of the PDU the process is to end; 0 for none."""
        place, *_ = self.wanted() or [""]
        return int(place[-1]) if place.startswith("body:") else 0


def _die_within_the_answer(transport: SerialTransport, octets: int, armed: Armed) -> None:
    """Read the next octets one by one, hand them over, and end; the rest stays in the port."""
    read: list[bytes] = []

    def readable() -> None:
        read.append(os.read(transport._descriptor, 1))
        assert transport._receiver is not None
        transport._receiver.data_received(read[-1])
        if len(read) == octets:
            armed.reach(f"torn:{octets}")

    asyncio.get_running_loop().add_reader(transport._descriptor, readable)


def _shorten() -> None:
    """Times that nobody wants to wait for."""
    from gateway.outbound import lease
    from gateway.store import server_settings

    if "TOCSIN_TRIP_SECONDS" in os.environ:
        seconds = float(os.environ["TOCSIN_TRIP_SECONDS"])
        server_settings.LIMITS = server_settings.TripLimits(seconds, connect_s=2, doubt_s=seconds)
    if "TOCSIN_LEASE_SECONDS" in os.environ:
        lease.LEASE_US = int(float(os.environ["TOCSIN_LEASE_SECONDS"]) * 1_000_000)
        lease.RENEW_US = lease.LEASE_US // 3
    if "TOCSIN_PATIENCE_SECONDS" in os.environ:
        lease.PATIENCE_US = int(float(os.environ["TOCSIN_PATIENCE_SECONDS"]) * 1_000_000)


def prepare() -> None:
    """What has to be so before anything else is imported."""
    import drivers.at.commands

    drivers.at.commands.SUBMIT_SECONDS = float(os.environ["TOCSIN_SUBMIT_SECONDS"])
    _shorten()


def run() -> None:
    """The command, with the places at which it can be made to fail."""
    import gateway.daemon
    from drivers.transport.serial import SerialTransport
    from gateway import failpoints
    from gateway.cli.main import main as tocsin

    file = Path(os.environ["TOCSIN_FAILPOINT"])
    if (boot := file.with_suffix(".boot")).exists():
        gateway.daemon.boot_id = boot.read_text
    armed = Armed(file)
    failpoints.arm(armed.reach)
    whole = SerialTransport.write

    async def write(self: SerialTransport, data: bytes) -> None:
        if (quarter := armed.quarter()) and _PDU.fullmatch(data):
            await whole(self, data[: len(data) * quarter // 4])
            armed.reach(f"body:{quarter}")
        if data == b"\x1a" and (octets := armed.torn()):
            _die_within_the_answer(self, octets, armed)
        await whole(self, data)

    SerialTransport.write = write  # type: ignore[method-assign]
    sys.argv[0] = "tocsin"
    tocsin()


if __name__ == "__main__":
    prepare()
    run()
