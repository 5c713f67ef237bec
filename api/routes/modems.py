"""Modems: list, and texts let in through a simulated one."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import PageQuery
from api.models.lists import list_out, page_of
from api.models.modems import SimulateIn, modem_out
from gateway.requests import ModemView

_ACCEPTED: Final = 202


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Every modem, by name."""
    modems = await call.services.modems.list(call.principal)
    return answer(list_out(page_of(modems, _name, wanted.limit, wanted.cursor), modem_out))


async def simulate(call: Call, wanted: SimulateIn) -> web.Response:
    """Let a text arrive at a simulated modem; `{name}` may be `{node}:{name}`."""
    await call.services.modems.simulate(call.principal, call.segment("name"), wanted.sender, wanted.text)
    return answer({}, _ACCEPTED)


def _name(modem: ModemView) -> str:
    return f"{modem.node}:{modem.status.name}"
