"""How many parts count for each cap of the whole gateway: in spans, written in the transaction that marks.

A cap that is asked for the first time, or again after it was not configured for a while, counts what was sent before
from the attempts themselves, once. Where several hosts send, they lock the cap's row and count one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    delete,
    func,
    literal_column,
    not_,
    select,
)

from gateway.message import PartState
from gateway.store.engines import insert, is_shared
from gateway.store.prepared import Prepared, words
from gateway.store.schema import attempt, message, recipient, traffic_country, traffic_part

_t = traffic_part.c
_a = attempt.c
#: Says that a cap is counted.
_COUNTED_US = -1
#: A try that the network or the modem said no to did not leave.
_DID_NOT_LEAVE = (PartState.PENDING, PartState.FAILED)

_lock = Prepared(
    select(_t.parts)
    .where(_t.name == bindparam("cap"), _t.begun_us == bindparam("marker", type_=BigInteger))
    .with_for_update()
)
_get = Prepared(
    select(_t.begun_us, _t.parts).where(
        _t.name == bindparam("cap"),
        (_t.begun_us > bindparam("since_us", type_=BigInteger))
        | (_t.begun_us == bindparam("marker", type_=BigInteger)),
    )
)
_add = Prepared(
    insert(traffic_part)
    .values(name=bindparam("cap"), begun_us=bindparam("begun"), parts=bindparam("count"))
    .on_conflict_do_update(
        index_elements=["name", "begun_us"], set_={"parts": _t.parts + bindparam("more", type_=Integer)}
    )
)
_forget = Prepared(
    delete(traffic_part).where(
        _t.name == bindparam("cap"),
        _t.begun_us <= bindparam("until_us", type_=BigInteger),
        _t.begun_us > bindparam("marker", type_=BigInteger),
    )
)
_known_country = Prepared(select(traffic_country.c.code).where(traffic_country.c.code == bindparam("calling")))
_add_country = Prepared(
    insert(traffic_country)
    .values(code=bindparam("calling"), first_us=bindparam("at_us"))
    .on_conflict_do_nothing(index_elements=["code"])
)


def used(connection: Connection, name: str, since_us: int) -> dict[int, int] | None:
    """The parts of a cap by the beginning of their span, of spans that begin after that; None for one that is not
    counted yet. Others wait until this transaction ends."""
    if is_shared(connection):
        _lock.first(connection, cap=name, marker=_COUNTED_US)
    rows = {row.begun_us: row.parts for row in _get.rows(connection, cap=name, since_us=since_us, marker=_COUNTED_US)}
    return rows if rows.pop(_COUNTED_US, None) is not None else None


def count_from_attempts(
    connection: Connection, name: str, since_us: int, grain_us: int, *, prefix: str, longer: Sequence[str]
) -> dict[int, int]:
    """Count what was sent to numbers that begin with `prefix`, and with none of `longer`, and go on from there."""
    _add.change(connection, cap=name, begun=_COUNTED_US, count=0, more=0)
    # Another host may have been quicker, and was waited for.
    known = used(connection, name, since_us)
    if known:
        return known
    # In the text: PostgreSQL does not know two places to be one value.
    grain: ColumnElement[int] = literal_column(str(int(grain_us)), BigInteger)
    begun_us = (_a.marked_us - _a.marked_us % grain).label("begun_us")
    rows = connection.execute(
        select(begun_us, func.count().label("parts"))
        .join(message, message.c.id == _a.message_id)
        .join(recipient, recipient.c.id == message.c.recipient_id)
        .where(_a.marked_us > since_us, _a.state.not_in(words(_DID_NOT_LEAVE)), not_(message.c.test))
        .where(*([_begins(prefix)] if prefix else []), *(not_(_begins(each)) for each in longer))
        .group_by(begun_us)
    ).all()
    found = {row.begun_us: row.parts for row in rows}
    for at_us, parts in found.items():
        _add.write(connection, cap=name, begun=at_us, count=parts, more=parts)
    return found


def _begins(prefix: str) -> ColumnElement[bool]:
    return func.coalesce(func.substr(recipient.c.number, 1, len(prefix)), "") == prefix


def add(connection: Connection, name: str, begun_us: int, parts: int, *, forget_us: int | None = None) -> None:
    """So many parts more in the span that begins then; `forget_us` drops spans that began no later."""
    _add.write(connection, cap=name, begun=begun_us, count=parts, more=parts)
    if forget_us is not None:
        _forget.write(connection, cap=name, until_us=forget_us, marker=_COUNTED_US)


def forget_uncapped(connection: Connection, names: Collection[str]) -> None:
    """Drop the counts of caps that are not configured: nobody goes on counting them."""
    known = connection.execute(select(_t.name).where(_t.begun_us == _COUNTED_US)).scalars()
    if stale := sorted(set(known) - set(names)):
        connection.execute(delete(traffic_part).where(_t.name.in_(stale)))


def knows_country(connection: Connection, code: str) -> bool:
    """Whether something was sent to this calling code before."""
    return _known_country.first(connection, calling=code) is not None


def add_country(connection: Connection, code: str, now_us: int) -> None:
    """Something is sent to this calling code."""
    _add_country.write(connection, calling=code, at_us=now_us)
