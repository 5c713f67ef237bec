"""Links of people's own, personal codes and conversions."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from api.models.fields import Id, Incoming, Name, Outgoing, PageQuery, Text, Time, TimeOut
from api.models.lists import PageOut
from gateway.clock import rfc3339
from gateway.services.codes import CodePool, CodesAdded
from gateway.services.conversions import ConversionView, NewConversion
from gateway.services.short_links import LinkTotals

_FOUR: Final = "one of number, code, link and message says who it was"


class LinksQuery(PageQuery):
    """Query of `GET /v1/links`."""

    campaign: Annotated[Id, Field(description="the campaign whose links are counted")]


class LinkOut(Outgoing):
    """An address in one variant of a campaign: the links of it that stand in messages, how often people followed them,
    how many people did, and how often programs came."""

    url: str
    variant: int | None
    sent: int
    clicks: int
    unique: int
    bots: int


class LinksPage(PageOut[LinkOut]):
    """A page of addresses."""


def link_out(found: LinkTotals) -> dict[str, object]:
    """What came of an address."""
    return {
        "url": found.url,
        "variant": found.variant,
        "sent": found.sent,
        "clicks": found.clicks,
        "unique": found.unique,
        "bots": found.bots,
    }


class CodesIn(Incoming):
    """Body of `POST /v1/codes/{pool}`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"codes": ["SPRING-7K2", "SPRING-9QX"]},)

    codes: list[Name]


class CodeLine(Incoming):
    """A line of a CSV file of codes: the first column, or the one that the first line calls `code`."""

    code: Text


class PoolOut(Outgoing):
    """A pool of codes: how many there are, how many somebody has, how many are left."""

    pool: str
    total: int
    taken: int
    left: int
    created_at: TimeOut
    updated_at: TimeOut


class PoolsPage(PageOut[PoolOut]):
    """A page of pools."""


class RejectedCodeOut(Outgoing):
    """A line, or a place in a list, that was not taken."""

    line: int
    code: str
    message: str


class CodesOut(PoolOut):
    """A pool after codes were put in: how many are new, how many were known or came twice, and what was not taken; of
    that the first 1 000 are shown."""

    added: int
    known: int
    rejected_count: int
    rejected: list[RejectedCodeOut]


def pool_out(pool: CodePool) -> dict[str, object]:
    """A pool."""
    return {
        "pool": pool.name,
        "total": pool.total,
        "taken": pool.taken,
        "left": pool.left,
        "created_at": rfc3339(pool.created_us),
        "updated_at": rfc3339(pool.updated_us),
    }


def codes_out(added: CodesAdded) -> dict[str, object]:
    """What came of putting codes in."""
    return {
        **pool_out(added.pool),
        "added": added.added,
        "known": added.known,
        "rejected_count": added.rejected_count,
        "rejected": [{"line": each.line, "code": each.code, "message": each.reason} for each in added.rejected],
    }


class ConversionIn(Incoming):
    """Body of `POST /v1/conversions`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"number": "+33639980101", "kind": "order", "value": 42.5, "reference": "order-1001"},
        {"code": "SPRING-7K2", "kind": "visit"},
    )

    number: Annotated[Name | None, Field(description=_FOUR)] = None
    code: Annotated[Name | None, Field(description="a personal code")] = None
    link: Annotated[Name | None, Field(description="a short link of the gateway, whole or its code")] = None
    message: Annotated[Id | None, Field(description="the id of a message")] = None
    kind: Annotated[Name, Field(description="what it was, in a word of your own")]
    value: Annotated[float | None, Field(description="what it was worth")] = None
    at: Annotated[Time | None, Field(description="when it was; default: now")] = None
    reference: Annotated[
        Name | None, Field(description="your own name for it: told again with the same one it is not counted twice")
    ] = None

    def value_of(self) -> NewConversion:
        """What the services take."""
        return NewConversion(
            kind=self.kind,
            number=self.number,
            code=self.code,
            link=self.link,
            message=self.message,
            value=None if self.value is None else float(self.value),
            at_us=self.at,
            reference=self.reference,
        )


class ConversionsQuery(PageQuery):
    """Query of `GET /v1/conversions`."""

    campaign: Id | None = None
    kind: Annotated[str, StringConstraints(max_length=255)] | None = None
    matched: Annotated[Literal["true", "false"] | None, Field(description="whether a message is known")] = None


class ConversionOut(Outgoing):
    """What somebody did. `campaign` is null where no message of a campaign had left to them within the window."""

    id: int
    campaign: Id | None
    variant: int | None
    message: Id | None
    kind: str
    value: float | None
    at: TimeOut
    created_at: TimeOut
    reference: str | None


class ConversionsPage(PageOut[ConversionOut]):
    """A page of conversions."""


def conversion_out(found: ConversionView) -> dict[str, object]:
    """A conversion."""
    return {
        "id": found.id,
        "campaign": found.campaign_id,
        "variant": found.variant,
        "message": found.message_id,
        "kind": found.kind,
        "value": found.value,
        "at": rfc3339(found.at_us),
        "created_at": rfc3339(found.created_us),
        "reference": found.reference,
    }
