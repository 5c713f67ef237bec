"""Who holds a device: told by the kernel's locks, by lock files, by open files; and ModemManager by name."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.line_ends import Keeper, PtyMaster

from drivers.errors import PortBusy
from drivers.transport.holders import Holder, busy_text, holder_if_in_use, holder_of_device, running
from drivers.transport.roots import Roots
from drivers.transport.serial import SerialTransport, explain


class Machine:
    """A /proc and a lock folder of files."""

    def __init__(self, folder: Path) -> None:
        self.roots = Roots(proc=folder / "proc", locks=folder / "lock")
        for path in (self.roots.proc, self.roots.locks):
            path.mkdir()
        self.device = folder / "ttyUSB0"
        self.device.touch()

    def process(self, pid: int, name: str, *, opened: Path | None = None) -> None:
        folder = self.roots.proc / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "fd" / "0").symlink_to("/dev/null")
        if opened is not None:
            (folder / "fd" / "7").symlink_to(opened)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_by_the_files_that_a_process_has_open(machine: Machine) -> None:
    machine.process(70, "bash")
    machine.process(812, "gammu-smsd", opened=machine.device)
    assert holder_of_device(machine.device, machine.roots) == Holder(812, "gammu-smsd")
    assert holder_if_in_use(machine.device, machine.roots) == Holder(812, "gammu-smsd")


def test_by_the_kernels_table_of_locks_when_its_files_cannot_be_seen(machine: Machine) -> None:
    machine.process(70, "bash", opened=machine.device)
    machine.process(913, "smsd")
    node = machine.device.stat()
    place = f"{os.major(node.st_dev):02x}:{os.minor(node.st_dev):02x}:{node.st_ino}"
    lines = ["1: POSIX  ADVISORY  WRITE 70 00:19:4 0 EOF", f"2: FLOCK  ADVISORY  WRITE 913 {place} 0 EOF"]
    (machine.roots.proc / "locks").write_text("\n".join(lines) + "\n")
    assert holder_of_device(machine.device, machine.roots) == Holder(913, "smsd")


def test_by_a_lock_file_of_a_process_that_lives(machine: Machine) -> None:
    lock = machine.roots.locks / "LCK..ttyUSB0"
    lock.write_text("       444\n")
    assert holder_of_device(machine.device, machine.roots) is None
    machine.process(444, "minicom")
    assert holder_of_device(machine.device, machine.roots) == Holder(444, "minicom")
    lock.write_text("nonsense")
    assert holder_of_device(machine.device, machine.roots) is None


def test_this_process_is_no_holder(machine: Machine) -> None:
    machine.process(os.getpid(), "tocsin", opened=machine.device)
    assert holder_of_device(machine.device, machine.roots) is None


def test_the_words_name_it_and_the_mend(machine: Machine) -> None:
    assert busy_text("/dev/ttyUSB0", None, machine.roots) == "/dev/ttyUSB0 is held by another program"
    assert busy_text("/dev/ttyUSB0", Holder(7, "picocom"), machine.roots) == "/dev/ttyUSB0 is held by picocom (pid 7)"
    assert busy_text("/dev/ttyUSB0", Holder(7, None), machine.roots) == "/dev/ttyUSB0 is held by a program (pid 7)"
    machine.process(812, "ModemManager", opened=machine.device)
    assert running("ModemManager", machine.roots) == Holder(812, "ModemManager")
    known = str(explain(str(machine.device), BlockingIOError(11, "busy"), machine.roots))
    assert "is held by ModemManager (pid 812): stop it (systemctl stop ModemManager), or" in known
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in known
    suspected = busy_text("/dev/ttyUSB0", None, machine.roots)
    assert "perhaps ModemManager (pid 812): stop it" in suspected


def test_a_machine_that_shows_nothing(tmp_path: Path) -> None:
    roots = Roots(proc=tmp_path / "none", locks=tmp_path / "none")
    assert holder_of_device(tmp_path / "ttyUSB0", roots) is None
    assert running("ModemManager", roots) is None


_HOLD = (
    "import sys, serial; port = serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); sys.stdin.read()"
)


async def test_m21_another_process_with_the_port_is_named(tell: Callable[[str], None]) -> None:
    device = PtyMaster()
    command = [sys.executable, "-c", _HOLD, device.path]
    pipe = subprocess.PIPE
    holder = await asyncio.to_thread(subprocess.Popen, command, stdin=pipe, stdout=pipe, text=True)
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(PortBusy, match=rf"{device.path} is held by \S+ \(pid {holder.pid}\)"):
        await SerialTransport(device.path).open(Keeper())
    assert device.read() == b"", "not an octet of ours on its line"
    tell("M21: a port that another program has: refused, the program named, 0 octets written")
    holder.stdin.close()
    holder.wait(20)
    holder.stdout.close()
    device.close()
