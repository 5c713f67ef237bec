"""Status reports: kept as they came, and matched with the attempt they speak of.

A report names a reference of 8 bits and a recipient. It is matched with the latest attempt of the same SIM, reference
and person that no final report has spoken of yet, whichever host made it: a SIM may be moved. Where a SIM is not known
the modem of that host stands for it. One that comes before the answer to its own submit was
committed waits here, unmatched, until that commit looks for it. A part whose answer was lost has no reference; a report
closes it by person and time, if no other part can be meant. So does it with a part that was believed refused.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, String, bindparam, or_, select, update

from gateway.message import Finding, PartEvent, PartState
from gateway.store import outcomes
from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.report_fit import (
    AHEAD_US,
    CLEARLY_US,
    SLOWEST_US,
    WHO,
    NewReport,
    in_time,
    same_line,
    same_person,
    same_sim,
)
from gateway.store.report_times import believed_failed, by_time
from gateway.store.schema import AnyRow, attempt, recipient, report

# A reference comes round after 256 submits; older candidates than these are not looked at. Some modems give always the
# same: where even the oldest of these is of this time, more of them are.
_CANDIDATES = 16
_MORE = 512
# Zones are told in quarters of an hour, from 12 h behind to 14 h ahead of UTC; a centre may take one for another. What
# it says is then off by whole quarters, and by the little that a centre takes a part earlier or later by its clock.
_QUARTER_US = 900_000_000
_WORST_ZONE_US = 26 * 4 * _QUARTER_US + 60_000_000
_ZONE_EARLY_US = 5_000_000
_ZONE_LATE_US = 30_000_000


_add = Prepared(
    insert(report)
    .values(
        fingerprint=bindparam("hash"),
        recipient_id=bindparam("person"),
        modem=bindparam("name"),
        node=bindparam("host"),
        iccid=bindparam("sim"),
        tp_mr=bindparam("mr"),
        tp_st=bindparam("st"),
        received_us=bindparam("now_us"),
        submitted_us=bindparam("taken_us"),
        discharged_us=bindparam("then_us"),
        stamps=bindparam("raw_stamps"),
        attempt_id=bindparam("of_attempt"),
    )
    .on_conflict_do_nothing(index_elements=["fingerprint"])
)
_latest = WHO.order_by(attempt.c.id.desc()).limit(bindparam("most"))
# Two queries, as below.
_of_sim = Prepared(_latest.where(attempt.c.iccid == bindparam("sim"), attempt.c.tp_mr == bindparam("mr")))
_of_modem = Prepared(
    _latest.where(
        attempt.c.modem == bindparam("name"),
        or_(bindparam("host", type_=String).is_(None), attempt.c.node == bindparam("host")),
        attempt.c.tp_mr == bindparam("mr"),
    )
)
_waiting_by_time = Prepared(
    select(
        report.c.id,
        report.c.modem,
        report.c.node,
        report.c.iccid,
        report.c.tp_mr,
        report.c.tp_st,
        report.c.submitted_us,
        recipient.c.number,
    )
    .join(recipient, recipient.c.id == report.c.recipient_id)
    .where(
        report.c.attempt_id.is_(None),
        report.c.submitted_us.is_not(None),
        report.c.submitted_us >= bindparam("since_us"),
        report.c.submitted_us <= bindparam("until_us"),
    )
    .order_by(report.c.id)
)
_tie = Prepared(update(report).where(report.c.id == bindparam("report_id")).values(attempt_id=bindparam("of_attempt")))
_waiting = Prepared(
    select(
        report.c.id,
        report.c.modem,
        report.c.node,
        report.c.iccid,
        report.c.tp_mr,
        report.c.tp_st,
        report.c.received_us,
        recipient.c.number,
    )
    .join(recipient, recipient.c.id == report.c.recipient_id)
    .where(
        report.c.attempt_id.is_(None),
        report.c.modem == bindparam("name"),
        report.c.tp_mr == bindparam("mr"),
        report.c.received_us >= bindparam("since_us"),
    )
    .order_by(report.c.id)
)
_attempt = Prepared(WHO.where(attempt.c.id == bindparam("attempt_id")))


def add(connection: Connection, new: NewReport, attempt_id: int | None) -> bool:
    """Keep a report, with the attempt that it speaks of; False when the same octets are here already."""
    added = _add.change(
        connection,
        hash=new.fingerprint,
        person=new.recipient_id,
        name=new.modem,
        host=new.node,
        sim=new.iccid,
        mr=new.tp_mr,
        st=new.tp_st,
        now_us=new.received_us,
        taken_us=new.submitted_us,
        then_us=new.discharged_us,
        raw_stamps=new.stamps,
        of_attempt=attempt_id,
    )
    return bool(added)


def attempt_for(connection: Connection, new: NewReport | AnyRow) -> AnyRow | None:
    """The attempt the report speaks of, or None. `new` may be one that waits.

    The reference names it, and failing that the time: a part whose answer was lost has no reference, nor has one that
    the modem said was refused. A reference comes
    round, so one of another time gives way to a part that fits by its time. One of this time does not, even if a report
    has spoken of it: it is told once more, or a later word of the same message.
    """
    fitting = _candidates(connection, new)
    named = [row for row in fitting if in_time(row, new.submitted_us)]
    if named:
        here = [row for row in named if (row.node, row.modem) == (new.node, new.modem)]
        return _nearest(here or named, new.submitted_us)
    by_its_time = by_time(connection, new) or believed_failed(connection, new)
    # The service centre's clock may be wrong; then the reference alone has to do, if it names one part.
    fresh = [row for row in fitting if row.tp_st is None] or fitting
    if by_its_time is not None and any(_in_another_zone(row, new.submitted_us) for row in fresh):
        # Either of them: one by its time, the other by its reference and the same time in another zone.
        return None
    return by_its_time or (fresh[0] if len(fresh) == 1 else None)


def _nearest(named: list[AnyRow], submitted_us: int | None) -> AnyRow | None:
    """Which of several attempts of one reference, person and time is meant; None where nobody can tell.

    The service centre says when it took the message. Where that does not tell them apart it is the one that no report
    has spoken of yet; two of these are one too many.
    """
    if submitted_us is not None:
        told = submitted_us
        nearest = sorted(named, key=lambda row: abs(row.marked_us - told))
        if len(nearest) == 1 or abs(nearest[1].marked_us - told) - abs(nearest[0].marked_us - told) >= CLEARLY_US:
            return nearest[0]
    fresh = [row for row in named if row.tp_st is None]
    if submitted_us is None or not fresh:
        return next(iter(fresh or named), None)
    return fresh[0] if len(fresh) == 1 else None


def _candidates(connection: Connection, new: NewReport | AnyRow) -> list[AnyRow]:
    """Attempts of this reference, SIM and person, those through the modem that hears of it before others."""
    rows = [] if new.iccid is None else _rows_of(_of_sim, connection, new, sim=new.iccid)
    fitting = [row for row in rows if same_person(row.number, new.number)]
    if not fitting:
        rows = _rows_of(_of_modem, connection, new, name=new.modem, host=new.node)
        fitting = [row for row in rows if same_person(row.number, new.number) and same_sim(row.iccid, new.iccid)]
    # Simulated SIMs of two hosts may bear one number.
    return sorted(fitting, key=lambda row: (row.node, row.modem) != (new.node, new.modem))


def _rows_of(query: Prepared, connection: Connection, new: NewReport | AnyRow, **values: Any) -> list[AnyRow]:
    """The latest attempts of the report's reference, newest first."""
    rows = query.rows(connection, mr=new.tp_mr, most=_CANDIDATES, **values)
    oldest_us = None if new.submitted_us is None else new.submitted_us - SLOWEST_US
    if len(rows) == _CANDIDATES and oldest_us is not None and rows[-1].marked_us >= oldest_us:
        return query.rows(connection, mr=new.tp_mr, most=_MORE, **values)
    return rows


def waiting_for(connection: Connection, attempt_id: int) -> list[tuple[AnyRow, AnyRow]]:
    """Reports that came before a part became uncertain and can speak of it alone, each with the attempt.

    Each is asked as if it came now: one may wait because its reference names several of which none could be told.
    """
    row = _attempt.first(connection, attempt_id=attempt_id)
    assert row is not None, "the attempt was settled in this transaction"
    told = _waiting_by_time.rows(connection, since_us=row.marked_us - AHEAD_US, until_us=row.marked_us + SLOWEST_US)
    mine = [each for each in told if same_person(row.number, each.number)]
    found = [
        (each, attempt) for each in mine if (attempt := attempt_for(connection, each)) and attempt.id == attempt_id
    ]
    references = {each.tp_mr for each, _ in found}
    return found if len(references) == 1 else []


def apply(
    connection: Connection, report_id: int, row: AnyRow, now_us: int, *, told: NewReport | AnyRow, finding: Finding
) -> None:
    """Tie a report that waited to its attempt (a row of `attempt`) and let it move the part."""
    _tie.write(connection, report_id=report_id, of_attempt=row.id)
    move(connection, row, now_us, told=told, finding=finding)


def move(connection: Connection, row: AnyRow, now_us: int, *, told: NewReport | AnyRow, finding: Finding) -> None:
    """Let a report move the part of its attempt."""
    event = finding.event
    if event is None and row.state == PartState.UNCERTAIN:
        # Whatever the service centre will make of it: it has the message.
        event = PartEvent.ACCEPTED
    if event is not None:
        outcomes.by_report(
            connection, row, now_us, tp_mr=told.tp_mr, tp_st=told.tp_st, event=event, sentence=finding.sentence
        )


def early(
    connection: Connection, attempt_id: int, modem: str, tp_mr: int, since_us: int
) -> tuple[AnyRow, AnyRow] | None:
    """A report that came before this attempt's answer was committed, with the attempt; None as a rule."""
    waiting = _waiting.rows(connection, name=modem, mr=tp_mr, since_us=since_us)
    if not waiting:
        return None
    row = _attempt.first(connection, attempt_id=attempt_id)
    assert row is not None, "the attempt was settled in this transaction"
    mine = (
        each
        for each in waiting
        # What came before it was marked speaks of another, of which nobody could say which.
        if each.received_us >= row.marked_us and same_person(row.number, each.number) and same_line(row, each)
    )
    return next(((each, row) for each in mine), None)


def _in_another_zone(row: AnyRow, submitted_us: int | None) -> bool:
    """Whether a report speaks of this attempt's time as a centre says it that is wrong about its zone."""
    if submitted_us is None or row.tp_st is not None:
        return False
    off_us = submitted_us - row.marked_us
    return abs(off_us) <= _WORST_ZONE_US and (off_us + _ZONE_EARLY_US) % _QUARTER_US <= _ZONE_EARLY_US + _ZONE_LATE_US
