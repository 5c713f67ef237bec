"""Whether a status report can speak of an attempt: by its person, its SIM and its time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from gateway.store.schema import AnyRow, attempt, message, recipient

# A network writes the recipient as it likes (+33…, 0033…, 06…); the last digits are the person's own in every form.
_SAME_DIGITS = 7
#: A service centre's time may lie this much before our mark, and this much after it.
AHEAD_US = 120_000_000
SLOWEST_US = 600_000_000
#: Of two that may be meant the nearer in time is, if the other is so much farther.
CLEARLY_US = 20_000_000
#: An attempt, and to whom.
WHO = (
    select(
        attempt.c.id,
        attempt.c.message_id,
        attempt.c.sequence,
        attempt.c.node,
        attempt.c.modem,
        attempt.c.iccid,
        attempt.c.state,
        attempt.c.marked_us,
        attempt.c.tp_mr,
        attempt.c.tp_st,
        recipient.c.number,
    )
    .join(message, message.c.id == attempt.c.message_id)
    .join(recipient, recipient.c.id == message.c.recipient_id)
)


@dataclass(frozen=True, slots=True)
class NewReport:
    """A status report as it is stored."""

    fingerprint: bytes
    recipient_id: int
    number: str
    modem: str
    node: str | None
    iccid: str | None
    tp_mr: int
    tp_st: int
    received_us: int
    #: When the service centre took the message of which it speaks; None when its time could not be read.
    submitted_us: int | None
    discharged_us: int | None
    stamps: bytes | None = None


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


def in_time(row: AnyRow, submitted_us: int | None) -> bool:
    """Whether a report can speak of this attempt by its time; one without a time can."""
    return submitted_us is None or row.marked_us - AHEAD_US <= submitted_us <= row.marked_us + SLOWEST_US


def same_line(row: AnyRow, told: NewReport | AnyRow) -> bool:
    """A report comes back to the SIM that submitted; where a SIM is not known, to the modem."""
    if row.iccid is None or told.iccid is None:
        return row.modem == told.modem and told.node in {None, row.node}
    return row.iccid == told.iccid


def same_sim(ours: str | None, theirs: str | None) -> bool:
    """Whether two SIMs may be one; any may where one is not known."""
    return ours is None or theirs is None or ours == theirs
