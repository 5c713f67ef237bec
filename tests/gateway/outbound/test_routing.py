"""Who takes what at the gate, over a real store: prefixes, categories, turns, limits, the SIM a person knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, SIM1, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import settings_in

from gateway.config.limits import SimLimits
from gateway.config.settings import Settings
from gateway.errors import InvalidRequest
from gateway.message import PartEvent, Rule, Status
from gateway.outbound.gate import Gate, Marked
from gateway.requests import MessageFilter, NewToken, Principal
from gateway.services.messages import Messages
from gateway.store import lanes, tokens
from gateway.store.database import Store
from gateway.store.queue import ModemFacts

BELGIAN = "+32470123456"
SIM2 = replace(SIM1, name="sim2", iccid="8944")


def with_modems(settings: Settings, **keys: dict[str, object]) -> Settings:
    """The settings with keys of these modems written."""
    base = settings.modems["sim1"]
    modems = {name: replace(base, name=name, **written) for name, written in keys.items()}  # type: ignore[arg-type]
    return replace(settings, modems=modems)


async def bench_with(place: Place, store: Store, clock: ManualClock, **modems: dict[str, object]) -> Bench:
    return await make_bench(with_modems(settings_in(place.folder), **modems), store, clock)


async def another_token(bench: Bench, name: str) -> Principal:
    def work(connection: Connection) -> Principal:
        view = tokens.add(connection, NewToken(name, ("send",)), name.encode().ljust(32), bench.clock.now_us())
        assert view is not None
        return Principal(view.id, name, frozenset(view.scopes))

    return await bench.store.write(work)


async def send(bench: Bench, modem: ModemFacts = SIM1, *, most: int = 1000) -> list[Marked]:
    """What the modem sends until there is nothing for it."""
    sent: list[Marked] = []
    while len(sent) < most and (marked := await bench.next(modem)):
        await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=len(sent) % 256)
        sent.append(marked)
    return sent


def ids(marked: Sequence[Marked]) -> list[str]:
    return [each.message_id for each in marked]


async def test_a_modem_takes_only_numbers_that_begin_with_its_prefixes(
    place: Place, store: Store, clock: ManualClock
) -> None:
    bench = await bench_with(place, store, clock, sim1={"prefixes": ("+33", "+3247")}, sim2={"prefixes": ("+32",)})
    french, belgian, walloon = [await bench.accept(to=to) for to in (NUMBER, BELGIAN, "+3242234567")]
    # The longest prefix says which lane it is, and each modem whose prefix the number has takes it.
    assert ids(await send(bench, SIM1)) == [french.id, belgian.id]
    assert ids(await send(bench, SIM2)) == [walloon.id]


async def test_what_no_modem_takes_is_refused_at_the_door(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={"prefixes": ("+33",), "categories": ("transactional",)})
    for fields, code in (
        ({"to": BELGIAN}, "no_route"),
        ({"category": "emergency"}, "no_route"),
        ({"modem": "sim1", "category": "emergency"}, "modem_unsuitable"),
    ):
        with pytest.raises(InvalidRequest) as raised:
            await bench.accept(**fields)  # type: ignore[arg-type]
        assert raised.value.code == code


async def test_where_other_hosts_may_have_such_a_modem_it_is_accepted_with_a_warning(
    place: Place, store: Store, clock: ManualClock
) -> None:
    settings = with_modems(settings_in(place.folder), sim1={"prefixes": ("+33",)})
    shared = replace(settings, store=replace(settings.store, path=None))
    bench = await make_bench(shared, store, clock)
    message = await bench.accept(to=BELGIAN)
    assert [each.code for each in message.warnings] == ["no_route"]
    assert await bench.next() is None


async def test_a_modem_takes_only_its_categories(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={"categories": ("emergency",)}, sim2={})
    notice = await bench.accept()
    alert = await bench.accept(to=BELGIAN, category="emergency")
    assert ids(await send(bench, SIM1)) == [alert.id]
    assert ids(await send(bench, SIM2)) == [notice.id]


async def test_prefixes_that_were_not_known_at_acceptance_are_obeyed(
    place: Place, store: Store, clock: ManualClock
) -> None:
    before = await bench_with(place, store, clock, sim1={})
    belgian, french = await before.accept(to=BELGIAN), await before.accept()
    changed = with_modems(settings_in(place.folder), sim1={"prefixes": ("+336",)}, sim2={})
    before.gate = Gate(changed)
    assert ids(await send(before, SIM1)) == [french.id]
    assert ids(await send(before, SIM2)) == [belgian.id]


async def test_a_further_copy_goes_only_where_the_message_may(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={}, sim2={"categories": ("promotional",)}, sim3={})
    alert = await bench.accept(category="emergency")
    marked = await bench.next(SIM1)
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout")
    clock.advance(timedelta(seconds=21))
    await bench.upkeep()
    assert await bench.next(SIM2) is None
    assert ids(await send(bench, replace(SIM1, name="sim3"))) == [alert.id]


async def test_tokens_take_turns(bench: Bench) -> None:
    for at in range(30):
        await bench.accept(to=f"+336000000{at:02}")
    campaign = bench.principal
    assert len(await send(bench, most=5)) == 5
    bench.principal = await another_token(bench, "ward")
    single = await bench.accept(to=BELGIAN)
    assert single.id in ids(await send(bench, most=2))
    bench.principal = campaign
    assert len(await send(bench)) == 24


async def test_categories_of_one_priority_take_turns_part_by_part(
    place: Place, store: Store, clock: ManualClock
) -> None:
    settings = settings_in(place.folder)
    equal = replace(settings.categories["promotional"], priority=5)
    bench = await make_bench(
        replace(settings, categories=dict(settings.categories) | {"promotional": equal}), store, clock
    )
    long = [await bench.accept(to=f"+3360000000{at}", text="x" * 400, category="promotional") for at in range(3)]
    short = [await bench.accept(to=f"+3361000000{at}") for at in range(6)]
    order = ids(await send(bench))
    # Three parts of the one for three of the other.
    first = order[:8]
    assert first.count(long[0].id) == 3
    assert sum(first.count(each.id) for each in short) >= 3
    assert len(order) == 15


async def test_an_emergency_overtakes_a_thousand(bench: Bench) -> None:
    for at in range(1000):
        await bench.accept(to=f"+33600000{at:03}", category="promotional")
    marked = await bench.next()
    assert marked is not None
    alert = await bench.accept(to=BELGIAN, category="emergency")
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    after = await bench.next()
    assert after is not None
    assert after.message_id == alert.id


async def test_a_limit_holds_exactly_while_four_modems_share_a_sim(
    place: Place, store: Store, clock: ManualClock
) -> None:
    limits = SimLimits(per_day=25)
    names = ("sim1", "sim2", "sim3", "sim4")
    bench = await bench_with(place, store, clock, **{name: {"limits": limits} for name in names})
    for at in range(40):
        await bench.accept(to=f"+336000000{at:02}")
    sent = await asyncio.gather(*(send(bench, replace(SIM1, name=name)) for name in names))
    assert sum(map(len, sent)) == 25
    # Midnight in the gateway's zone is past.
    clock.advance(timedelta(hours=14))
    assert len(await send(bench)) == 15


async def test_what_would_cross_a_limit_does_not_begin_and_what_did_not_leave_is_not_counted(
    place: Place, store: Store, clock: ManualClock
) -> None:
    bench = await bench_with(place, store, clock, sim1={"limits": SimLimits(per_month=4, billing_day=31)})
    first = await bench.accept(text="x" * 400)
    await bench.accept(to=BELGIAN, text="x" * 200)
    sent = await send(bench)
    assert ids(sent) == [first.id] * 3
    short = await bench.accept(to="+33600000001")
    refused = await bench.next()
    # The long one stands before it in the same turn: it does not fit, the short one does.
    assert refused is not None
    assert refused.message_id == short.id
    await bench.settle(refused, PartEvent.REFUSED, code="cms_38", sentence="no")
    again = await bench.accept(to="+33600000002")
    assert ids(await send(bench)) == [again.id]
    await bench.accept(to="+33600000003")
    assert await bench.next() is None
    assert bench.gate.look_again_us["sim1"] > clock.now_us()


async def test_a_begun_message_has_its_room(place: Place, store: Store, clock: ManualClock) -> None:
    """What overtakes it between its parts cannot take the room that it needs to be finished."""
    bench = await bench_with(place, store, clock, sim1={"limits": SimLimits(per_day=4)})
    long = await bench.accept(text="x" * 400, category="promotional")
    sent = await send(bench, most=1)
    fits = await bench.accept(to=BELGIAN)
    does_not = await bench.accept(to="+33600000001")
    assert ids(sent + await send(bench)) == [long.id, fits.id, long.id, long.id]
    assert (await bench.get(does_not.id)).status in {Status.QUEUED, Status.HELD}


async def test_an_emergency_is_counted_and_never_held(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={"limits": SimLimits(per_day=2)})
    alerts = [await bench.accept(to=f"+3360000000{at}", category="emergency") for at in range(3)]
    notice = await bench.accept(to=BELGIAN)
    assert ids(await send(bench)) == [each.id for each in alerts]
    clock.advance(timedelta(days=1))
    assert (await bench.get(notice.id)).status is not Status.SENT

    def told(connection: Connection) -> list[str]:
        rows = connection.exec_driver_sql("SELECT type FROM event ORDER BY id")
        return [row[0] for row in rows if row[0].startswith("sim.")]

    assert await store.read(told) == ["sim.limit"]


async def test_people_are_counted_once_a_month(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={"limits": SimLimits(recipients_per_month=2)})
    for to in (NUMBER, BELGIAN, NUMBER):
        await bench.accept(to=to)
        assert len(await send(bench)) == 1
    third = await bench.accept(to="+33600000001")
    assert await send(bench) == []
    known = await bench.accept()
    assert ids(await send(bench)) == [known.id]
    assert (await bench.get(third.id)).status is not Status.SENT


async def test_counts_begin_with_what_was_sent_before_there_were_limits(
    place: Place, store: Store, clock: ManualClock
) -> None:
    without = await bench_with(place, store, clock, sim1={})
    for to in (NUMBER, BELGIAN):
        await without.accept(to=to)
    assert len(await send(without)) == 2
    limited = with_modems(without.settings, sim1={"limits": SimLimits(per_day=3)})
    without.gate = Gate(limited)
    for to in (NUMBER, BELGIAN):
        await without.accept(to=to)
    assert len(await send(without)) == 1


async def test_another_modem_takes_what_a_full_sim_cannot(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={"limits": SimLimits(per_minute=1)}, sim2={})
    for at in range(3):
        await bench.accept(to=f"+3360000000{at}")
    assert len(await send(bench, SIM1)) == 1
    assert len(await send(bench, SIM2, most=1)) == 1
    clock.advance(timedelta(minutes=1))
    assert len(await send(bench, SIM1)) == 1


async def test_a_person_keeps_the_sim_that_wrote_to_them_for_a_moment(
    place: Place, store: Store, clock: ManualClock
) -> None:
    bench = await bench_with(place, store, clock, sim1={}, sim2={})
    bench.gate.line.usable = lambda: ("sim1", "sim2")
    await bench.accept()
    assert len(await send(bench, SIM2)) == 1
    second = await bench.accept()
    assert await bench.next(SIM1) is None
    assert ids(await send(bench, SIM2)) == [second.id]
    # Who is busy is waited for only so long, and what is urgent waits for nobody.
    third = await bench.accept()
    assert await bench.next(SIM1) is None
    clock.advance(timedelta(seconds=2))
    assert ids(await send(bench, SIM1)) == [third.id]
    alert = await bench.accept(category="emergency")
    assert ids(await send(bench, SIM2)) == [alert.id]
    # A SIM that cannot send now is not waited for at all.
    bench.gate.line.usable = lambda: ("sim1",)
    last = await bench.accept()
    assert ids(await send(bench, SIM1)) == [last.id]


async def test_a_doubtful_modem_leaves_messages_to_others(place: Place, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(place, store, clock, sim1={}, sim2={})
    bench.gate.line.usable = lambda: ("sim1", "sim2")
    for at in range(3):
        await bench.accept(to=f"+3360000000{at}")
        marked = await bench.next(SIM1)
        assert marked is not None
        await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout")
    message = await bench.accept()
    assert await bench.next(SIM1) is None
    clock.advance(timedelta(seconds=30))
    assert ids(await send(bench, SIM1)) == [message.id]
    await bench.accept(to=BELGIAN)
    assert len(await send(bench, SIM1)) == 1


async def test_one_step_from_lane_to_lane(bench: Bench) -> None:
    await bench.accept()
    await bench.accept(to=BELGIAN)
    await bench.accept(to="+33600000001", category="emergency")
    found = await bench.store.read(lanes.waiting)
    assert len(found) == 2


async def test_what_waits_for_a_sim_is_shown_with_the_instant_and_is_not_written_to(
    place: Place, store: Store, clock: ManualClock
) -> None:
    bench = await bench_with(place, store, clock, sim1={"limits": SimLimits(per_minute=1)}, sim2={})
    clock.advance(timedelta(seconds=20))
    service = Messages(store, clock, bench.intake, lambda: None, settings=bench.settings, book=bench.book)
    waits = [await bench.accept(to=f"+3360000000{at}") for at in range(3)]
    wanted = await bench.accept(to="+33600000009", modem="sim1")
    alert = await bench.accept(to="+33600000008", category="emergency", send_us=clock.now_us() + 10**6)
    assert len(await send(bench, SIM1)) == 1
    # The second modem has room for them; for what wants the first alone there is none.
    assert (await service.get(bench.principal, waits[1].id)).status is Status.QUEUED
    held = await service.get(bench.principal, wanted.id)
    assert held.status is Status.HELD
    assert held.hold is not None
    assert (held.hold.rule, held.hold.until_us) == (Rule.SIM_LIMIT, clock.now_us() + 40 * 10**6)
    assert "1 parts a minute" in held.hold.detail
    again = await bench.accept(to="+33600000007", modem="sim1")
    assert again.status is Status.HELD

    async def shown(word: str) -> set[str]:
        page = await service.list(bench.principal, MessageFilter(status=(word,)), limit=50, cursor=None)
        assert all(each.status == word for each in page.items)
        return {each.id for each in page.items}

    assert await shown("held") == {wanted.id, again.id, alert.id}
    assert await shown("queued") == {waits[1].id, waits[2].id}
    clock.advance(timedelta(seconds=40))
    assert (await service.get(bench.principal, wanted.id)).status is Status.QUEUED
