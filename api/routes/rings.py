"""Alerts to groups: rung, listed, followed, rung again, stopped."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.idempotency import idempotency_key
from api.models.fields import NoFields, NoQuery
from api.models.lists import list_out
from api.models.rings import RingIn, RingsQuery, ring_line_out, ring_out, rung_out
from gateway.errors import NotFound
from gateway.ids import is_id

_ACCEPTED: Final = 202


async def create(call: Call, wanted: RingIn) -> web.Response:
    """Ring people: all of them stand in the store before the answer leaves."""
    key = idempotency_key(call.request)
    return answer(rung_out(await call.services.rings.create(call.principal, wanted.value(), key)), _ACCEPTED)


async def list_all(call: Call, wanted: RingsQuery) -> web.Response:
    """Alerts, newest first."""
    page = await call.services.rings.list(call.principal, limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, ring_line_out))


async def read(call: Call, _: NoQuery) -> web.Response:
    """An alert: who was reached, who answered what, who is silent."""
    return answer(ring_out(await call.services.rings.get(call.principal, _id(call))))


async def ring_again(call: Call, _: NoFields) -> web.Response:
    """Ring the silent once more, but those whose message is still under way."""
    return answer(rung_out(await call.services.rings.ring_again(call.principal, _id(call))), _ACCEPTED)


async def stop(call: Call, _: NoFields) -> web.Response:
    """Ring nobody any more, and cancel what waits; answers still count."""
    return answer(ring_out(await call.services.rings.stop(call.principal, _id(call))))


def _id(call: Call) -> str:
    ring_id = call.segment("id")
    if not is_id(ring_id):
        raise NotFound("alert_not_found", "there is no such alert, or this token may not see it")
    return ring_id
