from __future__ import annotations

import pytest

from drivers.tpdu import Concatenation, DataCoding, InformationElement, TpduError, UserData
from drivers.tpdu.user_data_header import concatenation_of

GSM7, DATA, UCS2, COMPRESSED = (DataCoding.from_octet(octet) for octet in (0x00, 0x04, 0x08, 0x20))
CONCAT_16 = (InformationElement(8, bytes.fromhex("12340201")),)


def _decode(octets: str, coding: DataCoding, *, udhi: bool = False) -> UserData:
    user_data, behind = UserData.decode(bytes.fromhex(octets), 0, udhi, coding)
    assert behind <= len(octets) // 2
    return user_data


@pytest.mark.parametrize(
    ("octets", "coding", "user_data"),
    [
        ("0ae8329bfd4697d9ec37", GSM7, UserData("hellohello")),
        ("00", GSM7, UserData("")),
        ("08c16030180c0601", GSM7, UserData("AAAAAAA@")),  # TP-UDL counts the "@"
        ("07c16030180c0601", GSM7, UserData("AAAAAAA")),
        ("0e06080412340201c8329bfd6601", GSM7, UserData("Hello,", udh=CONCAT_16)),
        ("0b" + "06080412340201" + "00480069", UCS2, UserData("Hi", udh=CONCAT_16)),
        ("09" + "06080412340201" + "0102", DATA, UserData(data=b"\x01\x02", udh=CONCAT_16)),
        ("04d83dde00", UCS2, UserData("😀")),
        ("02feff", UCS2, UserData("\ufeff")),
        ("0301ff00", DATA, UserData(data=b"\x01\xff\x00")),
        ("0301ff00", COMPRESSED, UserData(data=b"\x01\xff\x00")),
    ],
)
def test_both_ways(octets: str, coding: DataCoding, user_data: UserData):
    udhi = user_data.has_header
    assert _decode(octets, coding, udhi=udhi) == user_data
    assert user_data.encode(coding, 0).hex() == octets


def test_shift_tables_of_the_header():
    turkish = (InformationElement(0x24, b"\x01"), InformationElement(0x25, b"\x01"))
    user_data = UserData("ĞİŞç ığş€", udh=turkish)
    octets = user_data.encode(GSM7, 0)
    assert octets[1:8].hex() == "06" + "240101" + "250101"
    assert UserData.decode(octets, 0, True, GSM7)[0] == user_data
    assert _decode(octets.hex(), GSM7).text != user_data.text


def test_an_element_of_a_wrong_length_chooses_no_table():
    odd = (InformationElement(0x25, b"\x01\x01"), InformationElement(0x24, b""))
    assert UserData("", udh=odd).alphabet is UserData("").alphabet


@pytest.mark.parametrize("length", range(20))
def test_a_text_behind_a_header_of_any_length(length: int):
    user_data = UserData("Hello, world!", udh=(InformationElement(0x70, bytes(length)),))
    assert UserData.decode(user_data.encode(GSM7, 0), 0, True, GSM7)[0] == user_data


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("02d83d", "\ufffd"),  # half of a surrogate pair: the text stays storable
        ("04de00d83d", "\ufffd\ufffd"),
        ("03004841", "H\ufffd"),  # an odd number of octets
    ],
)
def test_ucs2_that_is_broken_is_shown_as_such(octets: str, text: str):
    assert _decode(octets, UCS2).text == text


def test_a_header_with_wrong_lengths_is_ignored_and_kept():
    octets = "08" + "03" + "000501" + "00480069"
    user_data = _decode(octets, UCS2, udhi=True)
    assert (user_data.text, user_data.udh, user_data.malformed_udh.hex()) == ("Hi", (), "000501")
    assert user_data.has_header
    assert user_data.header.hex() == "000501"
    assert user_data.concatenation is None
    assert user_data.encode(UCS2, 0).hex() == octets
    assert _decode("0401000048", UCS2, udhi=True).malformed_udh == b"\x00"  # an identifier without a length


@pytest.mark.parametrize(
    ("octets", "coding", "udhi", "field"),
    [
        ("", GSM7, False, "TP-UDL"),
        ("02c8", GSM7, False, "TP-UD"),
        ("0300", UCS2, False, "TP-UD"),
        ("00", GSM7, True, "TP-UDHL"),
        ("0305000000", GSM7, True, "TP-UDHL"),
        ("03050000", DATA, True, "TP-UDHL"),
        ("07" + "06080412340201", GSM7, True, "TP-UDL"),  # 49 bits are no room for 7 octets
    ],
)
def test_user_data_that_are_none(octets: str, coding: DataCoding, udhi: bool, field: str):
    with pytest.raises(TpduError) as caught:
        UserData.decode(bytes.fromhex(octets), 0, udhi, coding)
    assert caught.value.field == field


def test_octets_behind_the_user_data_are_left():
    assert UserData.decode(bytes.fromhex("03414243ffff"), 0, False, DATA) == (UserData(data=b"ABC"), 4)


@pytest.mark.parametrize(
    ("user_data", "coding"),
    [
        (UserData("a" * 161), GSM7),
        (UserData("€" * 81), GSM7),
        (UserData("a" * 153, udh=CONCAT_16), GSM7),
        (UserData("é" * 71), UCS2),
        (UserData(data=bytes(141)), DATA),
        (UserData("ç"), GSM7),
        (UserData("\ud83d"), UCS2),
        (UserData(data=b"a"), GSM7),
        (UserData(data=b"a"), UCS2),
        (UserData("a"), DATA),
        (UserData("a"), COMPRESSED),
        (UserData("a", udh=(InformationElement(256, b""),)), GSM7),
        (UserData("a", udh=(InformationElement(0, bytes(256)),)), GSM7),
        (UserData("a", udh=(InformationElement(0, bytes(200)), InformationElement(1, bytes(100)))), GSM7),
        (UserData(data=b"", udh=(InformationElement(0, bytes(139)),)), DATA),
    ],
)
def test_encode_refuses(user_data: UserData, coding: DataCoding):
    with pytest.raises(TpduError) as caught:
        user_data.encode(coding, 9)
    assert caught.value.field.startswith("TP-UD")


def test_the_longest_user_data():
    for user_data, coding in (
        (UserData("a" * 160), GSM7),
        (UserData("a" * 152, udh=CONCAT_16), GSM7),
        (UserData("é" * 70), UCS2),
        (UserData(data=bytes(140)), DATA),
    ):
        octets = user_data.encode(coding, 0)
        assert len(octets) == 141
        assert UserData.decode(octets, 0, user_data.has_header, coding)[0] == user_data


@pytest.mark.parametrize(
    ("iei", "data", "concatenation"),
    [
        (0, "0c0201", Concatenation(12, 2, 1)),
        (8, "12340302", Concatenation(0x1234, 3, 2, 16)),
        (0, "0c0200", None),
        (0, "0c0000", None),
        (0, "0c0203", None),
        (0, "0c02", None),
        (8, "0c0201", None),
        (1, "0c0201", None),
    ],
)
def test_concatenation(iei: int, data: str, concatenation: Concatenation | None):
    element = InformationElement(iei, bytes.fromhex(data))
    assert concatenation_of(element) == concatenation
    if concatenation:
        assert concatenation.to_element() == element


def test_the_last_concatenation_counts():
    first, last, other = Concatenation(1, 2, 1), Concatenation(2, 3, 3, 16), InformationElement(0x70, b"")
    assert UserData("", udh=(first.to_element(), last.to_element(), other)).concatenation == last
    assert UserData("", udh=(other,)).concatenation is None


@pytest.mark.parametrize(
    "concatenation",
    [
        Concatenation(256, 1, 1),
        Concatenation(-1, 1, 1),
        Concatenation(65536, 1, 1, 16),
        Concatenation(0, 1, 2),
        Concatenation(0, 256, 1),
        Concatenation(0, 0, 0),
    ],
)
def test_concatenation_that_cannot_be(concatenation: Concatenation):
    with pytest.raises(TpduError):
        concatenation.to_element()
