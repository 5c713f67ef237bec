"""Events with their subjects: shown as things were then, by few statements, to those who may see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from support.bench import NUMBER, SIM1, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import settings_in

from api.models.events import event_out
from drivers.events import ModemState, ModemStatus
from gateway.address import AddressKind
from gateway.clock import SECOND_US
from gateway.config.test_network import Rehearsal
from gateway.message import InboxItem, OptOut, PartEvent
from gateway.notify.happenings import Happening, Subject, following, visible_to
from gateway.requests import Principal
from gateway.store import calls, choices, events, inbox, outcomes, pauses, recipients
from gateway.store.events import Cursor
from gateway.store.modem_facts import modem_facts
from gateway.store.schema import attempt, event, recipient

OTHERS = 99


async def happened(bench: Bench) -> list[Happening]:
    found, _ = await bench.store.read(lambda c: following(c, Cursor(), 1000))
    return found


def data_of(happening: Happening) -> Any:
    return event_out(happening)["data"]


def shown(happenings: Sequence[Happening], kind: str) -> list[dict[str, object]]:
    documents = [event_out(each) for each in happenings if each.type == kind]
    assert all(list(each) == ["type", "timestamp", "data"] for each in documents)
    return [each["data"] for each in documents]  # type: ignore[misc]


async def person(bench: Bench, number: str = NUMBER) -> int:
    lookup, now_us = bench.store.fingerprint(number), bench.clock.now_us()
    return await bench.store.write(lambda c: recipients.ensure(c, number, AddressKind.E164, lookup, now_us))


async def report(bench: Bench, event_word: PartEvent) -> None:
    bench.clock.advance(timedelta(seconds=5))
    now_us = bench.clock.now_us()

    def work(connection):
        row = connection.execute(attempt.select()).one()
        outcomes.by_report(connection, row, now_us, tp_mr=1, tp_st=0, event=event_word, sentence="told")

    await bench.store.write(work)


async def test_a_message_is_shown_as_it_was_at_each_event(bench: Bench) -> None:
    due_us = bench.clock.now_us() + 60 * SECOND_US
    accepted = await bench.accept(send_us=due_us, reference="r1")
    bench.clock.advance(timedelta(seconds=61))
    await bench.upkeep()
    await bench.send_all()
    await report(bench, PartEvent.REPORT_UNDELIVERED)
    await report(bench, PartEvent.REPORT_DELIVERED)
    found = [each for each in await happened(bench) if each.is_status]
    assert [each.type for each in found] == [
        f"message.{word}" for word in ("held", "queued", "sending", "sent", "undelivered", "delivered")
    ]
    assert {each.token_id for each in found} == {bench.principal.token_id}
    by_word = {each.type.partition(".")[2]: data_of(each) for each in found}
    held, sent, gone, delivered = (by_word[word] for word in ("held", "sent", "undelivered", "delivered"))
    assert held["hold"]["rule"] == "scheduled"
    assert held["hold"]["until"] is not None
    assert (held["modem"], held["attempts"], held["sent_at"]) == (None, 0, None)
    assert (sent["status"], sent["delivered_at"], sent["hold"], sent["error"]) == ("sent", None, None, None)
    assert sent["sent_at"] is not None
    assert sent["modem"] == SIM1.name
    assert gone["error"] is not None, "what was said of it then, though it arrived after all"
    assert gone["delivered_at"] is None
    assert (delivered["error"], delivered["id"], delivered["reference"]) == (None, accepted.id, "r1")
    assert delivered["delivered_at"] is not None


async def test_a_pause_is_told_as_what_held_a_message(bench: Bench) -> None:
    await bench.store.write(lambda c: pauses.add(c, ("transactional",), bench.clock.now_us(), by="token a"))
    await bench.accept()
    await bench.store.write(lambda c: pauses.lift(c, bench.clock.now_us(), by="token b"))
    await bench.store.write(lambda c: pauses.lift(c, bench.clock.now_us(), by="token b"))
    found = await happened(bench)
    assert shown(found, "message.held")[0]["hold"] == {"rule": "paused", "until": None, "detail": "sending is paused"}
    told = {"categories": ["transactional"], "by": "token a", "detail": "transactional, by token a"}
    assert shown(found, "queue.paused") == [told]
    assert shown(found, "queue.resumed") == [{**told, "by": "token b", "detail": "by token b"}]


async def test_choices_are_told_once_with_whose_they_are_until_that_person_is_erased(bench: Bench) -> None:
    who = await person(bench)

    async def do(category: str | None, *, out: bool) -> None:
        deed = choices.Deed(who, bench.clock.now_us(), "token:test", "api", by="test")
        if out:
            await bench.store.write(lambda c: choices.stop(c, deed, category or "", ("promotional", "transactional")))
        else:
            await bench.store.write(lambda c: choices.join(c, deed, category or "", wording="the wording"))

    await do("promotional", out=False)
    for _ in range(2):
        await do(None, out=True)
    await do("promotional", out=False)
    found = await happened(bench)
    assert [each.type for each in found] == [
        "consent.given", "optout.added", "consent.withdrawn", "optout.lifted", "consent.given",
    ]  # fmt: skip
    (added,), (lifted,) = shown(found, "optout.added"), shown(found, "optout.lifted")
    assert (added["number"], added["category"], added["source"]) == (NUMBER, None, "token:test")
    assert (lifted["number"], lifted["category"], lifted["since"]) == (NUMBER, "promotional", added["since"])
    given = shown(found, "consent.given")[0]
    assert (given["number"], given["category"], given["wording"]) == (NUMBER, "promotional", "the wording")
    await bench.store.write(lambda c: c.execute(update(recipient).values(number=None)))
    erased = await happened(bench)
    assert {data_of(each)["number"] for each in erased} == {None}
    raw = await bench.store.read(lambda c: c.execute(event.select()).all())
    assert NUMBER not in repr(raw)


async def test_every_opt_out_that_is_lifted_is_told(bench: Bench) -> None:
    who = await person(bench)
    now_us = bench.clock.now_us()
    deed = choices.Deed(who, now_us, "sms:stop", "sms:stop")
    for scope in ("", "promotional"):
        await bench.store.write(lambda c, name=scope: choices.stop(c, deed, name, ("promotional",)))
    await bench.store.write(lambda c: choices.start(c, deed))
    assert [each["category"] for each in shown(await happened(bench), "optout.lifted")] == [None, "promotional"]


async def test_what_comes_in_bears_the_token_that_it_answers(bench: Bench) -> None:
    made = await bench.accept()
    who, now_us = await person(bench), bench.clock.now_us()
    stranger = await person(bench, "+33699999999")
    row = dict.fromkeys(inbox.inbox.c.keys())
    row |= {"modem": "sim1", "node": "n", "parts": 1, "received_us": now_us, "text": "yes"}

    def work(connection):
        inbox.add(connection, [row | {"id": "a" * 32, "recipient_id": who, "in_reply_to": made.id}])
        inbox.add(connection, [row | {"id": "b" * 32, "recipient_id": stranger}])
        events.record_all(connection, now_us, "inbound.received", [("a" * 32, "x"), ("b" * 32, "x")])
        calls.add(connection, stranger, now_us, modem="sim1", node="n", iccid=None)
        calls.add(connection, None, now_us, modem="sim1", node="n", iccid=None)

    await bench.store.write(work)
    found = [each for each in await happened(bench) if not each.is_status]
    assert [each.token_id for each in found] == [bench.principal.token_id, None, None, None]
    assert [each["from"] for each in shown(found, "inbound.received")] == [NUMBER, "+33699999999"]
    assert [each["from"] for each in shown(found, "call.missed")] == ["+33699999999", None]
    assert set(shown(found, "call.missed")[0]) == {"from", "modem", "node", "at", "detail"}


async def test_events_of_an_earlier_version_are_shown_by_their_sentence(bench: Bench) -> None:
    told = [
        ("modem.parked", "sim1: the SIM asks for SIM PUK"),
        ("sim.limit", "sim1: the limit of 5 parts a day is reached"),
        ("balance.low", "sim1: 3 is less than 5"),
        ("queue.paused", "everything, by token a"),
        ("optout.added", "by sms:stop"),
        ("optout.lifted", "by token:a"),
        ("consent.given", "of promotional"),
        ("call.missed", "through sim1"),
        ("inbound.undecodable", "dcs at octet 3, through sim1"),
        ("inbound.received", None),
        ("message.sent", None),
        ("clock.doubtful", None),
    ]

    def work(connection):
        for kind, detail in told:
            gone = "f" * 32
            events.record(
                connection,
                1,
                kind,
                detail=detail,
                message_id=gone if kind.startswith("message.") else None,
                inbox_id=gone if kind == "inbound.received" else None,
            )

    await bench.store.write(work)
    found = await happened(bench)
    assert [each.type for each in found] == [kind for kind, _ in told]
    data = {each.type: data_of(each) for each in found}
    assert data["modem.parked"]["name"] == "sim1"
    assert data["sim.limit"] == {"detail": "sim1: the limit of 5 parts a day is reached"}
    assert data["optout.added"] == {
        "number": None, "category": None, "since": "1970-01-01T00:00:00.000Z", "source": "sms:stop",
    }  # fmt: skip
    assert (data["consent.given"]["category"], data["consent.given"]["state"]) == ("promotional", "given")
    assert data["message.sent"] == data["inbound.received"] == {}


def test_a_modem_is_told_with_the_fields_of_the_contract() -> None:
    status = ModemStatus("sim1", ModemState.PARKED, "no SIM", "simulated:", imei="35")
    happening = Happening(1, 0, 1, "modem.parked", "sim1: no SIM", None, modem_facts(status, "n"))
    data = event_out(happening)["data"]
    assert isinstance(data, dict)
    assert list(data) == [
        "name", "node", "state", "reason", "port", "manufacturer", "model", "imei", "iccid", "operator", "registration",
        "signal_dbm", "sent_today", "limits", "detail",
    ]  # fmt: skip
    assert (data["state"], data["reason"], data["imei"], data["sent_today"]) == ("parked", "no SIM", "35", None)


def test_what_is_told_to_who_only_tests() -> None:
    """Of real people nothing, whatever its scopes."""
    principal, here = Principal(7, "t", frozenset({"admin"}), test=True), Rehearsal("n", frozenset({"sim1"}))

    def sees(kind: str, subject: Subject, node: str | None = None) -> bool:
        return visible_to(principal, Happening(1, 0, 1, kind, None, 7, subject, node=node), here)

    def heard(modem: str) -> InboxItem:
        return InboxItem("0" * 32, "+33612345678", "x", modem, 1, 1, 1, None, None, None, None)

    heard_by = [("n", "real"), ("n", "sim1"), ("m", "sim1"), ("m", "test-network")]
    assert [sees("inbound.received", heard(modem), node) for node, modem in heard_by] == [False, True, False, True]
    numbers = ("+33612345678", "+33639980004")
    assert [sees("optout.added", OptOut(each, None, 1, "x")) for each in numbers] == [False, True]
    assert [sees("message.sent", None), sees("call.missed", {"from": "x"}), sees("modem.up", None)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [
        ({"read"}, "own modem sim queue"),
        ({"read:all"}, "own other nobody modem sim queue optout consent call undecodable"),
        ({"admin"}, "own other nobody modem sim queue optout consent call undecodable"),
        ({"contacts"}, "optout consent"),
        ({"read", "contacts"}, "own modem sim queue optout consent"),
        ({"send"}, ""),
    ],
)
def test_who_may_see_what(scopes: set[str], seen: str, tell: Callable[[str], None]) -> None:
    def of(kind: str, token_id: int | None = None) -> Happening:
        return Happening(1, 0, 1, kind, None, token_id, None)

    principal = Principal(7, "t", frozenset(scopes))
    told = {
        "own": of("message.sent", 7), "other": of("message.sent", OTHERS), "nobody": of("inbound.received"),
        "modem": of("modem.up"), "sim": of("sim.limit"), "queue": of("queue.paused"), "optout": of("optout.added"),
        "consent": of("consent.given"), "call": of("call.missed"), "undecodable": of("inbound.undecodable"),
    }  # fmt: skip
    assert [name for name, each in told.items() if visible_to(principal, each)] == seen.split()
    tell(f"A05: of {len(told)} kinds of events {', '.join(sorted(scopes))} sees {seen or 'none'}")


async def test_a_group_costs_few_statements_however_long(place: Place, clock: ManualClock) -> None:
    store = place.open()
    try:
        bench = await make_bench(settings_in(place.folder), store, clock)
        for number in range(40):
            await bench.accept(to=f"+336123456{number:02}")

        def count(connection) -> tuple[int, int]:
            asked: list[str] = []
            raw = connection.connection.driver_connection
            ask = raw.ask
            raw.ask = lambda *values: asked.append(values[0]) or ask(*values)
            try:
                found, _ = following(connection, Cursor(), 1000)
            finally:
                raw.ask = ask
            return len(found), len(asked)

        found, statements = await store.read(count)
        assert found == 40
        assert statements <= 4
    finally:
        await store.close()
