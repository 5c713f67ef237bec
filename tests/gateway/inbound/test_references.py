"""Status reports and references that cannot be relied on (M18, M19), and what a report says (M20)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from support.bench import NUMBER, Bench

from drivers.events import NO_RECEIPT, StatusReportReceived
from drivers.tpdu import Address, SmsStatusReport, StatusOutcome, TimeStamp, join_smsc, outcome_of
from gateway.clock import SECOND_US, to_datetime
from gateway.inbound.arrival import Origin
from gateway.inbound.reports import Reports
from gateway.message import Message, PartEvent, Status

HERE = Origin("sim1", "test-1", "8933")


@dataclass(frozen=True)
class Gone:
    """A message that was taken under a reference: to whom, and when."""

    message: Message
    number: str
    tp_mr: int
    at_us: int


@dataclass
class Centre:
    """The service centre of a bench: takes messages under the references that it is told, and reports on them."""

    bench: Bench
    gone: list[Gone] = field(default_factory=list)

    async def send(self, number: str, tp_mr: int, **fields: object) -> Gone:
        message = await self.bench.accept(number, **fields)
        await self.bench.send_all(reference=tp_mr)
        gone = Gone(message, number, tp_mr, self.bench.clock.now_us())
        self.gone.append(gone)
        return gone

    async def report(
        self, gone: Gone, tp_st: int = 0, *, number: str | None = None, tp_mr: int | None = None, late_s: int = 1
    ) -> bool:
        """Report on a message: taken `late_s` after it was marked, and delivered now."""
        told = SmsStatusReport(
            tp_mr=gone.tp_mr if tp_mr is None else tp_mr,
            tp_ra=Address.from_text(number or gone.number),
            tp_scts=TimeStamp.from_datetime(to_datetime(gone.at_us + late_s * SECOND_US)),
            tp_dt=TimeStamp.from_datetime(to_datetime(self.bench.clock.now_us())),
            tp_st=tp_st,
        )
        event = StatusReportReceived(told, join_smsc(None, told.to_bytes()), NO_RECEIPT)
        reports, now_us = Reports(self.bench.store, "FR"), self.bench.clock.now_us()
        return await self.bench.store.write(lambda connection: reports.take(connection, event, HERE, now_us))

    async def status(self, gone: Gone) -> Status:
        return (await self.bench.get(gone.message.id)).status

    async def matched(self) -> list[tuple[int, str | None]]:
        """Of each report: the second in which its message was taken, and the message that it was matched with."""

        def work(connection: object) -> list[tuple[int, str | None]]:
            query = (
                "SELECT report.submitted_us, attempt.message_id FROM report"
                " LEFT JOIN attempt ON attempt.id = report.attempt_id ORDER BY report.id"
            )
            return [tuple(row) for row in connection.exec_driver_sql(query)]  # type: ignore[attr-defined]

        return await self.bench.store.read(work)

    def truth(self, submitted_us: int, number: str | None = None) -> set[str]:
        """Who was really meant by a report of that second."""
        return {each.message.id for each in self.gone if each.at_us == submitted_us - SECOND_US}


@pytest.fixture
def centre(bench: Bench) -> Centre:
    return Centre(bench)


@pytest.mark.parametrize("case", ["always 0", "always 7", "in pairs"])
async def test_m18_references_that_say_nothing_match_nothing_wrongly(
    centre: Centre, seeded: Random, tell: Callable[[str], None], case: str
) -> None:
    people = [f"+3363998{number:04}" for number in range(12)]
    for number in range(90):
        centre.bench.clock.advance(timedelta(seconds=seeded.choice((3, 7, 30, 45))))
        reference = {"always 0": 0, "always 7": 7, "in pairs": number // 2 % 256}[case]
        await centre.send(seeded.choice(people), reference)
    reported = seeded.sample(centre.gone, 70)
    for gone in reported:
        await centre.report(gone)
    matched = await centre.matched()
    wrong = [at_us for at_us, message_id in matched if message_id is not None and message_id not in centre.truth(at_us)]
    right = sum(message_id is not None for _, message_id in matched)
    assert wrong == []
    assert right >= 50
    delivered = [gone for gone in centre.gone if await centre.status(gone) is Status.DELIVERED]
    assert {gone.message.id for gone in delivered} <= {gone.message.id for gone in reported}
    tell(f"M18: references {case}, 90 messages to 12 people: of 70 reports {right} matched, false matches {len(wrong)}")


async def test_m18_of_one_moment_and_person_neither_is_guessed(centre: Centre) -> None:
    first = await centre.send(NUMBER, 0)
    centre.bench.clock.advance(timedelta(seconds=2))
    second = await centre.send(NUMBER, 0)
    centre.bench.clock.advance(timedelta(seconds=2))
    await centre.report(first)
    assert [await centre.status(each) for each in (first, second)] == [Status.SENT, Status.SENT]
    # What was not matched is not taken for the report of the next one.
    centre.bench.clock.advance(timedelta(seconds=2))
    third = await centre.send(NUMBER, 0)
    assert await centre.status(third) is Status.SENT


async def test_m19_three_hundred_outstanding_reports_in_any_order(
    centre: Centre, seeded: Random, tell: Callable[[str], None]
) -> None:
    people = [f"+3363998{number:04}" for number in range(150)]
    for number in range(300):
        centre.bench.clock.advance(timedelta(seconds=3))
        await centre.send(people[number % len(people)], number % 256)
    told = list(centre.gone)
    seeded.shuffle(told)
    for number, gone in enumerate(told):
        assert await centre.report(gone)
        if number % 10 == 0:
            assert not await centre.report(gone), "the same octets are known"
    doubled = seeded.sample(told, 20)
    centre.bench.clock.advance(timedelta(seconds=9))
    for gone in doubled:
        await centre.report(gone)
    for gone in seeded.sample(told, 20):
        await centre.report(gone, number="+33698760000")
        await centre.report(gone, tp_mr=(gone.tp_mr + 128) % 256)
    statuses = [await centre.status(gone) for gone in centre.gone]
    matched = await centre.matched()
    wrong = sum(message_id is not None and message_id not in centre.truth(at_us) for at_us, message_id in matched)
    unmatched = sum(message_id is None for _, message_id in matched)
    assert statuses == [Status.DELIVERED] * 300
    assert wrong == 0
    assert unmatched == 40
    tell(
        "M19: 300 reports outstanding over 256 references, shuffled, 50 told twice, 40 of nobody: "
        f"300 delivered, false matches {wrong}, unmatched {unmatched}"
    )


async def test_m20_every_status_is_one_of_three_things(centre: Centre, tell: Callable[[str], None]) -> None:
    words = {
        StatusOutcome.DELIVERED: Status.DELIVERED,
        StatusOutcome.UNDELIVERED: Status.UNDELIVERED,
        StatusOutcome.STILL_TRYING: Status.SENT,
        StatusOutcome.UNCONFIRMED: Status.SENT,
    }
    counts = dict.fromkeys(Status, 0)
    for tp_st in range(256):
        centre.bench.clock.advance(timedelta(minutes=20))
        gone = await centre.send(f"+3363998{tp_st:04}", tp_st)
        await centre.report(gone, tp_st)
        status = await centre.status(gone)
        assert status is words[outcome_of(tp_st)], hex(tp_st)
        counts[status] += 1
    tell(
        f"M20: 256 values of TP-ST: {counts[Status.DELIVERED]} delivered, {counts[Status.UNDELIVERED]} undelivered, "
        f"{counts[Status.SENT]} say neither"
    )


@pytest.mark.parametrize(
    ("tp_st", "status"), [(0x00, Status.DELIVERED), (0x46, Status.UNDELIVERED), (0x20, Status.FAILED)]
)
async def test_m20_a_report_for_what_was_believed_failed_flips_it(
    centre: Centre, tp_st: int, status: Status, caplog: pytest.LogCaptureFixture, tell: Callable[[str], None]
) -> None:
    gone = await _fail(centre, NUMBER)
    await centre.report(gone, tp_st, tp_mr=9)
    assert await centre.status(gone) is status
    found = await centre.bench.get(gone.message.id)
    assert (found.error_code is None) is (status is Status.DELIVERED)
    told = [record for record in caplog.records if getattr(record, "action", "") == "failed_was_sent"]
    assert [record.levelno for record in told] == ([] if status is Status.FAILED else [logging.WARNING])
    assert NUMBER not in caplog.text
    # A later word is known by the reference of the first.
    centre.bench.clock.advance(timedelta(seconds=5))
    await centre.report(gone, 0x00, tp_mr=9)
    assert await centre.status(gone) is Status.DELIVERED
    tell("M20: refused by the modem, then a report: delivered, undelivered, or still failed while the centre tries on")


async def _fail(centre: Centre, number: str) -> Gone:
    message = await centre.bench.accept(number)
    marked = await centre.bench.next()
    assert marked is not None
    at_us = centre.bench.clock.now_us()
    await centre.bench.settle(marked, PartEvent.REFUSED, code="cms_10", sentence="call barred")
    return Gone(message, number, 9, at_us)


async def test_m20_where_another_can_be_meant_nothing_flips(centre: Centre) -> None:
    first = await _fail(centre, NUMBER)
    second = await _fail(centre, NUMBER)
    await centre.report(first)
    assert [await centre.status(each) for each in (first, second)] == [Status.FAILED, Status.FAILED]
    third = await centre.send(NUMBER, 9)
    await centre.report(third)
    assert await centre.status(third) is Status.DELIVERED
    assert await centre.status(first) is Status.FAILED


async def test_m20_a_report_of_what_was_sent_flips_nothing_that_failed(centre: Centre) -> None:
    failed = await _fail(centre, NUMBER)
    centre.bench.clock.advance(timedelta(seconds=40))
    sent = await centre.send(NUMBER, 5)
    centre.bench.clock.advance(timedelta(seconds=5))
    await centre.report(sent, 0x00, tp_mr=200)  # a modem that tells another reference than the network
    assert [await centre.status(each) for each in (failed, sent)] == [Status.FAILED, Status.SENT]


async def test_m20_a_torso_is_not_taken_up_again(centre: Centre) -> None:
    message = await centre.bench.accept(NUMBER, "x" * 300)
    marked = await centre.bench.next()
    assert marked is not None
    at_us = centre.bench.clock.now_us()
    await centre.bench.settle(marked, PartEvent.REFUSED, code="cms_10", sentence="call barred")
    await centre.report(Gone(message, NUMBER, 9, at_us))
    assert (await centre.bench.get(message.id)).status is Status.FAILED
    assert await centre.bench.next() is None


@pytest.mark.parametrize(
    "off", ["-12 h", "-1 h", "-15 min", "+15 min", "+45 min", "+1 h", "+5 h 45", "+14 h", "year 99"]
)
@pytest.mark.parametrize("neighbour", [None, "lost", "failed"])
async def test_t09_a_centre_that_is_wrong_about_its_zone_or_its_year(
    centre: Centre, off: str, neighbour: str | None, tell: Callable[[str], None]
) -> None:
    """Beside a part whose answer was lost, or that was believed refused, just where the wrong time points at."""
    seconds = {
        "-12 h": -43_200, "-1 h": -3600, "-15 min": -900, "+15 min": 900, "+45 min": 2700, "+1 h": 3600,
        "+5 h 45": 20_700, "+14 h": 50_400, "year 99": -27 * 365 * 86_400,
    }[off]  # fmt: skip
    clock, wrong = centre.bench.clock, 0
    beside: list[Message] = []

    async def trouble() -> None:
        message = await centre.bench.accept(NUMBER)
        marked = await centre.bench.next()
        assert marked is not None
        event = PartEvent.OUTCOME_LOST if neighbour == "lost" else PartEvent.REFUSED
        await centre.bench.settle(marked, event, code="x", sentence="nobody knows")
        beside.append(message)

    if neighbour and -86_400 < seconds < 0:
        await trouble()
        clock.advance(timedelta(seconds=-seconds))
    gone = await centre.send(NUMBER, 7)
    if neighbour and seconds > 0:
        clock.advance(timedelta(seconds=seconds))
        await trouble()
    clock.advance(timedelta(seconds=5))
    assert await centre.report(gone, late_s=seconds + 2)
    # As they came, whatever was made of them.
    stamp = TimeStamp.from_datetime(to_datetime(gone.at_us + (seconds + 2) * SECOND_US))
    raw = await centre.bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT stamps FROM report").scalars().all()
    )
    assert [bytes(each)[:7] for each in raw] == [stamp.raw]
    matched = [message_id for _, message_id in await centre.matched()]
    wrong = sum(message_id not in {None, gone.message.id} for message_id in matched)
    assert wrong == 0
    if not beside:
        assert await centre.status(gone) is Status.DELIVERED
    for message in beside:
        assert (await centre.bench.get(message.id)).status in {Status.UNCERTAIN, Status.FAILED}
    tell("T09: centres wrong by 15 min to 14 h or by years, beside parts that are lost or failed: false matches 0")
