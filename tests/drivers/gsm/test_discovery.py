"""The serial ports as sysfs shows them, on a tree of files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.usb import Stick, Usb

from drivers.gsm.discovery import by_id_links, by_id_port, port_at, serial_port, serial_ports, usb_devices
from drivers.sim import SimulatedModem
from drivers.transport.roots import Roots, roots_of


@pytest.fixture
async def usb(tmp_path: Path) -> AsyncIterator[Usb]:
    made = Usb(tmp_path)
    yield made
    made.close()


async def test_a_stick_with_its_ports(usb: Usb) -> None:
    usb.plug(Stick(SimulatedModem(), serial="0123"), "1-1.4", 3)
    roots = roots_of(usb.environ)
    found = serial_ports(roots)
    assert [port.name for port in found] == ["ttyUSB3", "ttyUSB4", "ttyUSB5"]
    last = found[2]
    assert (last.usb_path, last.interface, last.interface_number) == ("1-1.4", "1.2", 2)
    assert (last.usb_id, last.serial, last.driver) == ("12d1:1001", "0123", "option")
    assert (last.interface_class, last.interface_subclass, last.interface_protocol) == (255, 255, 255)
    assert (last.manufacturer, last.product_name) == ("HUAWEI Technology", "HUAWEI Mobile")
    assert last.device == usb.dev / "ttyUSB5"
    assert {port.stick for port in found} == {"1-1.4"}
    assert [(device.path, device.usb_id) for device in usb_devices(roots)] == [("1-1.4", "12d1:1001")]


async def test_the_lines_of_a_cable_are_sticks_of_their_own(usb: Usb) -> None:
    usb.plug(Stick(SimulatedModem(), usb_id="0403:6011", driver="ftdi_sio", interfaces=4, at=0), "1-2", 0)
    assert {port.stick for port in serial_ports(roots_of(usb.environ))} == {"ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3"}


async def test_the_name_that_udev_gives_is_known_without_udev(usb: Usb) -> None:
    usb.udev = False
    stick = Stick(SimulatedModem(), serial="A/B C", maker="HUAWEI  Technology", product="Mobile")
    usb.plug(stick, "1-1", 0)
    roots = roots_of(usb.environ)
    found = serial_ports(roots)
    assert found[1].by_id == "usb-HUAWEI_Technology_Mobile_A_B_C-if01-port0"
    assert by_id_port(roots.path_of(f"/dev/serial/by-id/{found[1].by_id}"), roots, found) == found[1]
    assert by_id_port(roots.path_of("/dev/serial/by-id/usb-other-if01-port0"), roots, found) is None


async def test_links_are_followed_to_the_port(usb: Usb) -> None:
    usb.plug(Stick(SimulatedModem()), "1-1", 0)
    roots = roots_of(usb.environ)
    (usb.dev / "modem").symlink_to("serial/by-id/" + Usb.by_id(Stick(SimulatedModem()), 2))
    for path in ("/dev/ttyUSB2", "/dev/modem", f"/dev/serial/by-id/{serial_ports(roots)[2].by_id}"):
        found = port_at(roots.path_of(path), roots)
        assert found is not None
        assert found.name == "ttyUSB2"
    assert sorted(by_id_links(roots)) == ["ttyUSB0", "ttyUSB1", "ttyUSB2"]
    (usb.dev / "loop").symlink_to("loop")
    assert port_at(usb.dev / "loop", roots) is None
    assert port_at(Path("/dev/null"), roots) is None


async def test_two_sticks_of_one_kind_without_serial_number_share_a_name_which_then_means_none(usb: Usb) -> None:
    usb.plug(Stick(SimulatedModem()), "1-1", 0)
    usb.plug(Stick(SimulatedModem()), "1-2", 3)
    roots = roots_of(usb.environ)
    found = serial_ports(roots)
    assert found[0].by_id == found[3].by_id
    assert by_id_port(roots.dev / "serial/by-id" / str(found[0].by_id), roots, found) is None


def test_a_serial_chip_that_is_not_fitted_is_no_port(tmp_path: Path) -> None:
    for name, kind in {"ttyS0": "4", "ttyS1": "0"}.items():
        (tmp_path / "devices" / name).mkdir(parents=True)
        (tmp_path / "class/tty" / name).mkdir(parents=True)
        (tmp_path / "class/tty" / name / "device").symlink_to(tmp_path / "devices" / name)
        (tmp_path / "class/tty" / name / "type").write_text(kind)
    (tmp_path / "class/tty/tty0").mkdir()
    roots = Roots(sys=tmp_path)
    assert [(port.name, port.usb_path) for port in serial_ports(roots)] == [("ttyS0", None)]
    assert serial_port("tty0", roots) is None


def test_a_machine_without_sysfs_has_no_ports(tmp_path: Path) -> None:
    roots = Roots(sys=tmp_path / "none")
    assert serial_ports(roots) == []
    assert list(usb_devices(roots)) == []
    assert by_id_links(Roots(dev=tmp_path)) == {}


def test_paths_are_below_dev_wherever_that_is() -> None:
    roots = roots_of({"TOCSIN_DEV": "/elsewhere/dev"})
    assert roots.path_of("/dev/ttyUSB0") == Path("/elsewhere/dev/ttyUSB0")
    assert roots.path_of("/tmp/modem0") == Path("/tmp/modem0")
    assert roots.written(Path("/elsewhere/dev/serial/by-id/x")) == "/dev/serial/by-id/x"
    assert roots_of({}) == Roots()
