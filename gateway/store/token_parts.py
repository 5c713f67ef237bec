"""How many parts each token with a daily limit handed in: a row for each span of ten minutes in which there were some.

Reading a day so costs at most 145 rows, however much was sent. A span counts until the last instant in it is a day ago.
Where several hosts take messages in, the token's row is locked first, so that one counts after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Integer, bindparam, delete, select

from gateway.clock import SECOND_US
from gateway.store.engines import insert, is_shared
from gateway.store.prepared import Prepared
from gateway.store.schema import token, token_part

SPAN_US = 600 * SECOND_US

_t = token_part.c
# Not FOR UPDATE: messages that refer to the token are inserted meanwhile.
_lock = Prepared(select(token.c.id).where(token.c.id == bindparam("holder")).with_for_update(key_share=True))
_since = Prepared(
    select(_t.begun_us, _t.parts).where(_t.token_id == bindparam("holder"), _t.begun_us > bindparam("since_us"))
)
_add = Prepared(
    insert(token_part)
    .values(token_id=bindparam("holder"), begun_us=bindparam("begun"), parts=bindparam("count"))
    .on_conflict_do_update(
        index_elements=["token_id", "begun_us"], set_={"parts": _t.parts + bindparam("more", type_=Integer)}
    )
)
_forget = Prepared(delete(token_part).where(_t.token_id == bindparam("holder"), _t.begun_us <= bindparam("until_us")))


def since(connection: Connection, token_ids: Sequence[int], since_us: int) -> dict[int, dict[int, int]]:
    """The parts of each of these tokens by the beginning of their span, as far as they are younger than that; others
    wait until this transaction ends."""
    found: dict[int, dict[int, int]] = {}
    for token_id in token_ids:
        if is_shared(connection):
            _lock.scalar(connection, holder=token_id)
        rows = _since.rows(connection, holder=token_id, since_us=since_us - SPAN_US)
        found[token_id] = {row.begun_us: row.parts for row in rows}
    return found


def add(
    connection: Connection, token_id: int, parts: int, now_us: int, *, forget_us: int, known: Mapping[int, int]
) -> None:
    """Count so many parts more; with each new span the rows are dropped that are older than `forget_us`."""
    begun_us = now_us - now_us % SPAN_US
    _add.write(connection, holder=token_id, begun=begun_us, count=parts, more=parts)
    if begun_us not in known:
        _forget.write(connection, holder=token_id, until_us=now_us - forget_us - SPAN_US)
