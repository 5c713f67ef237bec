"""What is behind the ports: answers read by tables, and whole machines probed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.line_ends import Keeper
from support.usb import Stick, Usb

from drivers.gsm.discovery import SerialPort
from drivers.gsm.probing import PortReport, centre_of, probe_ports, signal_of, sim_of, text_of, with_names
from drivers.gsm.stick_modes import WRONG_MODES, Mode, words_of, wrong_mode
from drivers.sim import SimSettings, SimulatedModem
from drivers.sim.network import SimulatedNetwork
from drivers.sim.settings import numbered
from drivers.transport.roots import Roots, roots_of
from drivers.transport.serial import SerialTransport


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["+CPIN: READY", "OK"], "ready"),
        (["+CPIN: SIM PIN", "OK"], "asks for its PIN"),
        (["+CPIN: SIM PUK", "OK"], "asks for its PUK"),
        (["+CPIN: PH-NET PIN", "OK"], "asks for PH-NET PIN"),
        (["^RSSI: 12", "+CPIN: READY", "OK"], "ready"),
        (["+CME ERROR: 10"], "no SIM"),
        (["+CME ERROR: 14"], "busy"),
        (["+CME ERROR: 99"], "error 99"),
        (["+CME ERROR: SIM not inserted"], "sim not inserted"),
        (["ERROR"], "none, or not ready"),
        (None, None),
    ],
)
def test_sim_states(lines: Sequence[str] | None, word: str | None) -> None:
    assert sim_of(lines) == word


@pytest.mark.parametrize(
    ("lines", "dbm"),
    [(["+CSQ: 0,99", "OK"], -113), (["+CSQ: 31,99", "OK"], -51), (["+CSQ: 99,99", "OK"], None), (["ERROR"], None)],
)
def test_signals(lines: Sequence[str], dbm: int | None) -> None:
    assert signal_of(lines) == dbm


def test_service_centres_and_texts() -> None:
    assert centre_of(['+CSCA: "+33639980000",145', "OK"]) is True
    assert centre_of(['+CSCA: "",129', "OK"]) is False
    assert centre_of(["ERROR"]) is None
    assert text_of(["huawei", "OK"]) == "huawei"
    assert text_of(["^RSSI: 3", '+CGMM: "E3372"', "OK"]) == "E3372"
    assert text_of(["ERROR"]) is None
    assert text_of(None) is None


def report(name: str, **fields: object) -> PortReport:
    port = SerialPort(name, Path("/dev") / name, usb_path="1-1", interface="1.2", interface_number=2, vendor="12d1")
    known = {"serial", "usb_path"} & fields.keys()
    port = replace(port, product="1001", **{key: fields.pop(key) for key in known})  # type: ignore[arg-type]
    return replace(PortReport(port, answers=True), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ([report("ttyUSB0", imei="356938035643809", serial="7")], ["imei:356938035643809"]),
        ([report("ttyUSB0", imei="356938035643800", serial="7")], ["/dev/serial/by-id/usb-12d1_1001_7-if02"]),
        ([report("ttyUSB0", imei=None)], ["usb:1-1:1.2"]),
        ([report("ttyUSB0", usb_path=None)], ["/dev/ttyUSB0"]),
        (
            [report("ttyUSB0", imei="356938035643809"), report("ttyUSB3", imei="356938035643809", usb_path="1-2")],
            ["usb:1-1:1.2", "usb:1-2:1.2"],
        ),
        ([replace(report("ttyUSB0"), answers=False)], [None]),
    ],
    ids=["imei", "wrong check digit", "neither", "no usb", "two with one imei", "silent"],
)
def test_the_name_that_holds_best(found: list[PortReport], names: list[str | None]) -> None:
    assert [each.name for each in with_names(found, Roots())] == names


@pytest.mark.parametrize("usb_id", sorted(WRONG_MODES))
def test_each_stick_in_a_wrong_mode_has_a_command(usb_id: str) -> None:
    found = wrong_mode(usb_id, set(), "1-1")
    assert found is not None
    assert words_of(found.mode)
    vendor, product = usb_id.split(":")
    assert (f"-v {vendor} -p {product} " in found.mend) or f"echo {vendor} {product} >" in found.mend
    assert wrong_mode(usb_id, {"1-1"}, "1-1") is None, "with a serial port it is in order"


def test_sticks_that_users_ask_about() -> None:
    modes = {usb_id: WRONG_MODES[usb_id].mode for usb_id in ("12d1:1f01", "19d2:2000", "1bbb:f000", "12d1:14dc")}
    assert list(modes.values()) == [Mode.STORAGE, Mode.STORAGE, Mode.STORAGE, Mode.NETWORK]
    assert "AT^SETPORT" in WRONG_MODES["12d1:14dc"].mend
    assert wrong_mode("1d6b:0002", set(), "1-0") is None


@pytest.fixture
async def usb(tmp_path: Path) -> AsyncIterator[Usb]:
    made = Usb(tmp_path)
    yield made
    made.close()


async def test_a_machine_is_probed(usb: Usb) -> None:
    network = SimulatedNetwork()
    open_, locked, held = [
        SimulatedModem(numbered(replace(SimSettings(), pin=pin), index), network)
        for index, pin in enumerate((None, "1234", None))
    ]
    usb.plug(Stick(open_), "1-1", 0)
    usb.plug(Stick(locked, at=0, interfaces=1, usb_id="0403:6001", driver="ftdi_sio"), "1-2", 3)
    usb.plug(Stick(held, at=1, interfaces=2), "1-3", 4)
    other = SerialTransport(str(usb.dev / "ttyUSB5"))
    await other.open(Keeper())
    told: list[str] = []
    found = await probe_ports(roots_of(usb.environ), told=lambda port: told.append(port.name))
    await other.close()
    assert sorted(told) == ["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3", "ttyUSB4", "ttyUSB5"]
    assert [each.answers for each in found] == [False, False, True, True, False, None]
    assert (found[2].sim, found[2].signal_dbm, found[2].service_centre) == ("ready", -71, True)
    assert (found[2].manufacturer, found[2].model) == ("Tocsin", "Simulated modem")
    assert [each.name for each in found[2:4]] == [f"imei:{each.settings.imei}" for each in (open_, locked)]
    assert found[3].sim == "asks for its PIN"
    assert locked.station.card.pin_tries == 3
    assert "/dev/ttyUSB5 is held by" in (found[5].problem or "")
    assert bytes(usb.line("ttyUSB5").heard) == b""


async def test_only_what_is_wanted_is_asked(usb: Usb) -> None:
    usb.plug(Stick(SimulatedModem()), "1-1", 0)
    found = await probe_ports(roots_of(usb.environ), lambda port: port.name == "ttyUSB2")
    assert [each.answers for each in found] == [None, None, True]
    assert [bytes(usb.line(f"ttyUSB{number}").heard) for number in (0, 1)] == [b"", b""]
