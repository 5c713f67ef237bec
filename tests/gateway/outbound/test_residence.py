"""Where a person is: by the contact, else by the number, else where the gateway is. On both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.settings import category, settings_in

from gateway.address import AddressKind
from gateway.clock import from_datetime
from gateway.config.country import ProfileSettings
from gateway.message import PartEvent, Rule, Status
from gateway.requests import NewMessage, Submission
from gateway.store import recipients
from gateway.store.database import Store
from gateway.store.schema import recipient

#: Réunion is three hours ahead of Paris in winter, and has the holidays of France.
REUNION = "Indian/Reunion"
NIGHT = category("transactional", quiet_hours=("21:00-08:00",))
ADVERTISING = category(
    "promotional", quiet_hours=("holidays",), profile="{country}", preferred=("mon-fri 17:00-18:00",)
)


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    plain = settings_in(tmp_path, categories=(NIGHT, ADVERTISING))
    profiles = {"FR": ProfileSettings(promotional_over_sim=True)}
    # A Monday, 18:30 in Paris and 21:30 in Réunion.
    clock.advance(timedelta(microseconds=at("2026-01-05T17:30:00") - clock.now_us()))
    return await make_bench(replace(plain, profiles=profiles), store, clock)


async def live(bench: Bench, timezone: str | None, country: str | None = None, number: str = NUMBER) -> None:
    """What a contact says of where somebody lives."""
    lookup, now_us = bench.store.fingerprint(number), bench.clock.now_us()

    def work(connection: Connection) -> None:
        person = recipients.ensure(connection, number, AddressKind.E164, lookup, now_us)
        values = {"timezone": timezone, "country": country}
        connection.execute(update(recipient).where(recipient.c.id == person).values(**values))

    await bench.store.write(work)


async def test_the_zone_of_the_contact_goes_before_that_of_the_number(bench: Bench) -> None:
    await live(bench, REUNION)
    held = await bench.accept()
    assert (held.status, held.hold and held.hold.rule) == (Status.HELD, Rule.QUIET_HOURS)
    # Eight in the morning there.
    assert held.hold is not None
    assert held.hold.until_us == at("2026-01-06T04:00:00")
    assert (await bench.accept("+33612345679")).status is Status.QUEUED


async def test_a_preview_says_what_will_be_said_at_the_door(bench: Bench) -> None:
    new = NewMessage(NUMBER, "Bonjour")
    assert (await bench.intake.preview(bench.principal, new, None)).decision == "send"
    await live(bench, REUNION)
    told = await bench.intake.preview(bench.principal, new, None)
    assert (told.decision, told.rule, told.until_us) == ("hold", Rule.QUIET_HOURS, at("2026-01-06T04:00:00"))
    assert "Indian/Reunion" in told.explanation[0]


async def test_a_batch_knows_each_ones_zone(bench: Bench) -> None:
    await live(bench, REUNION)
    others = [f"+3361234568{each}" for each in range(5)]
    submissions = [Submission(NewMessage(number, "Bonjour")) for number in (others[0], NUMBER, *others[1:])]
    taken = await bench.intake.accept_all(bench.principal, submissions)
    assert [each.status for each in taken] == [Status.QUEUED, Status.HELD, *[Status.QUEUED] * 4]


async def test_a_zone_that_changes_is_asked_again_at_the_next_look(bench: Bench) -> None:
    await live(bench, REUNION)
    held = await bench.accept()
    await live(bench, "America/Martinique")
    bench.clock.advance(timedelta(microseconds=at("2026-01-06T04:00:00") - bench.clock.now_us()))
    await bench.upkeep()
    assert await bench.next() is None
    again = await bench.get(held.id)
    # Midnight in Martinique: four hours behind UTC.
    assert again.hold is not None
    assert (again.status, again.hold.until_us) == (Status.HELD, at("2026-01-06T12:00:00"))
    await live(bench, None)
    bench.clock.advance(timedelta(microseconds=at("2026-01-06T12:00:00") - bench.clock.now_us()))
    await bench.upkeep()
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    assert (await bench.get(held.id)).status is Status.SENT


async def test_a_queued_message_meets_the_zone_that_stands_when_it_would_leave(bench: Bench) -> None:
    queued = await bench.accept()
    assert queued.status is Status.QUEUED
    await live(bench, REUNION)
    assert await bench.next() is None
    held = await bench.get(queued.id)
    assert held.hold is not None
    assert (held.status, held.hold.until_us) == (Status.HELD, at("2026-01-06T04:00:00"))


async def test_holidays_and_profiles_are_those_of_the_contacts_country(bench: Bench) -> None:
    # The third of October is a holiday in Germany, and a Saturday.
    saturday_us = at("2026-10-03T14:00:00")
    new = NewMessage(NUMBER, "Bonjour", "promotional")
    assert (await bench.intake.preview(bench.principal, new, saturday_us)).decision == "send"
    await live(bench, None, "DE")
    told = await bench.intake.preview(bench.principal, new, saturday_us)
    assert told.rule in (Rule.HOLIDAY, Rule.COUNTRY_PROFILE)
    assert told.decision in ("hold", "refuse")


async def test_the_best_moment_is_that_of_the_contacts_zone(bench: Bench) -> None:
    await live(bench, REUNION)
    best = await bench.accept(category="promotional", timing="best")
    assert best.hold is not None
    # Five in the afternoon there, of the next day.
    assert best.hold.until_us == at("2026-01-06T13:00:00")


async def test_what_leaves_rather_earlier_does_so_by_the_contacts_evening(bench: Bench) -> None:
    bench.clock.advance(timedelta(hours=16))
    await live(bench, REUNION)
    event_us = at("2026-01-06T23:00:00")
    held = await bench.accept(send_us=at("2026-01-06T22:00:00"), about_us=event_us)
    assert held.hold is not None
    assert held.hold.until_us == at("2026-01-06T16:59:00")


async def test_a_zone_that_the_data_base_does_not_have_says_nothing(bench: Bench) -> None:
    await live(bench, "Mars/Olympus")
    assert (await bench.accept()).status is Status.QUEUED
