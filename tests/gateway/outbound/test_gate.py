"""The last gate, over a real store and by hand: order, marks, outcomes, expiry, opt-out, further copies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import NUMBER, SIM1, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import category, settings_in

from drivers.tpdu import SmsSubmit
from gateway.message import PartEvent, PartState, Status
from gateway.outbound import dispatcher
from gateway.outbound.journal import Journals
from gateway.outbound.recovery import recover
from gateway.store import optouts, outcomes, queue, recipients, upkeep
from gateway.store.database import Store

OTHER = "+33698765432"
REAL = replace(SIM1, name="stick", simulated=False, takes_test=False, takes_live=True)


async def upkeep_now(bench: Bench) -> None:
    await bench.store.write(lambda connection: dispatcher.upkeep_at(connection, bench.clock.now_us()))


async def test_a_message_is_sent_and_its_octets_say_what_was_asked(bench: Bench) -> None:
    message = await bench.accept(text="Bonjour")
    assert message.status is Status.QUEUED
    marked = await bench.next()
    assert marked is not None
    submit = SmsSubmit.from_bytes(marked.octets)
    assert (submit.tp_da.text, submit.tp_ud.text, submit.tp_srr) == (NUMBER, "Bonjour", True)
    assert (await bench.get(message.id)).status is Status.SENDING
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=7)
    done = await bench.get(message.id)
    assert (done.status, done.attempts, done.modem, done.node) == (Status.SENT, 1, "sim1", "test-1")
    assert done.sent_us == bench.clock.now_us()
    assert await bench.next() is None


async def test_long_texts_leave_part_by_part_with_one_reference(bench: Bench) -> None:
    message = await bench.accept(text="x" * 161)
    first, second = await bench.send_all()
    parts = [SmsSubmit.from_bytes(each.octets).tp_ud.concatenation for each in (first, second)]
    assert [(part.total, part.sequence) for part in parts if part] == [(2, 1), (2, 2)]
    assert len({part.reference for part in parts if part}) == 1
    done = await bench.get(message.id)
    assert (done.status, done.parts, done.attempts) == (Status.SENT, 2, 1)


async def test_two_long_messages_to_one_person_have_different_references(bench: Bench) -> None:
    await bench.accept(text="x" * 161)
    await bench.accept(text="y" * 161)
    sent = await bench.send_all()
    references = [SmsSubmit.from_bytes(each.octets).tp_ud.concatenation for each in sent]
    assert len({part.reference for part in references if part}) == 2


async def test_priority_first_then_due_time_then_id(bench: Bench) -> None:
    promotion = await bench.accept(to="+33600000001", category="promotional")
    notice = await bench.accept(to="+33600000002")
    alert = await bench.accept(to="+33600000003", category="emergency")
    again = await bench.accept(to="+33600000004")
    order = [each.message_id for each in await bench.send_all()]
    assert order == [alert.id, notice.id, again.id, promotion.id]


async def test_an_emergency_overtakes_a_long_message_between_its_parts(bench: Bench) -> None:
    long = await bench.accept(text="x" * 400, category="promotional")
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    alert = await bench.accept(to=OTHER, category="emergency")
    order = [each.message_id for each in await bench.send_all()]
    assert order == [alert.id, long.id, long.id]


async def test_one_message_in_flight_per_person(bench: Bench) -> None:
    first, second = await bench.accept(text="one"), await bench.accept(text="two")
    marked = await bench.next()
    assert marked is not None
    assert marked.message_id == first.id
    other = replace(SIM1, name="sim2")
    assert await bench.next(other) is None
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    after = await bench.next(other)
    assert after is not None
    assert after.message_id == second.id


async def test_a_real_modem_never_takes_a_test_message_nor_a_simulated_one_live_traffic_beside_it(bench: Bench) -> None:
    live = await bench.accept(to=NUMBER)
    bench.principal = replace(bench.principal, test=True)
    test = await bench.accept(to=OTHER)
    beside = replace(SIM1, takes_live=False)
    for_sim, for_real = await bench.next(beside), await bench.next(REAL)
    assert for_sim is not None
    assert for_real is not None
    assert (for_sim.message_id, for_real.message_id) == (test.id, live.id)
    assert (await bench.get(live.id)).simulated is False
    assert (await bench.get(test.id)).simulated is True


async def test_the_wanted_modem_alone_takes_it(bench: Bench) -> None:
    await bench.accept(modem="sim1")
    assert await bench.next(replace(SIM1, name="sim2")) is None
    assert await bench.next() is not None


async def test_a_stop_that_came_first_wins_at_the_gate(bench: Bench) -> None:
    message = await bench.accept()
    lookup = bench.store.fingerprint(NUMBER)

    def opt_out(connection: object) -> None:
        person = recipients.find(connection, lookup)  # type: ignore[arg-type]
        assert person is not None
        optouts.add(connection, person, "", bench.clock.now_us(), source="test")  # type: ignore[arg-type]

    await bench.store.write(opt_out)
    assert await bench.next() is None
    ended = await bench.get(message.id)
    assert (ended.status, ended.error_code) == (Status.SUPPRESSED, "opt_out")


async def test_whoever_opted_out_is_suppressed_at_the_door_except_for_what_cannot_be_stopped(bench: Bench) -> None:
    lookup = bench.store.fingerprint(NUMBER)

    def opt_out(connection: object) -> None:
        now_us = bench.clock.now_us()
        person = recipients.ensure(connection, NUMBER, "e164", lookup, now_us)  # type: ignore[arg-type]
        optouts.add(connection, person, "", now_us, source="test")  # type: ignore[arg-type]

    await bench.store.write(opt_out)
    assert (await bench.accept()).status is Status.SUPPRESSED
    assert (await bench.accept(category="emergency")).status is Status.QUEUED


async def test_a_late_message_expires_instead_of_leaving(bench: Bench) -> None:
    message = await bench.accept(category="authentication")
    bench.clock.advance(timedelta(minutes=10))
    assert await bench.next() is None
    ended = await bench.get(message.id)
    assert (ended.status, ended.error_code) == (Status.EXPIRED, "expired")


async def test_validity_is_what_is_left_of_its_time(bench: Bench) -> None:
    await bench.accept(category="emergency")
    bench.clock.advance(timedelta(hours=2))
    marked = await bench.next()
    assert marked is not None
    validity = SmsSubmit.from_bytes(marked.octets).tp_vp
    assert validity is not None
    assert validity.period == timedelta(hours=4)  # type: ignore[union-attr]


async def test_a_scheduled_message_is_held_and_released_at_its_time(bench: Bench) -> None:
    at_us = bench.clock.now_us() + 3600 * 1_000_000
    message = await bench.accept(send_us=at_us)
    assert message.hold is not None
    assert (message.status, message.hold.rule, message.hold.until_us) == (Status.HELD, "scheduled", at_us)
    assert await bench.next() is None
    assert await bench.store.read(upkeep.next_due_us) == at_us
    bench.clock.advance(timedelta(hours=1))
    await upkeep_now(bench)
    assert (await bench.get(message.id)).hold is None
    assert len(await bench.send_all()) == 1


async def test_a_final_refusal_fails_it_and_the_rest_of_it_stays(bench: Bench) -> None:
    message = await bench.accept(text="x" * 161)
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.REFUSED, code="cms_21", sentence="short message transfer rejected")
    ended = await bench.get(message.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, "cms_21")
    assert await bench.next() is None


async def test_a_passing_refusal_is_tried_again_later(bench: Bench) -> None:
    message = await bench.accept()
    marked = await bench.next()
    assert marked is not None
    later_us = bench.clock.now_us() + 30_000_000
    await bench.settle(marked, PartEvent.RELEASED, code="cms_42", sentence="congestion", next_try_us=later_us)
    waiting = await bench.get(message.id)
    assert (waiting.status, waiting.modem, waiting.attempts, waiting.due_us) == (Status.QUEUED, None, 1, later_us)
    assert await bench.next() is None
    assert await bench.store.read(upkeep.next_due_us) == later_us
    bench.clock.advance(timedelta(seconds=30))
    await upkeep_now(bench)
    again = await bench.next()
    assert again is not None
    assert (again.octets, again.copies) == (marked.octets, 2)


async def test_what_never_left_uses_up_no_try(bench: Bench) -> None:
    message = await bench.accept()
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.RELEASED, code="modem_not_ready", counts=False)
    assert (await bench.get(message.id)).attempts == 0
    again = await bench.next(replace(SIM1, name="sim2"))
    assert again is not None
    assert again.copies == 1


async def test_settling_twice_changes_nothing(bench: Bench) -> None:
    message = await bench.accept()
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="restart")
    assert (await bench.get(message.id)).status is Status.SENT


@pytest.mark.parametrize(("policy", "resend_after_s"), [("resend", 20), ("hold", None), ("never", None)], ids=str)
async def test_a_mark_without_result_is_uncertain_after_a_restart(
    bench: Bench, place: Place, tmp_path: Path, policy: str, resend_after_s: int | None
) -> None:
    message = await bench.accept(category="emergency", on_uncertain=policy)
    assert await bench.next() is not None
    journals = Journals(tmp_path, "test-1", None)
    # The host's name, which the node is by default, was changed meanwhile; where hosts share a store, names are theirs.
    node = SIM1.node if place.database else "another-node"
    assert await recover(bench.store, bench.gate, bench.clock, node, journals) == 1
    assert await recover(bench.store, bench.gate, bench.clock, "another-node", journals) == 0
    lost = await bench.get(message.id)
    assert (lost.status, lost.error_code) == (Status.UNCERTAIN, "restart")
    bench.clock.advance(timedelta(seconds=19))
    await upkeep_now(bench)
    assert await bench.next() is None
    bench.clock.advance(timedelta(seconds=1))
    await upkeep_now(bench)
    again = await bench.next()
    assert (again is not None) is (resend_after_s is not None)


async def test_policy_resend_spends_one_copy_and_no_more(bench: Bench) -> None:
    message = await bench.accept(category="emergency")
    for _ in range(2):
        marked = await bench.next()
        assert marked is not None
        await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
        assert (await bench.get(message.id)).status is Status.UNCERTAIN
        bench.clock.advance(timedelta(minutes=5))
        await upkeep_now(bench)
    assert await bench.next() is None
    assert (await bench.get(message.id)).attempts == 2


async def test_a_further_copy_cannot_be_cancelled_and_a_stop_takes_it_away(tmp_path: Path, store: Store) -> None:
    club = category("club", on_uncertain="resend")
    bench = await make_bench(settings_in(tmp_path, categories=(club,)), store, ManualClock())
    message = await bench.accept(category="club")
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")

    def opt_out(connection: object) -> None:
        person = recipients.find(connection, store.fingerprint(NUMBER))  # type: ignore[arg-type]
        assert person is not None
        stoppable = ("club", "transactional")
        optouts.stop(connection, person, "", bench.clock.now_us(), source="test", stoppable=stoppable)  # type: ignore[arg-type]

    await store.write(opt_out)
    assert (await bench.get(message.id)).status is Status.UNCERTAIN
    bench.clock.advance(timedelta(minutes=1))
    await upkeep_now(bench)
    assert await bench.next() is None
    assert (await bench.get(message.id)).status is Status.UNCERTAIN
    assert await store.read(upkeep.next_due_us) is None


async def test_a_long_message_that_becomes_uncertain_stays_with_its_modem(bench: Bench) -> None:
    message = await bench.accept(text="x" * 400, category="emergency")
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    second = await bench.next()
    assert second is not None
    await bench.settle(second, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
    bench.clock.advance(timedelta(minutes=1))
    await upkeep_now(bench)
    assert await bench.next(replace(SIM1, name="sim2")) is None
    rest = await bench.send_all(reference=2)
    assert [each.sequence for each in rest] == [2, 3]
    assert (await bench.get(message.id)).status is Status.SENT


async def test_a_torso_whose_modem_went_away_fails_when_its_time_has_passed(bench: Bench) -> None:
    message = await bench.accept(text="x" * 161)
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    bench.clock.advance(timedelta(hours=25))
    await upkeep_now(bench)
    ended = await bench.get(message.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, "expired")
    states = await bench.store.read(lambda connection: queue.part_states(connection, message.id))
    assert states == [PartState.SENT, PartState.FAILED]


async def test_a_further_copy_that_never_left_leaves_the_message_uncertain(bench: Bench) -> None:
    message = await bench.accept(category="emergency")
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
    await bench.store.write(lambda connection: outcomes.resend(connection, message.id, bench.clock.now_us()))
    bench.clock.advance(timedelta(hours=7))
    await upkeep_now(bench)
    assert (await bench.get(message.id)).status is Status.UNCERTAIN


async def test_a_copy_that_the_network_refused_is_not_the_one_more_of_policy_resend(bench: Bench) -> None:
    await bench.accept(category="emergency")
    refused = await bench.next()
    assert refused is not None
    at_us = bench.clock.now_us() + 30_000_000
    await bench.settle(refused, PartEvent.RELEASED, code="cms_42", sentence="congestion", next_try_us=at_us)
    bench.clock.advance(timedelta(seconds=30))
    await upkeep_now(bench)
    lost = await bench.next()
    assert lost is not None
    await bench.settle(lost, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
    bench.clock.advance(timedelta(seconds=20))
    await upkeep_now(bench)
    assert await bench.next() is not None


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_what_another_host_marked_is_left_to_it(bench: Bench, tmp_path: Path) -> None:
    message = await bench.accept()
    assert await bench.next() is not None
    journals = Journals(tmp_path, "another-node", None)
    assert await recover(bench.store, bench.gate, bench.clock, "another-node", journals) == 0
    assert (await bench.get(message.id)).status is Status.SENDING


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_renamed_host_goes_on_with_what_it_began(bench: Bench, tmp_path: Path) -> None:
    message = await bench.accept(text="x" * 161)
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    await recover(bench.store, bench.gate, bench.clock, "renamed", Journals(tmp_path, "renamed", None))
    second = await bench.next(replace(SIM1, node="renamed"))
    assert second is not None
    assert (second.message_id, second.sequence) == (message.id, 2)
