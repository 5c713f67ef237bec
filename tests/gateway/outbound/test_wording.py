"""The text as it leaves: counted at the door, told by a preview, sent by the gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.settings import category, settings_in

from drivers.tpdu import SmsSubmit
from gateway.config.settings import Category, ModemConfig, Settings
from gateway.errors import InvalidRequest
from gateway.outbound.wording import Wording
from gateway.requests import NewMessage, Preview
from gateway.services.messages import Messages
from gateway.store.database import Store

OWN = "+33639980101"
TO = "+33639980102"
CLUB = category(
    "club",
    sender_prefix="{sender_name}: ",
    stop_notice=" STOP au {modem_number}",
    stop_notice_when="always",
    smart_encoding=True,
)
FIRST = replace(CLUB, name="first", stop_notice_when="first")


def _settings(folder: Path, number: str | None = OWN, **gateway: object) -> Settings:
    plain = settings_in(folder, categories=(CLUB, FIRST))
    said = replace(plain.gateway, sender_name="Clinique du Parc", **gateway)  # pyright: ignore[reportArgumentType]
    modems = {name: replace(modem, number=number) for name, modem in plain.modems.items()}
    return replace(plain, gateway=said, modems=modems)


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    return await make_bench(_settings(tmp_path), store, clock)


async def _preview(bench: Bench, text: str, name: str) -> Preview:
    return await bench.intake.preview(bench.principal, NewMessage(TO, text, category=name), None)


async def _sent(bench: Bench) -> str:
    """The text of the parts that leave now."""
    return "".join(str(SmsSubmit.from_bytes(marked.octets).tp_ud.text) for marked in await bench.send_all())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Soldes l’été", "Clinique du Parc: Soldes l'été STOP au 0639980101"),
        ("Clinique du Parc, STOP au 36111", "Clinique du Parc, STOP au 36111"),
        ("x" * 150, "Clinique du Parc: " + "x" * 150 + " STOP au 0639980101"),
        ("😀", "Clinique du Parc: 😀 STOP au 0639980101"),
    ],
)
async def test_what_a_preview_tells_is_what_leaves(bench: Bench, text: str, left: str):
    told = await _preview(bench, text, "club")
    accepted = await bench.accept(TO, text, category="club")
    assert told.text == left
    assert (told.parts, told.encoding) == (accepted.parts, accepted.encoding)
    assert await _sent(bench) == left
    kept = await bench.get(accepted.id)
    assert (kept.parts, kept.text) == (told.parts, text)


async def test_other_categories_leave_as_they_were_handed_in(bench: Bench):
    assert (await _preview(bench, "L’été", "transactional")).text == "L’été"
    await bench.accept(TO, "L’été")
    assert await _sent(bench) == "L’été"


async def test_the_first_message_of_a_category_alone_tells_how_to_stop(bench: Bench):
    told = [(await _preview(bench, "Bonjour", "first")).text]
    await bench.accept(TO, "Bonjour", category="first")
    left = [await _sent(bench)]
    bench.clock.advance(timedelta(minutes=1))
    told.append((await _preview(bench, "Bonjour", "first")).text)
    await bench.accept(TO, "Bonjour", category="first")
    left.append(await _sent(bench))
    assert told == left == ["Clinique du Parc: Bonjour STOP au 0639980101", "Clinique du Parc: Bonjour"]


async def test_what_is_added_counts_towards_the_limit(tmp_path: Path, store: Store, clock: ManualClock):
    bench = await make_bench(_settings(tmp_path, max_parts=1), store, clock)
    fits = 160 - len("Clinique du Parc:  STOP au 0639980101")
    assert (await bench.accept(TO, "x" * fits, category="club")).parts == 1
    with pytest.raises(InvalidRequest, match="needs more than 1 parts"):
        await bench.accept(TO, "x" * (fits + 1), category="club")
    with pytest.raises(InvalidRequest, match="is empty"):
        await bench.accept(TO, " ", category="club")


async def test_a_preview_tells_what_to_change(bench: Bench):
    found = await _preview(bench, "Être là, l’hôtel vous attend, Łukasz", "transactional")
    assert found.gsm7_text == "Etre là, l'hotel vous attend, Lukasz"
    assert [caution.code for caution in found.warnings] == ["forced_ucs2"]
    found = await _preview(bench, "GRANDE  BRADERIE {nom} !!!", "club")
    codes = ["missing_field", "shouting", "double_spaces", "repeated_punctuation"]
    assert ([caution.code for caution in found.warnings], found.gsm7_text) == (codes, None)


async def test_without_a_number_a_preview_says_so(tmp_path: Path, store: Store, clock: ManualClock):
    bench = await make_bench(_settings(tmp_path, number=None), store, clock)
    found = await _preview(bench, "Soldes", "club")
    assert found.text == "Clinique du Parc: Soldes STOP: répondez STOP"
    assert [caution.code for caution in found.warnings] == ["stop_number_unknown"]


def test_the_door_counts_the_longest_of_the_modems_that_may_take_it(tmp_path: Path):
    def modem(name: str, number: str | None, **given: object) -> ModemConfig:
        config = ModemConfig(name, "socket://h:1", number, None, None, (), ())
        return replace(config, **given)  # pyright: ignore[reportArgumentType]

    modems = [
        modem("french", OWN),
        modem("german", "+4915112345678", prefixes=("+49",)),
        modem("alarms", "+12015550123", categories=("emergency",)),
        modem("played", None, port="simulated:"),
    ]
    wording = Wording(replace(_settings(tmp_path), modems={each.name: each for each in modems}))

    def likely(to: str, category: Category = CLUB, wanted: str | None = None, *, test: bool = False) -> str:
        return wording.likely("Soldes", category, to, wanted=wanted, test=test).notice

    assert likely(TO) == " STOP au 0639980101"
    assert likely("+4915112345679") == " STOP au +33639980101"
    assert likely(TO, wanted="alarms") == " STOP au +12015550123"
    assert likely(TO, test=True) == " STOP: répondez STOP"
    assert wording.final("Soldes", CLUB, TO, modem="elsewhere").numberless


async def test_a_preview_is_proof_read(bench: Bench, tell: Callable[[str], None]):
    service = Messages(
        bench.store, bench.clock, bench.intake, lambda _us=None: None, settings=bench.settings, book=bench.book
    )
    new = NewMessage(TO, "Votre rendez-vous est confrimé, voir http://127.0.0.1:1/x.", category="club")
    plain = await service.preview(bench.principal, new, None)
    assert [(caution.code, caution.message) for caution in plain.warnings] == [
        ("broken_link", "link 1 names a bare address: readers cannot tell whose it is"),
        ("typo", "“confrimé”: did you mean “confirmé”?"),
    ]
    asked = await service.preview(bench.principal, new, None, check_links=True)
    assert asked.warnings[2].message == "link 1 is not looked at: it leads to an address that is not public"
    took: list[float] = []
    for _ in range(300):
        start = perf_counter()
        await service.preview(bench.principal, new, None)
        took.append(perf_counter() - start)
    took.sort()
    tell(f"a preview with proof-reading: {took[150] * 1e3:.2f} ms at p50, {took[297] * 1e3:.2f} ms at p99")
