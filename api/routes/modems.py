"""Modems: list, what is done to one, and texts let in through a simulated one. `{name}` may be `{node}:{name}`."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import NoFields, PageQuery
from api.models.lists import list_out, page_of
from api.models.modems import AtIn, SimulateIn, UssdIn, modem_out
from gateway.requests import ModemView

_ACCEPTED: Final = 202


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Every modem, by name."""
    modems = await call.services.modems.list(call.principal)
    return answer(list_out(page_of(modems, _name, wanted.limit, wanted.cursor), modem_out))


async def simulate(call: Call, wanted: SimulateIn) -> web.Response:
    """Let a text arrive at a simulated modem."""
    await call.services.modems.simulate(call.principal, call.segment("name"), wanted.sender, wanted.text)
    return answer({}, _ACCEPTED)


async def reset(call: Call, _: NoFields) -> web.Response:
    """Restart a modem and begin anew with it."""
    return await _act(call, "reset")


async def pause(call: Call, _: NoFields) -> web.Response:
    """Send nothing more through a modem; it goes on receiving."""
    return await _act(call, "pause")


async def resume(call: Call, _: NoFields) -> web.Response:
    """Send through a modem again."""
    return await _act(call, "resume")


async def unlock(call: Call, _: NoFields) -> web.Response:
    """Let a modem try its PIN once more; `pin_tries_left` is what the SIM had left before, null if not known."""
    modem, left = await call.services.modems.act(call.principal, call.segment("name"), "unlock")
    return answer(modem_out(modem) | {"pin_tries_left": left})


async def at(call: Call, wanted: AtIn) -> web.Response:
    """Give a modem a command line by hand."""
    name = call.segment("name")
    lines = await call.services.modems.converse(call.principal, name, wanted.command, wanted.seconds)
    return answer({"lines": lines})


async def ussd(call: Call, wanted: UssdIn) -> web.Response:
    """Send a USSD code through a modem."""
    return answer({"text": await call.services.modems.ussd(call.principal, call.segment("name"), wanted.code)})


async def _act(call: Call, verb: str) -> web.Response:
    modem, _ = await call.services.modems.act(call.principal, call.segment("name"), verb)
    return answer(modem_out(modem))


def _name(modem: ModemView) -> str:
    return f"{modem.node}:{modem.status.name}"
