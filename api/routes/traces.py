"""Wire traces of modems: switch one on for a while, or off."""

from __future__ import annotations

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import NoQuery
from api.models.traces import TraceIn, trace_out


async def start(call: Call, wanted: TraceIn) -> web.Response:
    """Record what passes between driver and modem for so many seconds; `{name}` may be `{node}:{name}` of this host."""
    trace = await call.services.traces.start(
        call.principal, call.segment("name"), wanted.seconds, redacted=not wanted.unredacted
    )
    return answer(trace_out(trace))


async def stop(call: Call, _: NoQuery) -> web.Response:
    """Record no more."""
    await call.services.traces.stop(call.principal, call.segment("name"))
    return answer({})
