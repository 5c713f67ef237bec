"""Messages: accept, list, read, follow, cancel, resolve, preview."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import JSON, answer, to_json
from api.endpoint import Call
from api.idempotency import idempotency_key
from api.models.fields import NoFields, NoQuery
from api.models.lists import list_out
from api.models.messages import (
    MessageIn,
    MessagesQuery,
    PreviewIn,
    ReferenceQuery,
    ResolveIn,
    message_out,
    preview_out,
    timeline_item_out,
)
from api.spool import Spool
from gateway.errors import NotFound
from gateway.ids import is_id
from gateway.requests import Page

_ACCEPTED: Final = 202


async def create(call: Call, wanted: MessageIn) -> web.Response:
    """Accept one message: it is on the disk before the answer leaves."""
    key = idempotency_key(call.request)
    message = await call.services.messages.create(call.principal, wanted.value(), key)
    return answer(message_out(message), _ACCEPTED)


async def preview(call: Call, wanted: PreviewIn) -> web.Response:
    """What would become of a message; changes nothing."""
    found = await call.services.messages.preview(
        call.principal,
        wanted.value(),
        wanted.at,
        check_links=wanted.check_links,
        check_spelling=wanted.check_spelling,
    )
    return answer(preview_out(found))


async def list_all(call: Call, wanted: MessagesQuery) -> web.Response:
    """Messages that fit, newest first."""
    page = await call.services.messages.list(call.principal, wanted.value(), limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, message_out))


async def read(call: Call, _: NoQuery) -> web.Response:
    """One message."""
    return answer(message_out(await call.services.messages.get(call.principal, _id(call))))


async def timeline(call: Call, _: NoQuery) -> web.Response:
    """What happened to a message, in its order."""
    items = await call.services.messages.timeline(call.principal, _id(call))
    return answer(list_out(Page(items, None), timeline_item_out))


async def cancel(call: Call, _: NoQuery | NoFields) -> web.Response:
    """Cancel a message that waits."""
    return answer(message_out(await call.services.messages.cancel(call.principal, _id(call))))


async def cancel_reference(call: Call, wanted: ReferenceQuery) -> web.StreamResponse:
    """Cancel what waits under a reference; the answer lists what was cancelled, all of it."""
    groups = call.services.messages.cancel_reference(call.principal, wanted.reference)
    with Spool() as spool:
        spool.write(b'{"items":[')
        between = b""
        async for group in groups:
            for message in group:
                spool.write(between + to_json(message_out(message)))
                between = b","
        spool.write(b'],"next":null}')
        return await spool.answer(call.request, JSON)


async def resolve(call: Call, wanted: ResolveIn) -> web.Response:
    """Settle a message that may have gone."""
    return answer(message_out(await call.services.messages.resolve(call.principal, _id(call), wanted.value())))


def _id(call: Call) -> str:
    """The id of the path. What has not the form of one is no message, as for any other id that is not known."""
    message_id = call.segment("id")
    if not is_id(message_id):
        raise NotFound("message_not_found", "there is no such message, or this token may not see it")
    return message_id
