"""The questions of a double opt-in that a person may say yes to.

A question is an entry `asked` of the ledger and the message that asks. That message is told by the entry itself: the
last line of its evidence, or, where a word of the person's was answered with the question, the inbox item that it is
the answer to. Who was shown nothing agreed to nothing: a question is open once its message has begun to leave, and
until another message follows it, for then a yes may be meant for that one. Questions and automatic replies may follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Integer, bindparam, select

from gateway.message import Status
from gateway.store import automatic, consents
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, message

# An id as this gateway makes them, on a line that only we write: it is always the last.
_ASKED_BY = re.compile(r"(?:\A|\n)message ([0-9a-f]{32})\Z")

_m = message.c
_get = Prepared(
    select(_m.id, _m.reference, _m.begun_us, _m.status).where(
        _m.id == bindparam("item"), _m.recipient_id == bindparam("person")
    )
)
_followed = Prepared(
    select(_m.id, _m.begun_us)
    .where(
        _m.recipient_id == bindparam("person"),
        _m.begun_us > bindparam("since_us", type_=BigInteger),
        _m.status != word(Status.FAILED),
        _m.reply_to_inbox_id.is_(None),
    )
    .order_by(_m.begun_us.desc())
    .limit(bindparam("most", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class Question:
    """An open question: the category it is about, what the person was shown, who had it asked, and the message that
    asked, with its reference."""

    category: str
    wording: str | None
    by: str | None
    message_id: str
    reference: str | None


def evidence_of(message_id: str, given: str | None) -> str:
    """The evidence of an entry `asked`: what somebody handed in, and on the last line the message that asks."""
    return "\n".join(line for line in (given, f"message {message_id}") if line)


def open_to(connection: Connection, recipient_id: int, since_us: int) -> list[Question]:
    """What this person was asked since then and may say yes to, the latest question first; one for each category."""
    unanswered = consents.unanswered(connection, recipient_id, since_us)
    asked = [(entry, sent) for entry in unanswered if (sent := _asking(connection, entry)) is not None]
    shown = [(entry, sent) for entry, sent in asked if sent.begun_us is not None and sent.status != Status.FAILED]
    if not shown:
        return []
    since_us = _last_other(connection, recipient_id, min(sent.begun_us for _, sent in shown))
    return [
        Question(entry.category, entry.wording, entry.by, sent.id, sent.reference)
        for entry, sent in shown
        if sent.begun_us >= since_us
    ]


def _last_other(connection: Connection, recipient_id: int, since_us: int) -> int:
    """When the last message began to leave to this person after `since_us` that neither asks nor answers; else that."""
    asking = {_named_by(entry) for entry in consents.asked(connection, recipient_id)}
    found = _followed.rows(connection, person=recipient_id, since_us=since_us, most=len(asking) + 1)
    return next((row.begun_us for row in found if row.id not in asking), since_us)


def _asking(connection: Connection, entry: AnyRow) -> AnyRow | None:
    """The message that asks what this entry says was asked."""
    if entry.inbox_id is not None:
        asking = automatic.id_of_answer(connection, entry.recipient_id, entry.inbox_id)
    else:
        asking = _named_by(entry)
    return None if asking is None else _get.first(connection, item=asking, person=entry.recipient_id)


def _named_by(entry: AnyRow) -> str | None:
    """The message that the evidence of an entry names."""
    named = _ASKED_BY.search(entry.evidence or "")
    return None if named is None else named[1]
