"""Whose turn it is in a campaign: of a frozen one, those who were written down and wait; of a live one, whoever its
audience has now and was not settled before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from sqlalchemy import Connection

from gateway.address import kind_of
from gateway.campaign import FROZEN, SPLIT, CampaignView
from gateway.campaigns.preparing import Candidate
from gateway.campaigns.splitting import is_tried, variant_of
from gateway.clock import Clock
from gateway.people.audience import Audience
from gateway.people.contact import Contact
from gateway.people.contacts import contact_of, types_of
from gateway.store import campaign_members, contacts, recipients
from gateway.store.database import Store

#: So many are read at once: enough to be worth a trip to the process beside, and few enough to hold nobody up. Two
#: slices of a worker.
GROUP: Final = 64


#: A variant, or None, and whether it is tried.
Share: TypeAlias = tuple[int | None, bool]


def share_of(campaign: CampaignView, recipient_id: int) -> Share:
    """The variant of a person, None as long as that is not decided, and whether the variants are tried on them."""
    wanted = campaign.wanted
    weights = [each.weight for each in wanted.variants]
    if not wanted.tests:
        return variant_of(wanted.seed, recipient_id, weights), False
    if is_tried(wanted.seed, recipient_id, wanted.test_share):
        return variant_of(wanted.seed, recipient_id, weights), True
    return decided_for(campaign, recipient_id), False


def decided_for(campaign: CampaignView, recipient_id: int) -> int | None:
    """What falls to those on whom nothing was tried; None as long as nothing is decided. What was stopped falls to
    nobody, as long as anything else is left."""
    if campaign.decided_us is None:
        return None
    if campaign.winner is not None and campaign.winner not in campaign.stopped:
        return campaign.winner
    weights = [0.0 if at in campaign.stopped else each.weight for at, each in enumerate(campaign.wanted.variants)]
    if sum(weights) <= 0:
        return 0
    if campaign.wanted.otherwise == SPLIT:
        return variant_of(campaign.wanted.seed, recipient_id, weights)
    return next(at for at, weight in enumerate(weights) if weight > 0)


class People:
    """Brings the next candidates."""

    def __init__(self, store: Store, clock: Clock, audience: Audience) -> None:
        self._store = store
        self._clock = clock
        self._audience = audience

    def candidates(
        self, campaign: CampaignView, variants: Collection[int], *, most: int = GROUP
    ) -> AsyncIterator[Sequence[Candidate]]:
        """All whose turn it is now, at most so many at a time; `variants` are those that may leave at this moment."""
        if campaign.audience == FROZEN:
            return self._of_frozen(campaign, variants, most)
        return self._of_live(campaign, variants, most)

    async def _of_frozen(
        self, campaign: CampaignView, variants: Collection[int], most: int
    ) -> AsyncIterator[Sequence[Candidate]]:
        groups: list[int | None] = [*sorted(variants)]
        if campaign.wanted.tests and campaign.decided_us is not None:
            groups.append(None)
        behind = 0
        while group := await self._read(campaign, groups, most, behind):
            behind = group[-1].contact.recipient_id
            yield [each for each in group if each.variant in variants]

    async def _read(
        self, campaign: CampaignView, variants: Sequence[int | None], most: int, behind: int
    ) -> Sequence[Candidate]:
        """The next of all these variants together, in the order of people: none of them leaves before the others."""

        def work(connection: Connection) -> Sequence[Candidate]:
            found = [
                row
                for variant in variants
                for row in campaign_members.waiting(connection, campaign.id, variant, most, behind=behind)
            ]
            rows = sorted(found, key=lambda row: row.recipient_id)[:most]
            known = contacts_of(connection, [row.recipient_id for row in rows])
            return [
                Candidate(known[row.recipient_id], _given(campaign, row.variant, row.recipient_id), bool(row.in_test))
                for row in rows
            ]

        return await self._store.read(work)

    async def _of_live(
        self, campaign: CampaignView, variants: Collection[int], most: int
    ) -> AsyncIterator[Sequence[Candidate]]:
        async for chunk in self._audience.chunks(campaign.wanted.to, most=most):
            people = await self.with_rows(chunk)
            fresh = await self._unsettled(campaign, people)
            shares = [(each, *share_of(campaign, each.recipient_id)) for each in fresh]
            yield [
                Candidate(each, variant, tried)
                for each, variant, tried in shares
                if variant is not None and variant in variants
            ]

    async def _unsettled(self, campaign: CampaignView, people: Sequence[Contact]) -> list[Contact]:
        rows = [each.recipient_id for each in people]
        known = await self._store.read(lambda connection: campaign_members.known(connection, campaign.id, rows))
        return [each for each in people if each.recipient_id not in known]

    async def with_rows(self, people: Sequence[Contact]) -> list[Contact]:
        """The same, each with a row of its number: who was never written to has none yet."""
        lookups = {
            self._store.fingerprint(each.number): (each.number, kind_of(each.number))
            for each in people
            if not each.recipient_id
        }
        if not lookups:
            return list(people)
        now_us = self._clock.now_us()
        rows = await self._store.write(lambda connection: recipients.ensure_all(connection, lookups, now_us))
        by_number = {lookups[lookup][0]: row for lookup, row in rows.items()}
        return [each if each.recipient_id else replace(each, recipient_id=by_number[each.number]) for each in people]


def _given(campaign: CampaignView, variant: int | None, recipient_id: int) -> int:
    if variant is not None:
        return variant
    decided = decided_for(campaign, recipient_id)
    assert decided is not None, "those without a variant are asked for when it is decided"
    return decided


def contacts_of(connection: Connection, people: Sequence[int]) -> Mapping[int, Contact]:
    """The contacts of these rows of `recipient`; who is not known as one has a bare one, with an empty number once it
    was erased."""
    types = types_of(connection)
    known = {row.recipient_id: contact_of(row, types) for row in contacts.of_people(connection, people)}
    others = [person for person in people if person not in known]
    numbers = recipients.numbers_of(connection, others) if others else {}
    bare = {
        person: Contact(id=0, recipient_id=person, number=numbers.get(person) or "", created_us=0, updated_us=0)
        for person in others
    }
    return known | bare
