"""Before a campaign starts: its texts are fixed, and who is in a frozen one is written down and looked at.

What would fail for anybody is told before anything is queued. It is done again from the beginning when it was broken
off: until the campaign runs nothing of it counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection

from gateway.campaign import FROZEN, CampaignView, MemberState, Variant, Wanted
from gateway.campaigns.people import People, Share, share_of
from gateway.campaigns.preparing import Candidate, message_of
from gateway.campaigns.tracking import Tracking
from gateway.campaigns.yielding import rest
from gateway.clock import SECOND_US, Clock
from gateway.errors import Conflict, FieldError, InvalidRequest
from gateway.people.audience import Audience
from gateway.people.contact import Contact
from gateway.people.rendering import MISSING, Renderer, RenderFault, texts_at
from gateway.requests import NewMessage
from gateway.store import campaign_members, campaigns, templates
from gateway.store.campaign_members import Member
from gateway.store.database import Store

#: For so long nobody else prepares the same campaign; longer than a group takes.
LEASE_US: Final = 60 * SECOND_US
#: So many messages of each variant are looked at before a start.
SAMPLES: Final = 5
# So many people are looked at and written down in one go.
_SLICE: Final = 128
# What a card always has something for.
_ALWAYS: Final = frozenset({"number", "tags"})


@dataclass(slots=True)
class Prepared:
    """What was found out about a campaign: how many people, messages of some of them by variant, and what lacks: how
    many people by what is wrong with their text, and by variant."""

    people: int = 0
    samples: dict[int, list[Contact]] = field(default_factory=dict[int, list[Contact]])
    faults: Counter[tuple[int, str, str]] = field(default_factory=Counter[tuple[int, str, str]])


class Starter:
    """Prepares campaigns."""

    def __init__(
        self, store: Store, clock: Clock, *, audience: Audience, people: People, renderer: Renderer, tracking: Tracking
    ) -> None:
        self._store = store
        self._clock = clock
        self._audience = audience
        self._people = people
        self._renderer = renderer
        self._tracking = tracking

    async def resolved(self, wanted: Wanted) -> Wanted:
        """The same with the texts of its templates as they are now. Raises `InvalidRequest` for a template that is
        not there."""
        names = {each.template for each in wanted.variants if each.template is not None}
        if not names:
            return wanted
        found = await self._store.read(lambda connection: templates_of(connection, names))
        unknown = [
            FieldError(f"/variants/{at}/template", "there is no such template")
            for at, each in enumerate(wanted.variants)
            if each.template is not None and each.template not in found
        ]
        if unknown:
            raise InvalidRequest("template_not_found", unknown[0].message, errors=unknown)
        return replace(wanted, variants=tuple(_with_texts(each, found) for each in wanted.variants))

    async def check(self, wanted: Wanted) -> None:
        """Refuse what can never be sent: unknown people, texts that cannot be read."""
        await self._audience.check(wanted.to)
        wanted = await self.resolved(wanted)
        for at, each in enumerate(wanted.variants):
            await self._renderer.check(each.texts, texts_at(each.texts, f"/variants/{at}"))
        await self.check_own(wanted, 0)

    async def check_own(self, wanted: Wanted, people: int) -> None:
        """Refuse what cannot give so many people what their texts name of their own, such as a code."""
        names: set[str] = set()
        for each in wanted.variants:
            names |= await self._renderer.names(each.texts)
        found = frozenset(names)
        refusal = await self._store.read(lambda c: self._tracking.refusal(c, wanted, found, people))
        if refusal is not None:
            raise refusal

    async def prepare(self, campaign: CampaignView, me: str) -> Prepared:
        """Go through the audience: a frozen one is written down. Raises `Conflict` while somebody else does."""
        await self.claim(campaign.id, me)
        frozen = campaign.audience == FROZEN
        if frozen:
            await self.forget(campaign.id)
        found = Prepared()
        required, claimed_us = await self._required(campaign), self._clock.monotonic_us()
        async for people in self._chunks(campaign):
            shares = [share_of(campaign, each.recipient_id) for each in people]
            await self._look(campaign, people, shares, required, found)
            if frozen:
                await self._keep(campaign.id, me, people, shares)
            elif self._clock.monotonic_us() - claimed_us > LEASE_US // 6:
                await self.claim(campaign.id, me)
                claimed_us = self._clock.monotonic_us()
        return found

    async def claim(self, campaign_id: str, me: str) -> None:
        """Work on it alone for a while."""
        await self._store.write(lambda connection: self._claim(connection, campaign_id, me))

    def _claim(self, connection: Connection, campaign_id: str, me: str) -> None:
        now_us = self._clock.now_us()
        if not campaigns.claim(connection, campaign_id, me, now_us, now_us + LEASE_US):
            raise Conflict("campaign_busy", "the campaign is being prepared already: ask again in a moment")

    async def forget(self, campaign_id: str) -> None:
        """Nobody is in it any more."""
        while await self._store.write(lambda c: campaign_members.remove_some(c, campaign_id, _SLICE)):
            pass
        await self._store.write(lambda c: campaigns.change(c, campaign_id, members=0, queued=0, left_out=0))

    async def messages(self, campaign: CampaignView, found: Prepared) -> list[tuple[int, NewMessage]]:
        """Messages of some people, by variant, for a look at them. Raises `InvalidRequest` where a text can be made for
        none of these, though they lack no value: it is too long for anybody, say."""
        made: list[tuple[int, NewMessage]] = []
        for variant, people in found.samples.items():
            texts, shared = campaign.wanted.variants[variant].texts, campaign.wanted.variables
            own: list[Mapping[str, Any]] = [self.samples() for _ in people]
            rendered = await self._renderer.render_many(texts, people, shared, own)
            _refuse_failing(variant, rendered)
            made += [
                (variant, message_of(campaign, Candidate(contact, variant, False), text))
                for contact, text in zip(people, rendered, strict=True)
                if not isinstance(text, RenderFault)
            ]
        return made

    def samples(self) -> Mapping[str, Any]:
        """Something in place of what is each person's own."""
        return dict.fromkeys(self._tracking.names(), "A7K2M9QX")

    def as_sent(self, campaign: CampaignView, variant: int, new: NewMessage) -> NewMessage:
        """A message with links of its own, as long as those will be that leave."""
        return replace(new, text=self._tracking.shortened(campaign.id, variant, [(0, new.text)])[0].text)

    async def _chunks(self, campaign: CampaignView) -> AsyncIterator[Sequence[Contact]]:
        async for chunk in self._audience.chunks(campaign.wanted.to, most=_SLICE):
            yield await self._people.with_rows(chunk)

    async def _required(self, campaign: CampaignView) -> list[frozenset[str]]:
        """The variables of each variant that only a contact can have."""
        given = self._tracking.names() | campaign.wanted.variables.keys() | _ALWAYS
        names = [await self._renderer.names(each.texts) for each in campaign.wanted.variants]
        return [frozenset(name for name in each if name.partition(".")[0] not in given) for each in names]

    async def _look(
        self,
        campaign: CampaignView,
        people: Sequence[Contact],
        shares: Sequence[Share],
        required: Sequence[frozenset[str]],
        found: Prepared,
    ) -> None:
        found.people += len(people)
        suspect: dict[int, list[Contact]] = {}
        for each, (variant, _) in zip(people, shares, strict=True):
            for at in range(len(required)) if variant is None else (variant,):
                sample = found.samples.setdefault(at, [])
                if len(sample) < SAMPLES:
                    sample.append(each)
                if _lacks(each, required[at]):
                    suspect.setdefault(at, []).append(each)
        for at, those in suspect.items():
            texts, shared = campaign.wanted.variants[at].texts, campaign.wanted.variables
            own: list[Mapping[str, Any]] = [dict.fromkeys(self._tracking.names(), "") for _ in those]
            for text in await self._renderer.render_many(texts, those, shared, own):
                if isinstance(text, RenderFault):
                    found.faults[at, text.code, text.message] += 1

    async def _keep(self, campaign_id: str, me: str, people: Sequence[Contact], shares: Sequence[Share]) -> None:
        """Write down some, as long as nobody else prepares it; others' transactions go before."""
        members = [_member(each, share) for each, share in zip(people, shares, strict=True)]

        def work(connection: Connection) -> None:
            self._claim(connection, campaign_id, me)
            campaign_members.add_all(connection, campaign_id, members)
            campaigns.count(connection, campaign_id, members=len(members))

        began_us = self._clock.monotonic_us()
        await self._store.write(work, idle=True)
        await rest(self._clock.monotonic_us() - began_us)


def refusal_of(found: Prepared) -> InvalidRequest | None:
    """What of a frozen campaign lacks, as an answer; None where nothing does."""
    if not found.faults:
        return None
    errors = [
        FieldError(f"/variants/{at}", f"{_people(count)}: {sentence}")
        for (at, _, sentence), count in found.faults.most_common(20)
    ]
    code = next(iter(found.faults))[1]
    return InvalidRequest(code, f"the text cannot be made for everybody: {errors[0].message}", errors=errors)


def _refuse_failing(variant: int, rendered: Sequence[str | RenderFault]) -> None:
    faults = [each for each in rendered if isinstance(each, RenderFault) and each.code != MISSING]
    if faults and len(faults) == len(rendered):
        raise InvalidRequest.field(faults[0].code, f"/variants/{variant}", faults[0].message)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _member(contact: Contact, share: Share) -> Member:
    variant, tried = share
    return Member(recipient_id=contact.recipient_id, variant=variant, state=MemberState.WAITING.value, in_test=tried)


def _lacks(contact: Contact, required: frozenset[str]) -> bool:
    """Whether a card has nothing for a variable, as far as one sees without making the text."""
    for name in required:
        root, _, rest = name.partition(".")
        if root == "attributes":
            if not rest or rest.partition(".")[0] not in contact.attributes:
                return True
        elif root not in {"name", "language"} or getattr(contact, root) is None:
            return True
    return False


def templates_of(connection: Connection, names: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """The texts by language of these templates, by name."""
    return {name: found.texts for name, found in templates.of_names(connection, names).items()}


def _with_texts(variant: Variant, found: Mapping[str, Mapping[str, str]]) -> Variant:
    return variant if variant.template is None else replace(variant, texts=dict(found[variant.template]))
