"""The kill switch: pause, resume, and what is paused."""

from __future__ import annotations

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import NoFields, NoQuery
from api.models.queue import PauseIn, pause_out


async def state(call: Call, _: NoQuery) -> web.Response:
    """What is paused."""
    return answer(pause_out(await call.services.queue.state(call.principal)))


async def pause(call: Call, wanted: PauseIn) -> web.Response:
    """Pause some categories or everything: after the answer no further part is marked."""
    return answer(pause_out(await call.services.queue.pause(call.principal, wanted.categories)))


async def resume(call: Call, _: NoFields) -> web.Response:
    """Let everything leave again."""
    return answer(pause_out(await call.services.queue.resume(call.principal)))
