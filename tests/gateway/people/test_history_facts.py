"""What a filter may ask of history, consents and opt-outs, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.crowd import Someone, fill
from support.settings import category, settings_in

from gateway.config.settings import Settings
from gateway.message import ConsentState
from gateway.people.aside import Aside
from gateway.people.audience import Audience
from gateway.people.expression_fields import HISTORY
from gateway.requests import NewMessage
from gateway.store import consents, contact_history, optouts
from gateway.store.consents import NewConsent
from gateway.store.database import Store
from gateway.store.schema import inbox, message
from gateway.store.schema_campaigns import campaign
from gateway.store.schema_links import click, conversion, link

OTHER = "+33622222222"
DAY_US = 86_400_000_000


@dataclass
class Past:
    """Two people whom the owner knows, and what was."""

    bench: Bench
    audience: Audience
    ids: dict[str, int]

    async def members(self, source: str) -> set[str]:
        found: set[str] = set()
        async for step in self.audience.crowd.steps([source]):
            found |= {step.rows[at].number for at in step.judged.members}
            assert not step.judged.failed
        return found

    async def sent(self, number: str, *, ago_us: int, delivered: bool = False, test: bool = False) -> None:
        """A message to somebody that left so long ago."""
        bench, at_us = self.bench, self.bench.clock.now_us() - ago_us
        principal = replace(bench.principal, test=test)
        made = await bench.intake.accept(principal, NewMessage(number, "hello"))
        values = {"sent_us": at_us, "delivered_us": at_us if delivered else None}
        await bench.store.write(lambda c: c.execute(update(message).where(message.c.id == made.id).values(**values)))

    async def wrote(self, number: str, *, ago_us: int) -> None:
        """What somebody wrote to us."""
        row = {
            "id": self.bench.ids.new(),
            "recipient_id": self.ids[number],
            "modem": "sim1",
            "node": "test-1",
            "parts": 1,
            "received_us": self.bench.clock.now_us() - ago_us,
        }
        await self.bench.store.write(lambda c: c.execute(insert(inbox).values(**row)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, categories=(category("promotional", consent="opt_in"),))


@pytest.fixture
async def past(settings: Settings, store: Store, clock: ManualClock) -> AsyncIterator[Past]:
    aside = Aside()
    ids = await fill(store, [Someone(number=NUMBER), Someone(number=OTHER)])
    yield Past(await make_bench(settings, store, clock), Audience(settings, store, clock, aside), ids)
    await aside.close()


async def test_what_was_sent_delivered_and_answered(past: Past):
    await past.sent(NUMBER, ago_us=3 * DAY_US, delivered=True)
    await past.sent(NUMBER, ago_us=DAY_US)
    await past.sent(OTHER, ago_us=400 * DAY_US, delivered=True)
    await past.wrote(NUMBER, ago_us=2 * DAY_US)
    assert await past.members("days_since(last_sent) == 1") == {NUMBER}
    assert await past.members("days_since(last_delivered) == 3") == {NUMBER}
    assert await past.members("days_since(last_replied) == 2") == {NUMBER}
    assert await past.members("sent_count == 2 && delivered_count == 1 && reply_count == 1") == {NUMBER}
    # More than a year ago: the last time is known, and nothing is counted.
    assert await past.members("days_since(last_sent) == 400 && sent_count == 0 && !has(last_replied)") == {OTHER}


async def test_what_test_tokens_send_is_no_history(past: Past):
    await past.sent(NUMBER, ago_us=DAY_US, test=True)
    assert await past.members("has(last_sent) || sent_count > 0") == set()


async def test_consents_and_opt_outs_as_they_stand(past: Past):
    person, other = past.ids[NUMBER], past.ids[OTHER]

    def work(connection: Connection) -> None:
        for state, at_us in ((ConsentState.WITHDRAWN, 1), (ConsentState.GIVEN, 2)):
            entry = NewConsent(recipient_id=person, category="promotional", state=state, at_us=at_us, recorded_us=3)
            consents.record(connection, entry)
        optouts.add(connection, other, "", 1, source="api")
        optouts.leave_out(connection, other, "promotional", 2, by="api")

    await past.bench.store.write(work)
    assert await past.members('consent.promotional == "given"') == {NUMBER}
    assert await past.members('consent.promotional == ""') == {OTHER}
    assert await past.members("opted_out") == {OTHER}
    assert await past.members("opted_out_of.transactional") == {OTHER}
    assert await past.members("opted_out_of.promotional") == set()


async def test_who_followed_a_link_and_what_came_of_it(past: Past):
    """A program's visit is none, and what a test message led to is none either."""
    now_us = past.bench.clock.now_us()
    tried = await past.bench.intake.accept(replace(past.bench.principal, test=True), NewMessage(OTHER, "hello"))

    def work(connection: Connection) -> None:
        words = {"name": "spring", "status": "finished", "category": "promotional", "audience": "live", "wanted": "{}"}
        connection.execute(insert(campaign).values(id="c" * 32, created_us=1, **words))
        for code_, number, message_id in (("a", NUMBER, None), ("b", OTHER, None), ("t", OTHER, tried.id)):
            made = {"code": code_, "campaign_id": "c" * 32, "recipient_id": past.ids[number], "message_id": message_id}
            connection.execute(insert(link).values(url="https://example.org", created_us=1, **made))
        for code_, bot in (("a", False), ("a", False), ("b", True), ("t", False)):
            connection.execute(insert(click).values(code=code_, at_us=now_us - DAY_US, bot=bot, agent="x"))
        for number, message_id in ((OTHER, None), (NUMBER, tried.id)):
            made = {"recipient_id": past.ids[number], "message_id": message_id, "kind": "sale", "token_id": 0}
            connection.execute(insert(conversion).values(at_us=now_us - 2 * DAY_US, created_us=now_us, **made))

    await past.bench.store.write(work)
    assert await past.members("days_since(last_clicked) == 1 && click_count == 2") == {NUMBER}
    assert await past.members("has(last_clicked)") == {NUMBER}
    assert await past.members("days_since(last_converted) == 2 && conversion_count == 1") == {OTHER}
    assert await past.members("days_since(last_clicked) > 20000 && click_count == 0") == {OTHER}


def test_every_field_of_history_has_its_question():
    assert set(contact_history.QUESTIONS) == set(HISTORY)


async def test_people_are_asked_of_in_few_statements(past: Past):
    """Of a step, not of each."""
    await fill(past.bench.store, [Someone(number=f"+3361{each:07}") for each in range(600)])
    assert len(await past.members("days_since(last_sent) > 1 && !opted_out")) == 602


async def test_nothing_that_a_contact_says_is_written_anywhere(past: Past, capfd: pytest.CaptureFixture[str]):
    """Functions that fail for somebody's value say so to nobody."""
    await fill(past.bench.store, [Someone(number="+33622222223", name="Marie Curie")])
    counted = await past.audience.count_filters(["timestamp(name) < now || int(name) > 3 || date(name) < today"])
    assert (counted.matched, counted.failed) == (0, 1)
    written = capfd.readouterr()
    assert "Marie" not in written.out + written.err
