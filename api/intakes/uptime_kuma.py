"""Uptime Kuma's provider "SMS Gateway": one call for each recipient, `{to, body}`.

Form: louislam/uptime-kuma, server/notification-providers/sms-gateway.js. When a call fails by its HTTP status it leaves
out the recipients that are still to come; after a body that says `failed` it goes on. So a refusal of one message is
such a body; a status is what concerns every call: the token, the form, a store that is away.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from api.answers import answer
from api.body import JSON_TYPE, read_object
from api.endpoint import Credential, Intake, Reply
from api.intakes.credentials import principal_by_header
from api.intakes.refusals import reworded, sentence_of
from api.models.fields import Outgoing, Text
from api.problems import HttpProblem
from api.validation import validated
from gateway.errors import GatewayError, Unavailable
from gateway.message import Status
from gateway.requests import NewMessage
from gateway.services import Services

_KEY: Final = "X-API-Key"
_FAILED: Final = "failed"
#: What the sender calls a failure: nobody will read it.
_IN_VAIN: Final = frozenset({Status.SUPPRESSED, Status.FAILED, Status.EXPIRED})


class KumaIn(BaseModel):
    """What it sends."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"to": "+33639980101", "body": "hello"},)

    to: Text
    body: Text


class KumaOut(Outgoing):
    """What it reads: `status` is `failed`, or the message's; `message` says more."""

    id: str | None
    status: str
    message: str


async def _send(request: web.Request, services: Services) -> web.Response:
    """Accept one message."""
    principal = principal_by_header(request, services.tokens, _KEY, "send")
    wanted = validated(KumaIn, await read_object(request))
    try:
        message = await services.messages.create(principal, NewMessage(wanted.to, wanted.body))
    except Unavailable:
        raise
    except GatewayError as error:
        return answer({"id": None, "status": _FAILED, "message": sentence_of(error)})
    status = _FAILED if message.status in _IN_VAIN else str(message.status)
    return answer({"id": message.id, "status": status, "message": f"the message is {message.status}"})


def _refuse(error: GatewayError | HttpProblem) -> web.Response:
    return reworded(error, {"id": None, "status": _FAILED, "message": sentence_of(error)})


ROWS: Final = (
    Intake(
        "POST",
        "/api/v1/sms/send",
        _send,
        _refuse,
        "Uptime Kuma",
        credentials=(Credential("header", _KEY),),
        body=KumaIn,
        media=(JSON_TYPE,),
        answers=(
            Reply(200, "accepted, or refused with the status `failed`", model=KumaOut),
            *(
                Reply(status, says, model=KumaOut)
                for status, says in (
                    (400, "the body is not JSON"),
                    (401, "no valid token"),
                    (403, "the token may not send"),
                    (408, "the body did not arrive in time"),
                    (413, "the body is too large"),
                    (415, "the body is no JSON in UTF-8"),
                    (422, "not the fields that are needed"),
                    (429, "too many guesses, or more than the token may send"),
                    (503, "try again later"),
                    (507, "the disk is full"),
                )
            ),
        ),
    ),
)
