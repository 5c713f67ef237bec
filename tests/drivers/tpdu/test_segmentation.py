from __future__ import annotations

from datetime import timedelta

import pytest

from drivers.tpdu import (
    Address,
    Alphabet,
    DataCoding,
    Language,
    SmsDeliver,
    SmsSubmit,
    TimeStamp,
    TpduError,
    UserData,
    build_submits,
    join_text,
    segment,
)

FAMILY = "👨‍👩‍👧‍👦"
PEER = Address.from_text("+33612345678")


@pytest.mark.parametrize(
    ("text", "bits", "encoding", "lengths", "remaining"),
    [
        ("", 8, "gsm7", [0], 160),
        ("a" * 160, 8, "gsm7", [160], 0),
        ("a" * 161, 8, "gsm7", [153, 8], 145),
        ("a" * 306, 8, "gsm7", [153, 153], 0),
        ("a" * 307, 8, "gsm7", [153, 153, 1], 152),
        ("a" * 161, 16, "gsm7", [152, 9], 143),
        ("é" * 160, 8, "gsm7", [160], 0),
        ("€" * 80, 8, "gsm7", [80], 0),
        ("€" * 81, 8, "gsm7", [76, 5], 143),  # no escape is cut: 152 septets of 153
        ("a" * 159 + "€", 8, "gsm7", [153, 7], 145),
        ("я" * 70, 8, "ucs2", [70], 0),
        ("я" * 71, 8, "ucs2", [67, 4], 63),
        ("я" * 71, 16, "ucs2", [66, 5], 61),
        ("я" * 134, 8, "ucs2", [67, 67], 0),
        ("x" * 70 + "😀", 8, "ucs2", [67, 4], 62),
        ("я" * 66 + "😀" + "я" * 10, 8, "ucs2", [66, 11], 55),  # no surrogate pair is cut
        ("я" * 60 + FAMILY + "я" * 3, 8, "ucs2", [60, 10], 53),  # nor a family
        ("e\u0301" * 40, 8, "ucs2", [66, 14], 53),
        ("a" * 152 + "\r\n" + "b" * 9, 8, "gsm7", [152, 11], 142),
        ("x" + "\u0301" * 100, 8, "ucs2", [67, 34], 33),  # a grapheme that no part holds is cut between characters
        ("👍🏽" * 18, 8, "ucs2", [32, 4], 59),
    ],
)
def test_parts(text: str, bits: int, encoding: str, lengths: list[int], remaining: int):
    found = segment(text, bits=bits)
    assert (found.encoding, [len(part) for part in found.parts], found.remaining) == (encoding, lengths, remaining)
    assert "".join(found.parts) == text
    assert found.characters == len(text)
    assert found.alphabet is Alphabet(encoding)
    assert (found.locking, found.single, found.language_elements, found.bits) == (0, 0, (), bits)


@pytest.mark.parametrize(
    ("text", "forced"),
    [
        ("plain €", ()),
        ("ça “va” ça", ("ç", "“", "”")),
        ("ok 👍🏽" + FAMILY, ("👍🏽", FAMILY)),
        ("e\u0301\t", ("e\u0301", "\t")),
        ("\x1b", ("\x1b",)),
        ("`", ("`",)),
    ],
)
def test_what_forces_ucs2(text: str, forced: tuple[str, ...]):
    assert segment(text).forced_ucs2_by == forced


@pytest.mark.parametrize(
    ("text", "locking", "single", "parts"),
    [
        ("ş" * 155, Language.TURKISH, 0, 1),
        ("abcdefş", 0, Language.TURKISH, 1),
        ("ação " * 30, Language.PORTUGUESE, 0, 1),
        ("niño está allí, ¿verdad? " * 5, 0, Language.SPANISH, 1),
        ("\u0915\u0916 ABC" * 10, Language.HINDI, Language.HINDI, 1),
        ("\u0627\u0628 \u06f1" * 20, Language.URDU, Language.URDU, 1),
        ("a" * 160, 0, 0, 1),
        ("[]" * 79, 0, 0, 3),
        ("|" * 155, Language.PORTUGUESE, 0, 1),  # one septet instead of two
        ("я", 0, 0, 1),
        ("я ş" * 30, 0, 0, 2),  # in no pair of tables
    ],
)
def test_national_tables(text: str, locking: int, single: int, parts: int):
    found = segment(text, national_tables=True)
    assert (found.locking, found.single, len(found.parts)) == (locking, single, parts)
    assert found.encoding == ("ucs2" if "я" in text else "gsm7")
    submits = build_submits(found, PEER, reference=1)
    assert join_text([SmsSubmit.from_bytes(submit.to_bytes()) for submit in submits]) == text


def test_national_tables_are_only_used_where_they_are_allowed():
    assert segment("ş").encoding == "ucs2"
    assert segment("ş" * 71).encoding == "ucs2"


def test_national_tables_cost_room():
    found = segment("ş" * 200, national_tables=True)
    assert [len(part) for part in found.parts] == [149, 51]
    first, _ = build_submits(found, PEER, reference=1)
    assert len(first.tp_ud.encode(DataCoding.from_octet(0), 0)) == 141


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("a" * 161, {"max_parts": 1}),
        ("a" * (153 * 255 + 1), {}),
        ("€" * (76 * 255 + 1), {}),
        ("я" * 10_000_000, {}),
        ("\ud83d", {}),
        ("", {"max_parts": 0}),
    ],
)
def test_segment_refuses(text: str, limits: dict[str, int]):
    with pytest.raises(TpduError, match="TP-UD"):
        segment(text, **limits)


def test_the_most_parts():
    assert len(segment("a" * (153 * 255)).parts) == 255


def test_submits():
    first, second = build_submits(
        segment("a" * 161), PEER, reference=200, validity=timedelta(hours=24), message_class=0
    )
    assert (first.tp_ud.concatenation.sequence, second.tp_ud.concatenation.sequence) == (1, 2)
    assert {(one.tp_ud.concatenation.reference, one.tp_ud.concatenation.bits) for one in (first, second)} == {(200, 8)}
    assert (first.tp_vp.octet, first.tp_srr, first.tp_dcs, first.tp_mr, first.tp_da) == (167, True, 0x10, 0, PEER)
    assert len(first.to_bytes()) == 1 + 1 + 8 + 2 + 1 + 1 + 140
    (only,) = build_submits(segment("é я"), PEER, reference=999_999, status_report=False)
    assert (only.tp_ud, only.tp_vp, only.tp_srr, only.tp_dcs) == (UserData("é я"), None, False, 8)


def test_submits_with_a_long_reference():
    submits = build_submits(segment("a" * 161, bits=16), PEER, reference=0x1234, bits=16)
    assert [submit.tp_ud.concatenation.reference for submit in submits] == [0x1234, 0x1234]
    with pytest.raises(TpduError, match="8 bits"):
        build_submits(segment("a" * 161), PEER, reference=1, bits=16)


@pytest.mark.parametrize(
    "options", [{"reference": 256}, {"reference": 0, "validity": timedelta()}, {"reference": 0, "message_class": 4}]
)
def test_submits_that_cannot_be(options: dict[str, object]):
    with pytest.raises(TpduError):
        build_submits(segment("a" * 161), PEER, **options)


def _deliver(dcs: str, ud: str) -> SmsDeliver:
    """A part as it comes: TP-DCS, then TP-UDL with TP-UD, in digits."""
    return SmsDeliver.from_bytes(bytes.fromhex("0404913619" + "00" + dcs + "51507132200523" + ud))


def test_a_character_that_was_cut_in_two_is_mended():
    halves = [_deliver("08", "040048d83d"), _deliver("08", "04de000069")]
    assert [half.tp_ud.text for half in halves] == ["H\ufffd", "\ufffdi"]
    assert join_text(halves) == "H😀i"
    escape, euro = _deliver("00", "02c10d"), _deliver("00", "0165")
    assert (escape.tp_ud.text, euro.tp_ud.text) == ("A ", "e")
    assert join_text([escape, euro]) == "A€"


def test_parts_of_different_alphabets():
    stamp = TimeStamp(bytes(7))
    parts = [
        SmsDeliver(PEER, stamp, UserData("a")),
        SmsDeliver(PEER, stamp, UserData("я"), tp_dcs=8),
        SmsDeliver(PEER, stamp, UserData(data=b"\xff"), tp_dcs=4),
        SmsDeliver(PEER, stamp, UserData("b")),
    ]
    assert join_text(parts) == "aяb"
    assert join_text([SmsDeliver.from_bytes(part.to_bytes()) for part in parts]) == "aяb"
    assert join_text([]) == ""
    turkish = segment("ş", national_tables=True).language_elements
    mixed = [SmsDeliver(PEER, stamp, UserData("ş", udh=turkish)), SmsDeliver(PEER, stamp, UserData("{"))]
    assert join_text([SmsDeliver.from_bytes(part.to_bytes()) for part in mixed]) == "ş{"
