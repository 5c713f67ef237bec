"""Characters that are folded into GSM-7, and those that are only suggested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.typography import GSM7, LOOK_ALIKES, SUGGESTED, folded, gsm7_version, is_gsm7, mended


@pytest.mark.parametrize("fold", [*LOOK_ALIKES, *SUGGESTED], ids=lambda fold: f"{ascii(fold.characters)[:40]}")
def test_every_row_leads_from_outside_gsm7_into_it_and_says_why(fold):
    assert fold.reason
    assert GSM7.isdisjoint(fold.characters)
    assert is_gsm7(fold.plain)


def test_no_character_stands_in_two_rows():
    characters = "".join(fold.characters for fold in (*LOOK_ALIKES, *SUGGESTED))
    assert len(set(characters)) == len(characters)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("L’été – « déjà »…", 'L\'été - " déjà "...'),
        ("“Quoted” ‚‘x’", "\"Quoted\" ''x'"),
        ("10\u202f000\u00a0€", "10 000 €"),
        ("œuvre, ﬁn, ĳs", "oeuvre, fin, ijs"),
        ("ＡＢＣ１２３！", "ABC123!"),
        ("3 × 4 → 12", "3 x 4 -> 12"),
        ("zero\u200bwidth", "zerowidth"),
        ("cafe\u0301", "café"),
        ("a\tb `c`", "a b 'c'"),
    ],
)
def test_typographic_characters_are_folded(text: str, plain: str):
    assert folded(text) == plain
    assert is_gsm7(plain)


@pytest.mark.parametrize("text", ["être", "10²", "½", "N° 5", "😀", "Привет", "ł", "©", "①"])
def test_what_would_read_otherwise_is_not_folded(text: str):
    assert folded(text) == text


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("être reçu à l’hôtel, Œuvre", "etre recu à l'hotel, OEuvre"),
        ("Łódź, Škoda, İstanbul, Þór", "Lodz, Skoda, Istanbul, Thor"),
        ("n°5, 20 °C", "no5, 20 C"),
        ("𝗩𝗲𝗻𝘁𝗲", "Vente"),
        ("B\u043enj\u043eur", "Bonjour"),
        ("Tocsin™", "Tocsin(tm)"),
    ],
)
def test_the_suggestion_takes_letters_without_the_accents_that_gsm7_lacks(text: str, suggested: str):
    assert gsm7_version(text) == suggested
    assert is_gsm7(suggested)


@pytest.mark.parametrize("text", ["Hello, é à Ç", "😀", "Привет", "你好", "مرحبا", "10²", "été 😀", "360° autour"])
def test_there_is_no_suggestion_for_gsm7_itself_and_for_what_has_no_counterpart(text: str):
    assert gsm7_version(text) is None


def test_letters_of_another_alphabet_are_mended_only_within_a_latin_word():
    assert mended("Г\u043eлос p\u0430ypal") == "Г\u043eлос paypal"


@given(st.text(max_size=200))
def test_folding_twice_is_folding_once_and_gsm7_stays(text: str):
    assert folded(folded(text)) == folded(text)
    plain = "".join(character for character in text if character in GSM7)
    assert folded(plain) == plain


@given(st.text(max_size=200))
def test_a_suggestion_is_always_gsm7(text: str):
    found = gsm7_version(text)
    assert found is None or is_gsm7(found)
