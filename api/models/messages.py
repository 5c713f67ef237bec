"""Messages: the body that asks for one, the filters of the list, and the object of contract section 5."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, cast

from pydantic import (
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from api.models.fields import (
    Id,
    Incoming,
    Name,
    Outgoing,
    PageQuery,
    QueryNumber,
    Text,
    Time,
    TimeOut,
    parse_time,
    wrong,
)
from api.models.lists import PageOut
from gateway.clock import rfc3339
from gateway.message import Caution, Encoding, Message, Rule, Status, TimelineItem
from gateway.requests import MOST_FALLBACKS, MessageFilter, NewMessage, Preview, Settlement, callback_of, template_use

Document: TypeAlias = dict[str, object]

_STATUS_SCHEMA: Final = {"type": "array", "items": {"type": "string", "enum": [str(status) for status in Status]}}


#: More answers than this nobody can be offered in a text.
MAX_EXPECTED: Final = 20
BEST: Final = "best"


def _moment(value: Any) -> int | str:
    return BEST if value == BEST else parse_time(value)


Moment = Annotated[
    int | str,
    PlainValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "const": BEST}]}),
]


def _with_text(values: dict[str, Any]) -> dict[str, Any]:
    """The values with a text for those that name a template, and a text of null is none for all others."""
    named = values.get("template") is not None
    if named:
        return values if "text" in values else {**values, "text": None}
    if "text" in values and values["text"] is None:
        return {name: value for name, value in values.items() if name != "text"}
    return values


def _one_of_both(schema: dict[str, Any]) -> None:
    """What the description says of it: a text or a template."""
    schema["required"] = [name for name in schema["required"] if name != "text"]
    schema["oneOf"] = [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("text", "template")]


class MessageIn(Incoming):
    """A message to be sent: its text, or a template and its variables."""

    model_config = ConfigDict(json_schema_extra=_one_of_both)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"to": "+33639980101", "text": "Your appointment is tomorrow at 9:00"},
        {"to": "06 39 98 01 01", "text": "The server room is hot", "category": "emergency", "reference": "ticket-7"},
    )

    to: Annotated[Text, Field(description="a number, +33…, or as written nationally in the gateway's country")]
    text: Annotated[Text | None, Field(description="or a template")]
    template: Annotated[Name | None, Field(description="the template that the text is made of")] = None
    variables: Annotated[dict[str, Any] | None, Field(description="of the template, beside what the contact gives")] = (
        None
    )
    category: Annotated[Name | None, Field(description="default: the token's, else transactional")] = None
    send_at: Annotated[Moment | None, Field(description="not before; `best`: in the preferred hours")] = None
    about_at: Annotated[Time | None, Field(description="the event that it is about: it never leaves after it")] = None
    shift: Annotated[
        Literal["later", "earlier"] | None, Field(description="where the time of send_at is not allowed")
    ] = None
    expires_at: Annotated[Time | None, Field(description="not after; default: the category's")] = None
    reference: Annotated[Name | None, Field(description="a word of yours")] = None
    modem: Annotated[Name | None, Field(description="send through this one")] = None
    flash: Annotated[bool, Field(description="shown at once, not stored by the phone")] = False
    on_uncertain: Annotated[
        Literal["resend", "hold", "never"] | None, Field(description="where nobody knows whether it left")
    ] = None
    replaces: Annotated[bool, Field(description="cancels what waits under the same reference of this token")] = False
    expect: Annotated[tuple[Name, ...], Field(description="words that answer it")] = Field(
        default=(), max_length=MAX_EXPECTED, strict=False
    )
    fallback: Annotated[
        tuple[Name, ...], Field(description="if SMS cannot arrive: email, push (of its recipient), or mailto:ADDRESS")
    ] = Field(default=(), max_length=MOST_FALLBACKS, strict=False)
    callback_url: Annotated[Text | None, Field(description="news of it is posted there; see [webhooks] allow")] = None

    @model_validator(mode="before")
    @classmethod
    def _text_or_template(cls, values: Any) -> Any:
        return _with_text(cast("dict[str, Any]", values)) if isinstance(values, dict) else values

    @field_validator("template", "variables")
    @classmethod
    def _not_beside_text(cls, value: Any, info: ValidationInfo) -> Any:
        if value and info.data.get("text") is not None:
            raise wrong("belongs to a template, and is not given beside a text")
        return value

    def value(self) -> NewMessage:
        """What the services take."""
        return NewMessage(
            to=self.to,
            text=self.text or "",
            template=None if self.template is None else template_use(self.template, self.variables or {}),
            category=self.category,
            send_us=self.send_at if isinstance(self.send_at, int) else None,
            timing=BEST if self.send_at == BEST else None,
            about_us=self.about_at,
            shift=self.shift,
            expect=self.expect,
            expires_us=self.expires_at,
            reference=self.reference,
            modem=self.modem,
            flash=self.flash,
            on_uncertain=self.on_uncertain,
            replaces=self.replaces,
            fallback=self.fallback,
            callback=None if self.callback_url is None else callback_of(self.callback_url),
        )


class PreviewIn(MessageIn):
    """Body of `POST /v1/messages/preview`: a message, the time for which to judge it (default: now), whether to ask its
    links, and whether to look for typos."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"to": "+33639980101", "text": "Rendez-vous à 9 h 🎉"},)

    at: Time | None = None
    check_links: bool = False
    check_spelling: bool = True


class ResolveIn(Incoming):
    """As what an uncertain message is settled."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"as": "sent"},)

    settlement: Annotated[Literal["sent", "failed", "resend"], Field(alias="as")]

    def value(self) -> Settlement:
        """What the services take."""
        return Settlement(self.settlement)


class ReferenceQuery(Incoming):
    """Query of `DELETE /v1/messages`."""

    reference: Annotated[Name, Field(examples=["ticket-7"])]


def _statuses(value: Any) -> tuple[Status, ...]:
    try:
        return tuple(Status(word) for word in str(value).split(","))
    except ValueError:
        raise wrong(f"must be one of {', '.join(Status)}") from None


class MessagesQuery(PageQuery):
    """Query of `GET /v1/messages`; `status` takes several words, joined by commas or repeated."""

    REPEATABLE: ClassVar[frozenset[str]] = frozenset({"status"})

    status: Annotated[tuple[Status, ...], PlainValidator(_statuses), WithJsonSchema(_STATUS_SCHEMA)] = ()
    to: QueryNumber | None = None
    category: Name | None = None
    reference: Name | None = None
    modem: Name | None = None
    campaign: Name | None = None
    since: Time | None = None
    until: Time | None = None

    def value(self) -> MessageFilter:
        """What the services take."""
        return MessageFilter(
            status=self.status,
            to=self.to,
            category=self.category,
            reference=self.reference,
            modem=self.modem,
            campaign=self.campaign,
            since_us=self.since,
            until_us=self.until,
        )


class HoldOut(Outgoing):
    """Why a message waits, and until when where that is known."""

    rule: Rule
    until: TimeOut | None
    detail: str


class EndingOut(Outgoing):
    """Why a message ended badly."""

    code: str
    message: str | None


class CautionOut(Outgoing):
    """Something a person may want to change."""

    code: str
    message: str


class MessageOut(Outgoing):
    """A message."""

    id: Id
    to: str
    text: Annotated[str | None, Field(description="null once it is no longer kept")]
    category: str
    status: Status
    encoding: Encoding
    parts: int
    reference: str | None
    modem: str | None
    node: str | None
    simulated: bool
    attempts: int
    created_at: TimeOut
    send_at: TimeOut | None
    expires_at: TimeOut
    due_at: TimeOut
    sent_at: TimeOut | None
    delivered_at: TimeOut | None
    hold: HoldOut | None
    error: EndingOut | None
    warnings: list[CautionOut]
    repeats: int
    joined_to: Id | None


class MessagesPage(PageOut[MessageOut]):
    """Messages."""


class TimelineItemOut(Outgoing):
    """One line of a message's history."""

    at: TimeOut
    event: str
    detail: str | None


class TimelinePage(PageOut[TimelineItemOut]):
    """A message's history, in one page."""


class PreviewOut(Outgoing):
    """What would become of a message."""

    encoding: Encoding
    parts: int
    characters: int
    remaining: int
    forced_ucs2_by: list[str]
    gsm7_text: str | None
    text: str
    decision: Literal["send", "hold", "refuse"]
    rule: Rule | None
    until: TimeOut | None
    explanation: list[str]
    warnings: list[CautionOut]


def message_out(message: Message) -> Document:
    """The message as front ends see it, in the contract's order."""
    created_at = rfc3339(message.created_us)
    return {
        "id": message.id,
        "to": message.to,
        "text": message.text,
        "category": message.category,
        "status": message.status,
        "encoding": message.encoding,
        "parts": message.parts,
        "reference": message.reference,
        "modem": message.modem,
        "node": message.node,
        "simulated": message.simulated,
        "attempts": message.attempts,
        "created_at": created_at,
        "send_at": time_out(message.send_us),
        "expires_at": rfc3339(message.expires_us),
        "due_at": created_at if message.due_us == message.created_us else rfc3339(message.due_us),
        "sent_at": time_out(message.sent_us),
        "delivered_at": time_out(message.delivered_us),
        "hold": _hold_out(message),
        "error": _error_out(message),
        "warnings": [caution_out(caution) for caution in message.warnings],
        "repeats": message.repeats,
        "joined_to": message.joined_to,
    }


def timeline_item_out(item: TimelineItem) -> Document:
    """One line of a message's history."""
    return {"at": rfc3339(item.at_us), "event": item.event, "detail": item.detail}


def preview_out(preview: Preview) -> Document:
    """What would become of a message."""
    return {
        "encoding": preview.encoding,
        "parts": preview.parts,
        "characters": preview.characters,
        "remaining": preview.remaining,
        "forced_ucs2_by": list(preview.forced_ucs2_by),
        "gsm7_text": preview.gsm7_text,
        "text": preview.text,
        "decision": preview.decision,
        "rule": preview.rule,
        "until": time_out(preview.until_us),
        "explanation": list(preview.explanation),
        "warnings": [caution_out(caution) for caution in preview.warnings],
    }


def time_out(instant_us: int | None) -> str | None:
    """A time that may not be known."""
    return None if instant_us is None else rfc3339(instant_us)


def _hold_out(message: Message) -> Document | None:
    hold = message.hold
    if hold is None:
        return None
    return {"rule": hold.rule, "until": time_out(hold.until_us), "detail": hold.detail}


def _error_out(message: Message) -> Document | None:
    if message.error_code is None:
        return None
    return {"code": message.error_code, "message": message.error_message}


def caution_out(caution: Caution) -> Document:
    """Something a person may want to change."""
    return {"code": caution.code, "message": caution.message}
