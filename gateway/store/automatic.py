"""Automatic replies: whether a person got one lately, and what one said."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, literal_column, select

from gateway.clock import SECOND_US
from gateway.ids import first_id
from gateway.store.prepared import Prepared
from gateway.store.schema import message

#: At most one automatic reply a person in so long, in microseconds.
APART_US = 24 * 3600 * SECOND_US

_m = message.c
_ONE: ColumnElement[int] = literal_column("1", Integer)
# By person and id, of which there are few in a day; also where the clock was set back, as ids rise all the same.
_lately = Prepared(
    select(_m.id)
    .where(
        _m.recipient_id == bindparam("person"),
        _m.id >= bindparam("first"),
        _m.reply_to_inbox_id.is_not(None),
        _m.created_us > bindparam("since_us"),
        _m.created_us < bindparam("until_us"),
    )
    .limit(_ONE)
)
_answer = Prepared(
    select(_m.id, _m.text)
    .where(
        _m.recipient_id == bindparam("person"), _m.id >= bindparam("item"), _m.reply_to_inbox_id == bindparam("item")
    )
    .order_by(_m.id)
    .limit(_ONE)
)


def answered_lately(connection: Connection, recipient_id: int, now_us: int) -> bool:
    """Whether an automatic reply was made for this person within a day of now, whatever became of it."""
    since_us = now_us - APART_US
    found = _lately.scalar(
        connection, person=recipient_id, first=first_id(since_us), since_us=since_us, until_us=now_us + APART_US
    )
    return found is not None


def answer_to(connection: Connection, recipient_id: int, inbox_id: str) -> str | None:
    """What this person was answered to a message of theirs: made after it, so its id is greater."""
    row = _answer.first(connection, person=recipient_id, item=inbox_id)
    return None if row is None else row.text


def id_of_answer(connection: Connection, recipient_id: int, inbox_id: str) -> str | None:
    """The message that answered it."""
    row = _answer.first(connection, person=recipient_id, item=inbox_id)
    return None if row is None else row.id
