"""The REST interface of sms-gammu-gateway (pajikos), which Home Assistant and others use: `POST /sms`.

Form: pajikos/sms-gammu-gateway, run.py and README: `text` and `number` (several joined by commas), perhaps `smsc`, as
JSON or a form. What it reads back from the SIM (`/getsms` deletes what it shows) would not be true here: the inbox is
`GET /v1/inbox`.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from api.answers import answer
from api.body import JSON_TYPE, read_object
from api.endpoint import BASIC, Intake, Reply
from api.intakes.credentials import principal_by_basic
from api.intakes.refusals import reworded, sentence_of
from api.models.fields import Outgoing, Text
from api.problems import HttpProblem
from api.validation import validated
from gateway.errors import GatewayError, InvalidRequest
from gateway.requests import NewMessage, Submission
from gateway.services import Services

_MOST: Final = 100


class GammuIn(BaseModel):
    """What it sends. The service centre is that of the modem's configuration; another one is not obeyed."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"text": "hello", "number": "+33639980101,+33639980102"},)

    text: Text
    number: Text
    smsc: Any = None


class GammuOut(Outgoing):
    """What it answers: `message` lists the ids."""

    status: int
    message: str


class GammuRefusal(Outgoing):
    """How it refuses."""

    message: str


class SignalOut(Outgoing):
    """What it tells of the signal; `SignalStrength` in dBm, -1 for what is not known."""

    SignalStrength: int
    SignalPercent: int
    BitErrorRate: int


async def _send(request: web.Request, services: Services) -> web.Response:
    """Accept one message for each number, all or none."""
    principal, _ = principal_by_basic(request, services.tokens, "send")
    wanted = validated(GammuIn, await read_object(request))
    numbers = [piece.strip() for piece in wanted.number.split(",") if piece.strip()]
    if not 1 <= len(numbers) <= _MOST:
        raise InvalidRequest.field("number_invalid", "/number", f"names nobody, or more than {_MOST} people")
    news = [Submission(NewMessage(number, wanted.text)) for number in dict.fromkeys(numbers)]
    accepted = await services.messages.create_all(principal, news)
    return answer({"status": 200, "message": json.dumps([each.id for each in accepted])})


async def _signal(request: web.Request, services: Services) -> web.Response:
    """The best signal that a modem has."""
    principal, _ = principal_by_basic(request, services.tokens, "read")
    modems = await services.modems.list(principal)
    levels = [each.status.signal_dbm for each in modems if each.status.signal_dbm is not None]
    best = max(levels, default=None)
    percent = -1 if best is None else max(0, min(100, round((best + 113) * 100 / 62)))
    return answer({"SignalStrength": -1 if best is None else best, "SignalPercent": percent, "BitErrorRate": -1})


def _refuse(error: GatewayError | HttpProblem) -> web.Response:
    return reworded(error, {"message": sentence_of(error)})


def _refusals(*rows: tuple[int, str]) -> tuple[Reply, ...]:
    return tuple(Reply(status, says, model=GammuRefusal) for status, says in rows)


_NOBODY: Final = ((401, "no valid token"), (403, "the token may not do this"), (429, "too many"), (503, "try again"))

ROWS: Final = (
    Intake(
        "POST",
        "/sms",
        _send,
        _refuse,
        "Gammu REST (sms-gammu-gateway)",
        credentials=(BASIC,),
        body=GammuIn,
        media=(JSON_TYPE,),
        answers=(
            Reply(200, "accepted", model=GammuOut),
            *_refusals(
                *_NOBODY,
                (400, "the body is not JSON"),
                (408, "the body did not arrive in time"),
                (413, "the body is too large"),
                (415, "the body is no JSON in UTF-8"),
                (422, "a wrong number or text"),
                (507, "the disk is full"),
            ),
        ),
    ),
    Intake(
        "GET",
        "/signal",
        _signal,
        _refuse,
        "Gammu REST (sms-gammu-gateway)",
        scope="read",
        credentials=(BASIC,),
        answers=(Reply(200, "the signal", model=SignalOut), *_refusals(*_NOBODY)),
    ),
)
