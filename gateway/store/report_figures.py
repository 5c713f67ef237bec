"""What became of messages, counted in groups, for reports: step by step, so that no reader is kept for long.

A step is a run of messages in the order of their ids. Each counts once, and what its recipient did (`did`) is looked
for by index. Nothing here gives a number, a name or a text of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
)

from gateway.message import Status
from gateway.store.optouts import EXCEPT
from gateway.store.prepared import word
from gateway.store.schema import (
    AnyRow,
    campaign,
    campaign_member,
    click,
    contact,
    conversion,
    inbox,
    link,
    message,
    optout,
    recipient,
    ring,
)

#: An opt-out within this time after a message, and before the next to that person, is taken for an answer to it;
#: microseconds. One that answers a message is of that message whenever it comes.
OPT_OUT_WITHIN_US: Final = 7 * 24 * 3600 * 1_000_000
#: So many messages a step, and so many people.
STEP: Final = 2500
#: Instants are grouped by quarters of an hour: zones differ by no less.
QUARTER_US: Final = 900 * 1_000_000

_m = message.c
_next = message.alias("following")
_n = _next.c
# By the person's links, few, and not by the campaign's: where nothing is known of how many there are, SQLite would take
# an index of those.
_of_link = and_(link.c.recipient_id == _m.recipient_id, link.c.message_id == _m.id)
_visit = select(click.c.id).join_from(link, click, click.c.code == link.c.code).where(_of_link)
_of_conversion = and_(
    conversion.c.recipient_id == _m.recipient_id,
    or_(
        conversion.c.message_id == _m.id,
        and_(conversion.c.message_id.is_(None), conversion.c.campaign_id == _m.campaign_id),
    ),
)
_reply = and_(inbox.c.in_reply_to == _m.id, inbox.c.keyword.is_(None))
# What an opt-out answers, where it came as an answer.
_answers = select(inbox.c.in_reply_to).where(inbox.c.id == optout.c.inbox_id).correlate(optout).scalar_subquery()
_between = exists(
    select(_n.id)
    .where(
        _n.recipient_id == _m.recipient_id,
        _n.begun_us > _m.begun_us,
        _n.begun_us <= optout.c.since_us,
        _n.reply_to_inbox_id.is_(None),
        _n.test == _m.test,
    )
    .correlate(message, optout)
)
_left_by = and_(
    optout.c.recipient_id == _m.recipient_id,
    optout.c.category.not_like(EXCEPT + "%"),
    or_(
        _answers == _m.id,
        and_(
            _answers.is_(None),
            optout.c.since_us >= _m.begun_us,
            optout.c.since_us < _m.begun_us + literal_column(str(OPT_OUT_WITHIN_US), BigInteger),
            ~_between,
        ),
    ),
)

#: In a query over messages: whether who got it did so.
DID: Final[Mapping[str, ColumnElement[bool]]] = {
    "delivery": _m.status == Status.DELIVERED,
    "click": exists(_visit.where(click.c.bot.is_(False)).correlate(message)),
    "bot": exists(_visit.where(click.c.bot.is_(True)).correlate(message)),
    "reply": exists(select(inbox.c.id).where(_reply).correlate(message)),
    "conversion": exists(select(conversion.c.id).where(_of_conversion).correlate(message)),
    # Those that stand and those that were lifted have an index each.
    "opt_out": or_(
        exists(select(optout.c.id).where(optout.c.lifted_us.is_(None), _left_by).correlate(message)),
        exists(select(optout.c.id).where(optout.c.lifted_us.is_not(None), _left_by).correlate(message)),
    ),
}
_WORDS: Final = ("click", "bot", "reply", "conversion", "opt_out")
#: What messages can be grouped by.
KEYS: Final[Mapping[str, Sequence[ColumnElement[Any]]]] = {
    "category": (_m.category,),
    "kind": (
        case(
            (_m.reply_to_inbox_id.is_not(None), word("automatic")),
            (_m.campaign_id.is_not(None), word("campaign")),
            (_m.ring_id.is_not(None), word("alert")),
            else_=word("single"),
        ).label("kind"),
    ),
    "campaign": (_m.campaign_id,),
    "variant": (_m.campaign_id, _m.variant),
    "segment": (_m.campaign_id, _m.ring_id),
    "modem": (_m.node, _m.modem),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Which messages: of a campaign, or those with an id behind `first` and below `end`, of test tokens or of the
    others."""

    campaign_id: str | None = None
    first: str = ""
    end: str = "g"
    test: bool = False

    def behind(self, after: str, last: str | None) -> ColumnElement[bool]:
        """As a condition of a query over messages: those behind an id, up to one if any. One bound at each end: of two,
        SQLite may take the one that is further away."""
        bounds = [_m.id > max(after, self.first), _m.id < self.end if last is None else _m.id <= last]
        if self.campaign_id is not None:
            return and_(_m.campaign_id == self.campaign_id, *bounds)
        return and_(*bounds, _m.test == self.test)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a step found: rows of the keys with status, error_code, begun, click, bot, reply, conversion, opt_out and
    `messages`; the times (microseconds) from delivery, else from sending, to the first reply; and conversions with
    their sum. `last` is the id behind which the next step begins, None after the last."""

    rows: Sequence[AnyRow]
    delays: Sequence[AnyRow]
    conversions: Sequence[AnyRow]
    last: str | None


def step(connection: Connection, span: Span, keys: Sequence[ColumnElement[Any]], after: str) -> Counted:
    """The next messages behind an id."""
    last = _edge(connection, span, after)
    some = span.behind(after, last)
    return Counted(
        connection.execute(_counts(keys, some)).all(),
        connection.execute(_delays(keys, some)).all(),
        connection.execute(_conversions(keys, some)).all(),
        last,
    )


def _edge(connection: Connection, span: Span, after: str) -> str | None:
    query = select(_m.id).where(span.behind(after, None)).order_by(_m.id).offset(STEP - 1).limit(1)
    return connection.execute(query).scalar()


def _counts(keys: Sequence[ColumnElement[Any]], some: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    begun = _m.begun_us.is_not(None).label("begun")
    each = _from(keys, select(*keys, _m.status, _m.error_code, begun, *(DID[name].label(name) for name in _WORDS)))
    found = each.where(some).subquery("found")
    return select(*found.c, func.count().label("messages")).group_by(*found.c)


def _delays(keys: Sequence[ColumnElement[Any]], some: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """One row for each message that was answered: the keys, and `took_us`."""
    had_us = func.coalesce(_m.delivered_us, _m.sent_us)
    took_us = (func.min(inbox.c.received_us) - had_us).label("took_us")
    each = _from(keys, select(*keys, took_us)).join(inbox, _reply)
    return each.where(some, had_us.is_not(None)).group_by(_m.id, had_us, *keys)


def _conversions(keys: Sequence[ColumnElement[Any]], some: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    found, value = func.count().label("conversions"), func.coalesce(func.sum(conversion.c.value), 0.0).label("value")
    each = _from(keys, select(*keys, found, value)).join(conversion, _of_conversion)
    return each.where(some).group_by(*keys)


def _from(keys: Sequence[ColumnElement[Any]], query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The query over messages; with its member of the campaign where a key wants it."""
    query = query.select_from(message)
    if not any(key is TRIED for key in keys):
        return query
    member = campaign_member.c
    of_it = and_(member.campaign_id == _m.campaign_id, member.recipient_id == _m.recipient_id)
    return query.outerjoin(campaign_member, of_it)


#: Whether a message of a campaign is to somebody on whom the variants were tried.
TRIED: Final = func.coalesce(campaign_member.c.in_test, false()).label("tried")
#: What a campaign's messages are grouped by.
OF_CAMPAIGN: Final[Sequence[ColumnElement[Any]]] = (_m.variant, TRIED)


@dataclass(frozen=True, slots=True)
class Quarters:
    """What a step found: rows of category, quarter (of an hour, since the epoch), the recipient's zone, and of those
    messages that began in it: messages, delivery, click, reply. `last` as of `Counted`."""

    rows: Sequence[AnyRow]
    last: str | None


def quarters(connection: Connection, span: Span, category: str | None, after: str) -> Quarters:
    """When messages began to leave and what came of them, for the next messages behind an id."""
    last = _edge(connection, span, after)
    words = ("delivery", "click", "reply")
    quarter = (_m.begun_us // literal_column(str(QUARTER_US), BigInteger)).label("quarter")
    each = select(
        _m.category, quarter, recipient.c.timezone, *(case((DID[name], 1), else_=0).label(name) for name in words)
    )
    each = each.join_from(message, recipient, recipient.c.id == _m.recipient_id)
    each = each.where(span.behind(after, last), _m.begun_us.is_not(None), _m.reply_to_inbox_id.is_(None))
    if category is not None:
        each = each.where(_m.category == category)
    found = each.subquery("found")
    keys = (found.c.category, found.c.quarter, found.c.timezone)
    sums = (func.sum(found.c[name]).label(name) for name in words)
    rows = connection.execute(select(*keys, func.count().label("messages"), *sums).group_by(*keys)).all()
    return Quarters(rows, last)


def people_after(connection: Connection, after: int) -> int | None:
    """The row of the last person of the next step; None when there is nobody behind."""
    some = select(recipient.c.id).where(recipient.c.id > after).order_by(recipient.c.id).limit(STEP).subquery()
    return connection.execute(select(func.max(some.c.id))).scalar()


def pressure(
    connection: Connection, after: int, last: int, since_us: int, until_us: int, *, test: bool
) -> Mapping[int, int]:
    """Of the people behind `after` up to `last`: how many got how many messages that began from `since_us` to below
    `until_us`. Nobody is counted for none but contacts."""
    got = and_(
        _m.recipient_id == recipient.c.id,
        _m.begun_us >= since_us,
        _m.begun_us < until_us,
        _m.test == test,
        _m.status.in_([Status.SENT, Status.DELIVERED]),
    )
    each = (
        select(recipient.c.id, func.count(_m.id).label("messages"), func.count(contact.c.id).label("known"))
        .select_from(recipient)
        .outerjoin(message, got)
        .outerjoin(contact, contact.c.recipient_id == recipient.c.id)
        .where(recipient.c.id > after, recipient.c.id <= last)
        .group_by(recipient.c.id)
        .subquery("each_one")
    )
    counted = or_(each.c.messages > 0, each.c.known > 0)
    rows = connection.execute(
        select(each.c.messages, func.count().label("people")).where(counted).group_by(each.c.messages)
    )
    return {row.messages: row.people for row in rows}


def rings_wanted(connection: Connection, ids: Sequence[str]) -> Sequence[AnyRow]:
    """The id and wish of these rings."""
    return connection.execute(select(ring.c.id, ring.c.wanted).where(ring.c.id.in_(ids))).all()


def campaigns_named(connection: Connection, ids: Sequence[str]) -> Sequence[AnyRow]:
    """The id, name and wish of these campaigns."""
    return connection.execute(
        select(campaign.c.id, campaign.c.name, campaign.c.wanted).where(campaign.c.id.in_(ids))
    ).all()
