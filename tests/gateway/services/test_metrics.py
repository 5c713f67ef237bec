"""Figures for monitors over a real store, of either engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from support.bench import Bench
from support.clock import ManualClock

from gateway.clock import SECOND_US
from gateway.message import PartEvent
from gateway.services.metrics import KEPT_US, Metrics
from gateway.services.modems import Fleet
from gateway.store import pauses


async def test_what_waits_and_what_became_of_messages(bench: Bench, clock: ManualClock):
    metrics = Metrics(bench.store, clock, Fleet({}, {}))
    await metrics.begin()
    for number in range(3):
        await bench.accept(f"+3361234570{number}", category="emergency")
    later = await bench.accept("+33612345704", category="emergency", send_us=clock.now_us() + 3600 * SECOND_US)
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    unknown = await bench.next()
    assert unknown is not None
    await bench.settle(unknown, PartEvent.OUTCOME_LOST)
    clock.advance(timedelta(seconds=7))
    told = await metrics.figures()
    assert told.store_answers
    assert told.queue == {("queued", "emergency"): 1, ("held", "emergency"): 1}
    assert told.held == {("scheduled", "emergency"): 1}
    assert (told.uncertain, told.oldest_due_s, told.paused) == (1, 7.0, False)
    assert told.messages["sent", "emergency"] == told.messages["uncertain", "emergency"] == 1
    # What is asked again at once is what was told before; a pause shows later.
    before = replace(told, messages=Counter(told.messages))
    await bench.store.write(lambda connection: pauses.add(connection, (), clock.now_us(), by="test"))
    assert (await metrics.figures()).paused is before.paused
    clock.advance(timedelta(microseconds=KEPT_US))
    told = await metrics.figures()
    assert told.paused
    assert told.queue == {("held", "emergency"): 2}
    assert told.messages == before.messages
    assert (await bench.get(later.id)).status == "held"


async def test_nobody_is_called_for_a_rehearsal_that_waits(bench: Bench, clock: ManualClock):
    metrics = Metrics(bench.store, clock, Fleet({}, {}))
    bench.principal = replace(bench.principal, test=True)
    await bench.accept("+33612345700", category="emergency")
    clock.advance(timedelta(seconds=7))
    told = await metrics.figures()
    assert (told.queue, told.oldest_due_s) == ({("queued", "emergency"): 1}, 0.0)
