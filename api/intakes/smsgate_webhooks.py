"""SMSGate's webhooks: endpoints that are told of one kind of event each, in SMSGate's form.

They are endpoints like those of `/v1/webhooks`, so a token needs the scope `admin` for them. The signing key is told
when one is made, and by `GET /v1/webhooks/{id}/secret`; in SMSGate it stands in the settings of the app.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from api.answers import COMMON_FIELDS, answer
from api.body import read_object
from api.endpoint import BASIC, BEARER, Intake, Reply
from api.intakes.credentials import principal_by_any
from api.intakes.smsgate_words import ID_MOST, SmsGateError, refuse, refused
from api.validation import validated
from gateway.errors import NotFound
from gateway.requests import Principal, WebhookView
from gateway.services import Services
from gateway.services.webhooks import SMSGATE_EVENTS, SMSGATE_NAMED, smsgate_webhook_id

_FORM: Final = "smsgate"
_SCOPE: Final = "admin"


class WebhookBody(BaseModel):
    """A webhook to be made; one of the same id is replaced."""

    model_config = ConfigDict(extra="ignore", strict=True)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"url": "https://example.com/sms", "event": "sms:received"},)

    id: str | None = Field(default=None, max_length=ID_MOST)
    url: str = Field(max_length=4000)
    event: str = Field(description=", ".join(SMSGATE_EVENTS))


class HookOut(BaseModel):
    """A webhook."""

    id: str
    url: str
    event: str


async def list_all(request: web.Request, services: Services) -> web.Response:
    """The webhooks that were made through this interface."""
    principal = principal_by_any(request, services.tokens, _SCOPE)
    return answer([_out(each) for each in await _every(principal, services)])


async def create(request: web.Request, services: Services) -> web.Response:
    """Make a webhook; `signingKey` is what its signatures are checked with."""
    principal = principal_by_any(request, services.tokens, _SCOPE)
    wanted = validated(WebhookBody, await read_object(request))
    types = SMSGATE_EVENTS.get(wanted.event)
    if types is None:
        raise refused(f"event: this gateway knows {', '.join(SMSGATE_EVENTS)}")
    description = SMSGATE_NAMED + wanted.id if wanted.id else None
    replaced = [each for each in await _every(principal, services) if wanted.id and _id_of(each) == wanted.id]
    made, secret = await services.webhooks.create(principal, wanted.url, types, description, form=_FORM)
    for each in replaced:
        await services.webhooks.remove(principal, each.id)
    return answer({**_out(made), "signingKey": secret}, HTTPStatus.CREATED)


async def remove(request: web.Request, services: Services) -> web.Response:
    """Forget a webhook, and what it is owed."""
    principal = principal_by_any(request, services.tokens, _SCOPE)
    wanted = request.match_info["id"]
    found = [each for each in await _every(principal, services) if _id_of(each) == wanted]
    if not found:
        raise NotFound("webhook_not_found", "there is no such webhook")
    await services.webhooks.remove(principal, found[0].id)
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=COMMON_FIELDS)


async def _every(principal: Principal, services: Services) -> list[WebhookView]:
    return [each for each in await services.webhooks.list(principal) if each.form == _FORM]


def _id_of(endpoint: WebhookView) -> str:
    return smsgate_webhook_id(endpoint.id, endpoint.description)


def _out(endpoint: WebhookView) -> dict[str, Any]:
    event = next((name for name, types in SMSGATE_EVENTS.items() if types == endpoint.types), "sms:sent")
    return {"id": _id_of(endpoint), "url": endpoint.url, "event": event}


_REFUSALS: Final = (
    Reply(400, "Something is wrong with the request.", model=SmsGateError),
    Reply(401, "Neither password nor bearer token is a token, or it was revoked.", model=SmsGateError),
    Reply(403, "The token has not the scope admin.", model=SmsGateError),
    Reply(429, "Too many wrong tokens came from there; Retry-After says when to try again.", model=SmsGateError),
    Reply(503, "Nothing can be changed now; Retry-After says when to try again.", model=SmsGateError),
    Reply(507, "The disk is full; nothing was changed.", model=SmsGateError),
)
_ABSENT: Final = Reply(404, "There is no such webhook.", model=SmsGateError)
_FULL: Final = Reply(409, "There are as many webhooks as there may be.", model=SmsGateError)
_LARGE: Final = Reply(413, "The body is too large.", model=SmsGateError)
_OTHER: Final = Reply(415, "The body is no JSON.", model=SmsGateError)


def webhook_routes(root: str) -> tuple[Intake, ...]:
    """The routes of webhooks under a root."""
    path, both = f"{root}/webhooks", (BASIC, BEARER)
    return (
        Intake(
            *("GET", path, list_all, refuse, "SMSGate", _SCOPE, both),
            answers=(Reply(200, "The webhooks."), *_REFUSALS),
        ),
        Intake(
            *("POST", path, create, refuse, "SMSGate", _SCOPE, both),
            body=WebhookBody,
            media=("application/json",),
            answers=(Reply(201, "The webhook was made.", model=HookOut), _FULL, _LARGE, _OTHER, *_REFUSALS),
        ),
        Intake(
            *("DELETE", f"{path}/{{id}}", remove, refuse, "SMSGate", _SCOPE, both),
            answers=(Reply(204, "It is gone.", ""), _ABSENT, *_REFUSALS),
        ),
    )
