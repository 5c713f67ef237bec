"""Recovery in the order of the evidence, over a real store and a real journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import SIM1, Bench

from gateway.message import Message, PartEvent, Status
from gateway.outbound.gate import Marked
from gateway.outbound.journal import FOLDER, Journals, WireJournal
from gateway.outbound.recovery import recover

BOOT = "boot-1"


@dataclass
class Crashed:
    """A gateway that died with a mark: by then its submit had come as far as `steps` say."""

    bench: Bench
    folder: Path

    async def die(self, *steps: Callable[[WireJournal], None], begin: bool = True, **fields: object) -> Message:
        journal = self.journals().open("sim1")
        message = await self.bench.accept(**fields)
        marked = await self.mark(journal)
        if begin:
            journal.begin(marked.attempt_id, 1)
        for step in steps:
            step(journal)
        journal.close()
        return message

    async def mark(self, journal: WireJournal) -> Marked:
        marked = await self.bench.next(replace(SIM1, journal=journal.id))
        assert marked is not None
        return marked

    def journals(self, boot: str = BOOT) -> Journals:
        return Journals(self.folder, "test-1", boot)

    async def recovered(self, message: Message, boot: str = BOOT) -> Message:
        bench = self.bench
        assert await recover(bench.store, bench.gate, bench.clock, "test-1", self.journals(boot)) == 1
        return await bench.get(message.id)


@pytest.fixture
def crashed(bench: Bench, tmp_path: Path) -> Crashed:
    return Crashed(bench, tmp_path)


def end_next(journal: WireJournal) -> None:
    journal.end_next(2)


def answered(*lines: str) -> Callable[[WireJournal], None]:
    def step(journal: WireJournal) -> None:
        for line in lines:
            journal.answered(line)

    return step


@pytest.mark.parametrize("begin", [False, True])
async def test_without_ctrl_z_it_did_not_leave_and_waits_again(crashed: Crashed, begin: bool) -> None:
    message = await crashed.die(begin=begin)
    found = await crashed.recovered(message)
    assert (found.status, found.attempts, found.modem, found.error_code) == (Status.QUEUED, 0, None, None)
    again = await crashed.bench.next()
    assert again is not None
    assert again.copies == 1


async def test_an_answer_in_the_journal_counts_as_if_it_had_been_written_down(crashed: Crashed) -> None:
    message = await crashed.die(end_next, answered("+CMGS: 5", "OK"))
    found = await crashed.recovered(message)
    assert (found.status, found.attempts) == (Status.SENT, 1)
    assert await crashed.bench.next() is None


@pytest.mark.parametrize(
    ("line", "status"),
    [("+CMS ERROR: 1", Status.FAILED), ("+CMS ERROR: 42", Status.QUEUED), ("ERROR", Status.UNCERTAIN)],
)
async def test_a_refusal_in_the_journal_has_its_class(crashed: Crashed, line: str, status: Status) -> None:
    message = await crashed.die(end_next, answered(line))
    found = await crashed.recovered(message)
    assert found.status is status
    assert (await crashed.bench.next()) is None, "a temporary refusal waits for its next try"


async def test_after_ctrl_z_without_an_answer_nobody_knows(crashed: Crashed) -> None:
    message = await crashed.die(end_next)
    found = await crashed.recovered(message)
    assert (found.status, found.error_code) == (Status.UNCERTAIN, "restart")


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:150])


def foreign(path: Path) -> None:
    """Another journal of the same modem, node and boot: of a state directory that was swapped."""
    Journals(path.parent.parent, "test-1", BOOT).open("sim1").close()


@pytest.mark.parametrize("damage", [removed, emptied, cut, foreign])
@pytest.mark.parametrize("left", [False, True])
async def test_p07_a_journal_that_is_no_evidence_never_says_not_sent(
    crashed: Crashed, tmp_path: Path, damage: Callable[[Path], None], left: bool
) -> None:
    message = await crashed.die(*([end_next] if left else []))
    damage(tmp_path / FOLDER / "sim1.wire")
    assert (await crashed.recovered(message)).status is Status.UNCERTAIN


async def test_p07_after_another_start_of_the_machine_it_is_no_evidence(crashed: Crashed) -> None:
    message = await crashed.die()
    assert (await crashed.recovered(message, boot="boot-2")).status is Status.UNCERTAIN


async def test_p07_an_older_store_beside_a_newer_journal_proves_nothing(crashed: Crashed) -> None:
    journal = crashed.journals().open("sim1")
    message = await crashed.bench.accept()
    marked = await crashed.mark(journal)
    journal.begin(marked.attempt_id + 3, 1)
    journal.close()
    assert (await crashed.recovered(message)).status is Status.UNCERTAIN


async def test_a_part_of_a_long_message_that_did_not_leave_stays_with_its_modem(crashed: Crashed) -> None:
    journal = crashed.journals().open("sim1")
    message = await crashed.bench.accept(text="x" * 400)
    first = await crashed.mark(journal)
    await crashed.bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    await crashed.mark(journal)
    journal.close()
    assert (await crashed.recovered(message)).status is Status.SENDING
    assert await crashed.bench.next(replace(SIM1, name="sim2")) is None
    assert [each.sequence for each in await crashed.bench.send_all(reference=2)] == [2, 3]


async def test_a_further_copy_that_did_not_leave_cannot_be_cancelled_and_goes_again(crashed: Crashed) -> None:
    bench, journal = crashed.bench, crashed.journals().open("sim1")
    message = await bench.accept(category="emergency", on_uncertain="resend")
    first = await crashed.mark(journal)
    await bench.settle(first, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
    bench.clock.advance(timedelta(seconds=21))
    await bench.upkeep()
    await crashed.mark(journal)
    journal.close()
    assert (await crashed.recovered(message)).status is Status.SENDING
    again = await bench.next(replace(SIM1, name="sim2"))
    assert again is not None
    assert again.copies == 2


async def test_a_further_copy_that_is_refused_leaves_the_first_one_uncertain(crashed: Crashed) -> None:
    bench = crashed.bench
    message = await bench.accept(category="emergency", on_uncertain="resend")
    for event, code in ((PartEvent.OUTCOME_LOST, "timeout"), (PartEvent.REFUSED, "cms_1")):
        marked = await bench.next()
        assert marked is not None
        await bench.settle(marked, event, code=code, sentence="")
        bench.clock.advance(timedelta(seconds=21))
        await bench.upkeep()
    found = await bench.get(message.id)
    assert (found.status, found.attempts) == (Status.UNCERTAIN, 2)
    assert await bench.next() is None
