"""What is asked for again and again rings once, and says how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.settings import category, settings_in

from drivers.tpdu import SmsSubmit
from gateway.config.settings import StormSettings
from gateway.message import Message, PartEvent, Rule, Status
from gateway.outbound.gate import Marked
from gateway.requests import NewMessage, Submission
from gateway.services.messages import _timeline
from gateway.store import messages
from gateway.store.database import Store

TEXT = "Pump 3 is off"
SPAN = timedelta(minutes=10)
DAY_US = 24 * 3600 * 1_000_000


async def bench_with(folder: Path, store: Store, clock: ManualClock, storms: StormSettings) -> Bench:
    own = (category("fire", priority=9, sim_limits="ignore"), category("short", max_parts=1))
    return await make_bench(replace(settings_in(folder, categories=own), storms=storms), store, clock)


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    return await bench_with(tmp_path, store, clock, StormSettings())


@pytest.fixture
async def bursting(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    return await bench_with(tmp_path, store, clock, StormSettings(burst="3/10m"))


def texts(sent: Sequence[Marked]) -> list[str]:
    return [SmsSubmit.from_bytes(each.octets).tp_ud.text or "" for each in sent]


async def group(bench: Bench, *wanted: NewMessage) -> list[Message]:
    accepted = await bench.intake.accept_all(bench.principal, [Submission(each) for each in wanted])
    return [await bench.get(each.id) for each in accepted]


async def history(bench: Bench, message_id: str) -> list[tuple[str, str | None]]:
    def work(connection):
        found = messages.get(connection, message_id)
        return [(item.event, item.detail) for item in _timeline(connection, found)]

    return await bench.store.read(work)


async def later(bench: Bench, span: timedelta = SPAN) -> None:
    bench.clock.advance(span)
    await bench.upkeep()


async def test_what_waits_takes_the_others_along_and_says_how_many(bench: Bench) -> None:
    first = await bench.accept(text=TEXT)
    others = [await bench.accept(text=TEXT) for _ in range(4)]
    for each in others:
        assert (each.status, each.error_code) == (Status.CANCELED, "storm")
        assert first.id in (each.error_message or "")
        assert await bench.get(each.id) == each
    told = await bench.get(first.id)
    assert (told.status, told.repeats, told.text) == (Status.QUEUED, 4, TEXT)
    assert [(each.code, each.message) for each in told.warnings] == [
        ("storm", "asked for 5 times in all, counting what was joined to it")
    ]
    assert [detail for event, detail in await history(bench, first.id) if event == "message.joined"] == [
        "joined by others: asked for 2 times in all",
        "joined by others: asked for 4 times in all",
    ]
    assert (await history(bench, others[0].id)) == [("message.canceled", others[0].error_message)]
    assert texts(await bench.send_all()) == [f"{TEXT} (5x)"]


async def test_after_it_left_one_follows_up_when_the_span_is_over(bench: Bench, clock: ManualClock) -> None:
    await bench.accept(text=TEXT)
    assert texts(await bench.send_all()) == [TEXT]
    left_us = clock.now_us()
    await later(bench, timedelta(minutes=3))
    follow = await bench.accept(text=TEXT)
    assert follow.hold is not None
    assert (follow.status, follow.hold.rule, follow.hold.until_us) == (Status.HELD, Rule.STORM, left_us + 600_000_000)
    assert follow.expires_us == left_us + 600_000_000 + DAY_US
    joined = [(await bench.accept(text=TEXT)).error_code for _ in range(7)]
    assert joined == ["storm"] * 7
    await later(bench, timedelta(minutes=6, seconds=59))
    assert await bench.send_all() == []
    await later(bench, timedelta(seconds=1))
    assert texts(await bench.send_all()) == [f"{TEXT} (9x)"]
    # The next goes on counting; once a span was quiet the count begins anew.
    await later(bench, timedelta(minutes=9))
    assert (await bench.accept(text=TEXT)).status is Status.HELD
    await later(bench, timedelta(minutes=1))
    assert texts(await bench.send_all()) == [f"{TEXT} (10x)"]
    await later(bench)
    assert (await bench.accept(text=TEXT)).status is Status.QUEUED
    assert texts(await bench.send_all()) == [TEXT]


async def test_only_the_same_is_joined(bench: Bench) -> None:
    await bench.accept(text=TEXT)
    testing = replace(bench.principal, test=True)
    bench.principal = testing
    different = [
        await bench.accept(text=TEXT),
        await bench.accept(text=TEXT.upper()),
        await bench.accept(text=TEXT, to="+33612345679"),
        await bench.accept(text=TEXT, category="emergency"),
        await bench.accept(text=TEXT, flash=True),
        await bench.accept(text=TEXT, modem="sim1"),
        await bench.accept(text=TEXT, expect=("OK",)),
        await bench.accept(text=TEXT, send_us=bench.clock.now_us() + DAY_US // 4),
        await bench.accept(text=TEXT, about_us=bench.clock.now_us() + DAY_US // 2),
    ]
    assert {each.error_code for each in different} == {None}
    again = await bench.accept(text=TEXT, send_us=bench.clock.now_us() + DAY_US // 4)
    assert (again.error_message or "").endswith(different[7].id)


async def test_a_group_is_joined_within_itself_and_replacing_stands_alone(bench: Bench) -> None:
    same = NewMessage(NUMBER, TEXT, reference="pump")
    found = await group(bench, same, NewMessage(NUMBER, "another"), same, same, replace(same, replaces=True), same)
    statuses = [each.status for each in found]
    waiting = [at for at, status in enumerate(statuses) if status is Status.QUEUED]
    assert waiting == [1, 4]
    assert found[5].error_message == (
        f"the same text to the same number was waiting already: joined to message {found[4].id}"
    )
    assert texts(await bench.send_all()) == ["another", f"{TEXT} (2x)"]
    # Nor does it wait for the one before.
    assert (await group(bench, replace(same, replaces=True)))[0].status is Status.QUEUED


async def test_a_carrier_that_is_cancelled_tells_how_many_it_takes_along(bench: Bench) -> None:
    first = await bench.accept(text=TEXT, reference="pump")
    await group(bench, *[NewMessage(NUMBER, TEXT, reference="pump")] * 2)
    other = await bench.accept(text=TEXT, reference="valve")
    assert other.status is Status.QUEUED, "what is asked for under another reference is not joined"
    await bench.accept(text="Pump 3 is on", reference="pump", replaces=True)
    assert (await history(bench, first.id))[-1] == (
        "message.canceled",
        "replaced by another message; 2 joined to it end with it",
    )
    assert (await bench.get(other.id)).status is Status.QUEUED
    assert (await bench.accept(text=TEXT)).status is Status.QUEUED


async def test_what_came_to_nothing_is_not_counted(bench: Bench, clock: ManualClock) -> None:
    await bench.accept(text=TEXT)
    marked = await bench.next()
    assert marked is not None
    follow = await bench.accept(text=TEXT)
    assert follow.status is Status.HELD
    # The follow-up of one that did not leave does not wait for its hour.
    await bench.settle(marked, PartEvent.REFUSED, code="cms_38", sentence="refused")
    assert (await bench.get(follow.id)).status is Status.QUEUED
    assert ("message.queued", "the one before it did not leave") in await history(bench, follow.id)
    assert texts(await bench.send_all()) == [f"{TEXT} (2x)"]
    short = await bench.accept(text="late", expires_us=clock.now_us() + 1_000_000)
    await later(bench, timedelta(seconds=2))
    assert (await bench.get(short.id)).status is Status.EXPIRED
    assert (await bench.accept(text="late")).status is Status.QUEUED


async def test_who_speaks_for_others_lives_as_long_as_they(bench: Bench, clock: ManualClock) -> None:
    first = await bench.accept(text=TEXT, expires_us=clock.now_us() + 60_000_000)
    second = await bench.accept(text=TEXT)
    assert second.error_code == "storm"
    assert (await bench.get(first.id)).expires_us == second.expires_us


async def test_what_is_tried_again_takes_no_count_and_has_a_follow_up(bench: Bench, clock: ManualClock) -> None:
    await bench.accept(text=TEXT)
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.RELEASED, next_try_us=clock.now_us() + 1_000_000, counts=True)
    follow = await bench.accept(text=TEXT)
    assert (follow.status, follow.hold and follow.hold.rule) == (Status.HELD, Rule.STORM)
    await later(bench, timedelta(seconds=1))
    assert texts(await bench.send_all()) == [TEXT]
    await later(bench)
    assert texts(await bench.send_all()) == [f"{TEXT} (2x)"]


async def test_a_preview_tells_it_and_changes_nothing(bench: Bench, clock: ManualClock) -> None:
    new = NewMessage(NUMBER, TEXT)
    assert (await bench.intake.preview(bench.principal, new, None)).decision == "send"
    first = await bench.accept(text=TEXT)
    told = await bench.intake.preview(bench.principal, new, None)
    assert (told.decision, told.rule, told.until_us) == ("hold", Rule.STORM, None)
    assert first.id in told.explanation[0]
    await bench.send_all()
    told = await bench.intake.preview(bench.principal, new, clock.now_us() + 60_000_000)
    assert (told.decision, told.rule, told.until_us) == ("hold", Rule.STORM, clock.now_us() + 600_000_000)
    assert (await bench.intake.preview(bench.principal, new, clock.now_us() + 600_000_000)).decision == "send"
    assert (await bench.get(first.id)).repeats == 0


async def test_room_is_asked_for_the_count_as_well(bench: Bench) -> None:
    first = await bench.accept(text="x" * 155)
    assert first.parts == 1
    await bench.accept(text="x" * 155)
    assert (await bench.get(first.id)).parts == 2
    assert texts(await bench.send_all()) == ["x" * 155 + " (2x)"]
    assert (await bench.get(first.id)).parts == 1
    assert (await bench.accept(text="x" * 155)).parts == 2


async def test_a_count_that_would_take_a_part_too_many_is_left_out(bench: Bench) -> None:
    await group(bench, *[NewMessage(NUMBER, "x" * 160, "short")] * 3)
    assert texts(await bench.send_all()) == ["x" * 160]


async def test_about_an_event_nothing_follows_up_that_would_come_too_late(bench: Bench, clock: ManualClock) -> None:
    soon = clock.now_us() + 300_000_000
    await bench.accept(text=TEXT, about_us=soon)
    assert texts(await bench.send_all()) == [TEXT]
    assert (await bench.accept(text=TEXT, about_us=soon)).status is Status.QUEUED


async def test_nothing_is_joined_where_storms_are_off(tmp_path: Path, store: Store, clock: ManualClock) -> None:
    bench = await bench_with(tmp_path, store, clock, StormSettings(identical_us=None))
    await group(bench, *[NewMessage(NUMBER, TEXT)] * 3)
    assert texts(await bench.send_all()) == [TEXT] * 3


async def test_an_automatic_reply_is_neither_joined_nor_joined_to(bench: Bench, clock: ManualClock) -> None:
    first = await bench.accept(text=TEXT)

    def reply(connection) -> None:
        row = connection.exec_driver_sql("SELECT recipient_id FROM message").scalar_one()
        messages.add(
            connection,
            messages.NewRow(
                id=bench.ids.new(), recipient_id=row, category="transactional", priority=5, stoppable=False, test=False,
                text=TEXT, encoding=first.encoding, parts=1, lane="", on_uncertain="never", simulated=True,
                status=Status.QUEUED, created_us=clock.now_us(), due_us=clock.now_us(),
                expires_us=clock.now_us() + DAY_US, reply_to_inbox_id="0" * 32,
            ),
        )  # fmt: skip

    await bench.store.write(reply)
    assert (await bench.get(first.id)).status is Status.QUEUED
    assert (await bench.accept(text=TEXT)).error_message == (
        f"the same text to the same number was waiting already: joined to message {first.id}"
    )


async def test_a_flood_of_texts_becomes_a_digest(bursting: Bench, clock: ManualClock) -> None:
    bench = bursting
    begun_us = clock.now_us()
    for at in range(3):
        assert (await bench.accept(text=f"alarm {at}")).status is Status.QUEUED
        await bench.send_all()
        await later(bench, timedelta(minutes=1))
    carrier = await bench.accept(text="alarm 3")
    assert carrier.hold is not None
    assert (carrier.hold.rule, carrier.hold.until_us) == (Rule.STORM, begun_us + 600_000_000)
    joined = await group(bench, *[NewMessage(NUMBER, f"alarm {at}") for at in (4, 5, 4, 3)])
    assert [each.error_code for each in joined] == ["storm"] * 4
    # Of another category, of another token, or bound to something: not among them.
    apart = await group(
        bench,
        NewMessage(NUMBER, "otherwise", "short"),
        NewMessage(NUMBER, "flashing", flash=True),
        NewMessage(NUMBER, "asking", expect=("OK",)),
    )
    assert [each.status for each in apart] == [Status.QUEUED] * 3
    await bench.send_all()
    await later(bench, timedelta(minutes=7))
    assert texts(await bench.send_all()) == ["5 messages: alarm 3 (2x) / alarm 4 (2x) / alarm 5"]


async def test_different_texts_of_an_emergency_all_leave(bursting: Bench) -> None:
    for name in ("emergency", "fire"):
        await group(bursting, *[NewMessage(NUMBER, f"{name} {at}", name) for at in range(20)])
        sent = texts(await bursting.send_all())
        assert sorted(sent) == sorted(f"{name} {at}" for at in range(20))


async def test_those_of_an_emergency_too_where_that_is_asked_for(
    tmp_path: Path, store: Store, clock: ManualClock
) -> None:
    bench = await bench_with(tmp_path, store, clock, StormSettings(burst="3/10m", emergency=True))
    found = await group(bench, *[NewMessage(NUMBER, f"fire {at}", "emergency") for at in range(20)])
    assert [each.status for each in found] == [Status.QUEUED] * 3 + [Status.HELD] + [Status.CANCELED] * 16
    assert len(await bench.send_all()) == 3
    await later(bench)
    digest = "".join(texts(await bench.send_all()))
    assert digest.startswith("17 messages: fire 3 / fire 4 / ")


async def test_a_stop_ends_what_carries_others(bench: Bench, clock: ManualClock) -> None:
    first = await bench.accept(text=TEXT)
    await bench.accept(text=TEXT)

    def stop(connection) -> None:
        person = connection.exec_driver_sql("SELECT recipient_id FROM message").scalar()
        messages.end_all_waiting(
            connection, person, ["transactional"], clock.now_us(), status=Status.SUPPRESSED, code="opt_out",
            sentence="the recipient opted out",
        )  # fmt: skip

    await bench.store.write(stop)
    assert (await history(bench, first.id))[-1] == (
        "message.suppressed",
        "the recipient opted out; 1 joined to it end with it",
    )
    assert await bench.send_all() == []
