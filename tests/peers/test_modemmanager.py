"""ModemManager, the system service of desktops, on a simulated modem of each family: enable, receive, send.

It runs on a message bus of its own, by its own test interface: `SetProfile` makes a modem of a Unix socket, behind
which the simulated modem is. It is asked by `mmcli`, as a person asks it.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from support.long_run import mostly_long
from support.peers import program
from support.simulation import ENVIRONMENT, PATIENCE_S, Modem, running
from support.unix_bridge import bridged
from support.waiting import eventually_sync

from drivers.sim import SIM_PROFILES

pytestmark = pytest.mark.peer("ModemManager", "mmcli", "dbus-daemon", "dbus-send")

NUMBER, LAY_THERE, TOLD = "+33612345678", "Hello from far away", "and again"
#: The plugin that plays a modem. That of a family is chosen only where the generic one cannot do: most of them ask for
#: USB ids that a socket has not.
PLUGINS = {"wavecom": "wavecom"}
#: Its generic plugin waits for the OK that this family leaves out behind +CPIN: READY, and gives the modem up.
WITHOUT_OK = {"sierra"}
#: What it does not get to read: it lists no memory of a modem that has one alone, and gives up +CNMI where its own two
#: settings are refused.
UNREAD = {"wavecom": {LAY_THERE}, "cinterion": {TOLD}}
NAME = "/org/freedesktop/ModemManager1"


@dataclass(frozen=True)
class Manager:
    """A ModemManager that runs, and how it is asked."""

    address: str

    def __call__(self, *words: str) -> str:
        """What `mmcli` says; its failures are said too."""
        asked = [program("mmcli") or "mmcli", *words]
        done = subprocess.run(asked, capture_output=True, env=self.environ, timeout=PATIENCE_S, check=False, text=True)
        return done.stdout + done.stderr

    @property
    def environ(self) -> dict[str, str]:
        # Its tools know the system bus alone; here that is ours.
        return ENVIRONMENT | {"DBUS_SESSION_BUS_ADDRESS": self.address, "DBUS_SYSTEM_BUS_ADDRESS": self.address}

    def add(self, uid: str, plugin: str, socket_name: str) -> None:
        """Make a modem of a socket."""
        call = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.ModemManager1", NAME]
        method = "org.freedesktop.ModemManager1.Test.SetProfile"
        arguments = [f"string:{uid}", f"string:{plugin}", f"array:string:{socket_name}"]
        subprocess.run(
            [*call, method, *arguments], check=True, capture_output=True, env=self.environ, timeout=PATIENCE_S
        )

    def number_of(self, uid: str) -> str | None:
        """The number of the modem that was made under this name, once it is there."""
        for number in re.findall(rf"{NAME}/Modem/(\d+)", self("-L")):
            if f"/virtual/{uid}\n" in self("-m", number):
                return number
        return None


@pytest.fixture(scope="module")
def manager(families: dict[str, Modem], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    folder = tmp_path_factory.mktemp("modemmanager")
    sockets = {name: f"abstract:tocsin-{os.getpid()}-{name}" for name in families}
    bus_log, log = folder / "bus", folder / "log"
    bus = [program("dbus-daemon") or "dbus-daemon", "--session", "--nofork", "--print-address=1"]
    options = ["--test-session", "--test-enable", "--test-no-udev", "--test-no-suspend-resume", "--test-no-qrtr"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(bridged({sockets[name]: modem.device for name, modem in families.items()}))
        stack.enter_context(running(bus, bus_log))
        found = eventually_sync(lambda: re.search(r"^unix:.*$", bus_log.read_text(), re.MULTILINE), PATIENCE_S)
        manager = Manager(found.group())
        command = [program("ModemManager") or "ModemManager", *options, "--no-auto-scan", "--log-level=INFO"]
        stack.enter_context(running(command, log, DBUS_SESSION_BUS_ADDRESS=manager.address))
        eventually_sync(lambda: "No modems" in manager("-L"), PATIENCE_S)
        for name, modem in families.items():
            modem.arrive(NUMBER, LAY_THERE)
            manager.add(name, PLUGINS.get(name, "generic"), sockets[name])
        yield manager


@pytest.mark.parametrize("name", mostly_long(SIM_PROFILES, "generic", "quectel"))
def test_modemmanager_enables_receives_and_sends(manager: Manager, families: dict[str, Modem], name: str) -> None:
    number = eventually_sync(lambda: manager.number_of(name), PATIENCE_S)
    ended = "failed" if name in WITHOUT_OK else "disabled"
    eventually_sync(lambda: re.search(rf"state: \S*(?:{ended}|registered)", manager("-m", number)), PATIENCE_S)
    described = manager("-m", number)
    profile = SIM_PROFILES[name]
    assert profile.manufacturer.strip() in described
    assert profile.model.strip() in described
    if name in WITHOUT_OK:
        assert "failed" in described
        return
    assert "successfully enabled" in manager("-m", number, "-e")
    eventually_sync(lambda: "state: registered" in manager("-m", number), PATIENCE_S)
    families[name].arrive(NUMBER, TOLD)

    def received(text: str) -> bool:
        shown = re.findall(rf"({NAME}/SMS/\d+) \(received\)", manager("-m", number, "--messaging-list-sms"))
        return any(text in (said := manager("-s", path)) and NUMBER in said for path in shown)

    # What lay there is listed when the modem is enabled; what comes then is read where it is told.
    for text in {LAY_THERE, TOLD} - UNREAD.get(name, set()):
        eventually_sync(lambda text=text: received(text), PATIENCE_S)
    made = manager("-m", number, f"--messaging-create-sms=text='Out of {name}',number={NUMBER}")
    path = re.search(rf"{NAME}/SMS/\d+", made)
    assert path is not None, made
    assert "successfully sent" in manager("-s", path.group(), "--send")
    assert families[name].texts_sent() == {f"Out of {name}"}
