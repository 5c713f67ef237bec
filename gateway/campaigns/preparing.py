"""From people to their messages: the variables of their own, the text in their language, the links of their own.

Nothing is queued here. What cannot be said to somebody is a reason to leave that one out, and nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gateway.campaign import CampaignView
from gateway.campaigns.tracking import Shortened, Tracking
from gateway.people.contact import Contact
from gateway.people.rendering import Renderer, RenderFault
from gateway.requests import NewMessage
from gateway.store.database import Store

#: Reasons of our own for which somebody gets no message; the others are codes of refusals and of templates.
ERASED: Final = "erased"
DEAD: Final = "dead_number"
VARIANT_STOPPED: Final = "variant_stopped"
CAMPAIGN_CANCELED: Final = "campaign_canceled"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose turn it is, and the variant that falls to them."""

    contact: Contact
    variant: int
    in_test: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """A candidate with the message, or with the reason why there is none."""

    candidate: Candidate
    new: NewMessage | None
    reason: str | None = None
    shortened: Shortened | None = None


class Preparer:
    """Makes messages of candidates."""

    def __init__(self, store: Store, renderer: Renderer, tracking: Tracking) -> None:
        self._store = store
        self._renderer = renderer
        self._tracking = tracking

    async def ready(self, campaign: CampaignView, candidates: Sequence[Candidate]) -> list[Ready]:
        """One for each, in their order."""
        found: dict[int, Ready] = {}
        for variant in {each.variant for each in candidates}:
            places = [at for at, each in enumerate(candidates) if each.variant == variant]
            of_variant = await self._of_variant(campaign, variant, [candidates[at] for at in places])
            found.update(zip(places, of_variant, strict=True))
        return [found[at] for at in range(len(candidates))]

    async def _of_variant(
        self, campaign: CampaignView, variant: int, candidates: Sequence[Candidate]
    ) -> Sequence[Ready]:
        texts = campaign.wanted.variants[variant].texts
        people = [each.contact for each in candidates]
        own = await self._own(campaign.id, texts, people)
        rendered = await self._renderer.render_many(texts, people, campaign.wanted.variables, own)
        good = [at for at, text in enumerate(rendered) if not isinstance(text, RenderFault)]
        items = [(people[at].recipient_id, str(rendered[at])) for at in good]
        shortened = dict(zip(good, self._tracking.shortened(campaign.id, variant, items), strict=True))
        return [
            self._one(campaign, candidate, rendered[at], shortened.get(at)) for at, candidate in enumerate(candidates)
        ]

    async def _own(
        self, campaign_id: str, texts: Mapping[str, str], people: Sequence[Contact]
    ) -> Sequence[Mapping[str, Any]] | None:
        given = self._tracking.names()
        if not given or not given & await self._renderer.names(texts):
            return None
        rows = [each.recipient_id for each in people]

        def work(connection: Connection) -> Sequence[Mapping[str, Any]]:
            return self._tracking.personal(connection, campaign_id, rows)

        return await self._store.write(work)

    def _one(
        self, campaign: CampaignView, candidate: Candidate, rendered: str | RenderFault, shortened: Shortened | None
    ) -> Ready:
        contact = candidate.contact
        if not contact.number:
            return Ready(candidate, None, ERASED)
        if contact.dead_us is not None:
            return Ready(candidate, None, DEAD)
        if isinstance(rendered, RenderFault) or shortened is None:
            return Ready(candidate, None, rendered.code if isinstance(rendered, RenderFault) else None)
        return Ready(candidate, message_of(campaign, candidate, shortened.text), shortened=shortened)


def message_of(campaign: CampaignView, candidate: Candidate, text: str) -> NewMessage:
    """The message of a candidate."""
    return NewMessage(
        candidate.contact.number,
        text,
        campaign.category,
        expect=campaign.wanted.expect,
        lasts_us=campaign.wanted.expires_after_us,
        campaign_id=campaign.id,
        variant=candidate.variant,
    )
