"""Status reports that no reference ties to a part: of a part whose answer was lost, or that was believed refused.

Person, SIM and time are all there is to go by, so such a report counts only where nothing else can be meant. What else
there may be: another part without an answer; one that was refused, since a modem may say no to what has left; one that
was sent before, and reported under another reference than its modem told; and something that is not in the store, which
shows where the centre would have taken the part earlier than by its clock it can have.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from sqlalchemy import Connection, String, and_, bindparam, func, or_, select

from gateway.message import PartState
from gateway.store.prepared import Prepared, word
from gateway.store.report_fit import AHEAD_US, CLEARLY_US, SLOWEST_US, WHO, NewReport, same_line, same_person
from gateway.store.schema import AnyRow, attempt, report

# What TP-SCTS leaves out: it counts whole seconds.
_STAMP_US = 1_000_000
# So many reports that a reference tied to its part tell how a centre's clock stands to ours; fewer tell nothing.
_LEAST_KNOWN, _MOST_KNOWN = 3, 16

# Two queries, not one: each has a partial index of its own.
_uncertain = Prepared(
    WHO.where(
        attempt.c.state == word(PartState.UNCERTAIN),
        attempt.c.marked_us >= bindparam("since_us"),
        attempt.c.marked_us <= bindparam("until_us"),
    )
)
_failed = Prepared(
    WHO.where(
        attempt.c.state == word(PartState.FAILED),
        attempt.c.marked_us >= bindparam("since_us"),
        attempt.c.marked_us <= bindparam("until_us"),
    )
)
# Near another one, by their numbers: those of one time are.
_NEIGHBOURS = 4096
_silent = Prepared(
    WHO.where(
        attempt.c.id >= bindparam("first"),
        attempt.c.id <= bindparam("last"),
        attempt.c.state == word(PartState.SENT),
        attempt.c.tp_st.is_(None),
        attempt.c.marked_us >= bindparam("since_us"),
        attempt.c.marked_us <= bindparam("until_us"),
    )
)
_under_way = Prepared(WHO.where(attempt.c.state == word(PartState.SUBMITTING)))
# How long after its mark each of the last parts was taken, by the centre's clock; those alone that were answered.
_taken_after = Prepared(
    select((report.c.submitted_us - attempt.c.marked_us).label("off_us"))
    .join(attempt, attempt.c.id == report.c.attempt_id)
    .where(
        report.c.id > select(func.max(report.c.id) - _NEIGHBOURS).scalar_subquery(),
        report.c.submitted_us.is_not(None),
        attempt.c.cause.is_(None),
        or_(
            report.c.iccid == bindparam("sim", type_=String),
            and_(bindparam("sim", type_=String).is_(None), report.c.modem == bindparam("name")),
        ),
    )
    .order_by(report.c.id.desc())
    .limit(_MOST_KNOWN)
)


def by_time(connection: Connection, told: NewReport | AnyRow) -> AnyRow | None:
    """The one part without an answer that a report can speak of; None when there are none, or others can be meant.

    `told` is a report: its modem, node, iccid, number and submitted_us are asked for.
    """
    if told.submitted_us is None:
        return None
    rows = _in_window(connection, _uncertain, told.submitted_us) + list(_under_way.rows(connection))
    fitting = _of_its_person(rows, told)
    if len(fitting) != 1 or fitting[0].state != PartState.UNCERTAIN:
        return None
    found = fitting[0]
    farther_us = abs(told.submitted_us - found.marked_us) + CLEARLY_US
    for row in _of_its_person(_in_window(connection, _failed, told.submitted_us), told):
        # Whichever copy of this part is meant, the part is.
        copy = (row.message_id, row.sequence) == (found.message_id, found.sequence)
        if not copy and abs(told.submitted_us - row.marked_us) < farther_us:
            return None
    return None if _is_of_earlier(connection, told, told.submitted_us, found) else found


def believed_failed(connection: Connection, told: NewReport | AnyRow) -> AnyRow | None:
    """The one part, believed refused, that a report can speak of: a modem may say no to what has left. None when there
    are none or several, or while something to the same person is under way or uncertain, or was sent and no report has
    spoken of it: a modem may tell another reference than the network."""
    if told.submitted_us is None:
        return None
    fitting = _of_its_person(_in_window(connection, _failed, told.submitted_us), told)
    if len(fitting) != 1:
        return None
    found = fitting[0]
    others = (
        _in_window(connection, _uncertain, told.submitted_us)
        + list(_under_way.rows(connection))
        + _silent_near(connection, found, told.submitted_us)
    )
    if any(same_person(row.number, told.number) for row in others):
        return None
    return None if _is_of_earlier(connection, told, told.submitted_us, found) else found


def _is_of_earlier(connection: Connection, told: NewReport | AnyRow, submitted_us: int, found: AnyRow) -> bool:
    """Whether a report whose time lies before a part's mark may be of something that left before it."""
    if submitted_us + _STAMP_US >= found.marked_us:
        return False
    behind_us = _behind_us(connection, told)
    taken_us = submitted_us + (behind_us or 0) + _STAMP_US
    if taken_us >= found.marked_us:
        return False
    if behind_us is not None and taken_us + CLEARLY_US < found.marked_us:
        return True
    silent = _silent_near(connection, found, submitted_us)
    return any(row.marked_us <= taken_us for row in _of_its_person(silent, told))


def _behind_us(connection: Connection, told: NewReport | AnyRow) -> int | None:
    """How far the clock of a SIM's centre was behind ours of late, at least 0; None where that is not known."""
    known = [row.off_us for row in _taken_after.rows(connection, sim=told.iccid, name=told.modem)]
    return max(0, -int(median(known))) if len(known) >= _LEAST_KNOWN else None


def _in_window(connection: Connection, query: Prepared, submitted_us: int) -> list[AnyRow]:
    """What was marked at a time that fits."""
    return list(query.rows(connection, since_us=submitted_us - SLOWEST_US, until_us=submitted_us + AHEAD_US))


def _silent_near(connection: Connection, found: AnyRow, submitted_us: int) -> list[AnyRow]:
    """What was sent near an attempt, and no report has spoken of it."""
    return list(
        _silent.rows(
            connection,
            first=found.id - _NEIGHBOURS,
            last=found.id + _NEIGHBOURS,
            since_us=submitted_us - SLOWEST_US,
            until_us=submitted_us + AHEAD_US,
        )
    )


def _of_its_person(rows: Iterable[AnyRow], told: NewReport | AnyRow) -> list[AnyRow]:
    """Those to the person and through the SIM of a report."""
    return [row for row in rows if same_person(row.number, told.number) and same_line(row, told)]
