from __future__ import annotations

import pytest

from drivers.tpdu import Alphabet, CodingGroup, DataCoding, WaitingKind, dcs_of

GSM7, DATA, UCS2 = Alphabet.GSM7, Alphabet.EIGHT_BIT, Alphabet.UCS2


@pytest.mark.parametrize(
    ("octets", "group", "alphabets"),
    [
        (range(0x40), CodingGroup.GENERAL, (GSM7, DATA, UCS2, GSM7)),
        (range(0x40, 0x80), CodingGroup.AUTO_DELETE, (GSM7, DATA, UCS2, GSM7)),
        (range(0x80, 0xC0), CodingGroup.RESERVED, (GSM7,) * 4),
        (range(0xC0, 0xD0), CodingGroup.WAITING_DISCARD, (GSM7,) * 4),
        (range(0xD0, 0xE0), CodingGroup.WAITING_STORE, (GSM7,) * 4),
        (range(0xE0, 0xF0), CodingGroup.WAITING_STORE_UCS2, (UCS2,) * 4),
        (range(0xF0, 0x100), CodingGroup.CLASS, (GSM7, DATA, GSM7, DATA)),
    ],
)
def test_groups_and_alphabets(octets: range, group: CodingGroup, alphabets: tuple[Alphabet, ...]):
    for octet in octets:
        coding = DataCoding.from_octet(octet)
        assert (coding.octet, coding.group, coding.alphabet) == (octet, group, alphabets[octet >> 2 & 3])


def test_classes():
    with_class = {octet for octet in range(256) if DataCoding.from_octet(octet).message_class is not None}
    assert with_class == {octet for octet in range(0x80) if octet & 0x10} | set(range(0xF0, 0x100))
    assert all(DataCoding.from_octet(octet).message_class == octet & 3 for octet in with_class)


def test_compression():
    compressed = {octet for octet in range(256) if DataCoding.from_octet(octet).compressed}
    assert compressed == {octet for octet in range(0x80) if octet & 0x20}
    assert not any(DataCoding.from_octet(octet).packed for octet in compressed)
    assert DataCoding.from_octet(0).packed
    assert not DataCoding.from_octet(8).packed


def test_message_waiting():
    kinds = (WaitingKind.VOICEMAIL, WaitingKind.FAX, WaitingKind.EMAIL, WaitingKind.OTHER)
    for octet in range(256):
        waiting = DataCoding.from_octet(octet).waiting
        assert (waiting is not None) is (0xC0 <= octet < 0xF0)
        if waiting:
            assert (waiting.kind, waiting.active) == (kinds[octet & 3], bool(octet & 8))


@pytest.mark.parametrize("alphabet", list(Alphabet))
@pytest.mark.parametrize("message_class", [None, 0, 1, 2, 3])
def test_dcs_of_is_read_as_what_was_asked(alphabet: Alphabet, message_class: int | None):
    coding = DataCoding.from_octet(dcs_of(alphabet, message_class))
    assert (coding.alphabet, coding.message_class) == (alphabet, message_class)
    assert (coding.group, coding.compressed) == (CodingGroup.GENERAL, False)
