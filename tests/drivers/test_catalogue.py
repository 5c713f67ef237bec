"""Ports as the configuration writes them."""

import asyncio
from pathlib import Path

import pytest
from support.waiting import eventually

from drivers.catalogue import ModemSettings, build_modem, problems_of_port


@pytest.mark.parametrize(
    "port",
    [
        "simulated:",
        "/dev/ttyUSB0",
        "/dev/serial/by-id/usb-x",
        "socket://10.0.0.7:4001",
        "imei:356938035643809",
        "usb:1-1.4",
        "usb:1-1.4:1.2",
        "usb:2-3",
    ],
)
def test_ports_that_can_be_modems(port: str) -> None:
    assert problems_of_port(port) is None


@pytest.mark.parametrize(
    ("port", "word"),
    [
        ("", "is no port"),
        ("ttyUSB0", "is no port"),
        ("simulated", "is no port"),
        ("simulated:x", "is no port"),
        ("COM3", "is no port"),
        ("socket://host", "socket://host:port"),
        ("socket://host:x", "socket://host:port"),
        ("imei:356938035643808", "mistyped"),
        ("imei:35693803564380", "15 digits"),
        ("imei:", "15 digits"),
        ("usb:1", "usb:1-1.4"),
        ("usb:1-0", "usb:1-1.4"),
        ("usb:1-1.4:2", "usb:1-1.4"),
        ("smpp://host", "smpp: ports"),
        ("/etc/passwd", "not a serial device"),
        ("/etc", "not a serial device"),
        ("/dev/\x00", "NUL"),
    ],
)
def test_ports_that_cannot(port: str, word: str) -> None:
    assert word in (problems_of_port(port) or "")
    with pytest.raises(ValueError, match=r"port|device|socket|imei|usb"):
        build_modem(ModemSettings("m", port))


def test_a_service_centre_that_is_no_address() -> None:
    with pytest.raises(ValueError, match="address"):
        build_modem(ModemSettings("m", "simulated:", smsc="+33 not digits at all"))


def test_a_path_too_long_to_ask_about() -> None:
    assert problems_of_port("/" + "x" * 5000) is None


async def test_the_simulated_modem() -> None:
    modem = build_modem(ModemSettings("sim1", "simulated:", number="+33639981001"))
    assert modem.simulator is not None
    await modem.start()
    await asyncio.wait_for(modem.wait_ready(), 5)
    status = modem.status()
    assert (status.name, status.port, status.simulated) == ("sim1", "simulated:", True)
    modem.simulator.inject_sms("+33612345678", "STOP")
    events = modem.events()
    await anext(events)
    assert (await anext(events)).deliver.tp_ud.text == "STOP"  # type: ignore[union-attr]
    await modem.stop()


async def test_simulated_modems_of_different_names_are_different() -> None:
    modems = [build_modem(ModemSettings(name, "simulated:")) for name in ("sim1", "sim2", "sim1")]
    for modem in modems:
        await modem.start()
    await asyncio.gather(*(asyncio.wait_for(modem.wait_ready(), 5) for modem in modems))
    first, second, again = (modem.status() for modem in modems)
    assert first.imei != second.imei
    assert (first.imei, first.iccid) == (again.imei, again.iccid)
    for modem in modems:
        await modem.stop()


async def test_a_real_port_has_no_simulator(tmp_path: Path) -> None:
    modem = build_modem(ModemSettings("m", str(tmp_path / "ttyUSB0")))
    assert modem.simulator is None
    assert not modem.status().simulated
    await modem.start()
    await eventually(lambda: modem.status().reason)
    await modem.stop()
