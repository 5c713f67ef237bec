"""Endpoints: where news goes. There are few of them, and each look reads them all."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from gateway.requests import WebhookView
from gateway.store import events, follow
from gateway.store.prepared import Prepared
from gateway.store.schema import webhook

_w = webhook.c
_every = Prepared(select(webhook).order_by(_w.id.desc()))
_one = Prepared(select(webhook).where(_w.id == bindparam("wanted")))


def every(connection: Connection) -> list[WebhookView]:
    """All endpoints, newest first."""
    return [_view(row) for row in _every.rows(connection)]


def live(connection: Connection) -> list[WebhookView]:
    """Those that are not disabled."""
    return [each for each in every(connection) if each.disabled_us is None]


def get(connection: Connection, endpoint_id: str) -> WebhookView | None:
    """One endpoint."""
    row = _one.first(connection, wanted=endpoint_id)
    return None if row is None else _view(row)


def add(connection: Connection, new: WebhookView, *, followed: bool) -> None:
    """Keep an endpoint. It is told of what is committed from now on. `followed`: events are read without it too."""
    if not followed:
        _begin(connection)
    row = insert(webhook).values(
        **_now(connection),
        id=new.id,
        url=new.url,
        types=json.dumps(new.types),
        description=new.description,
        created_us=new.created_us,
        since_us=new.since_us,
        form=new.form,
    )
    connection.execute(row)


def change(
    connection: Connection, endpoint_id: str, values: dict[str, Any], *, followed: bool = True
) -> WebhookView | None:
    """Write columns of an endpoint; None when there is none. For `followed` see `add`."""
    if "types" in values:
        values = {**values, "types": json.dumps(values["types"])}
    if not followed and "since_us" in values:
        _begin(connection)
    if "since_us" in values:
        values = {**values, **_now(connection)}
    if values:
        connection.execute(update(webhook).where(_w.id == endpoint_id).values(**values))
    return get(connection, endpoint_id)


def disable(connection: Connection, endpoint_id: str, now_us: int, reason: str) -> bool:
    """Tell it nothing more until somebody enables it; whether it was enabled."""
    row = update(webhook).where(_w.id == endpoint_id, _w.disabled_us.is_(None))
    if not connection.execute(row.values(disabled_us=now_us, disabled_reason=reason)).rowcount:
        return False
    events.record(connection, now_us, "webhook.disabled", detail=reason, facts={"id": endpoint_id, "reason": reason})
    return True


def remove(connection: Connection, endpoint_id: str) -> WebhookView | None:
    """Forget an endpoint; what it has still to be told is forgotten by whoever comes to it."""
    found = get(connection, endpoint_id)
    connection.execute(delete(webhook).where(_w.id == endpoint_id))
    return found


def note(connection: Connection, endpoint_id: str, *, at_us: int, failure: str | None) -> None:
    """How the last try went."""
    values = {"succeeded_us": at_us} if failure is None else {"failed_us": at_us, "failure": failure}
    connection.execute(update(webhook).where(_w.id == endpoint_id).values(**values))


def _begin(connection: Connection) -> None:
    """Where nobody was told of anything, nobody has read the events: what was before is passed over."""
    if not live(connection):
        follow.pass_over(connection, follow.WEBHOOKS)


def _now(connection: Connection) -> dict[str, int]:
    """The place in the order of events behind which is what happens from now on."""
    newest = events.newest(connection)
    return {"since_xact": newest.xact, "since_event": newest.id}


def _view(row: Any) -> WebhookView:
    return WebhookView(
        id=row.id,
        url=row.url,
        types=tuple(json.loads(row.types)),
        description=row.description,
        created_us=row.created_us,
        since_us=row.since_us,
        generation=row.generation,
        rotated_us=row.rotated_us,
        disabled_us=row.disabled_us,
        disabled_reason=row.disabled_reason,
        succeeded_us=row.succeeded_us,
        failed_us=row.failed_us,
        failure=row.failure,
        form=row.form,
        since=(row.since_xact, row.since_event),
    )
