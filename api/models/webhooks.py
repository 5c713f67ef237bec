"""Webhooks: endpoints, their secrets, and what they have still to be told."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from api.models.fields import Incoming, Name, Outgoing, PageQuery, Text, Time, TimeOut
from api.models.lists import PageOut
from api.models.messages import time_out
from gateway.clock import rfc3339
from gateway.requests import DeliveryView, WebhookView

_Types = Annotated[list[Name], Field(max_length=64)]
_MOST_IDS = 1000
# More no store counts to.
_DeliveryId = Annotated[int, Field(ge=1, le=2**62)]


class WebhookIn(Incoming):
    """Body of `POST /v1/webhooks`. Without `types` it is told of every event."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"url": "https://example.com/sms", "types": ["message.*", "inbound.received"], "description": "the shop"},
    )

    url: Annotated[Text, Field(description="https, or http to what [webhooks] allow names")]
    types: Annotated[_Types | None, Field(description="such as message.sent, message.*, *")] = None
    description: Text | None = None


class WebhookChange(Incoming):
    """Body of `PATCH /v1/webhooks/{id}`: what is not there stays as it is; an empty description takes it away."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"types": ["message.*"]}, {"disabled": True})

    url: Text | None = None
    types: _Types | None = None
    description: Text | None = None
    disabled: bool | None = None


class ReplayIn(Incoming):
    """Body of `POST /v1/webhooks/{id}/replay`: without either, all that was given up."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"since": "2026-01-06T09:00:00Z"},)

    ids: Annotated[list[_DeliveryId], Field(min_length=1, max_length=_MOST_IDS)] | None = None
    since: Time | None = None


class DeliveriesQuery(PageQuery):
    """Query of `GET /v1/webhooks/{id}/deliveries`."""

    state: Literal["waiting", "dead"] = "waiting"


class WebhookOut(Outgoing):
    """An endpoint. `failure` is a status or a word for the last try that was not taken."""

    id: str
    url: str
    types: list[str]
    description: str | None
    created_at: TimeOut
    disabled_at: TimeOut | None
    disabled_reason: str | None
    succeeded_at: TimeOut | None
    failed_at: TimeOut | None
    failure: str | None
    rotated_at: TimeOut | None


class SecretWebhookOut(WebhookOut):
    """An endpoint with the secret that its signatures are checked with."""

    secret: str


class WebhooksOut(PageOut[WebhookOut]):
    """A page of endpoints."""


class SecretOut(Outgoing):
    """A secret that signatures are checked with."""

    secret: str


class WebhookTestOut(Outgoing):
    """What came of a test: a status, or the word for what went wrong; how long it took in seconds."""

    ok: bool
    status: int | None
    error: str | None
    seconds: float


class DeliveryOut(Outgoing):
    """An event that has to be told, or was given up. `outcome` is of the last try."""

    id: int
    type: str | None
    timestamp: TimeOut | None
    state: Literal["waiting", "dead"]
    tries: int
    next_try_at: TimeOut | None
    given_up_at: TimeOut | None
    outcome: str | None


class DeliveriesOut(PageOut[DeliveryOut]):
    """A page of deliveries."""


class ReplayedOut(Outgoing):
    """How many are tried anew."""

    replayed: int


def webhook_out(endpoint: WebhookView) -> dict[str, object]:
    """An endpoint as it is shown: without its secret."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "description": endpoint.description,
        "created_at": rfc3339(endpoint.created_us),
        "disabled_at": time_out(endpoint.disabled_us),
        "disabled_reason": endpoint.disabled_reason,
        "succeeded_at": time_out(endpoint.succeeded_us),
        "failed_at": time_out(endpoint.failed_us),
        "failure": endpoint.failure,
        "rotated_at": time_out(endpoint.rotated_us),
    }


def delivery_out(delivery: DeliveryView) -> dict[str, object]:
    """A delivery that waits or was given up; behind another of its message it has no time yet."""
    return {
        "id": delivery.id,
        "type": delivery.type,
        "timestamp": time_out(delivery.at_us),
        "state": delivery.state,
        "tries": delivery.tries,
        "next_try_at": time_out(delivery.due_us),
        "given_up_at": time_out(delivery.dead_us),
        "outcome": delivery.outcome,
    }
