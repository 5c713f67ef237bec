"""Opt-outs: list, add, lift."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.lists import list_out
from api.models.optouts import LiftQuery, OptOutIn, OptOutsQuery, optout_out

_CREATED: Final = 201


async def list_all(call: Call, wanted: OptOutsQuery) -> web.Response:
    """Opt-outs that stand, newest first."""
    page = await call.services.optouts.list(
        call.principal, number=wanted.number, limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, optout_out))


async def add(call: Call, wanted: OptOutIn) -> web.Response:
    """Opt a number out; one that is out already is answered with the opt-out that stands."""
    return answer(optout_out(await call.services.optouts.add(call.principal, wanted.number, wanted.category)), _CREATED)


async def lift(call: Call, wanted: LiftQuery) -> web.Response:
    """Lift an opt-out; answers with the one that stood."""
    return answer(optout_out(await call.services.optouts.lift(call.principal, wanted.number, wanted.category)))
