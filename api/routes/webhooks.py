"""Webhooks: endpoints, their secrets, tests, and what they have still to be told."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import NoFields, NoQuery, PageQuery
from api.models.lists import list_out, page_of
from api.models.webhooks import DeliveriesQuery, ReplayIn, WebhookChange, WebhookIn, delivery_out, webhook_out
from gateway.clock import SECOND_US
from gateway.errors import NotFound
from gateway.ids import is_id
from gateway.requests import WebhookView

_CREATED: Final = 201


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Every endpoint, newest first."""
    found = await call.services.webhooks.list(call.principal)
    return answer(list_out(page_of(found, _key, wanted.limit, wanted.cursor), webhook_out))


async def create(call: Call, wanted: WebhookIn) -> web.Response:
    """Make an endpoint; its secret is in the answer."""
    made, secret = await call.services.webhooks.create(call.principal, wanted.url, wanted.types, wanted.description)
    return answer({**webhook_out(made), "secret": secret}, _CREATED)


async def read(call: Call, _: NoQuery) -> web.Response:
    """One endpoint."""
    return answer(webhook_out(await call.services.webhooks.get(call.principal, _id(call))))


async def change(call: Call, wanted: WebhookChange) -> web.Response:
    """Change of an endpoint what is given."""
    changed = await call.services.webhooks.change(
        call.principal,
        _id(call),
        url=wanted.url,
        types=wanted.types,
        description=wanted.description,
        disabled=wanted.disabled,
    )
    return answer(webhook_out(changed))


async def enable(call: Call, _: NoFields) -> web.Response:
    """Tell an endpoint again that was disabled, from now on."""
    return answer(webhook_out(await call.services.webhooks.change(call.principal, _id(call), disabled=False)))


async def remove(call: Call, _: NoQuery) -> web.Response:
    """Forget an endpoint, and what it is owed."""
    return answer(webhook_out(await call.services.webhooks.remove(call.principal, _id(call))))


async def secret(call: Call, _: NoQuery) -> web.Response:
    """The secret of an endpoint."""
    return answer({"secret": await call.services.webhooks.secret(call.principal, _id(call))})


async def own_secret(call: Call, _: NoQuery) -> web.Response:
    """The secret that callbacks of this token's messages are signed with."""
    return answer({"secret": call.services.webhooks.own_secret(call.principal)})


async def rotate(call: Call, _: NoFields) -> web.Response:
    """Give an endpoint a new secret; for a day both sign."""
    rotated, secret = await call.services.webhooks.rotate(call.principal, _id(call))
    return answer({**webhook_out(rotated), "secret": secret})


async def test(call: Call, _: NoFields) -> web.Response:
    """Send an endpoint a test now; the answer tells what came of it."""
    came = await call.services.webhooks.test(call.principal, _id(call))
    seconds = round(came.duration_us / SECOND_US, 3)
    return answer({"ok": came.good, "status": came.status, "error": came.error, "seconds": seconds})


async def deliveries(call: Call, wanted: DeliveriesQuery) -> web.Response:
    """What an endpoint has still to be told, or what was given up."""
    page = await call.services.webhooks.deliveries(
        call.principal, _id(call), dead=wanted.state == "dead", limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, delivery_out))


async def replay(call: Call, wanted: ReplayIn) -> web.Response:
    """Try anew to tell an endpoint what was given up."""
    count = await call.services.webhooks.replay(call.principal, _id(call), ids=wanted.ids, since_us=wanted.since)
    return answer({"replayed": count})


def _key(endpoint: WebhookView) -> str:
    return endpoint.id


def _id(call: Call) -> str:
    """The id of the path; what has not the form of one is no endpoint."""
    endpoint_id = call.segment("id")
    if not is_id(endpoint_id):
        raise NotFound("webhook_not_found", "there is no such webhook")
    return endpoint_id
