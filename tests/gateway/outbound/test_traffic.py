"""Caps of all that is sent and of what is sent to some numbers: what a stolen token can cost at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection
from support.bench import NUMBER, SIM1, Bench

from gateway.config.limits import TrafficSettings
from gateway.message import PartEvent, Rule, Status
from gateway.outbound.gate import Gate
from gateway.requests import NewMessage, Submission
from gateway.store import events, pauses, traffic

OTHER_HOST = replace(SIM1, name="sim2", node="test-2", iccid="8934")
REAL = replace(SIM1, simulated=False)
IVORIAN, DAY_US = "+22507", 24 * 3600 * 1_000_000


def _gate(bench: Bench, *caps: str, prefixes: Mapping[str, tuple[str, ...]] | None = None) -> Gate:
    """A gateway that starts with these caps."""
    return Gate(replace(bench.settings, traffic=TrafficSettings(caps, prefixes or {})))


async def _hand_in(bench: Bench, count: int, start: str, round_: int = 0, **fields: object) -> list[str]:
    """So many messages, each to another number that begins so."""
    to = [f"{start}{round_:04}{at:04}" for at in range(count)]
    new = [Submission(NewMessage(number, "hello", **fields)) for number in to]  # type: ignore[arg-type]
    return [each.id for each in await bench.intake.accept_all(bench.principal, new)]


async def _told(bench: Bench) -> list[tuple[str, str | None]]:
    rows, _ = await bench.store.read(lambda connection: events.after(connection, events.Cursor(), 10_000))
    return [
        (row.type, row.detail) for row in rows if row.type in {"traffic.limit", "rule.bypassed", "traffic.new_country"}
    ]


async def test_a_stolen_token_costs_no_more_than_the_caps(bench: Bench, tell) -> None:
    """Two hosts send for three days whatever is handed in, both start anew all the time, and the month changes."""
    caps = {"prefixes": {"+225": ("5/24h",), "+22505": ("2/24h",)}}
    sent: list[tuple[int, str]] = []
    overruns = 0
    for hour in range(0, 72, 6):
        for start in ("+22507", "+22505", "+336"):
            await _hand_in(bench, 3, start, hour, expires_us=bench.clock.now_us() + 5 * DAY_US)
        for modem in (SIM1, OTHER_HOST):
            bench.gate = _gate(bench, "20/24h", **caps)
            for _ in range(6):
                marked = await bench.next(modem)
                if marked is None:
                    break
                sent.append((bench.clock.now_us(), (await bench.get(marked.message_id)).to))
                await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=len(sent) % 256)
        for beginning, most in (("+", 20), ("+22507", 5), ("+22505", 2)):
            recent = [to for at_us, to in sent if at_us > bench.clock.now_us() - DAY_US and to.startswith(beginning)]
            overruns += len(recent) > most
        bench.clock.advance(timedelta(hours=6))
        await bench.upkeep()
    assert overruns == 0
    by_prefix = {each: sum(to.startswith(each) for _, to in sent) for each in ("+22507", "+22505", "+336")}
    assert by_prefix["+22507"] in range(10, 16)
    assert by_prefix["+22505"] in range(4, 7)
    assert len(sent) in range(40, 61)
    tell(f"S06: 108 messages of a stolen token in 72 h, two hosts: sent {len(sent)} {by_prefix}, overruns {overruns}")
    tell(f"S07: the gateway's caps over 24 starts at two hosts and 72 h: overruns {overruns}")


async def test_what_goes_beyond_waits_and_is_told_why(bench: Bench) -> None:
    bench.gate = _gate(bench, prefixes={"+225": ("2/24h",)})
    first, second, third = await _hand_in(bench, 3, IVORIAN)
    french = await bench.accept(to=NUMBER)
    assert {each.message_id for each in await bench.send_all()} == {first, second, french.id}
    waiting = await bench.get(third)
    assert waiting.status is Status.HELD
    assert waiting.hold is not None
    assert waiting.hold.until_us is not None
    assert (waiting.hold.rule, waiting.hold.detail) == (
        Rule.CAP,
        'traffic.prefixes."+225": 2/24h in parts leaves no room',
    )
    assert await _told(bench) == [("traffic.limit", 'traffic.prefixes."+225": 2/24h in parts is reached')]
    bench.clock.advance(timedelta(microseconds=waiting.hold.until_us - bench.clock.now_us()))
    await bench.upkeep()
    # It outlived its day; one that did not leaves at that moment.
    late = await _hand_in(bench, 1, IVORIAN, 1)
    assert [each.message_id for each in await bench.send_all()] == late


async def test_all_parts_of_a_message_count_before_its_first_leaves(bench: Bench) -> None:
    bench.gate = _gate(bench, "4/24h")
    long = await bench.accept(text="x" * 400)
    other = await bench.accept(to="+33612345679", text="x" * 200)
    never = await bench.accept(to="+33612345670", text="x" * 1000)
    assert [each.message_id for each in await bench.send_all()] == [long.id] * 3
    held = await bench.get(other.id)
    assert held.hold is not None
    assert held.hold.until_us is not None
    # Nothing makes room for seven parts under a cap of four.
    hold = (await bench.get(never.id)).hold
    assert hold is not None
    assert hold.until_us is None


async def test_an_emergency_leaves_and_is_told_of(bench: Bench) -> None:
    bench.gate = _gate(bench, "1/24h")
    await bench.accept()
    await bench.accept(to="+33612345679", category="emergency")
    await bench.accept(to="+33612345670", category="emergency")
    assert len(await bench.send_all()) == 2
    assert sorted(kind for kind, _ in await _told(bench)) == ["rule.bypassed", "traffic.limit"]


async def test_what_only_tests_does_not_count(bench: Bench) -> None:
    bench.gate = _gate(bench, "1/24h")
    for at in range(3):
        await bench.intake.accept(replace(bench.principal, test=True), NewMessage(f"+3361234567{at}", "x"))
    live = await bench.accept()
    assert len(await bench.send_all()) == 4
    assert (await bench.get(live.id)).status is Status.SENT


async def test_a_cap_that_is_new_counts_what_was_sent_before(bench: Bench) -> None:
    await _hand_in(bench, 3, IVORIAN)
    await bench.accept()
    assert len(await bench.send_all()) == 4
    for caps, room in (((), 5), (("6/1h",), 2)):
        bench.gate = _gate(bench, *caps, prefixes={"+225": ("3/1h",)})
        await _hand_in(bench, 9, IVORIAN, room)
        await _hand_in(bench, room + 1, "+336", room)
        sent = [(await bench.get(each.message_id)).to for each in await bench.send_all()]
        assert not any(to.startswith("+225") for to in sent)
        assert len(sent) == (6 if not caps else 0)
    # Taken away and put back, it counts again what was sent meanwhile.
    await bench.store.write(lambda connection: traffic.forget_uncapped(connection, ()))
    bench.gate = _gate(bench, "10/1h")
    assert await bench.next() is None


async def test_nothing_is_asked_where_there_is_no_cap(bench: Bench) -> None:
    await bench.accept()
    assert await bench.send_all()
    assert await bench.store.write(lambda connection: traffic.used(connection, "/86400", 0)) is None


async def test_a_clock_that_is_set_back_gives_no_room(bench: Bench, tell) -> None:
    bench.gate = _gate(bench, "2/24h")
    await _hand_in(bench, 2, "+336")
    assert len(await bench.send_all()) == 2
    bench.clock.set_wall(bench.clock.now_us() - 2 * DAY_US)
    await _hand_in(bench, 2, "+336", 1)
    sent = len(await bench.send_all())
    assert sent == 0
    tell(f"S07: the clock set back by two days under a cap that is spent: sent {sent}")


async def test_the_first_message_to_a_country_is_told_of_once(bench: Bench) -> None:
    async def send(number: str) -> None:
        message = await bench.accept(to=number)
        marked = await bench.next(REAL)
        assert marked is not None
        assert marked.message_id == message.id
        await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)

    for number in (NUMBER, IVORIAN + "12345678", "+32470123456", IVORIAN + "12345679"):
        await send(number)
    bench.gate = _gate(bench)
    await send(IVORIAN + "12345670")
    told = [detail for kind, detail in await _told(bench) if kind == "traffic.new_country"]
    assert told == ["the first message to CI", "the first message to BE"]


async def test_the_kill_switch_ends_a_burst_at_once(bench: Bench, tell) -> None:
    await _hand_in(bench, 50, "+336")
    assert await bench.next() is not None

    def pause(connection: Connection) -> None:
        pauses.add(connection, (), bench.clock.now_us(), by="test")

    await bench.store.write(pause)
    marked = 0
    while await bench.next() is not None:
        marked += 1
    assert marked == 0
    tell(f"S06: parts marked after the answer of the kill switch, 49 waiting: {marked}")
