"""SMSGate's words: states, the object of a message, errors; and its messages as bodies.

One message of SMSGate's may go to several people, and is one of ours for each of them. They share a reference, which is
SMSGate's id; a message without one is known by its own id. Shapes are those of SMSGate's public documentation
(docs.sms-gate.app, features/sending-messages and features/status-tracking) and of its client libraries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.answers import COMMON_FIELDS, JSON, to_json
from api.intakes.credentials import BASIC_CHALLENGE
from api.problems import HttpProblem
from gateway.clock import rfc3339
from gateway.errors import GatewayError, InvalidRequest, StorageFull, TooMany, Unavailable
from gateway.message import Message, Status

ID_MOST: Final = 36

STATES: Final[Mapping[Status, str]] = {
    Status.HELD: "Pending",
    Status.QUEUED: "Pending",
    Status.SENDING: "Processed",
    Status.SENT: "Sent",
    Status.UNCERTAIN: "Sent",
    Status.DELIVERED: "Delivered",
    Status.UNDELIVERED: "Failed",
    Status.FAILED: "Failed",
    Status.EXPIRED: "Failed",
    Status.SUPPRESSED: "Failed",
    Status.CANCELED: "Cancelled",
}


class TextIn(BaseModel):
    """The text of a message."""

    model_config = ConfigDict(extra="ignore", strict=True)

    text: str


class MessageBody(BaseModel):
    """What counts of a message; SMSGate's other fields are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True, alias_generator=to_camel)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"textMessage": {"text": "hello"}, "phoneNumbers": ["+33639980101"]},
    )

    phone_numbers: list[str] = Field(min_length=1, max_length=100)
    text_message: TextIn | None = None
    message: str | None = Field(default=None, description="The older name of textMessage.text.")
    id: str | None = Field(default=None, max_length=ID_MOST)
    device_id: str | None = Field(default=None, description="The name of a modem, as GET /devices lists them.")
    sim_number: int | None = Field(default=None, ge=1, le=3, description="The first, second or third modem.")
    ttl: int | None = Field(default=None, ge=5, le=366 * 24 * 3600, description="Seconds.")
    valid_until: str | None = None
    schedule_at: str | None = None
    priority: int = Field(default=0, ge=-128, le=127, description="Says nothing: the token's category has a priority.")
    with_delivery_report: bool | None = Field(default=None, description="A report is always asked for.")
    is_encrypted: bool = Field(default=False, description="Encrypted messages are refused.")
    data_message: Any = Field(default=None, description="Refused.")
    mms_message: Any = Field(default=None, description="Refused.")


class RecipientOut(BaseModel):
    """How a message stands with one person."""

    model_config = ConfigDict(alias_generator=to_camel)

    phone_number: str
    state: str
    error: str | None = None


class StateOut(BaseModel):
    """How a message stands."""

    model_config = ConfigDict(alias_generator=to_camel)

    id: str
    device_id: str
    state: str
    is_hashed: bool
    is_encrypted: bool
    recipients: list[RecipientOut]
    states: dict[str, str]


class SmsGateError(BaseModel):
    """What SMSGate answers to what it refuses."""

    code: int
    message: str


def id_of(message: Message) -> str:
    """The id by which SMSGate's clients know a message of ours."""
    return message.reference if message.reference and len(message.reference) <= ID_MOST else message.id


def grouped(messages: Iterable[Message]) -> list[list[Message]]:
    """Messages by their SMSGate id, in their order."""
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(id_of(message), []).append(message)
    return list(groups.values())


def state_of(states: Collection[str]) -> str:
    """The state of a message by those of its recipients: the first that applies."""
    distinct = set(states)
    if distinct & {"Pending", "Processed"}:
        return "Pending" if "Pending" in distinct else "Processed"
    if len(distinct) == 1:
        return distinct.pop()
    return "Failed" if distinct <= {"Failed", "Cancelled"} else "Sent"


def state_out(group: Sequence[Message], node: str, *, content: bool = False) -> dict[str, object]:
    """A message of SMSGate's, of ours for each recipient."""
    first = group[0]
    document: dict[str, object] = {
        "id": id_of(first),
        "deviceId": first.modem or node,
        "state": state_of([STATES[each.status] for each in group]),
        "isHashed": False,
        "isEncrypted": False,
        "recipients": [_recipient_out(each) for each in group],
        "states": _states(group),
        "createdAt": rfc3339(min(each.created_us for each in group)),
    }
    if content and first.text is not None:
        document["textMessage"] = {"text": first.text}
    return document


def _recipient_out(message: Message) -> dict[str, object]:
    document: dict[str, object] = {"phoneNumber": message.to, "state": STATES[message.status]}
    if STATES[message.status] == "Failed":
        document["error"] = message.error_message or message.error_code or message.status
    return document


def _states(group: Sequence[Message]) -> dict[str, str]:
    """When each state was first reached, as far as that is known."""
    sent = [each.sent_us for each in group if each.sent_us is not None]
    delivered = [each.delivered_us for each in group if each.delivered_us is not None]
    reached = {"Pending": [each.created_us for each in group], "Sent": sent, "Delivered": delivered}
    return {state: rfc3339(min(instants)) for state, instants in reached.items() if instants}


def refused(sentence: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> HttpProblem:
    """A refusal of what SMSGate knows and this gateway does not."""
    return HttpProblem(status, "smsgate_refused", sentence)


def refuse(error: GatewayError | HttpProblem) -> web.Response:
    """A refusal in SMSGate's form."""
    status, fields = _status_of(error), {"Content-Type": JSON, **COMMON_FIELDS}
    if isinstance(error, TooMany | Unavailable):
        fields["Retry-After"] = str(max(1, error.retry_after_s))
    elif isinstance(error, HttpProblem):
        fields |= {name: value for name, value in error.fields.items() if name in {"Retry-After", "Connection"}}
    if status == HTTPStatus.UNAUTHORIZED:
        fields["WWW-Authenticate"] = BASIC_CHALLENGE
    document = {"code": int(status), "message": _sentence(error)}
    return web.Response(body=to_json(document), status=status, headers=fields)


def _status_of(error: GatewayError | HttpProblem) -> int:
    if isinstance(error, HttpProblem):
        return 400 if error.status == HTTPStatus.UNPROCESSABLE_ENTITY else int(error.status)
    if isinstance(error, InvalidRequest):
        return 400
    kinds: tuple[tuple[type[GatewayError], int], ...] = ((StorageFull, 507), (Unavailable, 503), (TooMany, 429))
    named = {"NotFound": 404, "Conflict": 409, "Forbidden": 403, "Unauthorized": 401}
    return next((status for kind, status in kinds if isinstance(error, kind)), named.get(type(error).__name__, 400))


def _sentence(error: GatewayError | HttpProblem) -> str:
    if error.code == "unauthorized":
        return "Unauthorized"
    said = error.detail if isinstance(error, HttpProblem) else error.message
    if not error.errors or error.errors[0].message != said:
        return said
    return f"{error.errors[0].pointer.lstrip('/') or 'body'}: {said}"
