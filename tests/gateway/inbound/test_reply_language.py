"""Automatic replies are in what the contact reads, where there is a text in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update
from support.bench import NUMBER, Bench, delivers, make_bench
from support.clock import ManualClock
from support.settings import settings_in

from drivers.events import NO_RECEIPT, DeliverReceived
from gateway.address import AddressKind
from gateway.config.reply_texts import TEXTS
from gateway.config.settings import ReplySettings
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Inbox
from gateway.inbound.replies import Replies
from gateway.store import recipients
from gateway.store.database import Store
from gateway.store.schema import message, recipient

ORIGIN = Origin("sim1", "test-1", "8933")
OWN = {"da": {"stop": "Farvel."}}


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    """A gateway whose own language is French, and whose owner wrote a text in Danish."""
    settings = replace(settings_in(tmp_path), replies=ReplySettings(texts=OWN))
    return await make_bench(settings, store, clock)


async def answered(bench: Bench, text: str, language: str | None) -> str | None:
    """What a person is answered who reads this."""
    lookup = bench.store.fingerprint(NUMBER)
    bench.clock.advance(timedelta(seconds=1))
    now_us = bench.clock.now_us()
    taken = Inbox(bench.ids, Replies(bench.settings, bench.ids))

    def work(connection: Connection) -> str | None:
        person = recipients.ensure(connection, NUMBER, AddressKind.E164, lookup, now_us)
        connection.execute(update(recipient).where(recipient.c.id == person).values(language=language))
        for deliver, raw in delivers(NUMBER, text, now_us):
            arrival = arrival_of(DeliverReceived(deliver, None, raw, NO_RECEIPT), ORIGIN, "FR")
            taken.take(connection, arrival, lookup, ORIGIN, now_us)
        return connection.scalar(select(message.c.text).where(message.c.reply_to_inbox_id.is_not(None)))

    return await bench.store.write(work)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, TEXTS["fr"]["stop"]),
        ("de", TEXTS["de"]["stop"]),
        ("de-AT", TEXTS["de"]["stop"]),
        ("PT-br", TEXTS["pt"]["stop"]),
        ("da", "Farvel."),
        # Nobody wrote one.
        ("eu", TEXTS["fr"]["stop"]),
        ("zh-Hant", TEXTS["fr"]["stop"]),
    ],
)
async def test_a_stop_is_confirmed_in_what_the_person_reads(bench: Bench, language: str | None, expected: str) -> None:
    assert await answered(bench, "STOP", language) == expected


async def test_help_is_given_in_what_the_person_reads(bench: Bench) -> None:
    assert await answered(bench, "HELP", "it") == TEXTS["it"]["help"].replace("{sender_name}: ", "")
