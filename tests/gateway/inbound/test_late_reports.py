"""Status reports of parts whose answer was lost: matched by person and time, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, SIM1, Bench

from drivers.events import NO_RECEIPT, StatusReportReceived
from drivers.tpdu import Address, SmsStatusReport, TimeStamp, join_smsc
from gateway.clock import SECOND_US, to_datetime
from gateway.inbound.arrival import Origin
from gateway.inbound.reports import Reports
from gateway.message import Message, PartEvent, Status
from gateway.outbound.gate import Marked

OTHER = "+33698765432"


@dataclass
class Late:
    """A bench whose parts lose their answers, and the reports that come."""

    bench: Bench

    async def lose(self, to: str = NUMBER, text: str = "hello", policy: str = "hold") -> Message:
        message = await self.bench.accept(to, text, category="emergency", on_uncertain=policy)
        await self.lose_next()
        return message

    async def lose_next(self) -> Marked:
        marked = await self.bench.next()
        assert marked is not None
        await self.bench.settle(marked, PartEvent.OUTCOME_LOST, code="restart", sentence="nobody knows")
        return marked

    async def report(
        self, number: str = NUMBER, tp_st: int = 0, *, after_s: int = 1, tp_mr: int = 99, iccid: str | None = "8933"
    ) -> None:
        """The service centre says that it took the message `after_s` from now."""
        stamp = TimeStamp.from_datetime(to_datetime(self.bench.clock.now_us() + after_s * SECOND_US))
        told = SmsStatusReport(tp_mr=tp_mr, tp_ra=Address.from_text(number), tp_scts=stamp, tp_dt=stamp, tp_st=tp_st)
        event = StatusReportReceived(told, join_smsc(None, told.to_bytes()), NO_RECEIPT)
        reports, now_us = Reports(self.bench.store, "FR"), self.bench.clock.now_us()
        origin = Origin("sim1", "test-1", iccid)
        await self.bench.store.write(lambda connection: reports.take(connection, event, origin, now_us))

    async def status(self, message: Message) -> Status:
        return (await self.bench.get(message.id)).status

    async def put_back(self) -> None:
        """Let policy `resend` have its way."""
        self.bench.clock.advance(timedelta(seconds=21))
        await self.bench.upkeep()

    async def attempts(self) -> list[tuple[str, int | None, int | None]]:
        def work(connection: Connection) -> list[tuple[str, int | None, int | None]]:
            rows = connection.exec_driver_sql("SELECT state, tp_mr, tp_st FROM attempt ORDER BY id")
            return [tuple(row) for row in rows]

        return await self.bench.store.read(work)


@pytest.fixture
def late(bench: Bench) -> Late:
    return Late(bench)


@pytest.mark.parametrize(
    ("tp_st", "status"),
    [(0x00, Status.DELIVERED), (0x45, Status.UNDELIVERED), (0x20, Status.SENT), (0x01, Status.SENT)],
)
async def test_a_report_closes_an_uncertain_part(late: Late, tp_st: int, status: Status) -> None:
    message = await late.lose()
    await late.report(tp_st=tp_st)
    found = await late.bench.get(message.id)
    assert found.status is status
    assert (found.error_code is None) is (status is not Status.UNDELIVERED)


async def test_still_trying_says_that_it_was_sent_and_the_last_word_is_found_by_its_reference(late: Late) -> None:
    message = await late.lose()
    await late.report(tp_st=0x20)
    late.bench.clock.advance(timedelta(hours=3))
    await late.report(after_s=-3 * 3600 + 1)
    assert await late.status(message) is Status.DELIVERED
    assert await late.attempts() == [("delivered", 99, 0)]


@pytest.mark.parametrize(("after_s", "matches"), [(-121, False), (-119, True), (599, True), (601, False)])
async def test_the_time_of_the_service_centre_has_to_fit(late: Late, after_s: int, matches: bool) -> None:
    message = await late.lose()
    await late.report(after_s=after_s)
    assert (await late.status(message) is Status.DELIVERED) is matches


async def test_of_another_person_or_sim_it_closes_nothing(late: Late) -> None:
    message = await late.lose()
    await late.report(OTHER)
    await late.report(iccid="1111")
    assert await late.status(message) is Status.UNCERTAIN


async def test_the_sim_may_have_moved_to_another_modem(late: Late) -> None:
    message = await late.bench.accept()
    marked = await late.bench.next(replace(SIM1, name="another"))
    assert marked is not None
    await late.bench.settle(marked, PartEvent.OUTCOME_LOST, code="restart", sentence="")
    await late.report()
    assert await late.status(message) is Status.DELIVERED


async def test_where_two_can_be_meant_none_is(late: Late) -> None:
    first, second = await late.lose(text="one"), await late.lose(text="two")
    await late.report()
    assert [await late.status(each) for each in (first, second)] == [Status.UNCERTAIN] * 2
    # The parts of one message are no different.
    third = await late.lose(OTHER, "x" * 161)
    await late.bench.send_all(reference=4)
    await late.report(OTHER)
    assert await late.status(third) is not Status.DELIVERED


async def test_one_under_way_to_the_same_person_can_be_meant_too(late: Late) -> None:
    lost = await late.lose(text="one")
    await late.bench.accept(text="two")
    under_way = await late.bench.next()
    assert under_way is not None
    await late.report(tp_mr=12)
    assert await late.status(lost) is Status.UNCERTAIN
    await late.bench.settle(under_way, PartEvent.ACCEPTED, tp_mr=12)
    assert (await late.bench.get(under_way.message_id)).status is Status.DELIVERED
    assert await late.status(lost) is Status.UNCERTAIN


async def test_a_report_that_came_before_anybody_knew_is_found_later(late: Late) -> None:
    message = await late.bench.accept()
    marked = await late.bench.next()
    assert marked is not None
    await late.report()
    assert await late.status(message) is Status.SENDING
    await late.bench.settle(marked, PartEvent.OUTCOME_LOST, code="restart", sentence="nobody knows")
    assert await late.status(message) is Status.DELIVERED


async def test_two_references_at_once_are_too_many(late: Late) -> None:
    message = await late.bench.accept()
    marked = await late.bench.next()
    assert marked is not None
    for reference in (3, 4):
        await late.report(tp_mr=reference)
    await late.bench.settle(marked, PartEvent.OUTCOME_LOST, code="restart", sentence="nobody knows")
    assert await late.status(message) is Status.UNCERTAIN


async def test_a_reference_of_long_ago_gives_way_to_the_part_that_fits_by_time(late: Late) -> None:
    old = await late.bench.accept(text="old")
    await late.bench.send_all(reference=99)
    # By whole quarters of an hour the centre could mean the old one, and be wrong about its zone.
    late.bench.clock.advance(timedelta(hours=5, minutes=7))
    lost = await late.lose(text="lost")
    await late.report(tp_mr=99)
    assert [await late.status(each) for each in (old, lost)] == [Status.SENT, Status.DELIVERED]


async def test_a_report_that_is_told_again_speaks_of_the_same_part_and_closes_no_other(late: Late) -> None:
    lost = await late.lose()
    sent = await late.bench.accept(NUMBER, "again", category="emergency")
    await late.bench.send_all(reference=5)
    # Before the SIM was read, and with it: other octets to us, the same report.
    await late.report(tp_mr=5, iccid=None)
    await late.report(tp_mr=5)
    assert [await late.status(each) for each in (lost, sent)] == [Status.UNCERTAIN, Status.DELIVERED]


@pytest.mark.parametrize(
    ("tp_st", "status"), [(0x00, Status.DELIVERED), (0x45, Status.UNDELIVERED), (0x20, Status.SENT)]
)
async def test_a_further_copy_that_waits_does_not_leave_any_more(late: Late, tp_st: int, status: Status) -> None:
    message = await late.lose(policy="resend")
    await late.put_back()
    assert await late.status(message) is Status.SENDING
    await late.report(tp_st=tp_st)
    assert await late.bench.next() is None
    found = await late.bench.get(message.id)
    assert (found.status, found.modem, found.attempts) == (status, "sim1", 1)


async def test_before_it_is_put_back_the_further_copy_is_forgotten(late: Late) -> None:
    message = await late.lose(policy="resend")
    await late.report()
    await late.put_back()
    assert await late.bench.next() is None
    assert await late.status(message) is Status.DELIVERED


@pytest.mark.parametrize("event", [PartEvent.ACCEPTED, PartEvent.OUTCOME_LOST, PartEvent.REFUSED, PartEvent.RELEASED])
async def test_what_is_known_of_the_first_copy_decides_when_the_second_ends(late: Late, event: PartEvent) -> None:
    message = await late.lose(policy="resend")
    await late.put_back()
    second = await late.bench.next()
    assert second is not None
    # By reference: the answer to the first copy had been heard by somebody else, say the modem's own log.
    await late.bench.store.write(
        lambda connection: connection.exec_driver_sql("UPDATE attempt SET tp_mr = 11 WHERE state = 'uncertain'")
    )
    await late.report(after_s=-20, tp_mr=11)
    assert (await late.attempts())[0] == ("delivered", 11, 0)
    assert await late.status(message) is Status.SENDING
    await late.bench.settle(second, event, tp_mr=12 if event is PartEvent.ACCEPTED else None, code="x", sentence="")
    assert await late.status(message) is Status.DELIVERED
    assert await late.bench.next() is None


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (PartEvent.ACCEPTED, Status.DELIVERED),
        (PartEvent.REFUSED, Status.DELIVERED),
        (PartEvent.RELEASED, Status.DELIVERED),
        # Now either copy can be meant.
        (PartEvent.OUTCOME_LOST, Status.UNCERTAIN),
    ],
)
async def test_a_report_that_came_while_the_second_copy_was_under_way(
    late: Late, event: PartEvent, status: Status
) -> None:
    message = await late.lose(policy="resend")
    await late.put_back()
    second = await late.bench.next()
    assert second is not None
    await late.report(after_s=-20, tp_mr=11)
    assert await late.status(message) is Status.SENDING
    await late.bench.settle(second, event, tp_mr=12 if event is PartEvent.ACCEPTED else None, code="x", sentence="")
    assert await late.status(message) is status
    assert await late.bench.next() is None


async def test_a_report_for_the_first_copy_after_the_second_was_taken_is_recorded(late: Late) -> None:
    message = await late.lose(policy="resend")
    await late.put_back()
    await late.bench.send_all(reference=12)
    await late.report(after_s=-20, tp_mr=11)
    assert await late.attempts() == [("delivered", 11, 0), ("sent", 12, None)]
    await late.report(tp_mr=12)
    assert await late.attempts() == [("delivered", 11, 0), ("delivered", 12, 0)]
    assert await late.status(message) is Status.DELIVERED


async def _send_at_one_time(late: Late, references: list[int]) -> None:
    """A message of several parts, which the modem says it sent under these references."""
    await late.bench.accept(text="x" * (140 * len(references)))
    for reference in references:
        marked = await late.bench.next()
        assert marked is not None
        await late.bench.settle(marked, PartEvent.ACCEPTED, tp_mr=reference)


async def test_a_report_of_parts_that_nobody_could_tell_apart_is_no_evidence_for_another(
    late: Late, tell: Callable[[str], None]
) -> None:
    """The modem gave both parts one reference: which of them each report means is not known, but it means one."""
    await _send_at_one_time(late, [192, 192])
    late.bench.clock.advance(timedelta(seconds=2))
    for tp_st in (0x00, 0x01):
        await late.report(after_s=-1, tp_st=tp_st, tp_mr=192)
    late.bench.clock.advance(timedelta(seconds=44))
    lost = await late.lose(text="never left")
    assert await late.status(lost) is Status.UNCERTAIN
    tell("M18: reports of two parts of one reference, then a third part to the same person is lost: it stays uncertain")


async def test_a_report_under_a_reference_that_the_modem_never_told_may_be_of_what_was_sent_before(late: Late) -> None:
    await late.bench.accept(text="sent")
    await late.bench.send_all(reference=0)
    late.bench.clock.advance(timedelta(seconds=2))
    await late.report(after_s=-1, tp_mr=57)
    late.bench.clock.advance(timedelta(seconds=44))
    lost = await late.lose(text="never left")
    assert await late.status(lost) is Status.UNCERTAIN


@pytest.mark.parametrize("before", [True, False])
async def test_a_part_that_was_believed_refused_can_be_meant_too(late: Late, before: bool) -> None:
    for text in ("one", "two"):
        # Two of them: neither can be told from the other.
        await late.bench.accept(text=text)
        marked = await late.bench.next()
        assert marked is not None
        await late.bench.settle(marked, PartEvent.REFUSED, code="cms_10", sentence="call barred")
    if before:
        await late.report(after_s=1)
    late.bench.clock.advance(timedelta(seconds=44))
    lost = await late.lose(text="never left")
    if not before:
        await late.report(after_s=-42)
    assert await late.status(lost) is Status.UNCERTAIN


async def test_a_part_that_was_refused_long_before_takes_no_evidence_away(late: Late) -> None:
    await late.bench.accept(text="refused")
    marked = await late.bench.next()
    assert marked is not None
    await late.bench.settle(marked, PartEvent.REFUSED, code="cms_304", sentence="invalid")
    late.bench.clock.advance(timedelta(seconds=59))
    lost = await late.lose(text="left")
    await late.report()
    assert await late.status(lost) is Status.DELIVERED


@pytest.mark.parametrize(("behind_s", "told"), [(0, Status.UNCERTAIN), (40, Status.DELIVERED)])
async def test_a_centre_that_was_right_so_far_did_not_take_a_part_before_its_mark(
    late: Late, behind_s: int, told: Status
) -> None:
    """A report of what is not in the store, such as another program's, or the clock of the centre is behind."""
    for reference in range(4):
        await late.bench.accept(OTHER, f"earlier {reference}")
        await late.bench.send_all(reference=reference)
        await late.report(OTHER, after_s=1 - behind_s, tp_mr=reference)
        late.bench.clock.advance(timedelta(minutes=5))
    lost = await late.lose(text="lost")
    await late.report(after_s=-38)
    assert await late.status(lost) is told
