"""Who is in a campaign. The key of the table, campaign and person, is what keeps everybody from a second message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Boolean, Connection, Integer, String, bindparam, case, delete, func, select, update

from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, campaign_member, recipient

WAITING: Final = "waiting"
_c = campaign_member.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A row as it is written."""

    recipient_id: int
    variant: int | None
    state: str
    in_test: bool
    reason: str | None = None
    message_id: str | None = None


_new = insert(campaign_member).values(
    campaign_id=bindparam("of_campaign", type_=String),
    recipient_id=bindparam("person", type_=BigInteger),
    variant=bindparam("which", type_=Integer),
    state=bindparam("word", type_=String),
    reason=bindparam("why", type_=String),
    message_id=bindparam("of_message", type_=String),
    in_test=bindparam("tried", type_=Boolean),
)
# Who is written down already stays as he is: an audience may name somebody twice, and be gone through twice.
_add = Prepared(_new.on_conflict_do_nothing(index_elements=["campaign_id", "recipient_id"]))
_settle = Prepared(
    _new.on_conflict_do_update(
        index_elements=["campaign_id", "recipient_id"],
        set_={name: _new.excluded[name] for name in ("variant", "state", "reason", "message_id")},
        # A row that is settled is never written again.
        where=_c.state == word(WAITING),
    )
)
_known = PreparedList(
    lambda values: select(_c.recipient_id, _c.state).where(
        _c.campaign_id == bindparam("of_campaign"), _c.recipient_id.in_(values)
    )
)
_waiting_of = Prepared(
    select(_c.recipient_id, _c.variant, _c.in_test)
    .where(
        _c.campaign_id == bindparam("of_campaign"),
        _c.state == word(WAITING),
        _c.variant == bindparam("which", type_=Integer),
        _c.recipient_id > bindparam("behind", type_=BigInteger),
    )
    .order_by(_c.recipient_id)
    .limit(bindparam("most", type_=Integer))
)
_waiting_of_none = Prepared(
    select(_c.recipient_id, _c.variant, _c.in_test)
    .where(
        _c.campaign_id == bindparam("of_campaign"),
        _c.state == word(WAITING),
        _c.variant.is_(None),
        _c.recipient_id > bindparam("behind", type_=BigInteger),
    )
    .order_by(_c.recipient_id)
    .limit(bindparam("most", type_=Integer))
)
_any_waiting = Prepared(
    select(_c.recipient_id).where(_c.campaign_id == bindparam("of_campaign"), _c.state == word(WAITING)).limit(1)
)


def add_all(connection: Connection, campaign_id: str, members: Iterable[Member]) -> None:
    """Write down who is in it; whoever is already stays as he is."""
    _add.write_many(connection, [_values(campaign_id, each) for each in members])


def settle(connection: Connection, campaign_id: str, members: Iterable[Member]) -> None:
    """Write what became of people, whether they were written down before or not; who is settled stays so."""
    _settle.write_many(connection, [_values(campaign_id, each) for each in members])


def _values(campaign_id: str, each: Member) -> dict[str, object]:
    return {
        "of_campaign": campaign_id,
        "person": each.recipient_id,
        "which": each.variant,
        "word": each.state,
        "why": each.reason,
        "of_message": each.message_id,
        "tried": each.in_test,
    }


def known(connection: Connection, campaign_id: str, people: Collection[int]) -> dict[int, str]:
    """The states of those of these people who are in it."""
    rows = _known.rows(connection, sorted(people), of_campaign=campaign_id) if people else []
    return {row.recipient_id: row.state for row in rows}


def waiting(
    connection: Connection, campaign_id: str, variant: int | None, most: int, *, behind: int = 0
) -> Sequence[AnyRow]:
    """The next who wait for a message of this variant, None for those who have none yet: recipient_id, variant,
    in_test; behind a person's row, in the order of rows."""
    if variant is None:
        return _waiting_of_none.rows(connection, of_campaign=campaign_id, most=most, behind=behind)
    return _waiting_of.rows(connection, of_campaign=campaign_id, which=variant, most=most, behind=behind)


def leave_out(connection: Connection, campaign_id: str, reason: str, most: int, *, variant: int | None = None) -> int:
    """So many of those who wait get no message, all of them or those of one variant; returns how many."""
    some = select(_c.recipient_id).where(_c.campaign_id == campaign_id, _c.state == word(WAITING))
    if variant is not None:
        some = some.where(_c.variant == variant)
    people = connection.execute(some.limit(most)).scalars().all()
    if people:
        those = update(campaign_member).where(_c.campaign_id == campaign_id, _c.recipient_id.in_(people))
        connection.execute(those.values(state="left_out", reason=reason))
    return len(people)


def any_waiting(connection: Connection, campaign_id: str) -> bool:
    """Whether somebody waits for a message."""
    return _any_waiting.first(connection, of_campaign=campaign_id) is not None


def page(
    connection: Connection, campaign_id: str, *, state: str | None, variant: int | None, limit: int, after: int
) -> Sequence[AnyRow]:
    """Members behind a person's row, with `number`; one more than `limit` where there are more."""
    query = (
        select(campaign_member, recipient.c.number)
        .join(recipient, recipient.c.id == _c.recipient_id)
        .where(_c.campaign_id == campaign_id, _c.recipient_id > after)
        .order_by(_c.recipient_id)
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(_c.state == state)
    if variant is not None:
        query = query.where(_c.variant == variant)
    return connection.execute(query).all()


def counts(connection: Connection, campaign_id: str) -> Sequence[AnyRow]:
    """How many there are of each state, reason and variant: state, reason, variant, people, tried."""
    tried = func.sum(case((_c.in_test, 1), else_=0)).label("tried")
    query = select(_c.state, _c.reason, _c.variant, func.count().label("people"), tried)
    return connection.execute(
        query.where(_c.campaign_id == campaign_id).group_by(_c.state, _c.reason, _c.variant)
    ).all()


def remove_some(connection: Connection, campaign_id: str, most: int) -> int:
    """Forget so many of those of a draft; returns how many there were."""
    some = select(_c.recipient_id).where(_c.campaign_id == campaign_id).limit(most)
    people = connection.execute(some).scalars().all()
    if people:
        connection.execute(delete(campaign_member).where(_c.campaign_id == campaign_id, _c.recipient_id.in_(people)))
    return len(people)


def reasons(connection: Connection, campaign_id: str) -> Sequence[AnyRow]:
    """Why how many are left out: reason, people."""
    query = select(_c.reason, func.count().label("people")).group_by(_c.reason)
    return connection.execute(query.where(_c.campaign_id == campaign_id, _c.state == word("left_out"))).all()
