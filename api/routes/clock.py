"""The clock of this host: how it stands, and that it is right."""

from __future__ import annotations

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.clock import clock_out
from api.models.fields import NoFields, NoQuery


async def show(call: Call, _: NoQuery) -> web.Response:
    """How the clock stands, and whether rules go by it."""
    return answer(clock_out(await call.services.clock.state(call.principal)))


async def confirm(call: Call, _: NoFields) -> web.Response:
    """Say, as a person, that the clock is right."""
    return answer(clock_out(await call.services.clock.confirm(call.principal)))
