"""Automations: rules, and the events that set them off."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from api.models.campaign_values import CampaignSpan, Language, texts_of, written_duration
from api.models.fields import Incoming, Name, Outgoing, Text, Time, TimeOut
from api.models.lists import PageOut
from api.models.messages import MessageOut, message_out
from gateway.campaigns.automation import AutomationRule
from gateway.clock import rfc3339
from gateway.message import Message
from gateway.services.automations import AutomationView, Occurrence


class RuleIn(Incoming):
    """Body of `PUT /v1/automations/{name}`: what is sent, and when. Without a moment it leaves at once."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"text": "See you tomorrow at {{ at }}.", "days_before": 1, "at": "18:00"},
        {"text": "Your parcel {{ parcel }} has left.", "after": "5m"},
    )

    text: Annotated[Text | None, Field(description="Liquid, for every language")] = None
    texts: Annotated[dict[Language, Text] | None, Field(description="Liquid, by language")] = None
    template: Annotated[Name | None, Field(description="the name of one")] = None
    category: Annotated[Name | None, Field(description="default: that of the token that tells of the event")] = None
    variables: Annotated[dict[str, Any], Field(description="the same for everybody")] = Field(default_factory=dict)
    after: Annotated[CampaignSpan | None, Field(description="so long after the event")] = None
    before: Annotated[CampaignSpan | None, Field(description="so long before the event")] = None
    days_before: Annotated[int | None, Field(description="so many days before the event, at a time of day")] = None
    at: Annotated[Name | None, Field(description="the time of day, where the recipient is")] = None
    expect: Annotated[list[Name], Field(description="words that answer it", max_length=20)] = Field(
        default_factory=list
    )
    expires_after: CampaignSpan | None = None

    def value(self) -> AutomationRule:
        """What the services take."""
        return AutomationRule(
            texts=texts_of(self.text, self.texts),
            template=self.template,
            category=self.category,
            variables=self.variables,
            after_us=self.after,
            before_us=self.before,
            days_before=self.days_before,
            at=self.at,
            expect=tuple(self.expect),
            expires_after_us=self.expires_after,
        )


class AutomationIn(RuleIn):
    """Body of `POST /v1/automations`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"name": "reminder", "text": "See you tomorrow, {{ first_name }}.", "before": "24h"},
    )

    name: Name


class TriggerIn(Incoming):
    """Body of `POST /v1/automations/{name}/trigger`: an event. The same `reference` means the same event."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "to": "+33639980101",
            "variables": {"parcel": "A17"},
            "reference": "parcel-17",
        },
    )

    to: Annotated[Name, Field(description="a number")] = ""
    at: Annotated[Time | None, Field(description="when the event is; default: now")] = None
    variables: Annotated[dict[str, Any], Field(description="of this event")] = Field(default_factory=dict)
    reference: Annotated[Name | None, Field(description="what you call the event")] = None
    cancel: Annotated[bool, Field(description="the event does not take place")] = False

    def value(self) -> Occurrence:
        """What the services take."""
        return Occurrence(self.to, self.at, self.variables, self.reference, self.cancel)


class AutomationOut(Outgoing):
    """A rule by which events become messages."""

    name: str
    texts: dict[str, str]
    template: str | None
    category: str | None
    variables: dict[str, Any]
    after: str | None
    before: str | None
    days_before: int | None
    at: str | None
    expect: list[str]
    expires_after: str | None
    created_at: TimeOut
    updated_at: TimeOut


class AutomationsPage(PageOut[AutomationOut]):
    """Automations."""


class TriggeredOut(Outgoing):
    """What came of an event: its message, or how many messages were called off."""

    message: MessageOut | None
    canceled: int


def automation_out(found: AutomationView) -> dict[str, object]:
    """An automation."""
    rule = found.rule
    return {
        "name": found.name,
        "texts": dict(rule.texts),
        "template": rule.template,
        "category": rule.category,
        "variables": dict(rule.variables),
        "after": _written(rule.after_us),
        "before": _written(rule.before_us),
        "days_before": rule.days_before,
        "at": rule.at,
        "expect": list(rule.expect),
        "expires_after": _written(rule.expires_after_us),
        "created_at": rfc3339(found.created_us),
        "updated_at": rfc3339(found.updated_us),
    }


def _written(span_us: int | None) -> str | None:
    return None if span_us is None else written_duration(span_us)


def triggered_out(message: Message | None, canceled: int) -> dict[str, object]:
    """What came of an event."""
    return {"message": None if message is None else message_out(message), "canceled": canceled}
