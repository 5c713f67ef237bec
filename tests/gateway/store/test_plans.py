"""Matching by time costs what is uncertain or waiting, never what is finished."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Connection, select
from support.plans import explained

from gateway.store import (
    answered,
    consents,
    contact_history,
    contacts,
    deliveries,
    history,
    optouts,
    questions,
    report_times,
    reports,
    reviews,
    segments,
)
from gateway.store.database import Store
from gateway.store.prepared import Prepared
from gateway.store.schema import message


@pytest.mark.parametrize("people", [1, 30])
async def test_what_people_were_sent_last_is_found_by_index(store: Store, people: int) -> None:
    """However much was sent to anybody."""
    statement, named = answered._of_people._filled(list(range(people)))

    found = await store.read(lambda connection: explained(connection, statement, named))
    assert "ix_message_recipient" in found
    assert "SCAN message" not in found
    assert "Seq Scan on message" not in found


# What the gate asks of every message, and acceptance of every group of people.
_GATE = Prepared(select(message.c.id, consents.state(), reviews.open_of()).where(message.c.id == "0" * 32))


@pytest.mark.parametrize(
    ("statement", "named", "indexes"),
    [
        (_GATE, {}, ["ix_consent_standing", "ix_review_open"]),
        (*consents._of_people._filled(list(range(30))), ["ix_consent_standing"]),
        (*reviews._of_people._filled(list(range(30))), ["ix_review_open"]),
        (consents._latest, {"person": 1, "name": "promotional"}, ["ix_consent_standing"]),
        (consents._all_of_person, {"person": 1}, ["ix_consent_standing"]),
        (questions._followed, {"person": 1, "since_us": 1, "most": 3}, ["ix_message_"]),
    ],
    ids=["at the gate", "consents of people", "reviews of people", "latest", "of one person", "what followed"],
)
async def test_consent_and_doubt_are_found_by_index(
    store: Store, statement: Prepared, named: dict[str, Any], indexes: list[str]
) -> None:
    found = await store.read(lambda connection: explained(connection, statement, named))
    for index in indexes:
        assert index in found
    for table in ("consent", "review", "message"):
        assert f"SCAN {table}" not in found
        assert f"Seq Scan on {table}" not in found


_STOPPED = Prepared(select(message.c.id, optouts.stands()).where(message.c.id == "0" * 32))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (_STOPPED, {}),
        (optouts._stands, {"person": 1, "name": "club", "exception": "+club"}),
        optouts._of_people._filled(list(range(30))),
        (optouts._end_exceptions, {"person": 1, "now_us": 1, "word": "test"}),
    ],
    ids=["at the gate", "of one person", "of people", "exceptions"],
)
async def test_opt_outs_and_their_exceptions_are_found_by_index(
    store: Store, statement: Prepared, named: dict[str, Any]
) -> None:
    found = await store.read(lambda connection: explained(connection, statement, named))
    assert "uq_optout_live" in found
    for table in ("optout", "exception", "message"):
        assert f"SCAN {table}" not in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (history._recent, {"person": 1, "name": "promotional", "since_us": 1, "most": 10, "tests": False}),
        history._of_people._filled([1]),
        history._of_people._filled(list(range(30))),
    ],
    ids=["at the gate", "of one person", "of people"],
)
async def test_what_caps_count_is_found_by_index(store: Store, statement: Prepared, named: dict[str, Any]) -> None:
    """However much was sent to anybody, and whatever else to these people."""
    named = {"since_us": 1, "name": "promotional"} | named
    found = await store.read(lambda connection: explained(connection, statement, named))
    assert "ix_message_begun" in found
    assert "SCAN message" not in found
    assert "Seq Scan on message" not in found
    # What is found comes in the order that is asked for.
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (report_times._uncertain, "ix_attempt_uncertain"),
        (report_times._under_way, "ix_attempt_open"),
        (reports._waiting_by_time, "ix_report_waiting"),
    ],
    ids=["uncertain parts", "parts under way", "waiting reports"],
)
async def test_each_has_an_index_of_its_own(store: Store, statement: Prepared, index: str) -> None:
    def plan(connection: Connection) -> str:
        text = statement._text(connection.dialect)
        raw = connection.connection.driver_connection
        assert raw is not None
        rows = raw.execute(f"EXPLAIN QUERY PLAN {text.sql}", [0] * len(text.places))
        return "\n".join(row[3] for row in rows)

    found = await store.read(plan)
    assert index in found
    assert "SCAN message" not in found
    assert "SCAN recipient" not in found


@pytest.mark.parametrize(
    ("statement", "named", "index"),
    [
        (deliveries._given_up, {"whom": "0", "behind": 1, "most": 10}, "ix_delivery_dead"),
        (deliveries._make_way, {"whom": "0", "what": "m", "first": 1}, "ix_delivery_"),
        (Prepared(deliveries.newest_of("0", dead=False, before=9, limit=50)), {}, "ix_delivery_waiting"),
        (Prepared(deliveries.newest_of("0", dead=True, before=9, limit=50)), {}, "ix_delivery_dead"),
        (Prepared(deliveries.forgettable(1)), {}, "ix_delivery_forgotten"),
        (deliveries._targets, {"behind": "c", "until": "z", "most": 9}, "ix_delivery_due"),
        (deliveries._due, {"whom": "0", "now": 1, "most": 4}, "ix_delivery_due"),
        (deliveries._add, {"whom": "0", "which": 1, "what": "m", "now": 1}, "ix_delivery_"),
        (deliveries._next, {"whom": "0", "what": "m", "now": 1}, "ix_delivery_"),
        (deliveries._again, {"one": 1, "due": 1, "count": 1, "what_came": "503"}, "PRIMARY KEY|pk_delivery"),
        (deliveries._give_up, {"one": 1, "now": 1, "count": 1, "what_came": "503"}, "PRIMARY KEY|pk_delivery"),
        (deliveries._done, {"one": 1}, "PRIMARY KEY|pk_delivery"),
        (Prepared(deliveries.later("0", 1)), {}, "ix_delivery_due"),
        (Prepared(deliveries.outdated(1)), {}, "ix_delivery_old"),
    ],
    ids=[
        "to be replayed",
        "making way",
        "page of what waits",
        "page of what was given up",
        "forgettable",
        "targets",
        "due",
        "one more",
        "the next of a subject",
        "tried again",
        "given up",
        "told",
        "to be hastened",
        "too old",
    ],
)
async def test_deliveries_are_found_by_index(
    store: Store, statement: Prepared, named: dict[str, Any], index: str
) -> None:
    """And none is sorted, however many wait."""
    found = await store.read(lambda connection: explained(connection, statement, named))
    assert re.search(index, found)
    assert "SCAN delivery" not in found
    assert "Seq Scan on delivery" not in found


@pytest.mark.parametrize("field", sorted(contact_history.QUESTIONS))
async def test_what_filters_ask_of_history_is_found_by_index(store: Store, field: str) -> None:
    statement, named = contact_history.QUESTIONS[field]._filled(list(range(200)))
    found = await store.read(lambda connection: explained(connection, statement, {**named, "since_us": 1}))
    assert any(f"ix_{table}_recipient" in found for table in ("message", "inbox", "link", "conversion"))
    for table in ("message", "inbox", "link", "click", "conversion"):
        assert f"SCAN {table}" not in found
        assert f"Seq Scan on {table}" not in found


async def test_contacts_are_gone_through_by_their_rows(store: Store) -> None:
    for statement, named in ((contacts._after, {"after": 1}), (segments._people_before, {"before": 9})):
        found = await store.read(lambda c, s=statement, n=named: explained(c, s, {**n, "most": 1000}))
        assert "SCAN recipient" not in found
        assert "USE TEMP B-TREE" not in found
