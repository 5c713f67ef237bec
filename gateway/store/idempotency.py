"""Which requests were accepted under a key of the caller's, so that one asked again is the same message.

A key counts within its token, and for seven days. Kept are keyed hashes: neither the key nor the body can be read
from them. What was refused is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from gateway.clock import SECOND_US
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import idempotency

KEPT_US = 7 * 24 * 3600 * SECOND_US
_BATCH = 2000

_i = idempotency.c
_known = PreparedList(
    lambda values: select(_i.lookup, _i.body, _i.message_id, _i.created_us).where(_i.lookup.in_(values))
)
_add = Prepared(
    insert(idempotency).values(
        lookup=bindparam("hash"),
        body=bindparam("digest"),
        message_id=bindparam("of_message"),
        created_us=bindparam("at"),
    )
)
_drop = Prepared(delete(idempotency).where(_i.lookup == bindparam("hash")))
_oldest = select(_i.lookup).where(_i.created_us <= bindparam("until_us")).order_by(_i.created_us).limit(_BATCH)
_forget = Prepared(delete(idempotency).where(_i.lookup.in_(_oldest)))
_first = Prepared(select(func.min(_i.created_us)))


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key for one request: keyed hashes of token and key, and of the body in its canonical form."""

    lookup: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Use:
    """A key that was used: for this body, which became this message."""

    body: bytes
    message_id: str


def uses(connection: Connection, keys: Sequence[Key], now_us: int) -> dict[bytes, Use]:
    """Those of `keys` that were used and still count, by their lookup."""
    found: dict[bytes, Use] = {}
    for row in _known.rows(connection, [key.lookup for key in keys]):
        if row.created_us > now_us - KEPT_US:
            found[bytes(row.lookup)] = Use(bytes(row.body), row.message_id)
        else:
            _drop.change(connection, hash=row.lookup)
    return found


def add(connection: Connection, used: Sequence[tuple[Key, str]], now_us: int) -> None:
    """Remember keys, each with the id of its message."""
    _add.change_many(
        connection, [{"hash": key.lookup, "digest": key.body, "of_message": each, "at": now_us} for key, each in used]
    )


def forget(connection: Connection, now_us: int) -> int:
    """Drop keys that no longer count, in batches; returns how many."""
    return _forget.change(connection, until_us=now_us - KEPT_US)


def next_forget_us(connection: Connection) -> int | None:
    """When the oldest key no longer counts."""
    first = _first.scalar(connection)
    return None if first is None else first + KEPT_US
