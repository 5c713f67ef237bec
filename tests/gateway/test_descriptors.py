"""The descriptor store of the service manager, by its real protocol and with a manager in a process of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import socket
import subprocess
import sys
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.service_manager import NOTIFY, PROGRAM, held, service_manager
from support.tree import ROOT
from support.waiting import eventually

from gateway.descriptors import PREFIX, DescriptorStore

CHILD = """
import os
from gateway.descriptors import DescriptorStore
store = DescriptorStore.of_process(os.environ)
for name in store.names:
    descriptor = store.take(name)
    print(name, os.get_inheritable(descriptor), os.ttyname(descriptor))
print(sorted(key for key in os.environ if key.startswith("LISTEN_")))
"""


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Path]:
    async with service_manager(tmp_path / "manager") as folder:
        yield folder


@pytest.fixture
def store(manager: Path) -> DescriptorStore:
    return DescriptorStore.of_process({"NOTIFY_SOCKET": str(manager / NOTIFY)})


@pytest.fixture
def terminal() -> AsyncIterator[tuple[int, int]]:  # type: ignore[misc]
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, slave
    for descriptor in (master, slave):
        try:
            os.close(descriptor)
        except OSError:
            continue


def next_process(manager: Path, **environ: str) -> list[str]:
    """What a process that the manager starts now finds."""
    command = [*PROGRAM, "launch", str(manager), sys.executable, "-c", CHILD]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT), **environ}
    )
    return found.stdout.splitlines()


async def test_what_is_kept_is_found_by_the_next_process(
    store: DescriptorStore, manager: Path, terminal: tuple[int, int]
) -> None:
    port = store.port("m0")
    port.keep(terminal[1])
    await eventually(lambda: held(manager) == [PREFIX + "m0"])
    name = os.ttyname(terminal[1])
    os.close(terminal[1])
    assert next_process(manager) == [f"m0 False {name}", "[]"]
    port.forget()
    await eventually(lambda: held(manager) == [])
    assert next_process(manager) == ["[]"]


async def test_the_copy_is_the_same_open_file_with_its_lock(
    store: DescriptorStore, manager: Path, terminal: tuple[int, int]
) -> None:
    mine = os.open(os.ttyname(terminal[1]), os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
    store.port("m0").keep(mine)
    await eventually(lambda: held(manager))
    os.close(mine)
    with pytest.raises(BlockingIOError):
        fcntl.flock(terminal[1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    store.port("m0").forget()
    await eventually(lambda: held(manager) == [])
    fcntl.flock(terminal[1], fcntl.LOCK_EX | fcntl.LOCK_NB)


async def test_a_port_that_is_opened_anew_takes_the_place_of_the_old_one(
    store: DescriptorStore, manager: Path, terminal: tuple[int, int]
) -> None:
    port = store.port("m0")
    for _ in range(3):
        port.keep(terminal[1])
    store.port("m1").keep(terminal[1])
    await eventually(lambda: len(held(manager)) == 2)
    assert held(manager) == [PREFIX + "m0", PREFIX + "m1"]


async def test_a_device_that_is_gone_is_dropped_by_the_manager(
    store: DescriptorStore, manager: Path, terminal: tuple[int, int]
) -> None:
    store.port("m0").keep(terminal[1])
    await eventually(lambda: held(manager))
    os.close(terminal[0])
    await eventually(lambda: held(manager) == [])


def test_without_a_manager_nothing_is_kept_and_nothing_fails(tmp_path: Path, terminal: tuple[int, int]) -> None:
    for environ in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": str(tmp_path / "none")}, {"NOTIFY_SOCKET": "@none"}):
        store = DescriptorStore.of_process(environ)
        assert (store.names, store.port("m0").take()) == ((), None)
        store.port("m0").keep(terminal[1])
        store.port("m0").forget()


def test_an_address_without_a_file_is_understood() -> None:
    name = f"tocsin-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        DescriptorStore.of_process({"NOTIFY_SOCKET": f"@{name}"}).port("m0").forget()
        assert listening.recv(4096) == b"FDSTOREREMOVE=1\nFDNAME=tocsin-modem-m0"


@pytest.mark.parametrize(
    "environ",
    [
        {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "tocsin-modem-m0"},
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "tocsin-modem-m0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "x", "LISTEN_FDNAMES": "tocsin-modem-m0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "-1", "LISTEN_FDNAMES": "tocsin-modem-m0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "tocsin-modem-m0"},
    ],
)
def test_what_is_meant_for_somebody_else_is_left_alone(environ: dict[str, str]) -> None:
    assert DescriptorStore.of_process(environ).names == ()
    assert environ == {}


async def test_of_two_with_one_name_neither_is_believed_and_other_names_are_not_ours(
    manager: Path, terminal: tuple[int, int]
) -> None:
    for name in (PREFIX + "m0", PREFIX + "m0", PREFIX + "m1", "web"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(str(manager / NOTIFY))
            socket.send_fds(channel, [f"FDSTORE=1\nFDNAME={name}".encode()], [terminal[1]])
    await eventually(lambda: len(held(manager)) == 4)
    assert next_process(manager) == [f"m1 False {os.ttyname(terminal[1])}", "[]"]
