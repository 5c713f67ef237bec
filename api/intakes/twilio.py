"""Twilio's Messages resource, for applications that speak to Twilio: only the base URL and the credentials change.

The account may be any; the password is the token. `From` picks a modem by its number when one matches, and says nothing
otherwise. What Twilio can do and an SMS modem cannot (media, templates, channels) is refused; what changes nothing here
(prices, link shortening, risk checks) is passed over, and so is any field that Twilio does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.answers import answer
from api.endpoint import BASIC, Intake, Reply
from api.intakes.credentials import principal_by_basic
from api.intakes.forms import FORM, body_pairs, query_pairs, texts, whole_number
from api.intakes.twilio_words import (
    ErrorOut,
    ResourceOut,
    messages_uri,
    refuse,
    refused,
    resource_out,
    sealed,
)
from api.models.fields import parse_time
from gateway.clock import SECOND_US
from gateway.errors import NotFound
from gateway.ids import is_id
from gateway.message import WAITING, Message, Status
from gateway.requests import MessageFilter, NewMessage, Principal, callback_of
from gateway.services import Services

_ROOT: Final = "/2010-04-01/Accounts/{account}/Messages"
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_US: Final = 24 * 3600 * SECOND_US
_PAGE_MOST, _PAGE_DEFAULT = 1000, 50
_URL_MOST: Final = 4000
_MARK: Final = "PA"
#: Twilio keeps a message for ten hours at most; here there is no such limit but the gateway's own.
_VALIDITY_MOST_S: Final = 366 * 24 * 3600

#: What counts once: given twice, nobody could say which was meant.
_ONCE: Final = frozenset(
    {
        *("To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "SendAt", "ScheduleType"),
        *("ContentRetention", "AddressRetention", "Status", "PageSize", "PageToken", "Page"),
        *("DateSent", "DateSent<", "DateSent>"),
    }
)


class MessageForm(BaseModel):
    """The fields of a new message that count here; Twilio's others are passed over."""

    model_config = ConfigDict(extra="ignore")

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"To": "+33639980101", "Body": "hello"},)

    To: str = Field(min_length=1, description="The recipient, as +33612345678.")
    Body: str = Field(min_length=1, description="The text.")
    From: str = Field(default="", description="Picks the modem that has this number; any other says nothing.")
    MessagingServiceSid: str = Field(default="", description="Given back, and says nothing else.")
    StatusCallback: str = Field(default="", max_length=_URL_MOST, description="Where changes of the status are told.")
    ValidityPeriod: str = Field(default="", description="Seconds after which it is not sent any more.")
    ScheduleType: str = Field(default="", description="fixed, with SendAt.")
    SendAt: str = Field(default="", description="When to send it, an RFC 3339 time.")


class UpdateForm(BaseModel):
    """What can be done to a message."""

    model_config = ConfigDict(extra="ignore")

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"Status": "canceled"},)

    Status: Literal["canceled"]


class ListQuery(BaseModel):
    """The filters of the list."""

    model_config = ConfigDict(extra="ignore")

    To: str = ""
    From: str = Field(default="", description="The number of a modem.")
    DateSent: str = Field(default="", description="A day, or an RFC 3339 time; also as DateSent< and DateSent>.")
    PageSize: str = Field(default="", description=f"From 1 to {_PAGE_MOST}.")
    Page: str = ""
    PageToken: str = ""


class ListOut(BaseModel):
    """A page of messages."""

    messages: list[ResourceOut]
    end: int
    first_page_uri: str
    next_page_uri: str | None
    page: int
    page_size: int
    previous_page_uri: None
    start: int
    uri: str


async def send(request: web.Request, services: Services) -> web.Response:
    """Accept a message, as Twilio would: 201 with the Message resource.

    A recipient who opted out gets 400 with code 21610, as at Twilio; the message is listed all the same, as failed.
    """
    principal, login = principal_by_basic(request, services.tokens, "send")
    account = _account(request)
    form = texts(await body_pairs(request), _ONCE)
    sender, service = form.get("From") or None, form.get("MessagingServiceSid") or None
    new = _new(form, services.modems.with_number(principal, sender) if sender else None)
    url = form.get("StatusCallback")
    if url:
        fixed = {"AccountSid": account, "From": sender, "MessagingServiceSid": service}
        new = _called_back(new, login.secret, url, {name: value for name, value in fixed.items() if value})
    message = await services.messages.create(principal, new)
    if message.status is Status.SUPPRESSED:
        raise refused(21610, message.error_message or "The recipient must not be written to")
    return answer(resource_out(message, account, sender, service), HTTPStatus.CREATED)


async def fetch(request: web.Request, services: Services) -> web.Response:
    """One message."""
    principal, _ = principal_by_basic(request, services.tokens, "read")
    return _resource(request, services, await services.messages.get(principal, _id(request)))


async def update(request: web.Request, services: Services) -> web.Response:
    """Cancel a message that waits: `Status=canceled`. A text cannot be taken out of a message by `Body`."""
    principal, _ = principal_by_basic(request, services.tokens, "send")
    message_id = _id(request)
    form = texts(await body_pairs(request), _ONCE)
    if "Body" in form:
        raise refused(20400, "Body: the text of a message cannot be changed; keep_text of its category says how long")
    if form.get("Status") != "canceled":
        raise refused(20400, "Status: must be canceled")
    return _resource(request, services, await services.messages.cancel(principal, message_id))


async def delete(request: web.Request, services: Services) -> web.Response:
    """Refused: a message is kept as long as `[retention]` says. One that still waits is canceled by `Status`."""
    principal, _ = principal_by_basic(request, services.tokens, "send")
    message = await services.messages.get(principal, _id(request))
    if message.status in WAITING or message.status is Status.SENDING:
        raise refused(20009, "The message is not complete: it can be canceled by Status=canceled", HTTPStatus.CONFLICT)
    kept = "A message cannot be deleted here: it is kept as long as [retention] says"
    raise refused(20004, kept, HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD, POST"})


async def list_all(request: web.Request, services: Services) -> web.Response:
    """Messages, newest first, by `To`, `From` and `DateSent`; of these the day on which they were accepted counts."""
    principal, _ = principal_by_basic(request, services.tokens, "read")
    account = _account(request)
    query = texts(query_pairs(request), _ONCE)
    place = _Place.of(query)
    wanted = _wanted(query, principal, services)
    if wanted is None:
        return answer(_page_out(account, query, [], place, None))
    page = await services.messages.list(principal, wanted, limit=place.size, cursor=place.cursor)
    items = [_shown(message, account, services) for message in page.items]
    return answer(_page_out(account, query, items, place, page.next))


@dataclass(frozen=True, slots=True)
class _Place:
    """Which page of a list is asked for."""

    size: int
    number: int
    cursor: str | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> _Place:
        size = whole_number(query.get("PageSize") or str(_PAGE_DEFAULT), _PAGE_MOST)
        number, token = whole_number(query.get("Page") or "0", 10**9), query.get("PageToken", "")
        if not size or number is None or not token.startswith(_MARK if token else ""):
            raise refused(20400, f"PageSize is from 1 to {_PAGE_MOST}; Page and PageToken are those of next_page_uri")
        return cls(size, number, token.removeprefix(_MARK) or None)


def _new(form: Mapping[str, str], modem: str | None) -> NewMessage:
    """The message that the form asks for. Raises the refusal of Twilio's own code."""
    if not form.get("To"):
        raise refused(21604, "A 'To' phone number is required.")
    if form.get("MediaUrl"):
        raise refused(21620, "MediaUrl: this gateway sends SMS and no media")
    if form.get("ContentSid"):
        raise refused(21655, "ContentSid: there are no content templates here; give Body")
    if not form.get("Body"):
        raise refused(21602, "Message body is required.")
    if form.get("ContentRetention", "retain") != "retain" or form.get("AddressRetention", "retain") != "retain":
        raise refused(20400, "ContentRetention, AddressRetention: keep_text of the category and [retention] say that")
    return NewMessage(form["To"], form["Body"], modem=modem, lasts_us=_validity_us(form), send_us=_send_us(form))


def _validity_us(form: Mapping[str, str]) -> int | None:
    if not form.get("ValidityPeriod"):
        return None
    seconds = whole_number(form["ValidityPeriod"], _VALIDITY_MOST_S)
    if not seconds:
        raise refused(20400, f"ValidityPeriod: must be from 1 to {_VALIDITY_MOST_S} seconds")
    return seconds * SECOND_US


def _send_us(form: Mapping[str, str]) -> int | None:
    """The moment of a scheduled message."""
    kind, moment = form.get("ScheduleType"), form.get("SendAt")
    if kind and kind != "fixed":
        raise refused(35126, "ScheduleType: must be fixed")
    if kind and not moment:
        raise refused(35111, "SendAt: is needed with ScheduleType")
    return _instant(moment, 35115) if moment else None


def _instant(text: str, code: int) -> int:
    try:
        return parse_time(text)
    except PydanticCustomError as error:
        raise refused(code, error.message()) from None


def _called_back(new: NewMessage, secret: str, url: str, fixed: Mapping[str, str]) -> NewMessage:
    if len(url) > _URL_MOST:
        raise refused(21609, f"StatusCallback: is longer than {_URL_MOST} characters")
    return replace(new, callback=callback_of(url, "twilio"), seal=sealed(secret, url, fixed))


def _account(request: web.Request) -> str:
    """The account of the path, whichever it is."""
    account = request.match_info["account"]
    if not _ACCOUNT.fullmatch(account):
        raise _missing()
    return account


def _id(request: web.Request) -> str:
    """The id of a message by its sid."""
    sid = request.match_info["sid"]
    _account(request)
    if not sid.startswith("SM") or not is_id(sid[2:]):
        raise _missing()
    return sid[2:]


def _missing() -> NotFound:
    return NotFound("message_not_found", "The requested resource was not found")


def _resource(request: web.Request, services: Services, message: Message) -> web.Response:
    return answer(_shown(message, _account(request), services))


def _shown(message: Message, account: str, services: Services) -> dict[str, object]:
    return resource_out(message, account, services.modems.number_of(message.modem))


def _wanted(query: Mapping[str, str], principal: Principal, services: Services) -> MessageFilter | None:
    """The filter of a list; None where nothing can fit."""
    modem = None
    if query.get("From"):
        modem = services.modems.with_number(principal, query["From"])
        if modem is None:
            return None
    since = [_from(query["DateSent>"])] if query.get("DateSent>") else []
    until = [_until(query["DateSent<"])] if query.get("DateSent<") else []
    if query.get("DateSent"):
        # However it is written, it is a day (UTC).
        day = _from(query["DateSent"]) // _DAY_US * _DAY_US
        since, until = [*since, day], [*until, day + _DAY_US]
    return MessageFilter(
        to=query.get("To") or None, modem=modem, since_us=max(since, default=None), until_us=min(until, default=None)
    )


def _from(text: str) -> int:
    """The first instant of a day, or the instant itself."""
    return _instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text, 20400)


def _until(text: str) -> int:
    """The first instant after a day, or after the second that is named."""
    return _from(text) + (_DAY_US if _DAY.fullmatch(text) else SECOND_US)


def _page_out(
    account: str, query: Mapping[str, str], items: list[dict[str, object]], place: _Place, following: str | None
) -> dict[str, object]:
    """A page of a list, with the addresses of others."""
    stays = {name: query[name] for name in ("To", "From", "DateSent", "DateSent<", "DateSent>") if query.get(name)}
    start = place.number * place.size

    def at(number: int, cursor: str | None) -> str:
        more = {"PageToken": _MARK + cursor} if cursor else {}
        return f"{messages_uri(account)}.json?{urlencode({**stays, 'PageSize': place.size, 'Page': number, **more})}"

    return {
        "end": start + max(len(items) - 1, 0),
        "first_page_uri": at(0, None),
        "messages": items,
        "next_page_uri": at(place.number + 1, following) if following else None,
        "page": place.number,
        "page_size": place.size,
        "previous_page_uri": None,
        "start": start,
        "uri": at(place.number, place.cursor),
    }


_REFUSALS: Final = (
    Reply(400, "Something is wrong with the request; `code` is Twilio's.", model=ErrorOut),
    Reply(401, "The password is no token, or a revoked one.", model=ErrorOut),
    Reply(403, "The token may not do this.", model=ErrorOut),
    Reply(404, "There is no such message, or none that this token may see.", model=ErrorOut),
    Reply(413, "The body is too large.", model=ErrorOut),
    Reply(415, "The body is no form.", model=ErrorOut),
    Reply(429, "As much as a limit allows was sent; Retry-After says when there is room.", model=ErrorOut),
    Reply(503, "Nothing can be accepted now; Retry-After says when to try again.", model=ErrorOut),
    Reply(507, "The disk is full; nothing was accepted.", model=ErrorOut),
)
_CONFLICT: Final = Reply(409, "The message has begun to be sent, or has ended.", model=ErrorOut)


#: The routes of Twilio's Messages resource.
TWILIO: Final = (
    Intake(
        *("POST", f"{_ROOT}.json", send, refuse, "Twilio"),
        credentials=(BASIC,),
        body=MessageForm,
        media=(FORM,),
        answers=(Reply(201, "The message was accepted.", model=ResourceOut), *_REFUSALS),
    ),
    Intake(
        *("GET", f"{_ROOT}.json", list_all, refuse, "Twilio"),
        scope="read",
        credentials=(BASIC,),
        query=ListQuery,
        answers=(Reply(200, "A page of messages.", model=ListOut), *_REFUSALS),
    ),
    Intake(
        *("GET", f"{_ROOT}/{{sid}}.json", fetch, refuse, "Twilio"),
        scope="read",
        credentials=(BASIC,),
        answers=(Reply(200, "The message.", model=ResourceOut), *_REFUSALS),
    ),
    Intake(
        *("POST", f"{_ROOT}/{{sid}}.json", update, refuse, "Twilio"),
        credentials=(BASIC,),
        body=UpdateForm,
        media=(FORM,),
        answers=(Reply(200, "The message was canceled.", model=ResourceOut), _CONFLICT, *_REFUSALS),
    ),
    Intake(
        *("DELETE", f"{_ROOT}/{{sid}}.json", delete, refuse, "Twilio"),
        credentials=(BASIC,),
        answers=(Reply(405, "Messages are not deleted.", model=ErrorOut), _CONFLICT, *_REFUSALS),
    ),
)
