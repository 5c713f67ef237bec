"""The forms of a port, and the order in which the ports of a stick are asked: tables, no device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from drivers.errors import PortMissing
from drivers.gsm.discovery import SerialPort
from drivers.gsm.port_names import DeviceName, ImeiName, UsbName, check_digit, parse_port_name, require_named
from drivers.gsm.port_order import in_order

IMEI = "356938035643809"


@pytest.mark.parametrize(
    ("port", "name"),
    [
        ("/dev/ttyUSB0", DeviceName("/dev/ttyUSB0")),
        (f"imei:{IMEI}", ImeiName(IMEI)),
        ("usb:1-1.4", UsbName("1-1.4", None)),
        ("usb:3-2.1.10:1.2", UsbName("3-2.1.10", "1.2")),
    ],
)
def test_what_a_port_names(port: str, name: object) -> None:
    assert parse_port_name(port) == name


def test_every_single_wrong_digit_of_an_imei_is_seen() -> None:
    wrong = {
        IMEI[:place] + digit + IMEI[place + 1 :]
        for place in range(15)
        for digit in "0123456789"
        if digit != IMEI[place]
    }
    assert len(wrong) == 135
    for each in wrong:
        with pytest.raises(ValueError, match="mistyped"):
            parse_port_name(f"imei:{each}")
    assert check_digit(IMEI[:14]) == IMEI[14]


@pytest.mark.parametrize("told", [IMEI, IMEI[:14], IMEI[:14] + "0", IMEI[:14] + "01"])
def test_what_follows_the_serial_number_makes_no_other_modem(told: str) -> None:
    assert ImeiName(IMEI).fits(told)
    require_named(f"imei:{IMEI}", told)


def test_another_imei_is_another_modem() -> None:
    assert not ImeiName(IMEI).fits("350000000000010")
    assert not ImeiName(IMEI).fits(None)
    with pytest.raises(PortMissing, match="another modem"):
        require_named(f"imei:{IMEI}", "350000000000010")
    require_named("usb:1-1", "350000000000010")
    require_named(f"imei:{IMEI}", None)


def ports(usb_id: str, count: int) -> list[SerialPort]:
    vendor, product = usb_id.split(":")
    return [
        SerialPort(f"ttyUSB{n}", Path(f"/dev/ttyUSB{n}"), interface_number=n, vendor=vendor, product=product)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("usb_id", "count", "first"),
    [
        ("1e0e:9001", 5, 2),
        ("2c7c:0125", 4, 2),
        ("1199:68c0", 4, 3),
        ("1bc7:0021", 4, 0),
        ("1bc7:1010", 4, 3),
        ("1bc7:1011", 4, 1),
        ("1546:1010", 9, 6),
        ("1e2d:0061", 9, 2),
        ("12d1:1001", 3, 2),
        ("abcd:1234", 3, 0),
    ],
)
def test_the_likeliest_port_of_a_family_comes_first(usb_id: str, count: int, first: int) -> None:
    asked = in_order(ports(usb_id, count))
    assert asked[0].interface_number == first
    assert len(asked) == len(set(asked))


def test_huawei_says_itself_which_port_it_is() -> None:
    found = ports("12d1:1506", 4)
    found[1] = replace(found[1], interface_class=0xFF, interface_subclass=0x02, interface_protocol=0x02)
    assert [port.interface_number for port in in_order(found)] == [1, 2, 0, 3]


def test_what_the_makers_set_aside_is_not_asked() -> None:
    assert {port.interface_number for port in in_order(ports("1546:1010", 9))} == {0, 1, 3, 5, 6, 7}
