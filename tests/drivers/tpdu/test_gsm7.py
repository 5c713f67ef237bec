from __future__ import annotations

import pytest

from drivers.tpdu.gsm7 import DEFAULT, gsm7_alphabet
from drivers.tpdu.languages import ESCAPE, Language, locking_table, single_shift_table

ALL = [(locking, single) for locking in Language for single in (Language.DEFAULT, locking)]


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"\x00\x02\x11", "@$_"),
        (b"\x5f\x40\x60", "§¡¿"),
        (b"\x1b\x65 \x1b\x14", "€ ^"),
        (b"\x1b\x0a", "\f"),
        (b"\x1b\x41", "A"),  # not in the extension table: as in the main one
        (b"a\x1b\x1bb", "a b"),  # an escape that was escaped is shown as a space
        (b"\x1b\x1b\x1b\x65", " €"),
        (b"a\x1b", "a "),
        (b"\x1b", " "),
        (b"", ""),
    ],
)
def test_decode(septets: bytes, text: str):
    assert DEFAULT.decode(septets) == text


@pytest.mark.parametrize(
    ("text", "septets"),
    [("@§à", b"\x00\x5f\x7f"), ("€[]", b"\x1b\x65\x1b\x3c\x1b\x3e"), ("\f", b"\x1b\x0a"), (" ", b" "), ("", b"")],
)
def test_encode(text: str, septets: bytes):
    assert DEFAULT.encode(text) == septets


@pytest.mark.parametrize("text", ["`", "\x1b", "ç", "ÿ", "\x00", "\t", "😀", "\ud800"])
def test_what_the_default_alphabet_has_not(text: str):
    assert not DEFAULT.characters.issuperset(text)
    with pytest.raises(UnicodeEncodeError):
        DEFAULT.encode(text)


@pytest.mark.parametrize(("locking", "single"), ALL)
def test_every_character_goes_round(locking: int, single: int):
    alphabet = gsm7_alphabet(locking, single)
    text = "".join(sorted(alphabet.characters))
    assert alphabet.decode(alphabet.encode(text)) == text
    assert all(septet < 128 for septet in alphabet.encode(text))


@pytest.mark.parametrize(("locking", "single"), ALL)
def test_every_septet_has_a_character(locking: int, single: int):
    alphabet = gsm7_alphabet(locking, single)
    for septet in range(128):
        for septets in (bytes([septet]), bytes([ESCAPE, septet])):
            assert len(alphabet.decode(septets)) == 1


def test_a_character_of_two_places_takes_the_first_and_the_shortest():
    hindi = gsm7_alphabet(Language.HINDI, Language.HINDI)
    assert hindi.encode("*") == b"\x1b\x0b"  # also 0x18
    assert hindi.encode(".") == b"\x2e"
    assert gsm7_alphabet(Language.PORTUGUESE, Language.PORTUGUESE).encode("€") == b"\x18"


def test_an_unknown_language_is_the_default():
    assert gsm7_alphabet(14, 255) is DEFAULT
    assert gsm7_alphabet(0x25, 1) is gsm7_alphabet(0, 1)


@pytest.mark.parametrize(
    ("language", "place", "character"),
    [
        (Language.TURKISH, 0x0B, "Ğ"),
        (Language.TURKISH, 0x40, "İ"),
        (Language.PORTUGUESE, 0x15, "∞"),
        (Language.SPANISH, 0x09, "Ç"),
        (Language.HINDI, 0x00, "\u0901"),
        (Language.HINDI, 0x02, "\u0903"),
        (Language.HINDI, 0x60, "\u0950"),
        (Language.BENGALI, 0x7F, "\u09f1"),
        (Language.KANNADA, 0x24, "\u0ca1"),
        (Language.KANNADA, 0x2C, ","),
        (Language.MALAYALAM, 0x7F, "\u0d79"),
        (Language.TAMIL, 0x60, "\u0bd0"),
        (Language.URDU, 0x7F, "\u0670"),
        (Language.URDU, 0x5E, "\u064f"),
    ],
)
def test_places_of_the_locking_tables(language: Language, place: int, character: str):
    assert locking_table(language)[place] == character


@pytest.mark.parametrize(
    ("language", "place", "character"),
    [
        (Language.TURKISH, 0x67, "ğ"),
        (Language.SPANISH, 0x55, "Ú"),
        (Language.PORTUGUESE, 0x7F, "â"),
        (Language.GUJARATI, 0x25, "\u0aef"),
        (Language.HINDI, 0x26, "\u0951"),
        (Language.PUNJABI, 0x2D, "\u0a75"),
        (Language.ORIYA, 0x2C, "\u0b71"),
        (Language.TELUGU, 0x65, "€"),
        (Language.TELUGU, 0x32, "\u0c7f"),
        (Language.URDU, 0x3F, "\u06d4"),
    ],
)
def test_places_of_the_single_shift_tables(language: Language, place: int, character: str):
    assert single_shift_table(language)[place] == character


def test_places_without_a_character():
    assert 0x0C not in locking_table(Language.BENGALI)
    assert 0x19 not in single_shift_table(Language.TELUGU)
    assert gsm7_alphabet(Language.BENGALI).decode(b"\x0c") == " "
    for language in Language:
        assert ESCAPE not in single_shift_table(language)


#: Cells in which we follow Android's tables and those of warthog618/sms; the reasons stand in `languages`.
DIFFERENT = {(language, "locking", 0x2C) for language in Language if language >= Language.BENGALI}
DIFFERENT |= {(Language.KANNADA, "locking", 0x24), (Language.TELUGU, "singleShift", 0x65)}


def test_the_tables_are_those_of_gsmcodecs():
    charmaps = pytest.importorskip("gsmcodecs.charmaps", reason="install the package gsmcodecs to run it").GSMCHARMAPS
    ours = {"locking": locking_table, "singleShift": single_shift_table}
    found = set()
    for language in Language:
        for kind, theirs in charmaps[language].items():
            table = ours[kind](language)
            for place in set(range(128)) - {ESCAPE}:
                character = theirs["decode"].get(place)
                if table.get(place) != (None if character is None else chr(character)):
                    found.add((language, kind, place))
    assert found == DIFFERENT
