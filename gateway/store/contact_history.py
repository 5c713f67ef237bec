"""What became of the messages to people, for filters of segments: one grouped query for some people and one question.

What test tokens sent never counts, nor do visits to links by programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, exists, false, func, select, true

from gateway.store.many import PreparedList
from gateway.store.schema import inbox, message
from gateway.store.schema_links import click, conversion, link

_m = message.c
_i = inbox.c
_l = link.c
_k = click.c
_v = conversion.c


def _of_messages(what: Any, *conditions: Any) -> PreparedList:
    """A question about messages of real people, by person."""

    def query(values: Sequence[BindParameter[Any]]) -> Select[Any, Any]:
        asked = select(_m.recipient_id.label("person"), what.label("value"))
        return asked.where(_m.recipient_id.in_(values), _m.test == false(), *conditions).group_by(_m.recipient_id)

    return PreparedList(query)


def _of_inbox(what: Any, *conditions: Any) -> PreparedList:
    def query(values: Sequence[BindParameter[Any]]) -> Select[Any, Any]:
        asked = select(_i.recipient_id.label("person"), what.label("value"))
        return asked.where(_i.recipient_id.in_(values), *conditions).group_by(_i.recipient_id)

    return PreparedList(query)


def _of_clicks(what: Any, *conditions: Any) -> PreparedList:
    """A question about links that a person followed, by whose they are."""

    def query(values: Sequence[BindParameter[Any]]) -> Select[Any, Any]:
        asked = select(_l.recipient_id.label("person"), what.label("value")).join(link, _l.code == _k.code)
        of_people = asked.where(_l.recipient_id.in_(values), _k.bot == false(), ~_is_test(_l.message_id), *conditions)
        return of_people.group_by(_l.recipient_id)

    return PreparedList(query)


def _of_conversions(what: Any, *conditions: Any) -> PreparedList:
    def query(values: Sequence[BindParameter[Any]]) -> Select[Any, Any]:
        asked = select(_v.recipient_id.label("person"), what.label("value"))
        of_people = asked.where(_v.recipient_id.in_(values), ~_is_test(_v.message_id), *conditions)
        return of_people.group_by(_v.recipient_id)

    return PreparedList(query)


def _is_test(message_id: ColumnElement[str | None]) -> ColumnElement[bool]:
    return exists(select(_m.id).where(_m.id == message_id, _m.test == true()))


_since: BindParameter[int] = bindparam("since_us")

#: For each field of `gateway.people.expression_fields.HISTORY`: by person, in microseconds UTC or a number.
QUESTIONS: Final[dict[str, PreparedList]] = {
    "last_sent": _of_messages(func.max(_m.sent_us), _m.sent_us.is_not(None)),
    "last_delivered": _of_messages(func.max(_m.delivered_us), _m.delivered_us.is_not(None)),
    "last_replied": _of_inbox(func.max(_i.received_us)),
    "last_clicked": _of_clicks(func.max(_k.at_us)),
    "last_converted": _of_conversions(func.max(_v.at_us)),
    "sent_count": _of_messages(func.count(), _m.sent_us >= _since),
    "delivered_count": _of_messages(func.count(), _m.delivered_us >= _since),
    "reply_count": _of_inbox(func.count(), _i.received_us >= _since),
    "click_count": _of_clicks(func.count(), _k.at_us >= _since),
    "conversion_count": _of_conversions(func.count(), _v.at_us >= _since),
}


def known(connection: Connection, field: str, people: Sequence[int], since_us: int) -> Mapping[int, int]:
    """What is known of these people; counts begin at `since_us`."""
    question = QUESTIONS[field]
    also = {"since_us": since_us} if field.endswith("_count") else {}
    return {row.person: row.value for row in question.rows(connection, people, **also) if row.value is not None}
