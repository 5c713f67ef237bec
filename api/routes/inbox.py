"""Received messages."""

from __future__ import annotations

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.inbox import InboxQuery, inbox_item_out
from api.models.lists import list_out


async def list_all(call: Call, wanted: InboxQuery) -> web.Response:
    """Received messages that fit, newest first."""
    page = await call.services.inbox.list(call.principal, wanted.value(), limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, inbox_item_out))
