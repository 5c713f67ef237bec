"""Received messages: the filters of the list and the inbox item."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.models.fields import Id, Outgoing, PageQuery, QueryNumber, Time, TimeOut
from api.models.lists import PageOut
from api.models.messages import time_out
from gateway.clock import rfc3339
from gateway.message import InboxItem
from gateway.requests import InboxFilter


class InboxQuery(PageQuery):
    """Query of `GET /v1/inbox`."""

    sender: QueryNumber | None = Field(default=None, alias="from")
    keyword: Literal["stop", "start", "help"] | None = None
    since: Time | None = None
    until: Time | None = None

    def value(self) -> InboxFilter:
        """What the services take."""
        return InboxFilter(sender=self.sender, keyword=self.keyword, since_us=self.since, until_us=self.until)


class InboxItemOut(Outgoing):
    """A received message."""

    id: Id
    sender: str = Field(alias="from")
    text: Annotated[str | None, Field(description="null for data that is no text, and once it is no longer kept")]
    modem: str
    received_at: TimeOut
    sent_at: TimeOut | None
    parts: int
    keyword: Literal["stop", "start", "help"] | None
    in_reply_to: Id | None
    reference: str | None
    answer: str | None


class InboxPage(PageOut[InboxItemOut]):
    """Received messages."""


def inbox_item_out(item: InboxItem) -> dict[str, object]:
    """A received message, in the contract's order."""
    return {
        "id": item.id,
        "from": item.sender,
        "text": item.text,
        "modem": item.modem,
        "received_at": rfc3339(item.received_us),
        "sent_at": time_out(item.sent_us),
        "parts": item.parts,
        "keyword": item.keyword,
        "in_reply_to": item.in_reply_to,
        "reference": item.reference,
        "answer": item.answer,
    }
