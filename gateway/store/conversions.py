"""What people did after a message, as the owner's application tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, String, bindparam, select

from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, campaign, campaign_member, conversion, message

_v, _m = conversion.c, message.c
_WRITTEN: Final = (
    "campaign_id", "variant", "recipient_id", "message_id", "kind", "value", "at_us", "created_us", "token_id",
    "reference",
)  # fmt: skip
_add = Prepared(
    insert(conversion)
    .values(**{name: bindparam(name, type_=_v[name].type) for name in _WRITTEN})
    .on_conflict_do_nothing(index_elements=["token_id", "reference"])
    .returning(_v.id)
)
_by_reference = Prepared(
    select(conversion).where(
        _v.token_id == bindparam("of_token", type_=BigInteger), _v.reference == bindparam("word", type_=String)
    )
)
_get = Prepared(select(conversion).where(_v.id == bindparam("of_id", type_=BigInteger)))
# What can have led to it: a message of a campaign that may have left before.
_source = (
    select(_m.id, _m.campaign_id, _m.variant, _m.recipient_id, _m.begun_us, campaign.c.token_id)
    .join(campaign, campaign.c.id == _m.campaign_id)
    .where(
        _m.begun_us >= bindparam("since_us", type_=BigInteger), _m.begun_us <= bindparam("until_us", type_=BigInteger)
    )
)
_last_of_person = Prepared(
    _source.where(_m.recipient_id == bindparam("person", type_=BigInteger)).order_by(_m.begun_us.desc()).limit(1)
)
_of_message = Prepared(_source.where(_m.id == bindparam("of_id", type_=String)))
_of_member = Prepared(
    _source.join(campaign_member, campaign_member.c.message_id == _m.id).where(
        campaign_member.c.campaign_id == bindparam("of_campaign", type_=String),
        campaign_member.c.recipient_id == bindparam("person", type_=BigInteger),
    )
)


def add(connection: Connection, values: Mapping[str, Any]) -> AnyRow | None:
    """Write one down; None where this token has told of one with this reference. `values` has all columns but the
    id."""
    added = _add.scalar(connection, **values)
    return None if added is None else _get.first(connection, of_id=added)


def by_reference(connection: Connection, token_id: int, reference: str) -> AnyRow | None:
    """The one that a token told with this reference."""
    return _by_reference.first(connection, of_token=token_id, word=reference)


def last_of_person(connection: Connection, recipient_id: int, since_us: int, until_us: int) -> AnyRow | None:
    """The last message of a campaign that may have left to a person within this time: id, campaign_id, variant,
    recipient_id, begun_us, and the token_id of the campaign."""
    return _last_of_person.first(connection, person=recipient_id, since_us=since_us, until_us=until_us)


def of_message(connection: Connection, message_id: str, since_us: int, until_us: int) -> AnyRow | None:
    """The same of one message."""
    return _of_message.first(connection, of_id=message_id, since_us=since_us, until_us=until_us)


def of_member(
    connection: Connection, campaign_id: str, recipient_id: int, since_us: int, until_us: int
) -> AnyRow | None:
    """The same of what a campaign sent to a person."""
    return _of_member.first(
        connection, of_campaign=campaign_id, person=recipient_id, since_us=since_us, until_us=until_us
    )


def page(
    connection: Connection,
    *,
    campaign_id: str | None,
    kind: str | None,
    matched: bool | None,
    token_id: int | None,
    limit: int,
    before: int | None,
) -> Sequence[AnyRow]:
    """Conversions, newest first, one more than `limit` where there are more."""
    query = select(conversion).order_by(_v.id.desc()).limit(limit + 1)
    if campaign_id is not None:
        query = query.where(_v.campaign_id == campaign_id)
    if kind is not None:
        query = query.where(_v.kind == kind)
    if matched is not None:
        query = query.where(_v.campaign_id.is_not(None) if matched else _v.campaign_id.is_(None))
    if token_id is not None:
        query = query.where(_v.token_id == token_id)
    if before is not None:
        query = query.where(_v.id < before)
    return connection.execute(query).all()
