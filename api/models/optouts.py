"""Opt-outs: adding, lifting and listing those who must not be written to."""

from __future__ import annotations

from api.models.fields import Incoming, Name, PageQuery, QueryNumber
from gateway.clock import rfc3339
from gateway.message import OptOut


class OptOutIn(Incoming):
    """Body of `POST /v1/optouts`; without a category it covers all stoppable ones."""

    number: Name
    category: Name | None = None


class OptOutsQuery(PageQuery):
    """Query of `GET /v1/optouts`."""

    number: QueryNumber | None = None


class LiftQuery(Incoming):
    """Query of `DELETE /v1/optouts`."""

    number: QueryNumber
    category: Name | None = None


def optout_out(optout: OptOut) -> dict[str, object]:
    """An opt-out, in the contract's order."""
    return {
        "number": optout.number,
        "category": optout.category,
        "since": rfc3339(optout.since_us),
        "source": optout.source,
    }
