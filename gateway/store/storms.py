"""What storms must know of the messages to a person, and how one message is joined to another.

The same message is found by its *likeness*, a number made of all that makes two messages the same (`message.likeness`):
one step in an index for each that is accepted, however many wait. What was joined is neither waiting nor begun, so a
storm does not slow down the next look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, repeat
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    update,
    values,
)

from gateway.message import WAITING, Rule, Status
from gateway.store import events
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, word, words
from gateway.store.schema import AnyRow, message, part

#: What ended so was not received, and is no reason to keep back the next.
_IN_VAIN = (Status.FAILED, Status.CANCELED, Status.EXPIRED, Status.SUPPRESSED)
_LENGTHS = (1, 16, 64, 256)

_m = message.c


class Likeness(NamedTuple):
    """What is looked for: the same message to the same person, of this category."""

    person: int
    category: str
    number: int


@dataclass(frozen=True, slots=True)
class Alike:
    """One that was found. `begun_us` is None while it waits; `asked` counts how often it was asked for."""

    message_id: str
    begun_us: int | None
    asked: int


@dataclass(slots=True)
class Around:
    """What else goes to a person in one category: when it began or was accepted, and what may carry others, by the
    token that asked for it and whether that only tests."""

    instants: list[int]
    carriers: dict[tuple[int | None, bool], str]


def _asked(length: int) -> CTE:
    columns = (column("person", BigInteger), column("kind", String), column("like", BigInteger))
    rows = [tuple(bindparam(f"{name}{at}", type_=of) for name, of in _NAMES) for at in range(length)]
    return values(*columns, name="asked").data(rows).cte("asked")


_NAMES = (("p", BigInteger()), ("c", String()), ("l", BigInteger()))
_PLACES = [f"{name}{at}" for at in range(_LENGTHS[-1]) for name, _ in _NAMES]
_ONE: ColumnElement[int] = literal_column("1", Integer)
# Its text was fixed when it passed the gate: it takes no count any more, though nothing of it has left. Not as EXISTS:
# PostgreSQL would read every part there is.
_fixed = select(part.c.sequence).where(part.c.message_id == _m.id).limit(_ONE).scalar_subquery()


@cache
def _statement(length: int) -> Prepared:
    """The ids of what waits and of what has begun, for each of so many likenesses.

    One step in an index for each of both, also where the planner believes that next to nothing waits: as a join it
    would then read everything that does.
    """
    asked = _asked(length)
    same = [_m.recipient_id == asked.c.person, _m.likeness == asked.c.like]
    waiting = select(_m.id).where(*same, _m.status.in_(words(WAITING))).order_by(_fixed.is_not(None)).limit(_ONE)
    begun = (
        select(_m.id)
        .where(
            *same,
            _m.category == asked.c.kind,
            _m.begun_us > bindparam("since_us", type_=BigInteger),
            _m.status.not_in(words(_IN_VAIN)),
        )
        # Of several the latest counts.
        .order_by(_m.begun_us.desc())
        .limit(_ONE)
    )
    return Prepared(
        select(
            asked.c.person,
            asked.c.like,
            waiting.correlate(asked).scalar_subquery().label("waiting"),
            begun.correlate(asked).scalar_subquery().label("begun"),
        )
    )


for _length in _LENGTHS:
    # With all others, so that nobody waits for it later.
    _statement(_length)


def _of_ids(ids: Sequence[BindParameter[str]]) -> Select[*tuple[Any, ...]]:
    return select(_m.id, _m.status, _m.begun_us, _m.repeats, _fixed.label("has_parts")).where(_m.id.in_(ids))


_look_at = PreparedList(_of_ids)
# None of them begins or ends until this transaction has ended. In one order for everybody.
_keep = PreparedList(lambda ids: _of_ids(ids).order_by(_m.id).with_for_update(of=message))


@dataclass(frozen=True, slots=True)
class Found:
    """The same messages, by person and likeness: what waits, and what began last."""

    waiting: dict[tuple[int, int], Alike]
    begun: dict[tuple[int, int], Alike]


def alike(
    connection: Connection, wanted: Sequence[Likeness], now_us: int, span_us: int, *, locked: bool = True
) -> Found:
    """What waits, and what began within the span, of the same; what is to be tried again counts as begun now.

    The people must be locked; with `locked=False` it is only looked.
    """
    hits = [row for row in _hits(connection, wanted, now_us - span_us) if row.waiting or row.begun]
    found = Found({}, {})
    if not hits:
        return found
    ids = sorted({each for row in hits for each in (row.waiting, row.begun) if each})
    rows = {row.id: row for row in (_keep if locked else _look_at).rows(connection, ids)}
    for hit in hits:
        key = (hit.person, hit.like)
        if hit.begun in rows:
            found.begun[key] = _alike(rows[hit.begun])
        # It may have ended since then: whoever cancels it waits for nobody.
        if hit.waiting in rows and rows[hit.waiting].status in WAITING:
            row = rows[hit.waiting]
            if row.has_parts is None:
                found.waiting[key] = _alike(row)
            else:
                found.begun[key] = replace(_alike(row), begun_us=now_us)
    return found


def _alike(row: AnyRow) -> Alike:
    return Alike(row.id, row.begun_us, row.repeats + 1)


def _hits(connection: Connection, wanted: Sequence[Likeness], since_us: int) -> Iterator[AnyRow]:
    most = _LENGTHS[-1]
    for start in range(0, len(wanted), most):
        some = wanted[start : start + most]
        length = next(length for length in _LENGTHS if length >= len(some))
        # What a list lacks is filled up with its last, which is then found several times.
        filled = chain(some, repeat(some[-1], length - len(some)))
        given: dict[str, object] = dict(zip(_PLACES, chain.from_iterable(filled), strict=False))
        yield from _statement(length).rows(connection, **given, since_us=since_us)


_around_begun = PreparedList(
    lambda people: select(_m.recipient_id, _m.category, _m.begun_us).where(
        _m.recipient_id.in_(people), _m.begun_us > bindparam("since_us"), _m.status.not_in(words(_IN_VAIN))
    )
)
_around_waiting = PreparedList(
    lambda people: (
        select(
            _m.id,
            _m.recipient_id,
            _m.category,
            _m.created_us,
            _m.token_id,
            _m.test,
            _m.hold_rule,
            _m.flash,
            _m.wanted_modem,
            _m.about_us,
            _m.timing,
            _m.expect,
        )
        .where(
            _m.recipient_id.in_(people),
            _m.status.in_(words(WAITING)),
            _m.created_us > bindparam("since_us"),
            _m.reply_to_inbox_id.is_(None),
        )
        .order_by(_m.id)
        .with_for_update(of=message)
    )
)


def around(connection: Connection, people: Sequence[int], since_us: int) -> dict[tuple[int, str], Around]:
    """What began or was accepted since then and is not in vain, by person and category."""
    found: dict[tuple[int, str], Around] = {}
    for row in _around_begun.rows(connection, people, since_us=since_us):
        found.setdefault((row.recipient_id, row.category), Around([], {})).instants.append(row.begun_us)
    for row in _around_waiting.rows(connection, people, since_us=since_us):
        here = found.setdefault((row.recipient_id, row.category), Around([], {}))
        here.instants.append(row.created_us)
        if row.hold_rule == Rule.STORM and _is_plain(row):
            here.carriers[row.token_id, bool(row.test)] = row.id
    return found


def _is_plain(row: AnyRow) -> bool:
    """Whether it may carry others: it is shown like any, and bound to no modem, moment or answer."""
    return not row.flash and all(each is None for each in (row.wanted_modem, row.about_us, row.timing, row.expect))


@dataclass(slots=True)
class Joined:
    """What was joined to one message: how many, until when the last of them may be told, and how many parts that may
    take."""

    more: int = 0
    expires_us: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a message was asked for, before and now."""

    message_id: str
    before: int
    after: int


_raise = Prepared(
    update(message)
    .where(_m.id == bindparam("message_id"), _m.status.in_(words(WAITING)))
    .values(
        repeats=_m.repeats + bindparam("more", type_=Integer),
        # It speaks for all of them: it may leave as long as any of them might.
        expires_us=case(
            (_m.expires_us < bindparam("until_us", type_=BigInteger), bindparam("until_us", type_=BigInteger)),
            else_=_m.expires_us,
        ),
        # A SIM's limits are asked for room for all parts, before the text is made.
        parts=case(
            (_m.parts < bindparam("most_parts", type_=Integer), bindparam("most_parts", type_=Integer)), else_=_m.parts
        ),
    )
    .returning(_m.repeats)
)


def count(connection: Connection, joined: Mapping[str, Joined]) -> list[Counted]:
    """Write what was joined to each of these messages, as far as they still wait. In one order for everybody, so that
    two hosts do not wait for each other."""
    found: list[Counted] = []
    for message_id in sorted(joined):
        each = joined[message_id]
        repeats = _raise.scalar(
            connection, message_id=message_id, more=each.more, until_us=each.expires_us, most_parts=each.parts
        )
        if repeats is not None:
            found.append(Counted(message_id, repeats + 1 - each.more, repeats + 1))
    return found


_others = Prepared(
    select(_m.text)
    .where(_m.joined_id == bindparam("carrier"), _m.text.is_not(None), _m.text != bindparam("own"))
    .order_by(_m.id)
    .limit(bindparam("most"))
)


def other_texts(connection: Connection, message_id: str, text: str, most: int) -> list[str]:
    """The texts that were joined to a message and say something else than it, oldest first."""
    return [row.text for row in _others.rows(connection, carrier=message_id, own=text, most=most)]


_joined_to = Prepared(select(func.count()).select_from(message).where(_m.joined_id == bindparam("carrier")))


def joined_to(connection: Connection, message_id: str) -> int:
    """How many were joined to a message."""
    return _joined_to.scalar(connection, carrier=message_id)


_in_vain = select(_m.recipient_id, _m.likeness).where(_m.id == bindparam("in_vain")).subquery()
_let_go = Prepared(
    update(message)
    .where(
        _m.recipient_id == select(_in_vain.c.recipient_id).scalar_subquery(),
        _m.likeness == select(_in_vain.c.likeness).scalar_subquery(),
        _m.status.in_(words(WAITING)),
        _m.status == word(Status.HELD),
        _m.hold_rule == word(Rule.STORM),
    )
    .values(
        status=word(Status.QUEUED), due_us=bindparam("now_us"), hold_rule=None, hold_until_us=None, hold_detail=None
    )
    .returning(_m.id)
)


def let_go(connection: Connection, message_id: str, now_us: int) -> bool:
    """This message did not arrive: one that waits because of it need not. Whether there was one."""
    ids = [row.id for row in _let_go.rows(connection, in_vain=message_id, now_us=now_us)]
    for each in ids:
        events.record_status(connection, now_us, each, Status.QUEUED, "the one before it did not leave")
    return bool(ids)
