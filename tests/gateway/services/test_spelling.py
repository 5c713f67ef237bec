"""Likely typos, in every language that the package and the gateway share."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import perf_counter

import pytest
from support.waiting import eventually

from gateway.services import typos
from gateway.services.spelling import Speller
from gateway.services.typos import LANGUAGES, MOST_LANGUAGES, MOST_TYPOS, NICENESS, Dictionaries

SLIPS = {
    "en": ("Your appointement is tomorrow at 10. Please bring your card.", ("appointement", "appointment")),
    "fr": ("Bonjour, votre rendez-vous est confrimé pour demain.", ("confrimé", "confirmé")),
    "de": ("Ihr Termin ist morgn um zehn Uhr, bitte kommen Sie.", ("morgn", "morgen")),
    "nl": ("Uw afspaak is morgen, bel ons als u niet kunt komen.", ("afspaak", "afspraak")),
    "it": ("Il suo appuntamento è domani con un docmento valido.", ("docmento", "documento")),
    "es": ("Su cita es mañana, por favor traer su targeta.", ("targeta", "tarjeta")),
    "pt": ("A sua consulta é amanhã, leve o seu cartao.", ("cartao", "cartão")),
}
RIGHT_ARABIC = "موعدك غدا في الساعة العاشرة صباحا في العيادة"


@pytest.fixture(scope="module")
def known() -> Dictionaries:
    return Dictionaries()


@pytest.mark.parametrize("language", SLIPS)
def test_a_slip_is_found_with_what_was_meant(known: Dictionaries, language: str, tell: Callable[[str], None]):
    text, slip = SLIPS[language]
    start = perf_counter()
    assert known.look(text, language) == [slip]
    loaded = perf_counter()
    assert known.look(text, language) == [slip]
    tell(f"spelling {language}: {(loaded - start) * 1e3:.0f} ms to load, then {(perf_counter() - loaded) * 1e3:.1f} ms")


@pytest.mark.parametrize(
    "field", ["{{ prenomm }}", "{prenomm de}", "{% if prenomm %}", "<prenomm de>", "x-{{ prenomm }}"]
)
def test_a_field_that_was_not_filled_in_is_no_word(known: Dictionaries, field: str):
    assert known.look(f"Bonjour {field}, votre rendez-vous est confrimé", "fr") == [("confrimé", "confirmé")]


def test_arabic_is_read(known: Dictionaries):
    assert known.look(RIGHT_ARABIC, "ar") == []


def test_only_two_languages_are_held(known: Dictionaries):
    for language in ("en", "fr", "en", "es"):
        known.look("word", language)
    assert known.loaded == ("en", "es")
    assert len(known.loaded) == MOST_LANGUAGES


@pytest.mark.parametrize(
    "text",
    [
        "Le docteur Müleur vous attend à Montroeuil.",
        "Voir https://exmaple.org/confrimé ou écrire à confrimé@example.org, code confrimé7.",
        "Urgent : la RATPE et le SAMUR sont prévenus.",
        "L’hôpital d’Issy, aujourd'hui, porte-clés, c'est-à-dire qu’il n’y a rien.",
        "Bonjour {prenmo}, <prenmo>, votre 06/12/2026.",
        "Clinqiue du Parc: bonjour à tous.",
        "",
        "10 h, 12 €",
    ],
)
def test_names_links_codes_and_abbreviations_are_left_alone(known: Dictionaries, text: str):
    assert known.look(text, "fr", ["Clinqiue du Parc"]) == []


def test_a_text_of_another_language_has_no_typos(known: Dictionaries):
    assert known.look(SLIPS["en"][0], "fr") == []


def test_a_capital_at_the_beginning_stays(known: Dictionaries):
    assert known.look("Collecton of books. Appointement at ten.", "en") == [
        ("Collecton", "Collection"),
        ("Appointement", "Appointment"),
    ]


def test_no_more_than_somebody_reads(known: Dictionaries):
    usual = "the appointment is tomorrow and we are happy to see you in our house with your family and friends "
    words = (
        "appointment", "tomorrow", "family", "friends", "doctor", "hospital", "children", "morning", "evening",
        "question", "another", "together", "important", "business", "different",
    )  # fmt: skip
    slips = [f"{word[:2]}{word[3:]}" for word in words]
    assert len(known.look(usual * 3 + "good " + " ".join(slips), "en")) <= MOST_TYPOS


def test_without_the_extra_there_are_no_typos(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "spellchecker", None)
    bare = Dictionaries()
    assert bare.look(SLIPS["en"][0], "en") == []
    assert bare.loaded == ()


PATIENT_S = 30.0


@pytest.fixture
async def speller() -> AsyncIterator[Speller]:
    """Its process is given time, on a machine that has other things to do."""
    speller = Speller(patience_s=PATIENT_S)
    yield speller
    await speller.close()


def _exists(process_id: int) -> bool:
    """Whether there is such a process, or what is left of it until somebody has asked how it ended."""
    return Path(f"/proc/{process_id}").exists()


async def _started(speller: Speller) -> int:
    assert await speller.typos(SLIPS["en"][0], "en") == [SLIPS["en"][1]]
    assert speller.process_id is not None
    return speller.process_id


async def test_nothing_is_started_before_somebody_asks_for_what_it_knows(speller: Speller):
    assert await speller.typos("Dzień dobry", "pl") == []
    assert speller.process_id is None


async def test_without_the_extra_nothing_is_started(speller: Speller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "spellchecker", None)
    assert await speller.typos(SLIPS["en"][0], "en") == []
    assert speller.process_id is None


async def test_one_process_answers_all_and_goes_with_the_gateway(speller: Speller):
    process_id = await _started(speller)
    texts = [("fr", SLIPS["fr"]), ("en", SLIPS["en"])] * 4
    found = await asyncio.gather(*(speller.typos(text, language) for language, (text, _) in texts))
    assert found == [[slip] for _, (_, slip) in texts]
    assert await speller.typos("Clinqiue du Parc: good morning", "en", ["Clinqiue du Parc"]) == []
    assert speller.process_id == process_id
    await speller.close()
    assert not _exists(process_id)
    assert await speller.typos(SLIPS["en"][0], "en") == []
    assert speller.process_id is None


async def test_it_tells_nobody_what_it_reads_and_lets_others_go_first(speller: Speller):
    process_id = await _started(speller)
    place = Path(f"/proc/{process_id}")
    said = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
    assert b"appointement" not in said
    assert b"TOKEN" not in said.upper()
    assert os.getpriority(os.PRIO_PROCESS, process_id) == min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)
    assert os.getsid(process_id) == process_id
    assert (place / "fd" / "2").readlink() == Path("/dev/null")
    # Ports of modems and the store are not its own.
    assert {number.name for number in (place / "fd").iterdir()} == {"0", "1", "2"}


async def test_who_cannot_wait_goes_without_and_the_next_one_has_them(speller: Speller):
    hurried = Speller(patience_s=0.0)
    assert await hurried.typos(SLIPS["en"][0], "en") == []
    hurried._patience_s = PATIENT_S
    assert await hurried.typos(SLIPS["en"][0], "en") == [SLIPS["en"][1]]
    await hurried.close()


async def test_more_than_it_can_answer_go_without(speller: Speller):
    found = await asyncio.gather(*(speller.typos(SLIPS["en"][0], "en") for _ in range(40)))
    assert found.count([SLIPS["en"][1]]) == 16
    assert found.count([]) == 24


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
async def test_another_one_is_started_when_it_dies(speller: Speller, how: signal.Signals, monkeypatch):
    monkeypatch.setattr("gateway.services.spelling._LONGEST_S", 5.0)
    first = await _started(speller)
    os.kill(first, how)
    assert await _started(speller) != first
    assert not _exists(first)


async def test_it_ends_when_nobody_asks(tell: Callable[[str], None]):
    speller = Speller(patience_s=PATIENT_S, idle_s=0.2)
    first = await _started(speller)
    await eventually(lambda: not _exists(first), 30, "the end of a process that nobody asks")
    assert await _started(speller) != first
    await speller.close()


def test_it_ends_with_whoever_started_it():
    process = subprocess.Popen(
        [sys.executable, "-I", typos.__file__, "300"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.communicate(b"", timeout=60) == (b"", None)
    assert process.returncode == 0


async def test_a_gateway_that_closes_waits_for_nobody_who_asks():
    speller = Speller(patience_s=PATIENT_S)
    asking = asyncio.ensure_future(speller.typos(SLIPS["de"][0], "de"))
    await eventually(lambda: speller.process_id is not None, 30, "a process")
    process_id = speller.process_id
    await speller.close()
    assert await asking == []
    assert process_id is not None
    assert not _exists(process_id)


async def test_the_loop_goes_on_while_a_dictionary_is_loaded(speller: Speller, tell: Callable[[str], None]):
    longest, last = 0.0, perf_counter()
    looking = asyncio.ensure_future(speller.typos(SLIPS["de"][0], "de"))
    while not looking.done():
        await asyncio.sleep(0)
        now = perf_counter()
        longest, last = max(longest, now - last), now
    assert await looking == [SLIPS["de"][1]]
    tell(f"spelling de: the loop waited {longest * 1e3:.0f} ms at most while it was loaded")
    assert set(LANGUAGES) >= set(SLIPS)
