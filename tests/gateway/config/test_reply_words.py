"""`[replies] languages` and the owner's own words: what is refused, and what they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.settings import settings_in

from gateway.config.loader import check, load_settings
from gateway.config.rules_hash import rules_hash
from gateway.config.vocabulary import WordSettings
from gateway.config.word_files import expanded
from gateway.inbound.reader import reader_of
from gateway.rules.keywords import Keyword

MODEM = '\n[modems.sim1]\nport = "simulated:"\n'


@pytest.fixture
def written(tmp_path: Path):
    def write(keys: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(f"[replies]\n{keys}{MODEM}", "utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('start_words = ["Arrêt!"]', "replies.start_words[0]: is a word of the family STOP"),
        ('help_words = ["was", "club", "START"]', "replies.help_words[2]: is a word of the family START"),
        ('stop_words = ["genug", "Hilfe"]', "replies.stop_words[1]: is a word of the family HELP"),
        ('stop_words = ["ciao"]\nhelp_words = ["CIAO!"]', "replies.help_words[0]: is a word of the family STOP"),
        ('languages = ["fr"]\nstart_words = ["unsubscribe"]', "replies.start_words[0]: is a word of the family STOP"),
        ('start_words = ["Oui"]', "replies.start_words[0]: is a yes, which counts only while a double opt-in is open"),
        ('stop_words = ["!!"]', "replies.stop_words[0]: has no letter and no digit"),
        ('stop_words = [""]', "replies.stop_words[0]: must not be empty"),
        (f'stop_words = ["{"x" * 41}"]', "replies.stop_words[0]: is longer than 40 characters"),
        ("stop_words = [1]", "replies.stop_words[0]: must be text in quotes"),
        ('stop_words = "genug"', "replies.stop_words: must be a list in square brackets"),
        ("languages = []", "replies.languages: must name at least one language"),
    ],
)
def test_wrong_words_are_refused_with_their_place(written, keys: str, problem: str):
    assert [str(each) for each in check(written(keys), {}).problems] == [problem]


def test_a_language_that_nobody_has_written_is_refused(written):
    (problem,) = check(written('languages = ["fr", "xx"]'), {}).problems
    assert problem.key == "replies.languages[1]"
    assert problem.message.startswith('must be "fr" or "en"')


def test_the_words_are_read_and_heard(written):
    path = written(
        'languages = ["fr", "en"]\nstop_words = ["Genug"]\nstart_words = ["Alta"]\n[replies.fr]\nstop = "Fini."'
    )
    settings = load_settings(path, {})
    assert settings.words == WordSettings(("fr", "en"), ("Genug",), ("Alta",))
    reader = reader_of(settings)
    assert reader is reader_of(settings)
    assert reader.read("genug!").keyword is Keyword.STOP
    assert reader.read("alta").keyword is Keyword.START
    assert reader.read("afmelden").keyword is None


def test_without_words_every_language_is_heard(tmp_path: Path):
    reader = reader_of(settings_in(tmp_path))
    assert {reader.read(word).keyword for word in ("توقف", "afmelden", "baja", "Sair", "disiscrivimi")} == {
        Keyword.STOP
    }


def test_hosts_that_hear_other_words_decide_otherwise(tmp_path: Path):
    settings = settings_in(tmp_path)
    other = replace(settings, words=WordSettings(stop=("genug",)))
    assert rules_hash(settings) != rules_hash(other)


def test_a_pattern_is_every_way_to_say_it():
    found = {" ".join(words) for words in expanded("no [more |]{things} [please|]", {"things": ["SMS", "sms'jes"]})}
    assert found == {
        f"no {more}{thing}{end}" for more in ("", "more ") for thing in ("sms", "sms jes") for end in ("", " please")
    }
