"""Personal codes: pools of them, and who has which. A code is given to one person, in one campaign, for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Integer, String, bindparam, func, select, update

from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, campaign, code, code_pool

_p, _c = code_pool.c, code.c
_pool = Prepared(select(code_pool).where(_p.name == bindparam("word", type_=String)))
_new_pool = Prepared(
    insert(code_pool)
    .values(name=bindparam("word"), created_us=bindparam("now_us"), updated_us=bindparam("now_us"))
    .on_conflict_do_nothing(index_elements=["name"])
)
_touch = Prepared(
    update(code_pool)
    .where(_p.id == bindparam("of_pool", type_=BigInteger))
    .values(updated_us=bindparam("now_us", type_=BigInteger))
)
_add = Prepared(
    insert(code)
    .values(pool_id=bindparam("of_pool"), code=bindparam("word"))
    .on_conflict_do_nothing(index_elements=["pool_id", "code"])
)
_counted = (
    select(
        _p.id,
        _p.name,
        _p.created_us,
        _p.updated_us,
        func.count(_c.code).label("total"),
        func.count(_c.taken_us).label("taken"),
    )
    .select_from(code_pool)
    .outerjoin(code, _c.pool_id == _p.id)
    .group_by(_p.id, _p.name, _p.created_us, _p.updated_us)
)
_count_one = Prepared(_counted.where(_p.name == bindparam("word", type_=String)))
_page = Prepared(
    _counted.where(_p.id < bindparam("before", type_=BigInteger))
    .order_by(_p.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_left = Prepared(
    select(func.count()).select_from(code).where(_c.pool_id == bindparam("of_pool"), _c.taken_us.is_(None))
)
_held = PreparedList(
    lambda values: select(_c.recipient_id, _c.code).where(
        _c.campaign_id == bindparam("of_campaign", type_=String), _c.recipient_id.in_(values)
    )
)
# Another host that takes codes of the same pool at this moment takes others.
_free = Prepared(
    select(_c.code)
    .where(_c.pool_id == bindparam("of_pool", type_=BigInteger), _c.taken_us.is_(None))
    .order_by(_c.code)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_give = Prepared(
    update(code)
    .where(_c.pool_id == bindparam("of_pool", type_=BigInteger), _c.code == bindparam("word", type_=String))
    .values(
        recipient_id=bindparam("person", type_=BigInteger),
        campaign_id=bindparam("of_campaign", type_=String),
        taken_us=bindparam("now_us", type_=BigInteger),
    )
)
_holder = Prepared(
    select(_c.recipient_id, _c.campaign_id, campaign.c.token_id)
    .join(campaign, campaign.c.id == _c.campaign_id)
    .where(_c.code == bindparam("word", type_=String), _c.taken_us.is_not(None))
    .order_by(_c.taken_us.desc())
    .limit(1)
)
# Above every row's number.
_LAST = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePool:
    """A pool, and how many codes are in it and taken from it. Instants are microseconds UTC."""

    id: int
    name: str
    total: int
    taken: int
    created_us: int
    updated_us: int

    @property
    def left(self) -> int:
        """How many nobody has yet."""
        return self.total - self.taken


def pool(connection: Connection, name: str) -> AnyRow | None:
    """The row of a pool."""
    return _pool.first(connection, word=name)


def ensure_pool(connection: Connection, name: str, now_us: int) -> int:
    """The row of this pool, made if it is new."""
    _new_pool.write(connection, word=name, now_us=now_us)
    found = pool(connection, name)
    assert found is not None, "it was made a moment ago, by us or by another host"
    _touch.write(connection, of_pool=found.id, now_us=now_us)
    return found.id


def add_all(connection: Connection, pool_id: int, words: Sequence[str]) -> None:
    """Put codes in; those that are in it already stay as they are."""
    _add.write_many(connection, [{"of_pool": pool_id, "word": word} for word in words])


def counted(connection: Connection, name: str) -> CodePool | None:
    """One pool."""
    row = _count_one.first(connection, word=name)
    return None if row is None else _view(row)


def page(connection: Connection, *, limit: int, before: int | None) -> list[CodePool]:
    """Pools, newest first."""
    rows = _page.rows(connection, before=_LAST if before is None else before, most=limit)
    return [_view(row) for row in rows]


def left(connection: Connection, pool_id: int) -> int:
    """How many codes of it nobody has yet."""
    return _left.scalar(connection, of_pool=pool_id)


def held(connection: Connection, campaign_id: str, people: Sequence[int]) -> dict[int, str]:
    """The codes that these people have of this campaign, by person."""
    rows = _held.rows(connection, people, of_campaign=campaign_id) if people else []
    return {row.recipient_id: row.code for row in rows}


def give(connection: Connection, pool_id: int, campaign_id: str, people: Sequence[int], now_us: int) -> dict[int, str]:
    """Give these people, who have none of this campaign, a code each, as far as there are some; by person."""
    free = [row.code for row in _free.rows(connection, of_pool=pool_id, most=len(people))]
    given = dict(zip(people, free, strict=False))
    _give.write_many(
        connection,
        [
            {"of_pool": pool_id, "word": word, "person": person, "of_campaign": campaign_id, "now_us": now_us}
            for person, word in given.items()
        ],
    )
    return given


def holder(connection: Connection, word: str) -> AnyRow | None:
    """Who got this code last, of whatever pool: recipient_id, campaign_id, and the token_id of the campaign."""
    return _holder.first(connection, word=word)


def _view(row: AnyRow) -> CodePool:
    return CodePool(
        id=row.id,
        name=row.name,
        total=row.total,
        taken=row.taken,
        created_us=row.created_us,
        updated_us=row.updated_us,
    )
