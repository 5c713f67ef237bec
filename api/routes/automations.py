"""Automations: rules, and the events that set them off."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.automations import AutomationIn, RuleIn, TriggerIn, automation_out, triggered_out
from api.models.fields import NoQuery, PageQuery
from api.models.lists import list_out, page_of
from gateway.services.automations import AutomationView

_CREATED: Final = 201
_ACCEPTED: Final = 202


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Automations, by name."""
    found = await call.services.automations.list()
    return answer(list_out(page_of(found, _name_of, wanted.limit, wanted.cursor), automation_out))


async def create(call: Call, wanted: AutomationIn) -> web.Response:
    """Make an automation."""
    made = await call.services.automations.add(call.principal, wanted.name, wanted.value())
    return answer(automation_out(made), _CREATED)


async def read(call: Call, _: NoQuery) -> web.Response:
    """One automation."""
    return answer(automation_out(await call.services.automations.get(call.segment("name"))))


async def put(call: Call, wanted: RuleIn) -> web.Response:
    """Make an automation, or give one another rule."""
    return answer(
        automation_out(await call.services.automations.put(call.principal, call.segment("name"), wanted.value()))
    )


async def remove(call: Call, _: NoQuery) -> web.Response:
    """Forget an automation; what it has queued stays. Answers with what it was."""
    return answer(automation_out(await call.services.automations.remove(call.principal, call.segment("name"))))


async def trigger(call: Call, wanted: TriggerIn) -> web.Response:
    """Tell of an event: its message is accepted. With `cancel`, what waits for it is called off."""
    message, canceled = await call.services.automations.trigger(call.principal, call.segment("name"), wanted.value())
    return answer(triggered_out(message, canceled), _ACCEPTED)


def _name_of(found: AutomationView) -> str:
    return found.name
