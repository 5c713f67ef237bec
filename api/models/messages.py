"""Messages: the body that asks for one, the filters of the list, and the object of contract section 5."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema

from api.models.fields import Incoming, Name, PageQuery, QueryNumber, Text, Time, wrong
from gateway.clock import rfc3339
from gateway.message import Caution, Message, Status, TimelineItem
from gateway.requests import MessageFilter, NewMessage, Preview, Settlement

Document: TypeAlias = dict[str, object]

_STATUS_SCHEMA: Final = {"type": "array", "items": {"type": "string", "enum": [str(status) for status in Status]}}


class MessageIn(Incoming):
    """Body of `POST /v1/messages`."""

    to: Text
    text: Text
    category: Name | None = None
    send_at: Time | None = None
    expires_at: Time | None = None
    reference: Name | None = None
    modem: Name | None = None
    flash: bool = False
    on_uncertain: Literal["resend", "hold", "never"] | None = None
    replaces: bool = False

    def value(self) -> NewMessage:
        """What the services take."""
        return NewMessage(
            to=self.to,
            text=self.text,
            category=self.category,
            send_us=self.send_at,
            expires_us=self.expires_at,
            reference=self.reference,
            modem=self.modem,
            flash=self.flash,
            on_uncertain=self.on_uncertain,
            replaces=self.replaces,
        )


class PreviewIn(MessageIn):
    """Body of `POST /v1/messages/preview`: a message, and the time for which to judge it (default: now)."""

    at: Time | None = None


class ResolveIn(Incoming):
    """Body of `POST /v1/messages/{id}/resolve`."""

    settlement: Annotated[Literal["sent", "failed", "resend"], Field(alias="as")]

    def value(self) -> Settlement:
        """What the services take."""
        return Settlement(self.settlement)


class ReferenceQuery(Incoming):
    """Query of `DELETE /v1/messages`."""

    reference: Name


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
            since_us=self.since,
            until_us=self.until,
        )


def message_out(message: Message) -> Document:
    """The message as front ends see it, in the contract's order."""
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
        "created_at": rfc3339(message.created_us),
        "send_at": time_out(message.send_us),
        "expires_at": rfc3339(message.expires_us),
        "due_at": rfc3339(message.due_us),
        "sent_at": time_out(message.sent_us),
        "delivered_at": time_out(message.delivered_us),
        "hold": _hold_out(message),
        "error": _error_out(message),
        "warnings": [_caution_out(caution) for caution in message.warnings],
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
        "warnings": [_caution_out(caution) for caution in preview.warnings],
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


def _caution_out(caution: Caution) -> Document:
    return {"code": caution.code, "message": caution.message}
