"""listmonk's messenger: it posts each message of a campaign, with the subscriber whose attributes hold the number.

Shape: listmonk.app/docs/messengers. It expects 200 and counts anything else as an error of that subscriber. A message
that comes again (the same campaign, subscriber, number and text) is the same message.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from api.answers import answer
from api.body import JSON_TYPE, read_object
from api.endpoint import BASIC, Intake, Reply
from api.intakes.credentials import principal_by_basic
from api.intakes.plain_text import text_of_large_html
from api.intakes.refusals import problem_of
from api.models.alerts import ShortOut, fields_of
from api.models.fields import Incoming, Name, Outgoing, Text
from api.problems import PROBLEM
from api.query import read_query
from api.validation import validated
from gateway.errors import InvalidRequest
from gateway.requests import NewMessage, Submission
from gateway.services import Services

_MOST: Final = 1000
_HTML: Final = frozenset({"html", "richtext", "visual"})


class SubscriberIn(BaseModel):
    """A subscriber; the number is one of the attributes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    uuid: Any = None
    attribs: Any = None


class ListmonkIn(BaseModel):
    """What it sends. The subject is for mail and is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"body": "hello", "recipients": [{"uuid": "0f3e8d8a", "attribs": {"phone": "+33639980101"}}]},
    )

    body: Text
    content_type: Any = None
    recipients: tuple[SubscriberIn, ...] = Field(min_length=1, max_length=_MOST)
    campaign: Any = None


class ListmonkQuery(Incoming):
    """Query: which attribute of a subscriber is the number."""

    phone: Name = "phone"


class ListmonkOut(Outgoing):
    """What was accepted."""

    items: list[ShortOut]


async def _post(request: web.Request, services: Services) -> web.Response:
    """Accept the message of a campaign for its subscribers, for all or none."""
    principal, _ = principal_by_basic(request, services.tokens, "send")
    wanted = validated(ListmonkQuery, read_query(request, frozenset()), in_query=True)
    body = validated(ListmonkIn, await read_object(request))
    is_html = isinstance(body.content_type, str) and body.content_type in _HTML
    text = await text_of_large_html(body.body, "/body") if is_html else body.body.strip()
    news = [
        Submission(NewMessage(number, text), _key(body.campaign, each, number, text))
        for each, number in ((each, _number(each, at, wanted.phone)) for at, each in enumerate(body.recipients))
    ]
    accepted = await services.messages.create_all(principal, news)
    return answer({"items": [{"id": each.id, "status": each.status} for each in accepted]})


def _number(subscriber: SubscriberIn, at: int, name: str) -> str:
    found = fields_of(subscriber.attribs).get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        # A list that was imported from a table: figures, and the plus is gone.
        found = f"+{found}"
    if not isinstance(found, str) or not found.strip():
        reason = "has no number among its attributes; ?phone= names another attribute"
        raise InvalidRequest.field("number_invalid", f"/recipients/{at}/attribs", reason)
    return found


def _key(campaign: Any, subscriber: SubscriberIn, number: str, text: str) -> str | None:
    """By what a message that comes again is known; a mail outside any campaign has nothing that names it."""
    of_campaign, of_person = fields_of(campaign).get("uuid"), subscriber.uuid
    if not isinstance(of_campaign, str) or not isinstance(of_person, str):
        return None
    said = "\0".join((of_campaign, of_person, number, text)).encode(errors="replace")
    return f"listmonk/{hashlib.sha256(said).hexdigest()}"


ROWS: Final = (
    Intake(
        "POST",
        "/hooks/listmonk",
        _post,
        problem_of,
        "listmonk",
        credentials=(BASIC,),
        query=ListmonkQuery,
        body=ListmonkIn,
        media=(JSON_TYPE,),
        answers=(
            Reply(200, "accepted", model=ListmonkOut),
            Reply(400, "the body is not JSON", PROBLEM),
            Reply(401, "no valid token", PROBLEM),
            Reply(403, "the token may not send, or not in this category", PROBLEM),
            Reply(408, "the body did not arrive in time", PROBLEM),
            Reply(409, "the same message was accepted before under other terms of the token", PROBLEM),
            Reply(413, "the body is too large", PROBLEM),
            Reply(415, "the body is no JSON in UTF-8", PROBLEM),
            Reply(422, "a subscriber without a number, a wrong number or text", PROBLEM),
            Reply(429, "as much as may be sent was sent", PROBLEM),
            Reply(503, "try again later", PROBLEM),
            Reply(507, "the disk is full", PROBLEM),
        ),
    ),
)
