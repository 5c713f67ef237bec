"""Rings over both stores: begun as a whole, rung once each, followed to every answer, stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.crowd import Someone, fill
from support.ringing import Ringing, number
from support.settings import settings_in
from support.waiting import eventually

from drivers.events import ModemState
from gateway.config.settings import StormSettings
from gateway.errors import Conflict, Forbidden, InvalidRequest, NotFound, TooMany
from gateway.message import Status
from gateway.notify.happenings import following, visible_to
from gateway.outbound.gate import Marked
from gateway.requests import NewMessage
from gateway.ring import Again, Escalation, NewRing, RingStatus, When
from gateway.store import recipients, rings, templates, tokens
from gateway.store.database import Store
from gateway.store.events import Cursor
from gateway.store.schema import message, recipient, ring

A, B, C, D = (number(at) for at in range(4))
MINUTE_US = 60_000_000


@pytest.fixture
async def ringing(tmp_path: Path, store: Store, clock: ManualClock) -> AsyncIterator[Ringing]:
    settings = replace(settings_in(tmp_path), storms=StormSettings())
    made = Ringing(await make_bench(settings, store, clock))
    yield made
    await made.aside.close()


async def test_a_ring_is_answered_at_once_with_parts_modems_and_a_duration(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, C, A)
    assert (rung.recipients, rung.parts, list(rung.leaving.shares)) == (3, 3, ["sim1"])
    assert rung.leaving.seconds == pytest.approx(9.0)
    assert rung.leaving.done_us == ringing.bench.clock.now_us() + 9_000_000
    view = await ringing.get(rung.id)
    assert (view.line.status, view.line.category) == (RingStatus.RINGING, "emergency")
    assert dict(view.tally.counts) == {Status.QUEUED: 3}
    assert view.tally.silent == [A, B, C]


async def test_who_answered_what_and_who_is_silent_is_right_to_the_person(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, C, D, expect=("OK", "AIDE"))
    await ringing.send()
    await ringing.reply(A, "ok merci")
    await ringing.reply(B, "Aide !")
    await ringing.reply(C, "I am at home")
    await ringing.reply(B, "OK")
    tally = (await ringing.get(rung.id)).tally
    assert [each.number for each in tally.answered["OK"]] == [A, B]
    assert tally.answered["AIDE"] == []
    # Whoever called for help first is not lost.
    assert [word for word, _ in tally.answered["OK"][1].earlier] == ["AIDE"]
    assert [(each.number, each.text) for each in tally.other] == [(C, "I am at home")]
    assert tally.silent == [D]
    assert tally.reached == 4


async def test_a_word_of_help_counts_though_a_reminder_came_in_between(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, expect=("OK", "AIDE"))
    await ringing.send()
    await ringing.bench.accept(to=A, text="Your appointment is tomorrow")
    await ringing.send()
    await ringing.reply(A, "AIDE")
    await ringing.bench.accept(to=B, text="Do you come?", expect=("OK", "NON"))
    await ringing.send()
    await ringing.reply(B, "OK")
    tally = (await ringing.get(rung.id)).tally
    assert [each.number for each in tally.answered["AIDE"]] == [A]
    # This one answered the question, which expects the same word.
    assert tally.silent == [B]


async def test_a_second_ring_rings_again_on_demand_and_says_so(ringing: Ringing) -> None:
    first = await ringing.ring(A, B)
    await ringing.send()
    second = await ringing.ring(A, B)
    assert [each.code for each in second.warnings] == ["rung_lately"]
    assert first.id in second.warnings[0].message
    assert len(await ringing.send()) == 2
    assert (await ringing.counts(second.id)) == {Status.SENT: 2}
    # What is no ring is joined as ever.
    one = await ringing.bench.accept(to=A, text="Fire", category="emergency")
    assert one.status is Status.QUEUED
    assert (await ringing.bench.accept(to=A, text="Fire", category="emergency")).joined_to == one.id


async def test_the_same_key_is_the_same_ring(ringing: Ringing) -> None:
    first, second = await asyncio.gather(ringing.ring(A, B, key="k"), ringing.ring(A, B, key="k"))
    third = await ringing.ring(A, B, key="k")
    assert first.id == second.id == third.id
    assert (third.recipients, third.parts) == (2, 2)
    assert len(await ringing.send()) == 2
    with pytest.raises(Conflict) as caught:
        await ringing.ring(A, C, key="k")
    assert caught.value.code == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("fields", "code", "pointers"),
    [
        ({"to": (A, "12", "+19002345678")}, "to_invalid", ["/to/1"]),
        ({"to": ()}, "alert_invalid", ["/to"]),
        ({"to": (A, "+19002345678")}, "number_not_allowed", ["/to/1"]),
        ({"text": " "}, "text_empty", ["/text"]),
        ({"expect": ("STOP",)}, "expect_invalid", ["/expect"]),
        ({"category": "nope"}, "category_unknown", ["/category"]),
        ({"escalate": (Escalation(0, (B,)), Escalation(MINUTE_US, ()))}, "alert_invalid",
         ["/escalate/0/after", "/escalate/1/to"]),
        ({"escalate": (Escalation(MINUTE_US, (B, "12")),)}, "to_invalid", ["/escalate/0/to/1"]),
        ({"again": Again(MINUTE_US, 11)}, "alert_invalid", ["/again/times"]),
    ],
)  # fmt: skip
async def test_what_can_never_become_right_rings_nobody(
    ringing: Ringing, fields: dict[str, object], code: str, pointers: list[str]
) -> None:
    new = replace(NewRing((A, B), "Fire"), **fields)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest) as caught:
        await ringing.rings.create(ringing.bench.principal, new)
    assert (caught.value.code, [each.pointer for each in caught.value.errors]) == (code, pointers)
    assert await ringing.send() == []
    assert (await ringing.rings.list(ringing.bench.principal, limit=10, cursor=None)).items == []


async def test_an_accent_that_doubles_the_parts_is_said_with_the_text_that_does_not(ringing: Ringing) -> None:
    text = "Évacuez le bâtiment par la sortie nord, et répondez OK ou AIDE dès que vous êtes dehors."
    rung = await ringing.ring(A, text=text)
    assert rung.parts == 2
    assert "parts_saved_in_gsm7" in [each.code for each in rung.warnings]
    assert rung.gsm7_text is not None
    assert "batiment" in rung.gsm7_text


async def texts_of(ringing: Ringing) -> dict[str | None, str | None]:
    query = select(recipient.c.number, message.c.text).join_from(message, recipient)
    rows = await ringing.bench.store.read(lambda connection: connection.execute(query).all())
    return {row.number: row.text for row in rows}


async def test_everybody_is_told_in_their_own_words(ringing: Ringing) -> None:
    people = [
        Someone(number=A, name="Zoé", language="fr"),
        Someone(number=B, name="Ann", language="en"),
        Someone(number=C, name="Max", language="de"),
    ]
    await fill(ringing.bench.store, people)
    texts = {"": "{{ name }}, come in at {{ at }}", "fr": "{{ name }}, venez à {{ at }}"}
    again = Again(MINUTE_US)
    rung = await ringing.ring(A, B, text="", texts=texts, variables={"at": "18:00"}, expect=("OK",), again=again)
    assert (rung.recipients, rung.parts) == (3 - 1, 2)
    assert await texts_of(ringing) == {A: "Zoé, venez à 18:00", B: "Ann, come in at 18:00"}
    view = await ringing.get(rung.id)
    assert view.line.text == "{{ name }}, come in at {{ at }}"
    await ringing.send()
    ringing.bench.clock.advance(timedelta(seconds=61))
    await ringing.look(rung.id)
    assert dict((await ringing.get(rung.id)).tally.counts) == {Status.SENT: 2}
    assert len(await ringing.send()) == 2, "rung again with the same words"


async def test_the_texts_of_a_template_are_those_of_the_beginning(ringing: Ringing) -> None:
    store, now_us = ringing.bench.store, ringing.bench.clock.now_us()
    await fill(store, [Someone(number=A, name="Zoé"), Someone(number=B, name="Ann")])
    await store.write(lambda connection: templates.add(connection, "drill", {"": "{{ name }}: drill"}, now_us))
    step = Escalation(MINUTE_US, (B, C))
    rung = await ringing.ring(A, text="", template="drill", expect=("OK",), escalate=(step,))
    await store.write(lambda connection: templates.change(connection, "drill", {"": "no more"}, now_us))
    ringing.bench.clock.advance(timedelta(seconds=61))
    await ringing.look(rung.id)
    assert await texts_of(ringing) == {A: "Zoé: drill", B: "Ann: drill"}
    (missed,) = (await ringing.get(rung.id)).tally.missed
    assert (missed.number, missed.code) == (C, "template_variable_missing"), "nobody has that name"


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"texts": {"": "Hello {{ name }}"}}, "template_variable_missing", "/variables"),
        ({"texts": {"fr": "Bonjour {{ name"}}, "template_invalid", "/texts/fr"),
        ({"template": "nothing"}, "template_unknown", "/template"),
        ({"template": "x", "texts": {"": "x"}}, "alert_invalid", "/text"),
        ({}, "text_empty", "/text"),
        ({"text": "Fire", "variables": {"at": "x"}}, "alert_invalid", "/variables"),
        ({"texts": {"": "{{ long }}"}, "variables": {"long": "x" * 2000}}, "text_too_long", "/text"),
    ],
)
async def test_a_text_that_cannot_be_made_for_everybody_rings_nobody(
    ringing: Ringing, fields: dict[str, Any], code: str, pointer: str
) -> None:
    await fill(ringing.bench.store, [Someone(number=A, name="Zoé")])
    with pytest.raises(InvalidRequest) as caught:
        await ringing.ring(A, B, **{"text": "", **fields})
    assert caught.value.code == code
    assert [each.pointer for each in caught.value.errors] == [pointer]
    if code == "template_variable_missing":
        assert caught.value.errors[0].message == "1 person: the variable name has no value"
    assert await texts_of(ringing) == {}


async def test_a_token_that_tests_learns_nobodys_name(ringing: Ringing) -> None:
    await fill(ringing.bench.store, [Someone(number=A, name="Zoé")])
    tests = ringing.limited(test=True)
    with pytest.raises(InvalidRequest) as caught:
        await ringing.rings.create(tests, NewRing((A,), texts={"": "{{ name }}"}))
    assert caught.value.code == "template_variable_missing"


async def test_an_accent_of_the_text_is_said_and_not_that_of_a_name(ringing: Ringing) -> None:
    await fill(ringing.bench.store, [Someone(number=A, name="Loïs"), Someone(number=B, name="Ann")])
    rest = "x" * 60
    rung = await ringing.ring(A, B, text="", texts={"": "{{ name }}, soyez prêts " + rest})
    assert rung.gsm7_text == "{{ name }}, soyez prets " + rest
    rung = await ringing.ring(A, B, text="", texts={"": "{{ name }}, venez " + rest})
    assert rung.gsm7_text is None


async def test_segments_need_a_scope_and_a_token_its_category(ringing: Ringing) -> None:
    with pytest.raises(Forbidden) as caught:
        await ringing.ring("staff")
    assert caught.value.code == "segments_not_allowed"
    limited = ringing.limited(categories=("transactional",))
    with pytest.raises(Forbidden) as caught:
        await ringing.rings.create(limited, NewRing((A,), "Fire"))
    assert caught.value.code == "category_not_allowed"
    with pytest.raises(Forbidden) as caught:
        await ringing.rings.create(ringing.limited(destinations=("+491",)), NewRing((A,), "Fire"))
    assert caught.value.code == "destination_not_allowed"


async def test_a_token_that_may_not_send_as_much_rings_nobody(ringing: Ringing) -> None:
    for limits, code in (({"rate": "2/1m"}, "batch_over_rate"), ({"parts_a_day": 2}, "daily_parts")):
        with pytest.raises((TooMany, InvalidRequest)) as caught:
            await ringing.rings.create(ringing.limited(**limits), NewRing((A, B, C), "Fire"))
        assert caught.value.code == code
    assert await ringing.send() == []


async def test_another_token_sees_nothing_and_stops_nothing(ringing: Ringing) -> None:
    rung = await ringing.ring(A)
    other = ringing.limited(token_id=99)
    for ask in (ringing.rings.get, ringing.rings.stop, ringing.rings.ring_again):
        with pytest.raises(NotFound):
            await ask(other, rung.id)
    reader = replace(other, scopes=frozenset({"read:all", "send"}))
    assert (await ringing.get(rung.id, reader)).line.id == rung.id
    with pytest.raises(NotFound):
        await ringing.rings.stop(reader, rung.id)


async def test_a_stopped_ring_cancels_what_waits_and_rings_nobody_any_more(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, C, escalate=(Escalation(MINUTE_US, (D,)),))
    await ringing.send(1)
    view = await ringing.rings.stop(ringing.bench.principal, rung.id)
    assert (view.line.status, dict(view.tally.counts)) == (RingStatus.STOPPED, {Status.SENT: 1, Status.CANCELED: 2})
    assert view.steps[0].outcome == "stopped"
    ringing.bench.clock.advance(timedelta(minutes=2))
    await ringing.look(rung.id)
    assert await ringing.send() == []
    with pytest.raises(Conflict) as caught:
        await ringing.rings.ring_again(ringing.bench.principal, rung.id)
    assert caught.value.code == "alert_stopped"
    # Answers still count.
    await ringing.reply(A, "coming")
    assert len((await ringing.get(rung.id)).tally.other) == 1


async def test_the_silent_are_rung_again_by_hand_without_those_under_way(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, C, expect=("OK",))
    await ringing.send(2)
    await ringing.reply(A, "OK")
    again = await ringing.rings.ring_again(ringing.bench.principal, rung.id)
    assert (again.id, again.recipients, again.parts) == (rung.id, 1, 1)
    assert len(await ringing.send()) == 2
    view = await ringing.get(rung.id)
    assert (view.tally.recipients, view.tally.silent) == (3, [B, C])


async def test_the_silent_are_rung_again_by_itself_as_often_as_was_asked(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, expect=("OK",), again=Again(MINUTE_US, 2))
    await ringing.send()
    await ringing.reply(A, "OK")
    for _ in range(4):
        await ringing.look(rung.id)
        assert await ringing.send() == []
        ringing.bench.clock.advance(timedelta(minutes=1))
        await ringing.look(rung.id)
        if not await ringing.send():
            break
    assert (await ringing.get(rung.id)).tally.parts == 2 + 2


async def test_further_people_are_rung_when_nobody_has_taken_it(ringing: Ringing) -> None:
    steps = (Escalation(MINUTE_US, (C,)), Escalation(3 * MINUTE_US, (D,)))
    rung = await ringing.ring(A, B, expect=("OK", "NON"), escalate=steps)
    await ringing.send()
    await ringing.reply(A, "NON")
    await ringing.look(rung.id)
    assert await ringing.send() == []
    ringing.bench.clock.advance(timedelta(minutes=1))
    await ringing.look(rung.id)
    assert len(await ringing.send()) == 1
    await ringing.reply(C, "OK")
    ringing.bench.clock.advance(timedelta(minutes=3))
    await ringing.look(rung.id)
    assert await ringing.send() == []
    view = await ringing.get(rung.id)
    assert [(each.outcome, each.recipients) for each in view.steps] == [("rung", 1), ("needless", 0)]
    assert [each.number for each in view.tally.answered["OK"]] == [C]
    assert view.tally.silent == [B]


async def test_further_people_are_rung_while_somebody_is_silent_and_the_silent_among_them_again(
    ringing: Ringing,
) -> None:
    rung = await ringing.ring(A, B, expect=("OK",), escalate=(Escalation(MINUTE_US, (B, C), When.SILENT),))
    await ringing.send()
    await ringing.reply(A, "OK")
    ringing.bench.clock.advance(timedelta(minutes=1))
    await ringing.look(rung.id)
    assert len(await ringing.send()) == 2
    await ringing.look(rung.id)
    assert await ringing.send() == []
    view = await ringing.get(rung.id)
    assert (view.tally.recipients, view.tally.parts, view.steps[0].recipients) == (3, 4, 1)


async def test_progress_is_told_without_anybodys_number_and_at_the_end(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, expect=("OK",))
    await ringing.look(rung.id)
    await ringing.look(rung.id)
    await ringing.send()
    await ringing.look(rung.id)
    await ringing.reply(A, "OK")
    await ringing.look(rung.id)
    await ringing.reply(B, "OK")
    await ringing.look(rung.id)
    told = [json.loads(each) for each in await ringing.told()]
    assert [(each["status"], each["reached"], each["answered"]["OK"]) for each in told] == [
        ("ringing", 0, 0), ("ringing", 2, 0), ("ringing", 2, 1), ("finished", 2, 2),
    ]  # fmt: skip
    assert not any(A in line or B in line for line in await ringing.told())
    assert (await ringing.get(rung.id)).line.status is RingStatus.FINISHED


async def test_who_cannot_be_accepted_keeps_nothing_from_the_others(
    tmp_path: Path, store: Store, clock: ManualClock
) -> None:
    settings = settings_in(tmp_path)
    capped = replace(settings.categories["transactional"], caps=("1/24h",), on_cap="refuse")
    settings = replace(settings, categories=settings.categories | {"transactional": capped})
    ringing = Ringing(await make_bench(settings, store, clock))
    await ringing.bench.accept(to=A, text="a reminder")
    await ringing.send()
    rung = await ringing.ring(A, B, category="transactional")
    await ringing.send()
    tally = (await ringing.get(rung.id)).tally
    assert (dict(tally.counts), tally.refused) == ({Status.SENT: 1}, 1)
    assert [(each.number, each.status, each.code) for each in tally.missed] == [(A, None, "cap")]


async def test_a_ring_of_thousands_is_written_down_first_and_rung_beside(ringing: Ringing) -> None:
    people = [number(at) for at in range(2300)]
    rung = await ringing.ring(*people)
    assert (rung.recipients, rung.parts) == (2300, 2300)
    accepted = len(await _messages(ringing.bench))
    assert 1000 <= accepted < 2300
    assert (await ringing.counts(rung.id)) == {Status.QUEUED: 2300}
    await ringing.look(rung.id)
    assert sorted(await _messages(ringing.bench)) == sorted(people)


async def _messages(bench: Bench) -> list[str]:
    rows = await bench.store.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT number FROM message JOIN recipient ON recipient.id = message.recipient_id"
        ).all()
    )
    return [row[0] for row in rows]


async def test_the_estimate_counts_what_is_queued_before_and_the_modems_that_are_left(ringing: Ringing) -> None:
    ringing.bench.store.measures.paces.add_cycle("sim1", 2.0)
    for at in range(10):
        await ringing.bench.intake.accept(
            ringing.bench.principal, NewMessage(number(50 + at), "elsewhere", category="emergency")
        )
        await ringing.bench.intake.accept(ringing.bench.principal, NewMessage(number(70 + at), "less urgent"))
    rung = await ringing.ring(A, B)
    assert rung.leaving.seconds == pytest.approx(24.0)
    ringing.states["sim1"] = ModemState.ABSENT
    assert (await ringing.get(rung.id)).leaving.seconds is None
    ringing.states["sim1"] = ModemState.READY
    await ringing.send(11)
    assert (await ringing.get(rung.id)).leaving.seconds == pytest.approx(2.0)
    await ringing.send(1)
    view = await ringing.get(rung.id)
    assert (view.leaving.seconds, view.leaving.done_us) == (0.0, ringing.bench.clock.now_us())


async def test_progress_is_told_to_whom_it_concerns(ringing: Ringing) -> None:
    rung = await ringing.ring(A, expect=("OK",))
    await ringing.look(rung.id)
    (told,), _ = await ringing.bench.store.read(
        lambda connection: ([one for one in following(connection, Cursor(), 100)[0] if one.type == "alert.progress"], 0)
    )
    assert told.subject is not None
    assert told.token_id == ringing.bench.principal.token_id
    assert visible_to(ringing.bench.principal, told)
    assert visible_to(ringing.limited(token_id=99, scopes=frozenset({"read:all"})), told)
    assert not visible_to(ringing.limited(token_id=99), told)
    assert not visible_to(ringing.limited(test=True), told)


async def test_the_ring_of_a_token_that_was_revoked_rings_nobody_further(ringing: Ringing) -> None:
    rung = await ringing.ring(A, expect=("OK",), escalate=(Escalation(MINUTE_US, (B,)),))
    await ringing.send()
    clock, name = ringing.bench.clock, ringing.bench.principal.name
    await ringing.bench.store.write(lambda connection: tokens.revoke(connection, name, clock.now_us()))
    clock.advance(timedelta(minutes=2))
    await ringing.look(rung.id)
    assert await ringing.send() == []
    view = await ringing.get(rung.id)
    assert (view.line.status, view.steps[0].outcome) == (RingStatus.STOPPED, "stopped")


async def test_who_was_erased_is_counted_and_named_nowhere(ringing: Ringing) -> None:
    rung = await ringing.ring(A, B, C)
    await ringing.send()
    await ringing.reply(B, "here")
    lookups = [ringing.bench.store.fingerprint(each) for each in (A, B)]

    def erase(connection: Connection) -> None:
        people = recipients.find_all(connection, lookups)
        connection.execute(update(recipient).where(recipient.c.id.in_(people.values())).values(number=None))

    await ringing.bench.store.write(erase)
    again = await ringing.rings.ring_again(ringing.bench.principal, rung.id)
    tally = (await ringing.get(rung.id)).tally
    assert (again.recipients, tally.recipients, tally.silent, tally.silent_count) == (1, 3, [C], 2)
    assert [each.number for each in tally.other] == [None]


async def test_a_ring_that_was_never_promised_is_dropped_and_nobody_rung(ringing: Ringing) -> None:
    rung = await ringing.ring(A)
    await ringing.bench.store.write(
        lambda connection: connection.execute(update(ring).values(status="filling", next_us=0)) and None
    )
    await ringing.look(rung.id)
    with pytest.raises(NotFound):
        await ringing.get(rung.id)
    ringing.bench.clock.advance(timedelta(minutes=2))
    await ringing.look(rung.id)
    left = await ringing.bench.store.read(lambda connection: rings.get(connection, rung.id))
    assert left is None


async def test_a_clock_that_runs_looks_after_rings_by_itself(ringing: Ringing) -> None:
    rung = await ringing.ring(A, expect=("OK",), escalate=(Escalation(MINUTE_US, (B,)),))
    await ringing.send()
    running = asyncio.create_task(ringing.rings.run())
    try:

        async def escalated() -> list[Marked]:
            ringing.bench.clock.advance(timedelta(seconds=2))
            # By what leaves: the step is settled before its people are rung.
            return await ringing.send()

        sent = await eventually(escalated, 20, "the escalation")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (len(sent), await ringing.send()) == (1, [])
    assert (await ringing.get(rung.id)).steps[0].outcome == "rung"


async def test_an_alert_that_another_rings_again_stays_that_of_its_token(ringing: Ringing) -> None:
    rung = await ringing.ring(A)
    await ringing.send()
    admin = ringing.limited(token_id=99, scopes=frozenset({"admin"}))
    again = await ringing.rings.ring_again(admin, rung.id)
    assert (again.recipients, again.parts) == (1, 1)
    rows = await ringing.bench.store.read(lambda c: c.execute(select(message.c.token_id)).scalars().all())
    assert set(rows) == {ringing.bench.principal.token_id}
    slow = ringing.limited(rate="1/1m")
    await ringing.send()
    await ringing.rings.ring_again(slow, rung.id)
    await ringing.send()
    with pytest.raises(TooMany):
        await ringing.rings.ring_again(slow, rung.id)
