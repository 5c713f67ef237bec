"""Links of people's own, and who followed them. A click is what a person did; what programs do is counted apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Integer,
    String,
    bindparam,
    case,
    distinct,
    false,
    func,
    insert,
    select,
)

from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, click, link

_l, _k = link.c, click.c
_WRITTEN: Final = ("code", "campaign_id", "variant", "recipient_id", "message_id", "url", "created_us")
_add = Prepared(insert(link).values(**{name: bindparam(name, type_=_l[name].type) for name in _WRITTEN}))
_find = Prepared(select(link).where(_l.code == bindparam("word", type_=String)))
_of_codes = PreparedList(
    lambda values: (
        select(
            _l.code,
            _l.campaign_id,
            _l.variant,
            _l.message_id,
            _l.url,
            func.count(_k.id).label("visits"),
            func.count(case((_k.bot == false(), _k.id))).label("clicks"),
        )
        .select_from(link)
        .outerjoin(click, _k.code == _l.code)
        .where(_l.code.in_(values))
        .group_by(_l.code, _l.campaign_id, _l.variant, _l.message_id, _l.url)
    )
)
_visit = Prepared(
    insert(click).values(
        code=bindparam("word", type_=String),
        at_us=bindparam("at", type_=BigInteger),
        bot=bindparam("program", type_=Boolean),
        agent=bindparam("who", type_=String),
    )
)
_totals = Prepared(
    select(
        _l.url,
        _l.variant,
        func.count(distinct(_l.code)).label("links"),
        func.count(case((_k.bot == false(), _k.id))).label("clicks"),
        func.count(distinct(case((_k.bot == false(), _l.recipient_id)))).label("people"),
        func.count(case((_k.bot != false(), _k.id))).label("bots"),
    )
    .select_from(link)
    .outerjoin(click, _k.code == _l.code)
    .where(_l.campaign_id == bindparam("of_campaign", type_=String))
    .group_by(_l.url, _l.variant)
    .order_by(_l.url, _l.variant)
    .limit(bindparam("most", type_=Integer))
    .offset(bindparam("passed_over", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody came to a link; `agent` is a word of `gateway.rules.visitors`."""

    code: str
    at_us: int
    bot: bool
    agent: str


@dataclass(frozen=True, slots=True)
class LinkTotals:
    """What came of one address in one variant: to how many people it was sent, how often and by how many it was
    followed, how often programs came."""

    url: str
    variant: int | None
    sent: int
    clicks: int
    unique: int
    bots: int


def add_all(connection: Connection, rows: Iterable[Mapping[str, object]]) -> None:
    """Write links: each has all of code, campaign_id, variant, recipient_id, message_id, url, created_us."""
    _add.write_many(connection, [dict(row) for row in rows])


def find(connection: Connection, code: str) -> AnyRow | None:
    """One link."""
    return _find.first(connection, word=code)


def known(connection: Connection, codes: Sequence[str]) -> dict[str, AnyRow]:
    """Those that there are of these links: campaign_id, variant, message_id, url; how many `visits` are written down,
    and how many of them are `clicks`."""
    return {row.code: row for row in _of_codes.rows(connection, codes)}


def visit(connection: Connection, visits: Iterable[Visit]) -> None:
    """Write down who came."""
    _visit.write_many(
        connection,
        [{"word": each.code, "at": each.at_us, "program": each.bot, "who": each.agent} for each in visits],
    )


def totals(connection: Connection, campaign_id: str, *, limit: int, passed_over: int) -> list[LinkTotals]:
    """The addresses of a campaign by variant, in the order of addresses."""
    rows = _totals.rows(connection, of_campaign=campaign_id, most=limit, passed_over=passed_over)
    return [LinkTotals(row.url, row.variant, row.links, row.clicks, row.people, row.bots) for row in rows]
