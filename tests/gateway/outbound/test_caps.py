"""Caps at the gate: exact whoever asks at the same moment (D17), what counts and what does not, and who is not held."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.bench import SIM1, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import category, settings_in
from support.two_hosts import two_hosts

from gateway.clock import SECOND_US
from gateway.config.settings import RecipientSettings, Settings
from gateway.errors import TooMany
from gateway.message import Message, PartEvent, Rule, Status
from gateway.outbound.gate import Marked
from gateway.store.database import Store
from gateway.store.outcomes import Outcome
from gateway.store.schema import event, message

COUNT, CAP = 200, 3
DAY_US = 24 * 3600 * SECOND_US
MINUTE_US = 60 * SECOND_US
WEEK_US = 7 * DAY_US
#: So many modems of each host ask at once.
ASKING = 4
OTHER = "+33698765432"


def capped(folder: Path, on_cap: str, *, together: bool, caps: tuple[str, ...] = (f"{CAP}/24h",)) -> Settings:
    """The cap of a category's own, or that of two together with emergencies."""
    own = () if together else caps
    names = ("news", "offers")
    made = tuple(category(name, caps=own, on_cap=on_cap, consent="none", expires_after_us=WEEK_US) for name in names)
    over = RecipientSettings(caps, (*names, "emergency")) if together else RecipientSettings(caps=())
    return replace(settings_in(folder, categories=made), recipients=over)


@asynccontextmanager
async def _benches(
    place: Place, folder: Path, clock: ManualClock, settings: Settings
) -> AsyncIterator[Sequence[Bench]]:
    """Of two hosts, or of one where the store can have no more."""
    if place.database is not None:
        async with two_hosts(place, folder, clock, settings=settings) as hosts:
            yield [hosts.a.bench, hosts.b.bench]
        return
    store = place.open()
    yield [await make_bench(settings, store, clock)]
    await store.close()


async def _ask(bench: Bench, node: str, modem: str) -> Marked | None:
    marked = await bench.next(replace(SIM1, name=modem, node=node, iccid=None))
    if marked is None:
        return None
    outcome = Outcome(marked.attempt_id, PartEvent.ACCEPTED, tp_mr=marked.attempt_id % 256)
    await bench.store.write(lambda c: bench.gate.settle(c, outcome, modem, bench.clock.now_us()))
    return marked


async def _drain(benches: Sequence[Bench], chance: random.Random) -> int:
    """Let modems of every host ask at once until there is nothing for any of them; how many messages left."""
    left, idle = 0, 0
    while idle < 2:
        # Each host has one modem of this name: two of one host would wait for each other's person anyway.
        asked: list[Awaitable[Marked | None]] = [
            _ask(bench, bench.settings.gateway.node, f"sim{at}") for bench in benches for at in range(ASKING)
        ]
        chance.shuffle(asked)
        found = [each for each in await asyncio.gather(*asked) if each is not None]
        left += len(found)
        waiting = await benches[0].store.read(
            lambda c: c.execute(select(message.c.id).where(message.c.status == Status.QUEUED).limit(1)).first()
        )
        # What one host decides about just now is left by the other.
        idle = idle + 1 if not found and waiting is None else 0
    return left


async def _standing(store: Store) -> Counter[tuple[str, str | None, str | None]]:
    columns = message.c.status, message.c.error_code, message.c.hold_rule
    rows = await store.read(lambda connection: connection.execute(select(*columns)).all())
    return Counter((row.status, row.error_code, row.hold_rule) for row in rows)


@pytest.mark.parametrize("on_cap", ["refuse", "defer"])
@pytest.mark.parametrize("together", [False, True], ids=["own", "together"])
async def test_d17_exactly_as_many_leave_as_may(
    place: Place,
    tmp_path: Path,
    clock: ManualClock,
    seeded: random.Random,
    tell: Callable[[str], None],
    *,
    together: bool,
    on_cap: str,
) -> None:
    settings = capped(tmp_path, on_cap, together=together)
    names = ("news", "offers") if together else ("news",)
    clock.advance(timedelta(seconds=17))
    async with _benches(place, tmp_path, clock, settings) as benches:
        asked = [
            benches[at % len(benches)].accept(text=f"no {at}", category=names[at // 2 % len(names)])
            for at in range(COUNT)
        ]
        await asyncio.gather(*asked)
        first = await _drain(benches, seeded)
        ended = Status.FAILED if on_cap == "refuse" else Status.HELD
        rest = (ended, "cap", None) if on_cap == "refuse" else (ended, None, "cap")
        assert await _standing(benches[0].store) == {(Status.SENT, None, None): CAP, rest: COUNT - CAP}
        again = await _after_a_day(benches, clock, seeded, settings.categories["news"].on_cap)
        tell(
            f"D17: {len(benches)} host(s) in one process, {'together' if together else 'own'}, {on_cap}: {COUNT} "
            f"messages, cap {CAP}: {first} left, and {again} when there was room again"
        )
        assert (first, again) == (CAP, CAP)


async def _after_a_day(benches: Sequence[Bench], clock: ManualClock, chance: random.Random, on_cap: str) -> int:
    """How many leave at the first minute with room, and not a moment before; those that wait, or new ones."""
    bench = benches[0]
    until_us = -(-(clock.now_us() + DAY_US) // MINUTE_US) * MINUTE_US
    if on_cap == "refuse":
        clock.advance(timedelta(microseconds=1))
        with pytest.raises(TooMany) as refused:
            await bench.accept(text="one more", category="news")
        assert refused.value.code == "cap"
        # Whoever comes again when told to finds room.
        assert refused.value.retry_after_s is not None
        clock.advance(timedelta(seconds=refused.value.retry_after_s))
        assert until_us <= clock.now_us() < until_us + SECOND_US
        await asyncio.gather(*[bench.accept(text=f"later {at}", category="news") for at in range(2 * CAP)])
        return await _drain(benches, chance)
    rows = await bench.store.read(
        lambda c: c.execute(select(message.c.hold_until_us).where(message.c.status == Status.HELD).distinct()).all()
    )
    assert [row.hold_until_us for row in rows] == [until_us]
    clock.advance(timedelta(microseconds=until_us - clock.now_us() - 1))
    await bench.upkeep()
    assert await _drain(benches, chance) == 0
    clock.advance(timedelta(microseconds=1))
    await bench.upkeep()
    return await _drain(benches, chance)


@pytest.fixture
async def one_a_day(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    """Of news, whose further ones wait."""
    return await make_bench(capped(tmp_path, "defer", together=False, caps=("1/24h",)), store, clock)


@pytest.mark.parametrize(
    ("came", "fields", "counts"),
    [
        (PartEvent.ACCEPTED, {"tp_mr": 1}, True),
        (PartEvent.OUTCOME_LOST, {"code": "timeout", "sentence": "no answer"}, True),
        (PartEvent.REFUSED, {"code": "cms_38", "sentence": "no"}, False),
        (PartEvent.RELEASED, {"code": "cms_42", "sentence": "congestion", "next_try_us": 2**60}, False),
    ],
    ids=["taken", "uncertain", "refused", "never left"],
)
async def test_d17_what_counts_is_what_may_have_reached_the_network(
    one_a_day: Bench, came: PartEvent, fields: dict[str, object], *, counts: bool, tell: Callable[[str], None]
) -> None:
    bench = one_a_day
    await bench.accept(text="first", category="news", on_uncertain="never")
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, came, **fields)
    second = await bench.accept(text="second", category="news")
    found = await bench.next()
    tell(f"D17: a message that was {came}: {'counted' if counts else 'not counted'}")
    assert (found is None) is counts
    standing = await bench.get(second.id)
    assert standing.status is (Status.HELD if counts else Status.SENDING)
    assert (standing.hold is not None and standing.hold.rule is Rule.CAP) is counts


async def test_a_mark_counts_while_its_answer_is_waited_for(one_a_day: Bench) -> None:
    bench = one_a_day
    await bench.accept(text="first", category="news")
    marked = await bench.next()
    assert marked is not None
    second = await bench.accept(text="second", category="news")
    assert await bench.next() is None
    # It turns out that nothing left: there is room at once, and what was held looks again at its minute.
    await bench.settle(marked, PartEvent.REFUSED, code="cms_38", sentence="no")
    third = await bench.accept(text="third", category="news")
    assert third.status is Status.QUEUED
    assert (await bench.next()) is not None
    assert (await bench.get(second.id)).status is Status.HELD


async def _bypasses(bench: Bench) -> list[tuple[str, str]]:
    columns = event.c.message_id, event.c.detail
    query = select(*columns).where(event.c.type == "rule.bypassed").order_by(event.c.id)
    return [tuple(row) for row in await bench.store.read(lambda connection: connection.execute(query).all())]


async def test_emergencies_count_and_are_never_held(tmp_path: Path, store: Store, clock: ManualClock) -> None:
    settings = capped(tmp_path, "defer", together=True, caps=("2/24h",))
    bench = await make_bench(settings, store, clock)
    alarms: list[Message] = [await bench.accept(text=f"fire {at}", category="emergency") for at in range(4)]
    assert [each.message_id for each in await bench.send_all()] == [each.id for each in alarms]
    sentence = "cap: 2 messages were sent within 24h, which is the cap of recipients.caps"
    # The first two were within the cap.
    assert await _bypasses(bench) == [(each.id, sentence) for each in alarms[2:]]
    news = await bench.accept(text="news", category="news")
    assert news.status is Status.HELD
    other = await bench.accept(OTHER, text="news", category="news")
    assert [each.message_id for each in await bench.send_all()] == [other.id]
    assert await _bypasses(bench) == [(each.id, sentence) for each in alarms[2:]]
