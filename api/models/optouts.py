"""Opt-outs: adding, lifting and listing those who must not be written to."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from api.models.fields import Incoming, Name, Outgoing, PageQuery, QueryNumber, TimeOut
from api.models.lists import PageOut
from gateway.clock import rfc3339
from gateway.message import OptOut


class OptOutIn(Incoming):
    """Somebody who must not be written to; without a category it covers all stoppable ones."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"number": "+33639980104"},)

    number: Name
    category: Name | None = None


class OptOutsQuery(PageQuery):
    """Query of `GET /v1/optouts`."""

    number: QueryNumber | None = None


class LiftQuery(Incoming):
    """Query of `DELETE /v1/optouts`."""

    number: Annotated[QueryNumber, Field(examples=["+33639980104"])]
    category: Name | None = None


class OptOutOut(Outgoing):
    """Somebody who must not be written to: in a category, or (null) in all that can be stopped."""

    number: str
    category: str | None
    since: TimeOut
    source: str


class OptOutsPage(PageOut[OptOutOut]):
    """Opt-outs that stand."""


def optout_out(optout: OptOut) -> dict[str, object]:
    """An opt-out, in the contract's order."""
    return {
        "number": optout.number,
        "category": optout.category,
        "since": rfc3339(optout.since_us),
        "source": optout.source,
    }
