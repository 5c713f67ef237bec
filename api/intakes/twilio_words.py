"""Twilio's words: the Message resource, status words, error codes, signatures.

Fields, words and codes are those of Twilio's public reference (twilio.com/docs/messaging/api/message-resource,
…/docs/api/errors, …/docs/usage/security for signatures).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, Field

from api.answers import COMMON_FIELDS, JSON, to_json
from api.problems import HttpProblem
from gateway.clock import to_datetime
from gateway.errors import GatewayError, NotFound, StorageFull, TooMany, Unavailable
from gateway.message import Message, Status
from gateway.requests import callback_of

VERSION: Final = "2010-04-01"
_CHALLENGE: Final = 'Basic realm="Twilio API"'

#: Twilio's word for each of ours, and the error code that goes with it. What may have left is `sent`: whoever took it
#: for failed would send it twice.
WORDS: Final[Mapping[Status, tuple[str, int | None]]] = {
    Status.HELD: ("scheduled", None),
    Status.QUEUED: ("queued", None),
    Status.SENDING: ("sending", None),
    Status.SENT: ("sent", None),
    Status.UNCERTAIN: ("sent", None),
    Status.DELIVERED: ("delivered", None),
    Status.UNDELIVERED: ("undelivered", 30003),
    Status.FAILED: ("failed", 30008),
    Status.EXPIRED: ("failed", 30036),
    Status.SUPPRESSED: ("failed", 21610),
    Status.CANCELED: ("canceled", None),
}
# A callback tells changes; with these a message begins.
_TOLD: Final = [status for status in WORDS if status not in {Status.HELD, Status.QUEUED}]

#: Twilio's code for what the gateway refuses, and the status that Twilio answers with.
_CODES: Final[Mapping[str, tuple[int, int]]] = {
    "number_invalid": (21211, 400),
    "number_not_allowed": (21408, 400),
    "destination_not_allowed": (21408, 400),
    "country_profile": (21408, 400),
    "text_empty": (21602, 400),
    "text_too_long": (21617, 400),
    "no_route": (21612, 400),
    "modem_unknown": (21606, 400),
    "modem_unsuitable": (21606, 400),
    "send_at_too_far": (35115, 400),
    "send_at_too_old": (35115, 400),
    "callback_not_allowed": (21609, 400),
    "not_cancelable": (30409, 409),
    "unauthorized": (20003, 401),
    "scope_missing": (20003, 403),
    "category_not_allowed": (20003, 403),
}
_BAD_REQUEST, _NOT_FOUND, _TOO_MANY, _UNAVAILABLE = 20400, 20404, 20429, 20503


class ErrorOut(BaseModel):
    """What Twilio answers to what it refuses."""

    code: int
    message: str
    more_info: str
    status: int


class ResourceOut(BaseModel):
    """Twilio's Message resource."""

    account_sid: str
    api_version: str
    body: str
    date_created: str
    date_sent: str | None
    date_updated: str
    direction: str
    error_code: int | None
    error_message: str | None
    from_: str | None = Field(alias="from")
    messaging_service_sid: str | None
    num_media: str
    num_segments: str
    price: None
    price_unit: None
    sid: str
    status: str
    subresource_uris: dict[str, str]
    to: str
    uri: str


def refused(
    code: int, sentence: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST, fields: Mapping[str, str] | None = None
) -> HttpProblem:
    """A refusal that has a code of Twilio's own; `fields` are header fields."""
    return HttpProblem(status, str(code), sentence, fields=fields)


def refuse(error: GatewayError | HttpProblem) -> web.Response:
    """A refusal in Twilio's words. `more_info` points to Twilio's page of the code, as applications expect."""
    code, status = _code_of(error)
    document = {
        "code": code,
        "message": _sentence(error),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    fields = {"Content-Type": JSON, **COMMON_FIELDS}
    if isinstance(error, TooMany | Unavailable):
        fields["Retry-After"] = str(max(1, error.retry_after_s))
    elif isinstance(error, HttpProblem):
        fields |= {
            name: value for name, value in error.fields.items() if name in {"Retry-After", "Connection", "Allow"}
        }
    if status == HTTPStatus.UNAUTHORIZED:
        fields["WWW-Authenticate"] = _CHALLENGE
    return web.Response(body=to_json(document), status=status, headers=fields)


def _code_of(error: GatewayError | HttpProblem) -> tuple[int, int]:
    if isinstance(error, HttpProblem) and error.code.isdecimal():
        return int(error.code), int(error.status)
    if error.code in _CODES:
        return _CODES[error.code]
    if isinstance(error, NotFound):
        return _NOT_FOUND, 404
    if isinstance(error, TooMany):
        return _TOO_MANY, 429
    if isinstance(error, StorageFull):
        return _UNAVAILABLE, 507
    if isinstance(error, Unavailable):
        return _UNAVAILABLE, 503
    if isinstance(error, HttpProblem) and error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return (_TOO_MANY if error.status == HTTPStatus.TOO_MANY_REQUESTS else _BAD_REQUEST), int(error.status)
    return _BAD_REQUEST, 400


def _sentence(error: GatewayError | HttpProblem) -> str:
    """One sentence that says which field is meant; of a token that is not good the word that Twilio says."""
    if error.code == "unauthorized":
        return "Authenticate"
    said = error.detail if isinstance(error, HttpProblem) else error.message
    fields = error.errors
    return f"{fields[0].pointer.rpartition('/')[2]}: {said}" if fields and fields[0].message == said else said


def resource_out(message: Message, account: str, sender: str | None, service: str | None = None) -> dict[str, object]:
    """The message as Twilio shows it; `sender` is the number that it was sent from, where it is known."""
    word, code = WORDS[message.status]
    updated_us = max(message.created_us, message.sent_us or 0, message.delivered_us or 0)
    return {
        "account_sid": account,
        "api_version": VERSION,
        "body": message.text or "",
        "date_created": _date(message.created_us),
        "date_sent": None if message.sent_us is None else _date(message.sent_us),
        "date_updated": _date(updated_us),
        "direction": "outbound-api",
        "error_code": code,
        "error_message": message.error_message if code is not None else None,
        "from": sender,
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": str(message.parts),
        "price": None,
        "price_unit": None,
        "sid": f"SM{message.id}",
        "status": word,
        "subresource_uris": {},
        "to": message.to,
        "uri": f"{messages_uri(account)}/SM{message.id}.json",
    }


def messages_uri(account: str) -> str:
    """The path of an account's messages, without what comes after."""
    return f"/{VERSION}/Accounts/{account}/Messages"


def sealed(secret: str, url: str, fixed: Mapping[str, str]) -> Callable[[str, str], str]:
    """Writes the callback of a message: every signature that its news may need, made while the secret is at hand."""

    def seal(message_id: str, number: str) -> str:
        sid = f"SM{message_id}"
        stays = {**fixed, "ApiVersion": VERSION, "MessageSid": sid, "SmsSid": sid}
        news: dict[str, Any] = {}
        for status in _TOLD:
            word, code = WORDS[status]
            fields = {**stays, "To": number, "MessageStatus": word, "SmsStatus": word}
            if code is not None:
                fields["ErrorCode"] = str(code)
            news[status] = [word, code, signature(secret, url, fields)]
        return callback_of(url, "twilio", fixed=stays, news=news)

    return seal


def signature(secret: str, url: str, fields: Mapping[str, str]) -> str:
    """`X-Twilio-Signature`: HMAC-SHA1 with the secret over the URL and the fields by name, in base64."""
    said = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(secret.encode(), said.encode(), hashlib.sha1)).decode()


def _date(instant_us: int) -> str:
    """RFC 2822, 3.3, in UTC."""
    return format_datetime(to_datetime(instant_us).replace(microsecond=0))
