"""Segments: their filters, who is in them, and who is left out."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from api.models.fields import Incoming, Name, Outgoing, Text, TimeOut, wrong
from api.models.lists import PageOut
from gateway.clock import rfc3339
from gateway.services.segments import AudienceCount, Segment

Filter = Annotated[Text, Field(description="in the Common Expression Language", examples=["true"])]


class SegmentIn(Incoming):
    """A segment to be made."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "speakers-of-french", "filter": 'language == "fr"'},)

    name: Name
    filter: Filter


class FilterIn(Incoming):
    """A filter."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"filter": 'language == "fr"'},)

    filter: Filter


class CountIn(Incoming):
    """What is counted: whoever a filter holds for, or whoever is among numbers and segments."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"filter": '"diabetes" in tags && !opted_out'},
        {"to": ["+33639980101"]},
    )

    filter: Filter | None = None
    to: Annotated[list[Name], Field(min_length=1, max_length=1000, description="numbers and segments")] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.filter is None) == (self.to is None):
            raise wrong("has either a filter, or what it would go to")
        return self


class SegmentOut(Outgoing):
    """A name for whoever a filter holds for."""

    name: str
    filter: str
    created_at: TimeOut
    updated_at: TimeOut


class SegmentsPage(PageOut[SegmentOut]):
    """Segments."""


class LeftOutOut(Outgoing):
    """Who is not among them: for want of a value, by the field; because the filter could not be worked out for them; or
    because nothing reaches their number."""

    missing: dict[str, int]
    failed: int
    dead: int


class CountOut(Outgoing):
    """How many are meant, and how many are left out."""

    count: int
    left_out: LeftOutOut


def segment_out(segment: Segment) -> dict[str, object]:
    """A segment."""
    return {
        "name": segment.name,
        "filter": segment.filter,
        "created_at": rfc3339(segment.created_us),
        "updated_at": rfc3339(segment.updated_us),
    }


def count_out(counted: AudienceCount) -> dict[str, object]:
    """A count, the field that most people lack first."""
    missing = sorted(counted.missing.items(), key=lambda each: (-each[1], each[0]))
    left_out = {"missing": dict(missing), "failed": counted.failed, "dead": counted.dead}
    return {"count": counted.matched, "left_out": left_out}
