"""The stream of events: server-sent events (WHATWG HTML, 9.2), which a client resumes by the id that it saw last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from api.answers import COMMON_FIELDS
from api.auth import principal_of
from api.endpoint import Call
from api.models.events import EventsQuery
from api.problems import HttpProblem
from gateway.notify.stream import Told

_FIELDS: Final = {
    **COMMON_FIELDS,
    "Content-Type": "text/event-stream",
    # nginx would keep events until a buffer is full.
    "X-Accel-Buffering": "no",
}
#: Error codes of its own.
CODES: Final = ("cursor_invalid", "type_unknown", "streams_full")
#: Milliseconds until a client comes again.
_RETRY: Final = 3000
#: Octets that are handed over at once: what one who reads slowly holds is about so much, however much waits for it.
_PIECE: Final = 64 * 1024
#: Who reads nothing for so long is gone, or may as well be.
_PATIENCE_S: Final = 30.0


async def follow(call: Call, query: EventsQuery) -> web.StreamResponse:
    """Tell what happens, until the client leaves, its token ends or the gateway stops.

    Server-sent events: `event` is the type, `data` the same as the body of a webhook, `id` what `Last-Event-ID` takes.
    """
    events = call.services.events
    last = call.request.headers.get("Last-Event-ID") or None
    response = web.StreamResponse(headers=_FIELDS)
    if call.request.method == hdrs.METH_HEAD:
        # Nobody will listen, so there is no stream and none is counted.
        events.check(last, query.kinds())
        return response
    listening = await events.open(call.principal, last, query.kinds())
    try:
        await response.prepare(call.request)
        told: Sequence[Told] | None = ()
        written = f"retry: {_RETRY}\nid: {events.id_of(listening.cursor)}\n\n".encode()
        while told is not None and _may_still(call):
            for each in told:
                written += _lines(events.id_of(each.cursor), each)
                if len(written) >= _PIECE:
                    await _write(response, written)
                    written = b""
            if written or not told:
                await _write(response, written or b":\n\n")
            written, told = b"", await events.next(listening)
    except (TimeoutError, ConnectionError):
        if call.request.transport is not None:
            call.request.transport.abort()
    finally:
        events.leave(listening)
    return response


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        await response.write(piece)


def _lines(event_id: str, told: Told) -> bytes:
    """One event; JSON as we write it has no line ends of its own."""
    return f"id: {event_id}\nevent: {told.kind}\ndata: ".encode() + told.body + b"\n\n"


def _may_still(call: Call) -> bool:
    """Whether the client is there, and its token good, still."""
    if call.request.transport is None:
        return False
    try:
        principal_of(call.request, call.services.tokens, "read")
    except HttpProblem:
        return False
    return True
