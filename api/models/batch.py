"""Many messages at once: a batch of all or none, and the lines of a stream."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, cast

from pydantic import Field

from api.models.fields import Id, Incoming, Outgoing, Text
from api.models.messages import MessageIn
from api.validation import bounded
from gateway.message import Status
from gateway.requests import Accepted, Submission

_MOST = 1000


class KeyedMessageIn(MessageIn):
    """A message among many, with the caller's key for it."""

    idempotency_key: Text | None = None

    def submission(self) -> Submission:
        """What the services take."""
        return Submission(self.value(), self.idempotency_key)


class BatchIn(Incoming):
    """Messages of which all are accepted or none."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"messages": [{"to": "+33639980101", "text": "One"}, {"to": "+33639980102", "text": "Two"}]},
    )

    messages: Annotated[list[KeyedMessageIn], Field(min_length=1, max_length=_MOST)]


class AcceptedOut(Outgoing):
    """A message that was accepted, in short."""

    id: Id
    status: Status


class BatchOut(Outgoing):
    """What was accepted, in the order of the request."""

    items: list[AcceptedOut]


def bounded_batch(values: dict[str, Any]) -> dict[str, Any]:
    """The values without more than a few unknown names in each message."""
    messages = values.get("messages")
    if not isinstance(messages, list):
        return values
    items = cast("list[Any]", messages)
    return values if len(items) > _MOST else {**values, "messages": [_bounded_item(each) for each in items]}


def _bounded_item(item: Any) -> Any:
    return bounded(KeyedMessageIn, cast("dict[str, Any]", item)) if isinstance(item, dict) else item


def accepted_out(accepted: Accepted) -> dict[str, object]:
    """A message that was accepted, in short."""
    return {"id": accepted.id, "status": accepted.status}
