"""Replies are read as people mean them: the table of `tests/vectors/replies.toml`, and keywords in every dress."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.replies import ASKING, GROUPS, TABLE, counted, kind, precision, reader, share

from gateway.config.undress import bare
from gateway.config.vocabulary import CORE, FAMILIES, YES, WordSettings
from gateway.config.word_files import LANGUAGES, family, vocabulary, word_file
from gateway.rules.keywords import NOTHING, Keyword, Reader, Reading
from gateway.rules.slips import distance

WORDS = [(word, name) for language in LANGUAGES for name in FAMILIES for word in family(language, name)]
STRONG = [(word, name) for language in LANGUAGES for name in FAMILIES for word in word_file(language)[name]["words"]]
WORDS += [(word, "stop") for word in CORE]


def test_the_table_is_large_enough():
    counts = {label: sum(len(TABLE[group].get(label, ())) for group in GROUPS) for label in ("stop", "near", "none")}
    assert sum(len(replies) for group in GROUPS for replies in TABLE[group].values()) >= 1000
    assert all(count >= 120 for count in counts.values()), counts


@pytest.mark.parametrize("group", GROUPS)
def test_precision_and_recall(group: str):
    found = counted(group)
    for pair in (precision(found, "stop"), precision(found, "start"), precision(found, "help")):
        assert pair[0] >= 0.99 * pair[1], found
    asked, asking = share(found, ASKING, ASKING)
    assert asked >= 0.97 * asking, found
    for name in ("start", "help"):
        read, meant = share(found, (name,), (name,))
        assert read == meant, found


@pytest.mark.parametrize("group", GROUPS)
def test_ordinary_sentences_are_not_taken(group: str):
    taken = {reply: kind(reading) for reply in TABLE[group]["none"] if (reading := reader().read(reply)) != NOTHING}
    assert taken == {}


@pytest.mark.parametrize("group", LANGUAGES)
def test_a_yes_says_nothing_while_no_opt_in_is_open(group: str):
    assert {reply for reply in TABLE[group][YES] if reader().read(reply) != NOTHING} == set()


@pytest.mark.parametrize(("word", "name"), WORDS)
def test_every_word_of_every_family(word: str, name: str):
    for dressed in (word, word.lower(), word.title(), f" «{word}» !", f"{word}\n", f"\u200f{word}.", f"{word} 🙂"):
        assert reader().read(dressed) == Reading(Keyword(name)), dressed


def test_expected_answers_win_over_every_word_but_the_four():
    for case in TABLE["answer"]:
        for reply, answer in case["replies"].items():
            assert reader().read(reply, expected=case["expect"]) == Reading(answer=answer), reply
        for reply, name in case["keywords"].items():
            assert reader().read(reply, expected=case["expect"]) == Reading(Keyword(name)), reply
        for reply in case["nothing"]:
            assert reader().read(reply, expected=case["expect"]) == NOTHING, reply


@pytest.mark.parametrize("word", CORE)
def test_the_four_are_stop_whatever_is_expected(word: str):
    expected = [*CORE, "stop please", "ok"]
    for dressed in (word, f"{word.lower()} please", f"Hi, {word}!", f"{word} {word}"):
        assert reader().read(dressed, expected=expected, optin_open=True) == Reading(Keyword.STOP), dressed


def test_the_listed_answer_is_nearer_than_the_open_opt_in():
    assert reader().read("oui", expected=["Oui"], optin_open=True) == Reading(answer="Oui")
    assert reader().read("oui", expected=["ok"], optin_open=True) == Reading(Keyword.START)


def test_a_category_may_be_named():
    for case in TABLE["scope"]:
        names = case["names"]
        for name in ("stop", "start"):
            for reply, category in case[name].items():
                assert reader().read(reply, categories=names) == Reading(Keyword(name), category or None), reply
        assert all(reader().read(reply, categories=names).near for reply in case["near"])
        assert all(reader().read(reply, categories=names) == NOTHING for reply in case["none"])


def test_languages_can_be_narrowed_and_the_four_stay():
    narrow = Reader(vocabulary(WordSettings(("ar",))))
    assert {word: narrow.read(word).keyword for word in CORE} == dict.fromkeys(CORE, Keyword.STOP)
    assert narrow.read("توقف").keyword is Keyword.STOP
    for other in ("afmelden", "CANCEL", "aide", "keine SMS mehr", "leave me alone", "baja"):
        assert narrow.read(other) == NOTHING, other
    assert narrow.read("ja", optin_open=True) == NOTHING


def test_the_owners_words_are_words_like_others():
    own = Reader(vocabulary(WordSettings(stop=("Genug!", "Bye bye"), start=("Club",), help=("Was?",))))
    assert own.read("genug bitte").keyword is Keyword.STOP
    assert own.read("BYE-BYE").keyword is Keyword.STOP
    assert own.read("club").keyword is Keyword.START
    assert own.read("was").keyword is Keyword.HELP
    assert own.read("Club", categories=["club"]) == Reading(Keyword.START)


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("stop", "stop", 0),
        ("srop", "stop", 1),
        ("stpo", "stop", 1),
        ("stoop", "stop", 1),
        ("sop", "stop", 1),
        ("pots", "stop", 3),
    ],
)
def test_slips_are_counted(one: str, other: str, slips: int):
    assert distance(one, other) == distance(other, one) == slips


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


DRESSES = {
    "capitals": str.upper,
    "small": str.lower,
    "mixed": str.swapcase,
    "wide": _wide,
    "zero width": "\u200b".join,
    "left to right": lambda text: f"\u202a{text}\u202c",
    "quotes": lambda text: f"“{text}”",
    "French quotes": lambda text: f"« {text} »",
    "marks": lambda text: f"{text} !!!",
    "stops": lambda text: f"…{text}...",
    "blanks": lambda text: f"\u00a0 {text}\t\n",
    "emoji": lambda text: f"👎🏽 {text} 🙏",
    "accents": lambda text: "".join(f"{letter}\u0301" if letter.isalpha() else letter for letter in text),
    "spaced": lambda text: " ".join(letter for letter in text if letter.isalnum()),
    "dotted": lambda text: ".".join(letter for letter in text if letter.isalnum()),
    "stretched": lambda text: text.replace("ق", "قـــ") if "ق" in text else text,
    "quoting": lambda text: f"{text}\n> Sale until Friday\n> Reply STOP to opt out",
    "signed": lambda text: f"{text}\n\nSent from my phone",
}
POLITE = [
    "{} svp",
    "{} merci",
    "please {}",
    "{} please!",
    "bitte {}",
    "{}, danke",
    "{} aub",
    "{} grazie",
    "{} por favor",
    "Olá, {}",
    "من فضلك {}",
]


@given(st.sampled_from(WORDS), st.lists(st.sampled_from(sorted(DRESSES)), max_size=4))
def test_a_dressed_keyword_stays_that_keyword(word: tuple[str, str], dresses: list[str]):
    text = word[0]
    # Who quotes or signs does it last.
    for dress in sorted(dresses, key=lambda name: name in {"quoting", "signed"}):
        if not (dress in {"quoting", "signed"} and "\n>" in text):
            text = DRESSES[dress](text)
    assert reader().read(text) == Reading(Keyword(word[1])), text


@given(st.sampled_from(STRONG), st.sampled_from(POLITE), st.sampled_from(["capitals", "wide", "marks", "zero width"]))
def test_courtesy_changes_nothing(word: tuple[str, str], polite: str, dress: str):
    text = DRESSES[dress](polite.format(word[0]))
    assert reader().read(text) == Reading(Keyword(word[1])), text


@given(st.text(max_size=200), st.lists(st.text(max_size=10), max_size=3), st.booleans())
def test_any_text_is_read_without_harm(text: str, words: list[str], yes: bool):
    reading = reader().read(text, categories=words, expected=words, optin_open=yes)
    assert reading.answer is None or reading == Reading(answer=reading.answer)
    assert reading.keyword is None or reading.near is None


@given(st.lists(st.sampled_from([word for words in vocabulary(WordSettings()).phrases for word in words]), max_size=12))
def test_words_in_any_order_are_read_without_harm(words: list[str]):
    reader().read(" ".join(words), categories=("club",), expected=("ok",))


HOSTILE = [
    "a" * 39015,
    "ab " * 13005,
    "stop " * 7803,
    "e" + "\u0301\u0316" * 19507,
    "\ufdfa" * 39015,
    "a " * 19507,
    ". a" * 13005,
    "\n" * 39014 + "x",
    "stop\n" * 7803,
    "please " * 5573,
    "please " * 40,
    "thank you " * 20,
    "\u200b" * 39015,
    "stop, " * 166,
    "stop; a; " * 110,
    "s" * 1000,
    "я" * 1000,
    "les pubs " * 20,
    "stop " * 40,
    "STOP\n>" + ">" * 39000,
    "\ud800" * 1000,
    "-" * 39015,
    "unsubscrib " * 40,
    "take my off " * 13,
    "\U0001f6d1" * 39015,
    "s t o p " * 100,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
def test_a_hostile_text_costs_less_than_five_milliseconds(text: str):
    names = tuple(f"category-{number}" for number in range(40))
    best = 1.0
    for _ in range(5):
        begun = time.perf_counter()
        reader().read(text, categories=names, expected=names, optin_open=True)
        best = min(best, time.perf_counter() - begun)
    assert best < 0.005


def test_a_long_letter_that_begins_with_stop_is_for_a_person_to_read():
    letter = "STOP.\n" + "I have told you before that we moved away. " * 60
    assert reader().read(letter) == Reading(near=Keyword.STOP)
    assert reader().read(letter.replace("STOP.\n", "Stop by. ")) == NOTHING


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_has_every_family_with_its_source(language: str):
    for name in (*FAMILIES, YES):
        table = word_file(language)[name]
        assert table["words"]
        assert table["source"]
    assert set(word_file(language)) <= {*FAMILIES, YES, "around", "groups", "apart", "cut"}


def test_no_word_is_in_two_families():
    seen: dict[str, str] = {}
    for language in LANGUAGES:
        for name in (*FAMILIES, YES):
            for word in family(language, name):
                assert seen.setdefault(bare(word), name) == name, word
