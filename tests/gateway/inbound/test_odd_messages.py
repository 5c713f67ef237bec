"""Hostile and odd messages (I03, I04, I05, I13, I14), by their octets, into a real store."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, Bench
from support.odd_messages import ALICE, BOB, SIM_A, SIM_B, Ears, Flood, own_mib

from api.models.inbox import inbox_item_out
from drivers.tpdu import Address, TimeStamp
from drivers.tpdu.user_data_header import InformationElement
from gateway.clock import to_datetime
from gateway.store import optouts, recipients


@pytest.fixture
def ears(bench: Bench) -> Ears:
    return Ears(bench)


# --- I03


async def test_i03_what_is_not_for_people_is_kept_and_not_shown(ears: Ears, tell: Callable[[str], None]) -> None:
    hidden = [{"tp_pid": 0x40}, {"tp_pid": 0x7F, "tp_dcs": 0x12}, {"tp_dcs": 0xC8}, {"tp_pid": 0x7D}]
    shown = [{"tp_dcs": 0x10}, {"tp_dcs": 0x12}, {"tp_dcs": 0xD8}, {"tp_pid": 0x5F}]
    for number, fields in enumerate([*hidden, *shown]):
        assert await ears.hear(ears.pdu(f"text {number}", **fields))
    assert await ears.texts() == [f"text {number}" for number in range(len(hidden), len(hidden) + len(shown))]
    assert await ears.count("SELECT count(*) FROM inbound_part") == len(hidden) + len(shown)
    assert await ears.count("SELECT count(*) FROM event WHERE type = 'inbound.received'") == len(shown)
    tell(f"I03: {len(hidden)} messages for the telephone or the SIM kept and not shown, {len(shown)} others shown")


async def test_i03_a_silent_message_stops_nobody_and_may_come_again(ears: Ears) -> None:
    silent = ears.pdu("STOP", NUMBER, tp_pid=0x40)
    assert await ears.hear_all([silent, silent]) == [True, False]
    ears.bench.clock.advance(timedelta(days=3))
    assert await ears.hear(silent) is False
    assert not await ears.items()
    assert await ears.count("SELECT heard FROM inbound_part") == 3

    def opted_out(connection: Connection) -> bool:
        person = recipients.find(connection, ears.bench.store.fingerprint(NUMBER))
        return person is not None and optouts.is_opted_out(connection, person, "transactional")

    assert not await ears.bench.store.read(opted_out)


async def test_i03_what_stays_on_the_sim_lifts_no_opt_out_at_the_next_start(ears: Ears) -> None:
    for_the_sim = ears.pdu("START", NUMBER, tp_dcs=0x12)
    await ears.hear(for_the_sim)
    ears.bench.clock.advance(timedelta(hours=2))
    await ears.hear(ears.pdu("STOP", NUMBER))
    ears.bench.clock.advance(timedelta(days=2))
    assert not await ears.hear(for_the_sim)
    assert await ears.texts() == ["START", "STOP"]
    assert await ears.count("SELECT count(*) FROM optout WHERE lifted_us IS NULL") == 1


async def test_i03_replace_types_take_no_words_out_of_the_inbox(ears: Ears) -> None:
    await ears.hear(ears.pdu("first", tp_pid=0x41))
    await ears.hear(ears.pdu("second", tp_pid=0x41))
    assert await ears.texts() == ["first", "second"]


async def test_i03_a_hidden_part_completes_nothing(ears: Ears) -> None:
    element = InformationElement(0x00, bytes((7, 2, 1)))
    await ears.hear(ears.pdu("hidden", udh=(element,), tp_pid=0x40))
    await ears.hear(ears.part("two", 2, 2))
    assert await ears.items() == []
    assert await ears.count("SELECT count(*) FROM inbound_part WHERE concat_reference IS NOT NULL") == 1


# --- I04


async def test_i04_a_message_of_255_parts_is_whole(ears: Ears) -> None:
    order = list(range(1, 256))
    Random(4).shuffle(order)
    for start in range(0, 255, 64):
        await ears.hear_all([ears.part(f"{number:03} ", number, 255) for number in order[start : start + 64]])
    (item,) = await ears.items()
    assert (item.text, item.parts) == ("".join(f"{number:03} " for number in range(1, 256)), 255)


@pytest.mark.parametrize(("sequence", "total"), [(0, 2), (3, 2), (1, 0), (0, 0), (255, 1)])
async def test_i04_impossible_numbers_are_ignored(ears: Ears, sequence: int, total: int) -> None:
    await ears.hear(ears.part("alone", sequence, total))
    await ears.hear(ears.part("two", 2, 2))
    assert await ears.texts() == ["alone"]


async def test_i04_two_totals_under_one_reference_are_two_messages(ears: Ears) -> None:
    await ears.hear_all([ears.part("a1 ", 1, 2), ears.part("b1 ", 1, 3), ears.part("b2 ", 2, 3), ears.part("a2", 2, 2)])
    assert await ears.texts() == ["a1 a2"]
    await ears.hear(ears.part("b3", 3, 3))
    assert await ears.texts() == ["a1 a2", "b1 b2 b3"]


async def test_i04_a_second_text_for_one_part_shows_both_by_themselves(ears: Ears) -> None:
    await ears.hear_all([ears.part("a1", 1, 2), ears.part("A1", 1, 2), ears.part("a2", 2, 2)])
    assert sorted(text or "" for text in await ears.texts()) == ["A1", "a1", "a2"]


async def test_i04_after_an_hour_the_reference_has_come_round(ears: Ears) -> None:
    await ears.hear(ears.part("a1 ", 1, 2))
    ears.bench.clock.advance(timedelta(hours=1))
    await ears.hear_all([ears.part("b1 ", 1, 2), ears.part("b2", 2, 2)])
    assert await ears.texts() == ["a1 ", "b1 b2"]


async def test_i04_one_that_uses_one_reference_always_is_understood(ears: Ears) -> None:
    for number in range(5):
        ears.bench.clock.advance(timedelta(seconds=5))
        await ears.hear_all([ears.part(f"{number}a ", 1, 2), ears.part(f"{number}b", 2, 2)])
    assert await ears.texts() == [f"{number}a {number}b" for number in range(5)]


async def test_i04_parts_that_arrive_mixed_are_whole_or_single_and_never_of_two_people(
    ears: Ears, seeded: Random, tell: Callable[[str], None]
) -> None:
    """Two people, two SIMs, several totals, one reference, all mixed; some parts are lost, some come twice."""
    whole, pieces, rounds = 0, 0, 60
    for number in range(rounds):
        ears.bench.clock.advance(timedelta(hours=25))
        sets = [
            (sender, origin, total, f"{number}{name}{sender[-1]}{origin.modem[-1]}{total}")
            for sender, origin, total in itertools.product((ALICE, BOB), (SIM_A, SIM_B), (2, 3))
            for name in "x"
        ]
        parts = [
            (ears.part(f"<{mark}:{each}>", each, total, sender=sender), origin)
            for sender, origin, total, mark in sets
            for each in range(1, total + 1)
        ]
        seeded.shuffle(parts)
        kept = [part for part in parts if seeded.random() > 0.1]
        kept += [part for part in kept if seeded.random() < 0.2]
        for raw, origin in kept:
            await ears.hear(raw, origin)
    for item in await ears.items():
        marks = {piece.split(":")[0] for piece in (item.text or "").split("<")[1:]}
        assert len(marks) == 1, "parts of two messages were joined"
        whole, pieces = whole + (item.parts > 1), pieces + (item.parts == 1)
    tell(f"I04: {rounds} rounds of 8 long messages under one reference, mixed: {whole} whole, wrong merges 0")


async def test_i04_two_messages_of_one_moment_under_one_reference_are_shown_in_pieces(
    ears: Ears, tell: Callable[[str], None]
) -> None:
    merged = shown = 0
    orders = [
        order
        for order in itertools.permutations([("a", 1), ("a", 2), ("b", 1), ("b", 2)])
        if order[0][1] != order[1][1]
    ]
    for order in itertools.permutations([("a", 1), ("a", 2), ("b", 1), ("b", 2)]):
        # What comes as 1 and 2 before anything contradicts it is taken for one message: nobody could know better.
        if order in orders:
            continue
        ears.bench.clock.advance(timedelta(hours=25))
        before = len(await ears.items())
        for name, number in order:
            await ears.hear(ears.part(f"{name}{number}", number, 2))
        new = (await ears.items())[before:]
        merged += sum(item.parts > 1 for item in new)
        shown += len(new)
    assert merged == 0
    tell(f"I04: two messages interleaved under one reference: {shown} pieces shown, wrong merges {merged}")


# --- I05


async def test_i05_a_flood_of_beginnings(ears: Ears, tell: Callable[[str], None]) -> None:
    flood = Flood(ears)
    await flood.go_on(1500)
    before = own_mib()
    await flood.go_on(1500)
    grown = own_mib() - before
    assert grown < 40
    tell(f"I05: {await flood.check()}; memory grew by {max(grown, 0):.0f} MiB in the second half")


# --- I13


ODD = {
    "quotes": "\"Bob\" 'x'",
    "html": "<b>&amp;",
    "eleven": "ABCDEFGHIJK",
    "gsm7": "éàü@£$_",
    "escape": "a€[b]",
    "blanks": "   ",
    "hex digits": "+1a2",
    "nothing": "",
}


def _alphanumeric(name: str) -> bytes:
    """TP-OA of a name, as a network writes it (23.040, 9.1.2.5)."""
    return Address.from_text(name).to_bytes()


@pytest.mark.parametrize("octets", [
    pytest.param(bytes.fromhex("00d0"), id="empty name"),
    pytest.param(bytes.fromhex("0081"), id="empty number"),
    pytest.param(bytes.fromhex("0bd0") + bytes(6), id="name of @"),
    pytest.param(bytes.fromhex("04f0abcd"), id="reserved type, letters"),
    pytest.param(bytes.fromhex("0491ba1f"), id="star, hash, a"),
    pytest.param(bytes.fromhex("1491") + bytes.fromhex("33669989000000000021")[:10], id="twenty digits"),
    pytest.param(bytes.fromhex("05d0ffffff"), id="five semi-octets of name"),
    pytest.param(bytes.fromhex("0b81") + b"\xff" * 6, id="fillers"),
])  # fmt: skip
async def test_i13_an_odd_sender_is_kept_and_can_be_shown(
    ears: Ears, octets: bytes, tell: Callable[[str], None]
) -> None:
    stamp = TimeStamp.from_datetime(to_datetime(ears.bench.clock.now_us())).to_bytes("TP-SCTS", 0)
    raw = bytes((0, 0x04)) + octets + bytes((0, 0)) + stamp + bytes.fromhex("02e834")
    assert await ears.hear(raw)
    (item,) = await ears.items()
    document = json.dumps(inbox_item_out(item), ensure_ascii=False)
    assert json.loads(document)["from"] == item.sender
    assert not any(character < " " for character in item.sender)
    tell("I13: 8 senders of odd octets and 6 of odd letters: each kept, shown as JSON, none refused")


@pytest.mark.parametrize("name", [name for name in ODD.values() if name.strip()])
async def test_i13_odd_letters_are_text_and_nothing_else(ears: Ears, name: str) -> None:
    stamp = TimeStamp.from_datetime(to_datetime(ears.bench.clock.now_us())).to_bytes("TP-SCTS", 0)
    try:
        oa = _alphanumeric(name)
    except ValueError:
        pytest.skip("such a name does not fit TP-OA")
    await ears.hear(bytes((0, 0x04)) + oa + bytes((0, 0)) + stamp + bytes.fromhex("02e834"))
    (item,) = await ears.items()
    assert item.sender == name
    assert json.loads(json.dumps(inbox_item_out(item)))["from"] == name


# --- I14


async def test_i14_a_network_that_delivers_twice_makes_one_record_and_a_count(
    ears: Ears, tell: Callable[[str], None]
) -> None:
    raw = ears.pdu("once")
    heard = [await ears.hear(raw) for _ in range(3)] + await ears.hear_all([raw, raw])
    ears.bench.clock.advance(timedelta(hours=20))
    heard.append(await ears.hear(raw))
    assert heard == [True, *[False] * 5]
    assert await ears.texts() == ["once"]
    assert await ears.count("SELECT heard FROM inbound_part") == 6
    # Through another SIM it is another message.
    assert await ears.hear(raw, SIM_B) is True
    tell("I14: the same message told 6 times within a day: 1 record, count 6, 1 event")
    assert await ears.count("SELECT count(*) FROM event WHERE type = 'inbound.received'") == 2


@pytest.mark.parametrize("fields", [{"tp_dcs": 0x12}, {}])
async def test_i14_what_stays_on_the_sim_is_known_for_ever(
    ears: Ears, fields: dict[str, int], tell: Callable[[str], None]
) -> None:
    stop = ears.pdu("STOP", NUMBER, **fields)
    assert await ears.hear(stop)

    def person(connection: Connection) -> int:
        return recipients.find(connection, ears.bench.store.fingerprint(NUMBER)) or 0

    ears.bench.clock.advance(timedelta(days=1))
    assert await ears.hear(ears.pdu("START", NUMBER))
    for _ in range(5):
        ears.bench.clock.advance(timedelta(days=40))
        assert await ears.hear(stop) is False
    assert await ears.texts() == ["STOP", "START"]
    assert not await ears.bench.store.read(lambda each: optouts.is_opted_out(each, person(each), "transactional"))
    tell("I14: an old STOP read again from the SIM 5 times in 200 days: one record, and the later START holds")


async def test_i14_where_the_centres_clock_stands_still_every_word_is_heard(ears: Ears) -> None:
    ok = ears.pdu("OK", later_us=-10 * 24 * 3600 * 1_000_000)
    assert await ears.hear(ok)
    ears.bench.clock.advance(timedelta(days=2))
    assert await ears.hear(ok)
    assert await ears.texts() == ["OK", "OK"]
    # What stays on the SIM is another matter: it is read anew at each start.
    kept = ears.pdu("for the SIM", later_us=-10 * 24 * 3600 * 1_000_000, tp_dcs=0x12)
    assert await ears.hear(kept)
    ears.bench.clock.advance(timedelta(days=2))
    assert await ears.hear(kept) is False
