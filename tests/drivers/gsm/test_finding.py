"""Modems that are found, by IMEI, USB place or id: followed, asked gently, never taken from another."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from support.line_ends import Keeper
from support.rigs import QUICK
from support.usb import Line, Stick, Usb
from support.waiting import eventually

from drivers.catalogue import ModemSettings, ModemSupervisor, build_modem, is_still_port
from drivers.errors import PortBusy
from drivers.events import ModemState
from drivers.gsm.discovery import SerialPort
from drivers.gsm.sticks import Sticks
from drivers.sim import SimSettings, SimulatedModem
from drivers.sim.network import SimulatedNetwork
from drivers.sim.settings import numbered
from drivers.transport.serial import SerialTransport

Find = Callable[..., ModemSupervisor]


@pytest.fixture
async def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Usb]:
    made = Usb(tmp_path)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@pytest.fixture
async def find(usb: Usb) -> AsyncIterator[Find]:
    made: list[ModemSupervisor] = []

    def find(port: str, name: str = "m", **more: object) -> ModemSupervisor:
        made.append(build_modem(ModemSettings(name, port, deadlines=QUICK), **more))  # type: ignore[arg-type]
        return made[-1]

    yield find
    for modem in made:
        await modem.stop()


def sticks(count: int, **more: object) -> list[Stick]:
    network = SimulatedNetwork()
    return [
        Stick(SimulatedModem(numbered(SimSettings(), index), network), **more)  # type: ignore[arg-type]
        for index in range(count)
    ]


def imei_of(stick: Stick) -> str:
    return stick.modem.settings.imei


async def ready(modem: ModemSupervisor) -> str | None:
    """The IMEI of the modem once it can be used."""
    await modem.start()
    await eventually(lambda: modem.status().state is ModemState.READY, 15, "a ready modem")
    return modem.status().imei


async def absent(modem: ModemSupervisor) -> str:
    await modem.start()
    await eventually(lambda: modem.status().state is ModemState.ABSENT and modem.status().reason, 15)
    return str(modem.status().reason)


@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize("form", ["usb:1-1.4", "imei:"])
async def test_the_port_that_answers_is_found_out(usb: Usb, find: Find, at: int, form: str) -> None:
    (stick,) = sticks(1, interfaces=4, at=at, usb_id="abcd:0001")
    usb.plug(stick, "1-1.4", 0)
    modem = find(form + imei_of(stick) if form == "imei:" else form)
    assert await ready(modem) == imei_of(stick)


@pytest.mark.parametrize("interface", [0, 2])
async def test_a_named_interface_alone_is_opened(usb: Usb, find: Find, interface: int) -> None:
    (stick,) = sticks(1, at=interface)
    usb.plug(stick, "1-1.4", 0)
    assert await ready(find(f"usb:1-1.4:1.{interface}")) == imei_of(stick)
    assert [bytes(line.heard) for n, line in enumerate(stick.lines) if n != interface] == [b"", b""]


async def test_what_the_table_knows_is_not_found_out_by_asking_others(usb: Usb, find: Find) -> None:
    (stick,) = sticks(1, usb_id="1e0e:9001", interfaces=4, at=2)
    usb.plug(stick, "2-1", 4)
    await ready(find("usb:2-1"))
    assert [bytes(line.heard) for n, line in enumerate(stick.lines) if n != 2] == [b"", b"", b""]


async def test_a_port_that_is_asked_gets_esc_and_two_short_lines(usb: Usb, find: Find) -> None:
    (stick,) = sticks(1, usb_id="abcd:0001", interfaces=2, at=1)
    usb.plug(stick, "2-1", 4)
    await ready(find("usb:2-1"))
    assert bytes(stick.lines[0].heard) == b"\x1b\rAT\rATQ0V1\r"


async def test_one_that_never_answers_keeps_nobody_from_being_found(usb: Usb, find: Find) -> None:
    mute, stick = sticks(2)
    mute.connect = lambda: _silent(mute)  # type: ignore[method-assign]
    usb.plug(mute, "1-1", 0)
    modem = find(f"imei:{imei_of(stick)}")
    await absent(modem)
    usb.plug(stick, "1-2", 3)
    await eventually(lambda: modem.status().state is ModemState.READY, 15)


def test_a_stick_that_is_silent_is_asked_ever_less_until_it_is_plugged_in_anew() -> None:
    now = 0.0
    known = Sticks(lambda: now)
    ports = [SerialPort("ttyUSB0", Path("/dev/ttyUSB0"), usb_path="1-1", plugged="7")]
    asked = []
    for second in range(600):
        now = float(second)
        if known.may_ask(known.answers(ports)):
            asked.append(second)
            known.silent(known.answers(ports))
    assert asked[:4] == [0, 2, 4, 6]
    gaps = [later - before for before, later in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 60
    assert known.may_ask(known.answers([replace(ports[0], plugged="8")]))


def test_a_stick_has_one_owner() -> None:
    known = Sticks(lambda: 0.0)
    known.claim("1-1", "m1", "usb:1-1")
    known.claim("1-1", "m1", "usb:1-1")
    with pytest.raises(PortBusy, match="imei:1 is what modem m1 has open already"):
        known.claim("1-1", "m2", "imei:1")
    known.release("1-1", "m2")
    assert known.owner("1-1") == "m1"
    known.release("1-1", "m1")
    known.claim("1-1", "m2", "imei:1")


def _silent(stick: Stick) -> list[str]:
    stick.lines = [Line() for _ in range(stick.interfaces)]
    return [line.path for line in stick.lines]


@pytest.mark.parametrize("udev", [True, False])
@pytest.mark.parametrize("form", ["imei", "usb", "by-id"])
async def test_a_stick_is_followed_to_other_tty_numbers(usb: Usb, find: Find, form: str, udev: bool) -> None:
    usb.udev = udev
    (stick,) = sticks(1, serial="0042")
    usb.plug(stick, "1-1.4", 0)
    port = {
        "imei": f"imei:{imei_of(stick)}",
        "usb": "usb:1-1.4",
        "by-id": f"/dev/serial/by-id/{usb.by_id(stick, 2)}",
    }[form]
    modem = find(port)
    await ready(modem)
    for first in (7, 3):
        usb.unplug(stick)
        await eventually(lambda: modem.status().state is not ModemState.READY)
        usb.plug(stick, "1-1.4", first)
        await eventually(lambda: modem.status().state is ModemState.READY, 15, "it is back")
    assert modem.status().imei == imei_of(stick)


async def test_a_stick_named_by_imei_is_followed_to_another_socket(usb: Usb, find: Find) -> None:
    one, two = sticks(2)
    usb.plug(one, "1-1", 0)
    usb.plug(two, "1-2", 3)
    modems = [find(f"imei:{imei_of(each)}", f"m{n}") for n, each in enumerate((one, two))]
    assert [await ready(modem) for modem in modems] == [imei_of(one), imei_of(two)]
    usb.unplug(one)
    usb.unplug(two)
    usb.plug(one, "1-2", 0)
    usb.plug(two, "1-1", 3)
    await eventually(lambda: all(modem._was_ready for modem in modems), 15)
    await eventually(lambda: all(modem.status().state is ModemState.READY for modem in modems), 15)
    assert [modem.status().imei for modem in modems] == [imei_of(one), imei_of(two)]


async def test_an_old_link_of_a_container_is_not_believed(usb: Usb, find: Find) -> None:
    one, two = sticks(2)
    one.words["serial"], two.words["serial"] = "1", "2"
    usb.plug(one, "1-1", 0)
    usb.plug(two, "1-2", 3)
    link = usb.dev / "serial/by-id" / usb.by_id(one, 2)
    link.unlink()
    link.symlink_to("../../ttyUSB5")
    assert await ready(find(f"/dev/serial/by-id/{link.name}")) == imei_of(one)


@pytest.mark.parametrize("second", ["usb:1-1", "usb:1-1:1.2", "/dev/ttyUSB2", "/dev/ttyUSB1", "imei:"])
async def test_two_modems_for_one_stick_are_told(usb: Usb, find: Find, second: str) -> None:
    (stick,) = sticks(1)
    usb.plug(stick, "1-1", 0)
    await ready(find(f"imei:{imei_of(stick)}", "first"))
    port = second + imei_of(stick) if second == "imei:" else second
    assert await absent(find(port, "second")) == (
        f"{port} is what modem first has open already: two modems are configured for one stick"
    )


async def test_lines_of_one_cable_are_modems_of_their_own(usb: Usb, find: Find) -> None:
    (stick,) = sticks(1, usb_id="0403:6011", driver="ftdi_sio", interfaces=2, at=0)
    usb.plug(stick, "1-2", 0)
    await ready(find("/dev/ttyUSB0", "first"))
    other = find("/dev/ttyUSB1", "second")
    await other.start()
    await eventually(lambda: stick.lines[1].heard)


async def test_a_modem_of_another_program_is_left_alone(usb: Usb, find: Find) -> None:
    one, two = sticks(2)
    usb.plug(one, "1-1", 0)
    usb.plug(two, "1-2", 3)
    other = SerialTransport(str(usb.dev / "ttyUSB2"))
    await other.open(Keeper())
    assert await ready(find(f"imei:{imei_of(two)}")) == imei_of(two)
    assert bytes(one.lines[2].heard) == b""
    reason = await absent(find("usb:1-1", "other"))
    assert "ttyUSB2 is held by" in reason
    await other.close()


async def test_a_modem_that_another_of_ours_has_is_not_asked(usb: Usb, find: Find) -> None:
    one, two = sticks(2)
    usb.plug(one, "1-1", 0)
    await ready(find("usb:1-1", "first"))
    before = [bytes(line.heard) for line in one.lines[:2]]
    reason = await absent(find(f"imei:{imei_of(two)}", "second"))
    assert "no modem with the IMEI of second" in reason
    assert [bytes(line.heard) for line in one.lines[:2]] == before == [b"", b""]


@pytest.mark.parametrize("port", ["usb:1-1", "usb:1-1:1.2", "imei:356938035643809", "/dev/ttyUSB2"])
async def test_nothing_is_there(find: Find, port: str) -> None:
    assert await absent(find(port))


async def test_an_interface_that_the_stick_has_not(usb: Usb, find: Find) -> None:
    (stick,) = sticks(1)
    usb.plug(stick, "1-1", 0)
    assert await absent(find("usb:1-1:1.7")) == "there is no serial port at usb:1-1:1.7"


async def test_no_port_of_it_answers(usb: Usb, find: Find) -> None:
    (stick,) = sticks(1)
    stick.connect = lambda: _silent(stick)  # type: ignore[method-assign]
    usb.plug(stick, "1-1", 0)
    assert await absent(find("usb:1-1")) == "no port of usb:1-1 answers AT (ttyUSB0, ttyUSB1, ttyUSB2)"


@pytest.mark.parametrize("form", ["imei", pytest.param("usb", marks=pytest.mark.long)])
async def test_a_stick_that_falls_silent_is_told_as_silent_and_reset(usb: Usb, find: Find, form: str) -> None:
    (stick,) = sticks(1)
    usb.plug(stick, "1-1", 0)
    modem = find({"imei": f"imei:{imei_of(stick)}", "usb": "usb:1-1"}[form])
    await ready(modem)
    # It hears and says nothing; its port is closed and found again, and so nobody knows which of them it was.
    trouble = stick.modem.trouble("silence", lasting=0.0)
    await modem.reset()
    states: set[tuple[ModemState, str | None]] = set()

    def rests() -> bool:
        status = modem.status()
        states.add((status.state, status.reason))
        return "resting" in (status.reason or "")

    await eventually(rests, 60, "a rest")
    words = "the stick is there, none of its ports answers (ttyUSB0, ttyUSB1, ttyUSB2)"
    assert (ModemState.REPAIRING, words) in states
    assert not any(state is ModemState.ABSENT for state, _ in states)
    stick.modem.troubles.end(trouble)
    await eventually(lambda: modem.status().state is ModemState.READY, 60, "a ready modem")


async def test_a_message_that_is_told_while_the_port_is_asked_is_not_lost(usb: Usb, find: Find) -> None:
    (stick,) = sticks(1)
    usb.plug(stick, "1-1", 0)
    modem = find(f"imei:{imei_of(stick)}")
    heard: list[bytes] = []
    original = stick.modem.receive_data

    def receive(data: bytes) -> None:
        if b"AT+CGSN" in data and not heard:
            heard.append(data)
            stick.lines[stick.at].write(b"\r\n+CREG: 1\r\n\r\nRING\r\n")
        original(data)

    stick.modem.receive_data = receive  # type: ignore[method-assign]
    assert await ready(modem) == imei_of(stick)
    assert heard


class Manager:
    """A service manager that keeps one descriptor of a name."""

    def __init__(self) -> None:
        self.kept: int | None = None
        self.given: int | None = None
        self.count = 0

    def take(self) -> int | None:
        given, self.given = self.given, None
        return given

    def keep(self, descriptor: int) -> None:
        self.forget()
        self.kept = os.dup(descriptor)
        self.count += 1

    def forget(self) -> None:
        if self.kept is not None:
            os.close(self.kept)
        self.kept = None


async def test_only_the_port_that_is_used_is_kept_open_for_the_next_process(usb: Usb, find: Find) -> None:
    one, two = sticks(2, usb_id="abcd:0001", interfaces=3, at=2)
    usb.plug(one, "1-1", 0)
    usb.plug(two, "1-2", 3)
    manager = Manager()
    modem = find(f"imei:{imei_of(two)}", keeper=manager)
    await ready(modem)
    assert manager.count == 1
    assert manager.kept is not None
    assert os.fstat(manager.kept).st_rdev == (usb.dev / "ttyUSB5").stat().st_rdev
    for port, mine in {
        f"imei:{imei_of(two)}": True,
        "usb:1-2": True,
        "usb:1-2:1.2": True,
        "usb:1-2:1.1": False,
        "usb:1-1": False,
        "/dev/ttyUSB5": True,
        "/dev/ttyUSB2": False,
        "socket://host:1": False,
        "simulated:": False,
    }.items():
        assert is_still_port(manager.kept, port) is mine, port
    await modem.stop()
    assert manager.kept is None


@pytest.mark.parametrize("form", ["imei", "usb"])
async def test_a_port_that_was_kept_is_taken_over_without_a_question(usb: Usb, find: Find, form: str) -> None:
    (stick,) = sticks(1)
    usb.plug(stick, "1-1", 0)
    manager = Manager()
    manager.given = os.open(usb.dev / "ttyUSB2", os.O_RDWR | os.O_NOCTTY)
    port = f"imei:{imei_of(stick)}" if form == "imei" else "usb:1-1"
    assert await ready(find(port, keeper=manager)) == imei_of(stick)
    # The driver's own first words; AT+CGSN comes after ATE0 in them, and not before.
    heard = bytes(stick.lines[2].heard)
    assert heard.index(b"ATE0") < heard.index(b"AT+CGSN")


async def test_a_port_that_was_kept_and_is_another_modem_is_not_used(usb: Usb, find: Find) -> None:
    one, two = sticks(2)
    one.modem.close()
    one.modem = SimulatedModem(replace(one.modem.settings, pin="1234"), one.modem.network)
    usb.plug(one, "1-1", 0)
    manager = Manager()
    manager.given = os.open(usb.dev / "ttyUSB2", os.O_RDWR | os.O_NOCTTY)
    modem = build_modem(ModemSettings("m", f"imei:{imei_of(two)}", pin="9999", deadlines=QUICK), manager)
    assert "another modem" in await absent(modem)
    assert one.modem.station.card.pin_tries == 3
    await modem.stop()
    two.modem.close()
