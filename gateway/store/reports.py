"""Status reports: kept as they came, and matched with the attempt they speak of.

A report names a reference of 8 bits and a recipient. It is matched with the latest attempt of the same modem, SIM,
reference and person that no final report has spoken of yet. One that comes before the answer to its own submit was
committed waits here, unmatched, until that commit looks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from gateway.message import Finding
from gateway.store import outcomes
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, attempt, message, recipient, report

# A network writes the recipient as it likes (+33…, 0033…, 06…); the last digits are the person's own in every form.
_SAME_DIGITS = 7
# A reference comes round after 256 submits; older candidates than these are not looked at.
_CANDIDATES = 16


@dataclass(frozen=True, slots=True)
class NewReport:
    """A status report as it is stored."""

    fingerprint: bytes
    recipient_id: int
    number: str
    modem: str
    iccid: str | None
    tp_mr: int
    tp_st: int
    received_us: int
    discharged_us: int | None


_add = Prepared(
    insert(report)
    .values(
        fingerprint=bindparam("hash"),
        recipient_id=bindparam("person"),
        modem=bindparam("name"),
        iccid=bindparam("sim"),
        tp_mr=bindparam("mr"),
        tp_st=bindparam("st"),
        received_us=bindparam("now_us"),
        discharged_us=bindparam("then_us"),
    )
    .on_conflict_do_nothing(index_elements=["fingerprint"])
    .returning(report.c.id)
)
_candidates = Prepared(
    select(attempt.c.id, attempt.c.message_id, attempt.c.sequence, attempt.c.iccid, attempt.c.tp_st, recipient.c.number)
    .join(message, message.c.id == attempt.c.message_id)
    .join(recipient, recipient.c.id == message.c.recipient_id)
    .where(attempt.c.modem == bindparam("name"), attempt.c.tp_mr == bindparam("mr"))
    .order_by(attempt.c.id.desc())
    .limit(_CANDIDATES)
)
_tie = Prepared(update(report).where(report.c.id == bindparam("report_id")).values(attempt_id=bindparam("of_attempt")))
_waiting = Prepared(
    select(report.c.id, report.c.tp_st, recipient.c.number)
    .join(recipient, recipient.c.id == report.c.recipient_id)
    .where(
        report.c.attempt_id.is_(None),
        report.c.modem == bindparam("name"),
        report.c.tp_mr == bindparam("mr"),
        report.c.received_us >= bindparam("since_us"),
    )
    .order_by(report.c.id)
)
_attempt = Prepared(
    select(attempt.c.id, attempt.c.message_id, attempt.c.sequence, attempt.c.modem, attempt.c.tp_mr, recipient.c.number)
    .join(message, message.c.id == attempt.c.message_id)
    .join(recipient, recipient.c.id == message.c.recipient_id)
    .where(attempt.c.id == bindparam("attempt_id"))
)


def add(connection: Connection, new: NewReport) -> int | None:
    """Keep a report; its id, or None when the same octets are here already."""
    return _add.scalar(
        connection,
        hash=new.fingerprint,
        person=new.recipient_id,
        name=new.modem,
        sim=new.iccid,
        mr=new.tp_mr,
        st=new.tp_st,
        now_us=new.received_us,
        then_us=new.discharged_us,
    )


def attempt_for(connection: Connection, new: NewReport) -> AnyRow | None:
    """The attempt the report speaks of, or None."""
    rows = _candidates.rows(connection, name=new.modem, mr=new.tp_mr)
    fitting = [row for row in rows if same_person(row.number, new.number) and _same_sim(row.iccid, new.iccid)]
    return next((row for row in fitting if row.tp_st is None), fitting[0] if fitting else None)


def apply(connection: Connection, report_id: int, row: AnyRow, now_us: int, *, tp_st: int, finding: Finding) -> None:
    """Tie a report to its attempt (a row of `attempt`) and let it move the part."""
    _tie.change(connection, report_id=report_id, of_attempt=row.id)
    if finding.event is not None:
        outcomes.by_report(connection, row, now_us, tp_st=tp_st, event=finding.event, sentence=finding.sentence)


def early(
    connection: Connection, attempt_id: int, modem: str, tp_mr: int, since_us: int
) -> tuple[AnyRow, AnyRow] | None:
    """A report that came before this attempt's answer was committed, with the attempt; None as a rule."""
    waiting = _waiting.rows(connection, name=modem, mr=tp_mr, since_us=since_us)
    if not waiting:
        return None
    row = _attempt.first(connection, attempt_id=attempt_id)
    assert row is not None, "the attempt was settled in this transaction"
    return next(((each, row) for each in waiting if same_person(row.number, each.number)), None)


def same_person(stored: str | None, told: str) -> bool:
    """Whether a stored number and one that a network wrote are the same person's."""
    if not stored:
        return False
    if stored == told:
        return True
    ours, theirs = _digits(stored), _digits(told)
    return len(theirs) >= _SAME_DIGITS and ours[-_SAME_DIGITS:] == theirs[-_SAME_DIGITS:]


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _same_sim(ours: str | None, theirs: str | None) -> bool:
    return ours is None or theirs is None or ours == theirs
