"""Consents and reviews: entries of the ledger, and replies that somebody has to judge."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from api.models.fields import Id, Incoming, Name, Outgoing, PageQuery, QueryNumber, Text, Time, TimeOut
from api.models.lists import PageOut
from api.models.messages import time_out
from gateway.clock import rfc3339
from gateway.message import Consent, ConsentState, Doubt
from gateway.requests import ConsentFilter, ConsentIn


class ConsentBody(Incoming):
    """A consent or its withdrawal. How long a text may be is the service's to say, which the command line asks too."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"number": "+33639980103", "category": "promotional", "state": "given", "channel": "web form"},
    )

    number: Name
    category: Name
    state: Literal["given", "withdrawn"]
    at: Time | None = None
    channel: Text | None = None
    wording: Text | None = None
    evidence: Text | None = None
    source: Text | None = None
    by: Text | None = None
    double_opt_in: bool = False

    def value(self) -> ConsentIn:
        """What the services take."""
        return ConsentIn(
            number=self.number,
            category=self.category,
            state=self.state,
            at_us=self.at,
            channel=self.channel,
            wording=self.wording,
            evidence=self.evidence,
            source=self.source,
            by=self.by,
            double_opt_in=self.double_opt_in,
        )


class ConsentsQuery(PageQuery):
    """Query of `GET /v1/consents`."""

    number: QueryNumber | None = None
    category: Name | None = None
    state: Literal["given", "withdrawn", "asked"] | None = None

    def value(self) -> ConsentFilter:
        """What the services take."""
        return ConsentFilter(number=self.number, category=self.category, state=self.state)


class ReviewIn(Incoming):
    """What a reply is."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"as": "nothing"},)

    verdict: Literal["stop", "start", "help", "nothing"] = Field(alias="as")


class ConsentOut(Outgoing):
    """An entry of the ledger of consent."""

    number: str
    category: str
    state: ConsentState
    at: TimeOut
    channel: str | None
    wording: str | None
    evidence: str | None
    source: str | None
    by: str | None
    recorded_at: TimeOut


class ConsentsPage(PageOut[ConsentOut]):
    """Entries of the ledger of consent."""


_Guess = Literal["stop", "start", "help"]


class ReviewOut(Outgoing):
    """A reply that waits for somebody's word, or has it."""

    id: Id
    sender: str = Field(alias="from")
    text: str | None
    guess: _Guess
    created_at: TimeOut
    settled_at: TimeOut | None
    settled_as: _Guess | Literal["nothing"] | None
    settled_by: str | None


class ReviewsPage(PageOut[ReviewOut]):
    """Replies that are to be judged."""


def consent_out(consent: Consent) -> dict[str, object]:
    """An entry, in the contract's order."""
    return {
        "number": consent.number,
        "category": consent.category,
        "state": consent.state,
        "at": rfc3339(consent.at_us),
        "channel": consent.channel,
        "wording": consent.wording,
        "evidence": consent.evidence,
        "source": consent.source,
        "by": consent.by,
        "recorded_at": rfc3339(consent.recorded_us),
    }


def review_out(doubt: Doubt) -> dict[str, object]:
    """A reply that waits for somebody's word, or has it."""
    return {
        "id": doubt.inbox_id,
        "from": doubt.sender,
        "text": doubt.text,
        "guess": doubt.guess,
        "created_at": rfc3339(doubt.created_us),
        "settled_at": time_out(doubt.settled_us),
        "settled_as": doubt.settled_as,
        "settled_by": doubt.settled_by,
    }
