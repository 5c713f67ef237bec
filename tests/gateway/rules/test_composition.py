"""Sender in front, STOP notice behind, typographic characters folded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.tpdu import segment
from gateway.config.categories import BUILT_IN
from gateway.config.settings import Category
from gateway.rules.composition import Composed, compose, compose_longest, names
from gateway.rules.notices import SHORT_NOTICES, carries_notice, printed_for
from gateway.rules.typography import is_gsm7

PROMOTIONAL = BUILT_IN["promotional"]
OWN = "+33639980101"
TO = "+33639980102"
NAME = "Clinique du Parc"


def _compose(text: str, category: Category = PROMOTIONAL, **given: object) -> Composed:
    said = {"sender_name": NAME, "modem_number": OWN, "language": "fr", "first_in_category": True, "recipient": TO}
    return compose(text, category, **{**said, **given})  # pyright: ignore[reportArgumentType]


def test_a_promotional_message_names_its_sender_and_how_to_stop_it():
    assert _compose("Soldes demain") == Composed(
        "Clinique du Parc: Soldes demain STOP au 0639980101", "Clinique du Parc: ", " STOP au 0639980101"
    )


def test_an_emergency_names_its_sender_alone():
    assert _compose("Evacuate", BUILT_IN["emergency"]).text == "Clinique du Parc: Evacuate"


@pytest.mark.parametrize("name", ["transactional", "authentication", "own"])
def test_other_categories_leave_a_text_as_it_is(name: str):
    category = BUILT_IN.get(name, Category(name))
    assert _compose("L’été…", category) == Composed("L’été…")


@pytest.mark.parametrize(
    "text",
    [
        "La Clinique du Parc vous attend",
        "CLINIQUE DU PARC : soldes",
        "clinique-du-parc.fr",
        "cliniqueduparc",
        "Çlînìque du\u00a0Parc",
        "Ｃｌｉｎｉｑｕｅ du Parc",
    ],
)
def test_a_sender_that_the_text_names_is_not_put_in_front(text: str):
    assert names(text, NAME)
    assert _compose(text).prefix == ""


@pytest.mark.parametrize(("text", "name"), [("banana", "Ana"), ("Parcours", "Parc"), ("nothing", NAME), ("", NAME)])
def test_a_part_of_a_word_is_no_name(text: str, name: str):
    assert not names(text, name)


def test_without_a_sender_there_is_no_prefix():
    assert _compose("Soldes", sender_name=None).prefix == ""
    plain = replace(PROMOTIONAL, sender_prefix="INFO ")
    assert _compose("Soldes", plain, sender_name=None).prefix == "INFO "
    assert _compose("INFO Soldes", plain).prefix == ""


@pytest.mark.parametrize(
    ("when", "first", "stoppable", "told"),
    [
        ("always", True, True, True),
        ("always", False, True, True),
        ("first", True, True, True),
        ("first", False, True, False),
        ("never", True, True, False),
        ("always", True, False, False),
    ],
)
def test_when_a_notice_is_added(when: str, first: bool, stoppable: bool, told: bool):
    category = replace(PROMOTIONAL, stop_notice_when=when, stoppable=stoppable)
    assert bool(_compose("Soldes", category, first_in_category=first).notice) is told


@pytest.mark.parametrize(
    ("number", "recipient", "printed"),
    [
        ("+33639980101", "+33612345678", "0639980101"),
        ("+33639980101", "+4915112345678", "+33639980101"),
        ("+447400123456", "+447400123457", "07400123456"),
        ("+12015550123", "+12015550124", "2015550123"),
        ("+12015550123", "+15145550124", "+12015550123"),
        ("+393471234567", "+393471234568", "3471234567"),
        ("+33639980101", "", "+33639980101"),
        ("36111", "+33612345678", "36111"),
    ],
)
def test_a_number_is_printed_as_the_recipient_dials_it(number: str, recipient: str, printed: str):
    assert printed_for(number, recipient) == printed


@pytest.mark.parametrize("number", [None, "TOCSIN"])
@pytest.mark.parametrize("language", [*SHORT_NOTICES, "pl"])
def test_without_a_number_the_notice_needs_none(number: str | None, language: str):
    found = _compose("Soldes", modem_number=number, language=language)
    assert found.numberless
    assert found.notice == SHORT_NOTICES.get(language, SHORT_NOTICES["en"])
    assert is_gsm7(found.notice) or language == "ar"
    assert carries_notice(found.text)


@pytest.mark.parametrize(
    "text",
    [
        "Soldes STOP au 36111",
        "STOP 36180",
        "STOP au 06 12 34 56 78",
        "Sale. Text STOP to 12345",
        "Désinscription : STOP",
        "Répondez « STOP »",
        "STOP SMS au 36111",
        "Reply with STOP",
        "STOP to opt out",
        "Abmelden: STOP antworten",
        "STOP https://example.org/s",
        "Envía BAJA al 12345",
        "Antwoord AFMELDEN",
    ],
)
def test_a_text_that_tells_how_to_stop_gets_no_second_notice(text: str):
    assert carries_notice(text)
    assert _compose(text).notice == ""


@pytest.mark.parametrize(
    "text",
    [
        "STOP au gaspillage !",
        "STOP aux prix fous : 50 % de remise",
        "Non-STOP 24 heures",
        "STOP 100 euros de remise",
        "stop by at 5, call 12345",
        "Bus stop 12345",
    ],
)
def test_the_word_alone_is_no_notice(text: str):
    assert not carries_notice(text)
    assert _compose(text).notice


def test_a_notice_of_the_owners_own_words_is_added_once():
    category = replace(PROMOTIONAL, stop_notice=" – {sender_name} : plus de pub ? {modem_number}", smart_encoding=True)
    once = _compose("Soldes", category)
    assert once.text == "Clinique du Parc: Soldes - Clinique du Parc : plus de pub ? 0639980101"
    assert _compose(once.text, category).text == once.text


def test_smart_encoding_folds_where_the_whole_becomes_gsm7():
    smart = Category("own", smart_encoding=True)
    assert _compose("L’été…", smart) == Composed("L'été...", is_folded=True)
    for text in ("L’être", "L’été 😀", "Привет…"):
        assert _compose(text, smart) == Composed(text)


def test_smart_encoding_makes_no_text_longer_in_parts():
    text = "…" * 70
    assert _compose(text, Category("own", smart_encoding=True)).text == text


def test_a_text_far_too_long_is_composed_all_the_same():
    smart = Category("own", smart_encoding=True)
    assert _compose("é…" * 30_000, smart).text == "é…" * 30_000


def test_blanks_do_not_double_where_texts_meet():
    assert _compose("Soldes ").text == "Clinique du Parc: Soldes STOP au 0639980101"


def test_the_longest_of_several_modems_is_counted():
    said = {"sender_name": NAME, "language": "fr", "first_in_category": True, "recipient": TO}
    found = compose_longest("Soldes", PROMOTIONAL, [OWN, "+4915112345678", None], **said)
    assert found.notice == " STOP au +4915112345678"
    assert compose_longest("Soldes", PROMOTIONAL, [], **said).numberless
    assert compose_longest("Hello", Category("own"), [OWN], **said) == Composed("Hello")


_TEXTS = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(
            [
                "STOP",
                "au",
                "36111",
                NAME,
                "clinique",
                "’",
                "…",
                "été",
                " ",
                ":",
                "répondez",
                "https://x.org",
                "-",
                "😀",
                "œ",
            ]
        ),
        max_size=25,
    ).map("".join),
)
_CATEGORIES = st.builds(
    Category,
    name=st.just("own"),
    sender_prefix=st.sampled_from([None, "{sender_name}: ", "[{sender_name}] ", "{sender_name}", "INFO "]),
    stop_notice=st.sampled_from([None, " STOP au {modem_number}", " ABMELDUNG {modem_number}", "…fin {sender_name}"]),
    stop_notice_when=st.sampled_from(["always", "first", "never"]),
    smart_encoding=st.booleans(),
    national_tables=st.booleans(),
)


@given(
    _TEXTS,
    _CATEGORIES,
    st.sampled_from([None, NAME, "L’Été", "★", "STOP 12345", "Ça™"]),
    st.sampled_from([None, OWN, "+15145550124"]),
    st.sampled_from(["fr", "ar", "en"]),
)
def test_composing_twice_is_composing_once(text, category, name, number, language):
    given = {"sender_name": name, "modem_number": number, "language": language}
    once = _compose(text, category, **given)
    assert _compose(once.text, category, **given).text == once.text


@given(st.text(max_size=400), st.booleans())
def test_smart_encoding_never_needs_more_parts(text: str, national: bool):
    if any("\ud800" <= character <= "\udfff" for character in text):
        return
    category = Category("own", smart_encoding=True, national_tables=national)
    parts = [len(segment(each, national_tables=national).parts) for each in (text, _compose(text, category).text)]
    assert parts[1] <= parts[0]
