"""SMSGate's third-party interface (capcom6's SMS Gateway for Android): only the base URL and the credentials change.

The password is the token, under any login; as a bearer token it is as good. A client's own id of a message is its
idempotency key and its reference. A modem is what a device is there, and the `simNumber` counts the modems. What a
modem cannot do (data messages, MMS, messages that are encrypted for the app) is refused, and so is making tokens that
may do less: `tocsin token create` does that.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from api.answers import answer
from api.body import read_object
from api.endpoint import BASIC, BEARER, Intake, Reply
from api.intakes.credentials import principal_by_any
from api.intakes.forms import query_pairs, texts, whole_number
from api.intakes.smsgate_webhooks import webhook_routes
from api.intakes.smsgate_words import (
    ID_MOST,
    MessageBody,
    SmsGateError,
    StateOut,
    grouped,
    refuse,
    refused,
    state_out,
)
from api.models.fields import parse_time
from api.validation import validated
from gateway.clock import SECOND_US, rfc3339
from gateway.errors import Conflict, NotFound
from gateway.ids import is_id
from gateway.message import WAITING, Message
from gateway.requests import InboxFilter, MessageFilter, NewMessage, Principal, Submission
from gateway.services import Services

_ROOT: Final = "/3rdparty/v1"
_PAGE_MOST, _PAGE_DEFAULT = 100, 50
#: Behind so many messages nobody pages by counting.
_OFFSET_MOST: Final = 10_000
_READ: Final = 1000


async def send(request: web.Request, services: Services) -> web.Response:
    """Accept a message for one or several people, all or none: 202 with its state.

    The same id with the same message is the same message; with another one it is refused with 409.
    """
    principal = principal_by_any(request, services.tokens, "send")
    wanted = validated(MessageBody, await read_object(request))
    # What several of ours belong to has a name, and so has what the client named.
    name = wanted.id or (secrets.token_hex(16) if len(wanted.phone_numbers) > 1 else None)
    submissions = await _submissions(wanted, name, principal, services)
    key = f"smsgate/{wanted.id}" if wanted.id else None
    try:
        accepted = await services.messages.create_all(principal, submissions, key)
    except Conflict:
        raise refused("Message with the same ID already exists", HTTPStatus.CONFLICT) from None
    reader = _owner(principal)
    group = [await services.messages.get(reader, each.id) for each in accepted]
    made = answer(state_out(group, await _node(principal, services)), HTTPStatus.ACCEPTED)
    made.headers["Location"] = f"{_ROOT}/messages/{name or group[0].id}"
    return made


async def state(request: web.Request, services: Services) -> web.Response:
    """The state of a message, by SMSGate's id or by one of ours."""
    principal = principal_by_any(request, services.tokens, "read")
    group = await _group(request.match_info["id"], principal, services)
    return answer(state_out(group, await _node(principal, services)))


async def cancel(request: web.Request, services: Services) -> web.Response:
    """Cancel a message that waits, for everybody who has not got it; 409 once nobody is left to wait."""
    principal = principal_by_any(request, services.tokens, "send")
    group = await _group(request.match_info["id"], principal, services)
    if not any(each.status in WAITING for each in group):
        raise refused("Message is not pending", HTTPStatus.CONFLICT)
    after = [await _canceled(each, principal, services) for each in group]
    return answer(state_out(after, await _node(principal, services)))


async def list_all(request: web.Request, services: Services) -> web.Response:
    """Messages of this token, newest first, by `from`, `to`, `state`, `deviceId`, `limit`, `offset`."""
    principal = principal_by_any(request, services.tokens, "read")
    query = texts(query_pairs(request), {"from", "to", "state", "deviceId", "limit", "offset", "sort"})
    if query.get("sort", "-created_at") != "-created_at":
        raise refused("sort: only -created_at is supported")
    limit, offset = _counts(query)
    filters = MessageFilter(
        since_us=_instant(query, "from"), until_us=_instant(query, "to"), modem=query.get("deviceId") or None
    )
    node, content = await _node(principal, services), query.get("includeContent") == "true"
    groups = grouped(await _messages(filters, principal, services))
    shown = [state_out(group, node, content=content) for group in groups]
    shown = [document for document in shown if query.get("state") in {None, "", document["state"]}]
    return answer(shown[offset : offset + limit])


async def inbox(request: web.Request, services: Services) -> web.Response:
    """Received messages, newest first, by `from`, `to`, `limit`, `offset`."""
    principal = principal_by_any(request, services.tokens, "read")
    query = texts(query_pairs(request), {"from", "to", "limit", "offset"})
    limit, offset = _counts(query)
    filters = InboxFilter(since_us=_instant(query, "from"), until_us=_instant(query, "to"))
    page = await services.inbox.list(principal, filters, limit=min(limit + offset, 1000), cursor=None)
    return answer(
        [
            {
                "id": item.id,
                "type": "SMS",
                "sender": item.sender,
                "recipient": services.modems.number_of(item.modem),
                "contentPreview": item.text or "",
                "createdAt": rfc3339(item.received_us),
            }
            for item in page.items[offset : offset + limit]
        ]
    )


async def devices(request: web.Request, services: Services) -> web.Response:
    """The modems, as devices."""
    principal = principal_by_any(request, services.tokens, "read")
    return answer(
        [{"id": view.status.name, "name": view.status.name} for view in await services.modems.list(principal)]
    )


async def token(request: web.Request, services: Services) -> web.Response:
    """Refused: a token made here could do all that this one can, whatever was asked for."""
    principal_by_any(request, services.tokens, "send")
    raise refused("Use the token itself as bearer token; `tocsin token create` makes others")


async def health(request: web.Request, services: Services) -> web.Response:
    """Whether messages can be accepted and sent; no token, and nothing of anybody."""
    del request
    ready = (await services.health.ready()).ready
    document: dict[str, object] = {"status": "pass" if ready else "fail", "version": "1", "releaseId": 1, "checks": {}}
    said = answer(document, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)
    if not ready:
        said.headers["Retry-After"] = "5"
    return said


async def _submissions(
    wanted: MessageBody, name: str | None, principal: Principal, services: Services
) -> list[Submission]:
    text = _text(wanted)
    if wanted.ttl is not None and wanted.valid_until is not None:
        raise refused("ttl and validUntil exclude each other")
    asked: dict[str, Any] = {
        "reference": name,
        "modem": await _modem(wanted, principal, services),
        "lasts_us": None if wanted.ttl is None else wanted.ttl * SECOND_US,
        "expires_us": _moment(wanted.valid_until, "validUntil"),
        "send_us": _moment(wanted.schedule_at, "scheduleAt"),
    }
    numbers = dict.fromkeys(services.messages.recipient(each) for each in wanted.phone_numbers)
    return [Submission(NewMessage(number, text, **asked)) for number in numbers]


def _text(wanted: MessageBody) -> str:
    if wanted.is_encrypted:
        raise refused("isEncrypted: this gateway has no key to decrypt it, and would send it as it is")
    if wanted.data_message is not None or wanted.mms_message is not None:
        raise refused("dataMessage, mmsMessage: this gateway sends text messages only")
    if (wanted.text_message is None) == (wanted.message is None):
        raise refused("must specify exactly one of: textMessage or message")
    return wanted.text_message.text if wanted.text_message is not None else wanted.message or ""


async def _modem(wanted: MessageBody, principal: Principal, services: Services) -> str | None:
    """The modem that stands for a device, or for the SIM in a slot."""
    if wanted.device_id or wanted.sim_number is None:
        return wanted.device_id or None
    names = [view.status.name for view in await services.modems.list(principal)]
    if wanted.sim_number > len(names):
        raise refused(f"simNumber: there are {len(names)} modems")
    # The only one there is need not be asked for: another host may have a free one.
    return names[wanted.sim_number - 1] if len(names) > 1 else None


async def _group(name: str, principal: Principal, services: Services) -> list[Message]:
    """The messages of this token under an id."""
    reader = _owner(principal)
    if name and len(name) <= ID_MOST and name.isprintable():
        found = await services.messages.list(reader, MessageFilter(reference=name), limit=_PAGE_MOST, cursor=None)
        if found.items:
            return list(reversed(found.items))
        if is_id(name):
            return [await services.messages.get(reader, name)]
    raise NotFound("message_not_found", "there is no such message, or this token may not see it")


async def _messages(wanted: MessageFilter, principal: Principal, services: Services) -> list[Message]:
    """Messages of this token, newest first, as far as anybody counts."""
    reader, cursor, found = _owner(principal), None, list[Message]()
    while len(found) < _OFFSET_MOST:
        page = await services.messages.list(reader, wanted, limit=_READ, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return found


async def _canceled(message: Message, principal: Principal, services: Services) -> Message:
    """The message, canceled if it still waits."""
    try:
        return await services.messages.cancel(principal, message.id)
    except Conflict:
        return await services.messages.get(_owner(principal), message.id)


def _owner(principal: Principal) -> Principal:
    """The token as the sender of its own messages: ids are names that each token gives."""
    return replace(principal, scopes=(principal.scopes | {"read"}) - {"read:all", "admin"})


async def _node(principal: Principal, services: Services) -> str:
    """What stands for the device until a modem has a message."""
    views = await services.modems.list(principal)
    return views[0].status.name if views else "tocsin"


def _counts(query: Any) -> tuple[int, int]:
    limit = whole_number(query.get("limit") or str(_PAGE_DEFAULT), _PAGE_MOST)
    offset = whole_number(query.get("offset") or "0", _OFFSET_MOST)
    if not limit or offset is None:
        raise refused(f"limit is from 1 to {_PAGE_MOST}, offset to {_OFFSET_MOST}")
    return limit, offset


def _instant(query: Any, name: str) -> int | None:
    return _moment(query.get(name) or None, name)


def _moment(text: str | None, name: str) -> int | None:
    try:
        return None if text is None else parse_time(text)
    except PydanticCustomError as error:
        raise refused(f"{name}: {error.message()}") from None


class PageParameters(BaseModel):
    """The filters of a list."""

    model_config = ConfigDict(extra="ignore")

    limit: str = ""
    offset: str = ""
    state: str = ""


_REFUSALS: Final = (
    Reply(400, "Something is wrong with the request.", model=SmsGateError),
    Reply(401, "Neither password nor bearer token is a token, or it was revoked.", model=SmsGateError),
    Reply(403, "The token may not do this.", model=SmsGateError),
    Reply(429, "As much as a limit allows was sent; Retry-After says when there is room.", model=SmsGateError),
    Reply(503, "Nothing can be accepted now; Retry-After says when to try again.", model=SmsGateError),
    Reply(507, "The disk is full; nothing was accepted.", model=SmsGateError),
)
_ABSENT: Final = Reply(404, "There is no such message, or none of this token.", model=SmsGateError)
_CONFLICT: Final = Reply(409, "The id is taken, or nothing waits any more.", model=SmsGateError)
_BODY: Final = (
    Reply(413, "The body is too large.", model=SmsGateError),
    Reply(415, "The body is no JSON.", model=SmsGateError),
)
_STATE: Final = Reply(200, "The message.", model=StateOut)
_WAYS: Final = (BASIC, BEARER)
_SYSTEM: Final = "SMSGate"


def _message_routes(root: str) -> tuple[Intake, ...]:
    """The routes of messages: under the root of its servers, and at that of the app itself."""
    one, many = f"{root}/messages/{{id}}", f"{root}/messages"
    accepted = (Reply(202, "The message was accepted.", model=StateOut), _CONFLICT, *_BODY, *_REFUSALS)
    return (
        Intake(
            *("POST", many, send, refuse, _SYSTEM),
            credentials=_WAYS,
            body=MessageBody,
            media=("application/json",),
            answers=accepted,
        ),
        Intake(
            *("GET", many, list_all, refuse, _SYSTEM, "read"),
            credentials=_WAYS,
            query=PageParameters,
            answers=(Reply(200, "A list of messages."), *_REFUSALS),
        ),
        Intake(*("GET", one, state, refuse, _SYSTEM, "read"), credentials=_WAYS, answers=(_STATE, _ABSENT, *_REFUSALS)),
        Intake(
            *("DELETE", one, cancel, refuse, _SYSTEM),
            credentials=_WAYS,
            answers=(_STATE, _ABSENT, _CONFLICT, *_REFUSALS),
        ),
    )


def _reading(path: str, handler: Any, says: str, query: type[BaseModel] | None = None) -> Intake:
    return Intake(
        *("GET", _ROOT + path, handler, refuse, _SYSTEM, "read"),
        credentials=_WAYS,
        query=query,
        answers=(Reply(200, says), *_REFUSALS),
    )


#: The routes of SMSGate's servers, and those of the app in its local mode.
SMSGATE: Final = (
    *_message_routes(_ROOT),
    *_message_routes(""),
    *webhook_routes(_ROOT),
    *webhook_routes(""),
    replace(_message_routes("")[0], path="/message"),
    _reading("/inbox", inbox, "Received messages.", PageParameters),
    _reading("/devices", devices, "The modems."),
    *(
        Intake(
            *("GET", _ROOT + path, health, refuse, _SYSTEM),
            answers=(Reply(200, "It is ready."), Reply(503, "It is not ready.")),
        )
        for path in ("/health", "/health/live", "/health/ready", "/health/startup")
    ),
    Intake(
        *("POST", f"{_ROOT}/auth/token", token, refuse, _SYSTEM),
        credentials=_WAYS,
        body_needed=False,
        answers=_REFUSALS,
    ),
)
