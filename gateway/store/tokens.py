"""Tokens: who may ask. Only a hash is kept; the secret is shown once and never again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from gateway.requests import NewToken, Principal, TokenView
from gateway.store import signals
from gateway.store.schema import AnyRow, token
from gateway.store.signals import Topic

_t = token.c


def add(connection: Connection, new: NewToken, secret_hash: bytes, now_us: int) -> TokenView | None:
    """Keep a token; None when a live one has that name."""
    taken = connection.execute(select(_t.id).where(_t.name == new.name, _t.revoked_us.is_(None))).first()
    if taken is not None:
        return None
    row = insert(token).values(
        name=new.name,
        hash=secret_hash,
        scopes=json.dumps(new.scopes),
        categories=json.dumps(new.categories),
        default_category=new.default_category,
        test=new.test,
        created_us=now_us,
        destinations=json.dumps(new.destinations),
        rate=new.rate,
        parts_a_day=new.parts_a_day,
        expires_us=new.expires_us,
    )
    made = connection.execute(row.returning(_t.id)).scalar_one()
    signals.send(connection, Topic.TOKENS)
    return view(connection.execute(select(token).where(_t.id == made)).one())


def revoke(connection: Connection, name: str, now_us: int) -> TokenView | None:
    """Revoke the live token of that name; None when there is none."""
    row = update(token).where(_t.name == name, _t.revoked_us.is_(None)).values(revoked_us=now_us)
    revoked = connection.execute(row.returning(_t.id)).scalar()
    signals.send(connection, Topic.TOKENS)
    return None if revoked is None else view(connection.execute(select(token).where(_t.id == revoked)).one())


def every(connection: Connection) -> Sequence[TokenView]:
    """All tokens, revoked ones too, newest first."""
    return [view(row) for row in connection.execute(select(token).order_by(_t.id.desc()))]


def has_test(connection: Connection) -> bool:
    """Whether there is a token that only tests, or was one: what it sent may still wait."""
    return connection.execute(select(_t.id).where(_t.test).limit(1)).first() is not None


def edition(connection: Connection) -> tuple[int, int]:
    """Another pair after each token that is made or revoked."""
    row = connection.execute(select(func.count(_t.id), func.count(_t.revoked_us))).one()
    return row[0], row[1]


def live(connection: Connection) -> dict[bytes, Principal]:
    """What each secret's hash stands for."""
    rows = connection.execute(select(token).where(_t.revoked_us.is_(None)))
    return {bytes(row.hash): _principal(row) for row in rows}


def only_tests(connection: Connection, token_id: int) -> bool:
    """Whether it is a token that only tests, revoked or not."""
    return bool(connection.execute(select(_t.test).where(_t.id == token_id)).scalar())


def holder(connection: Connection, token_id: int, now_us: int) -> Principal | None:
    """Who a token stands for; None once it was revoked or has expired."""
    row = connection.execute(select(token).where(_t.id == token_id, _t.revoked_us.is_(None))).first()
    if row is None or (row.expires_us is not None and row.expires_us <= now_us):
        return None
    return _principal(row)


def _principal(row: AnyRow) -> Principal:
    return Principal(
        token_id=row.id,
        name=row.name,
        scopes=frozenset(json.loads(row.scopes)),
        categories=tuple(json.loads(row.categories)),
        default_category=row.default_category,
        test=row.test,
        destinations=tuple(json.loads(row.destinations)),
        rate=row.rate,
        parts_a_day=row.parts_a_day,
        expires_us=row.expires_us,
    )


def view(row: AnyRow) -> TokenView:
    """A token as it is listed."""
    return TokenView(
        id=row.id,
        name=row.name,
        scopes=tuple(json.loads(row.scopes)),
        categories=tuple(json.loads(row.categories)),
        default_category=row.default_category,
        test=row.test,
        created_us=row.created_us,
        revoked_us=row.revoked_us,
        destinations=tuple(json.loads(row.destinations)),
        rate=row.rate,
        parts_a_day=row.parts_a_day,
        expires_us=row.expires_us,
    )
