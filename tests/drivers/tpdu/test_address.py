from __future__ import annotations

import pytest

from drivers.tpdu import Address, NumberingPlan, TpduError, TypeOfNumber, join_smsc, split_smsc

ALPHANUMERIC = TypeOfNumber.ALPHANUMERIC


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("+33612345678", "0b913316325476f8"),
        ("12345", "05812143f5"),
        ("0", "0181f0"),
        ("*100#", "05811a00fb"),
        ("1*#abc2", "0781a1cbedf2"),
        ("Clinic", "0bd04376da9d1e03"),
        ("FONIC", "09d0c6a7333904"),
        ("€", "04d09b32"),
        ("12345678901234567890", "148121436587092143658709"),
        ("abc", "06d061f118"),
        ("3M", "04d0b326"),
    ],
)
def test_addresses_go_both_ways(text: str, octets: str):
    address = Address.from_text(text)
    assert address.to_bytes().hex() == octets
    assert Address.decode(bytes.fromhex(octets), 0, "TP-DA") == (address, len(octets) // 2)
    assert address.text == text


@pytest.mark.parametrize(
    "text",
    ["", "+", "+49 170 1", "+12x", "12 34", "01-02", " ", "+33612345678901234567890", "x" * 12, "€" * 6, "Ωμέγα", "😀"],
)
def test_from_text_refuses(text: str):
    with pytest.raises(TpduError) as caught:
        Address.from_text(text)
    assert text not in caught.value.message or text in ("", " ", "+")


def test_types_and_plans_survive():
    for kind in range(0x80, 0x100):
        octets = bytes((4, kind, 0x21, 0x43))
        address, behind = Address.decode(octets, 0, "TP-OA")
        assert behind == 4
        assert (0x80 | address.ton << 4 | address.npi) == kind
        if address.ton is not ALPHANUMERIC:
            assert address.to_bytes() == octets


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("0491f9f9", "99"),  # fill characters among the digits
        ("00810000", ""),
        ("0dd0cdf2396c7ebb01", "Megafon"),
        ("0dd0c16030180c06ff", "AAAAAAA"),  # bits behind the last character are set
    ],
)
def test_odd_addresses(octets: str, value: str):
    decoded, _ = Address.decode(bytes.fromhex(octets), 0, "TP-OA")
    assert decoded.value == value


def test_padding_is_no_character_and_a_character_is_no_padding():
    seven = Address("AAAAAAA", ALPHANUMERIC, NumberingPlan.UNKNOWN)
    eight = Address("AAAAAAA@", ALPHANUMERIC, NumberingPlan.UNKNOWN)
    assert seven.to_bytes().hex() == "0dd0c16030180c0601"
    assert eight.to_bytes().hex() == "0ed0c16030180c0601"
    for address in (seven, eight):
        assert Address.decode(address.to_bytes(), 0, "TP-OA")[0] == address


@pytest.mark.parametrize("octets", ["", "05", "0581", "05812143"])
def test_decode_of_too_few_octets(octets: str):
    with pytest.raises(TpduError) as caught:
        Address.decode(bytes.fromhex(octets), 0, "TP-OA")
    assert caught.value.field == "TP-OA"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (Address("12x"), "no digit"),
        (Address("1" * 21), "21 digits"),
        (Address("A" * 12, ALPHANUMERIC), "12 septets"),
        (Address("я", ALPHANUMERIC), "default alphabet"),
    ],
)
def test_to_bytes_refuses(address: Address, message: str):
    with pytest.raises(TpduError, match=message) as caught:
        address.to_bytes("TP-DA", 2)
    assert (caught.value.field, caught.value.octet) == ("TP-DA", 2)


def test_service_centre():
    smsc = Address.from_text("+33609001390")
    assert join_smsc(smsc, b"\x11").hex() == "07913306091093f011"
    assert split_smsc(join_smsc(smsc, b"\x11")) == (smsc, b"\x11")
    assert join_smsc(None, b"\x11") == b"\x00\x11"
    assert split_smsc(b"\x00\x11") == (None, b"\x11")
    assert split_smsc(b"\x01\x91") == (Address("", TypeOfNumber.INTERNATIONAL), b"")


@pytest.mark.parametrize(("octets", "octet"), [("", 0), ("079133", 1), ("0c" + "91" * 12, 0)])
def test_service_centre_that_is_none(octets: str, octet: int):
    with pytest.raises(TpduError) as caught:
        split_smsc(bytes.fromhex(octets))
    assert (caught.value.field, caught.value.octet) == ("SMSC", octet)
