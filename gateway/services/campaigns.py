"""Campaigns: made, changed, started, stopped and looked at."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from gateway.campaign import (
    CampaignChange,
    CampaignStatus,
    CampaignView,
    MemberState,
    MemberView,
    Wanted,
)
from gateway.campaigns import lifecycle, reading
from gateway.campaigns.checking import check_campaign
from gateway.campaigns.engine import Campaigning
from gateway.campaigns.stored import wanted_of_json, wanted_to_json
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, FieldError, Forbidden, InvalidRequest, NotFound
from gateway.ids import IdSource
from gateway.outbound.door import DEFAULT_CATEGORY
from gateway.requests import Page, Principal
from gateway.services.visibility import before_id, before_row, refuse_test
from gateway.store import campaign_members, campaigns
from gateway.store.database import Store
from gateway.store.schema import AnyRow

_ONLY_OWN: Final = "changes no campaign but its own"


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """A campaign to be made; `category` None is the token's own."""

    name: str
    wanted: Wanted
    category: str | None = None
    audience: str = "frozen"


class Campaigns:
    """The campaigns. What starts them is `CampaignStarts`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        *,
        engine: Campaigning,
        nudge: Callable[[], None],
    ) -> None:
        self._categories = settings.categories
        self._store = store
        self._clock = clock
        self._ids = ids
        self._nudge = nudge
        #: What works on them.
        self.engine = engine

    async def create(self, principal: Principal, new: NewCampaign) -> CampaignView:
        """Keep a draft. Raises `InvalidRequest` with every field that is wrong."""
        category = self.category(principal, new.category)
        wanted = replace(new.wanted, seed=new.wanted.seed or secrets.randbits(32))
        await self._check(principal, new.name, new.audience, wanted)
        campaign_id, now_us = self._ids.new(), self._clock.now_us()
        values: dict[str, Any] = {
            "id": campaign_id,
            "name": new.name.strip(),
            "status": CampaignStatus.DRAFT.value,
            "category": category,
            "audience": new.audience,
            "wanted": wanted_to_json(wanted),
            "token_id": principal.token_id or None,
            "created_us": now_us,
            **dict.fromkeys(("parent_id", "scheduled_us", "next_us")),
        }

        def work(connection: Connection) -> CampaignView:
            campaigns.add(connection, values)
            row = campaigns.get(connection, campaign_id)
            assert row is not None, "it was inserted a moment ago"
            campaigns.record(connection, row, CampaignStatus.DRAFT, now_us)
            return reading.view_of(row)

        return await self._store.write(work, hurried=True)

    async def list(
        self,
        principal: Principal,
        *,
        statuses: Sequence[str] = (),
        parent_id: str | None = None,
        limit: int,
        cursor: str | None,
    ) -> Page[CampaignView]:
        """Campaigns, newest first; to a token that only tests, its own."""
        before = before_id(cursor)

        def work(connection: Connection) -> Page[CampaignView]:
            rows = campaigns.page(
                connection,
                statuses=statuses,
                parent_id=parent_id,
                token_id=principal.token_id if principal.test else None,
                limit=limit,
                before=before,
            )
            following = rows[limit - 1].id if len(rows) > limit else None
            return Page([reading.view_of(row) for row in rows[:limit]], following)

        return await self._store.read(work)

    async def get(self, principal: Principal, campaign_id: str) -> CampaignView:
        """One campaign; `NotFound` also for one that this token may not see."""
        found = await self._store.read(lambda connection: reading.find(connection, campaign_id))
        return self._seen(principal, found)

    async def members(
        self,
        principal: Principal,
        campaign_id: str,
        *,
        state: str | None = None,
        variant: int | None = None,
        limit: int,
        cursor: str | None,
    ) -> Page[MemberView]:
        """Who is in it, in the order of rows."""
        await self.get(principal, campaign_id)
        after = before_row(cursor) or 0

        def work(connection: Connection) -> Page[MemberView]:
            rows = campaign_members.page(
                connection, campaign_id, state=state, variant=variant, limit=limit, after=after
            )
            following = str(rows[limit - 1].recipient_id) if len(rows) > limit else None
            return Page([_member(row) for row in rows[:limit]], following)

        return await self._store.read(work)

    async def left_out(self, principal: Principal, campaign_id: str) -> Mapping[str, int]:
        """How many get no message, by the reason."""
        await self.get(principal, campaign_id)
        rows = await self._store.read(lambda connection: campaign_members.reasons(connection, campaign_id))
        return {row.reason: row.people for row in rows}

    async def change(self, principal: Principal, campaign_id: str, change: CampaignChange) -> CampaignView:
        """Change a draft."""
        found = await self.act_on(principal, campaign_id)
        name, audience = change.name or found.name, change.audience or found.audience
        wanted = replace(found.wanted, **change.fields)
        category = found.category if change.category is None else self.category(principal, change.category)
        await self._check(principal, name, audience, wanted)

        def work(connection: Connection) -> CampaignView:
            row = self._draft(connection, campaign_id)
            text = wanted_to_json(wanted)
            campaigns.change(connection, row.id, name=name.strip(), audience=audience, category=category, wanted=text)
            return _view(connection, row.id)

        return await self._store.write(work, hurried=True)

    async def remove(self, principal: Principal, campaign_id: str) -> CampaignView:
        """Forget a draft."""
        found = await self.act_on(principal, campaign_id)

        def work(connection: Connection) -> None:
            campaigns.remove(connection, self._draft(connection, campaign_id).id)

        await self._store.write(work, hurried=True)
        return found

    async def pause(self, principal: Principal, campaign_id: str) -> CampaignView:
        """Begin nothing more of it, on any host, from the moment this returns."""
        return await self._act(principal, campaign_id, lifecycle.pause)

    async def resume(self, principal: Principal, campaign_id: str) -> CampaignView:
        """Let it go on."""
        resumed = await self._act(principal, campaign_id, lifecycle.resume)
        self._nudge()
        return resumed

    async def cancel(self, principal: Principal, campaign_id: str) -> CampaignView:
        """Begin nothing more of it from the moment this returns; what waits is ended after that."""
        return await self._act(principal, campaign_id, lifecycle.cancel)

    async def act_on(self, principal: Principal, campaign_id: str) -> CampaignView:
        """One campaign that this token is to do something to. Raises `Forbidden` where its category is not one of the
        token's: whoever may start a campaign sends its messages."""
        found = await self.get(principal, campaign_id)
        refuse_test(principal, _ONLY_OWN, allowed=found.token_id == principal.token_id)
        self.category(principal, found.category)
        return found

    def category(self, principal: Principal, name: str | None) -> str:
        """The category of a campaign; refused where there is none, or the token may not use it."""
        chosen = name if name is not None else principal.default_category or DEFAULT_CATEGORY
        if chosen not in self._categories:
            raise InvalidRequest.field(
                "category_unknown", "/category", "there is no such category in the configuration"
            )
        if principal.categories and chosen not in principal.categories:
            raise Forbidden("category_not_allowed", f"this token may not send messages of category {chosen}")
        return chosen

    async def _check(self, principal: Principal, name: str, audience: str, wanted: Wanted) -> None:
        check_campaign(name, audience, wanted, self._clock.now_us())
        if principal.test:
            _refuse_segments(wanted.to)
            refuse_test(principal, "gives nobody a code", allowed=wanted.codes is None)
        await self.engine.starter.check(wanted)

    async def _act(
        self, principal: Principal, campaign_id: str, act: Callable[[Connection, AnyRow, int], None]
    ) -> CampaignView:
        await self.act_on(principal, campaign_id)

        def work(connection: Connection) -> CampaignView:
            row = campaigns.locked(connection, campaign_id)
            if row is None:
                raise no_campaign()
            act(connection, row, self._clock.now_us())
            return _view(connection, row.id)

        done = await self._store.write(work, hurried=True)
        self.engine.nudge()
        return done

    def _draft(self, connection: Connection, campaign_id: str) -> AnyRow:
        row = campaigns.locked(connection, campaign_id)
        if row is None:
            raise no_campaign()
        if row.status != CampaignStatus.DRAFT:
            raise Conflict("campaign_state", f"the campaign is {row.status}: only a draft can be changed")
        if row.lease_us is not None and row.lease_us > self._clock.now_us():
            raise Conflict("campaign_busy", "the campaign is being prepared already: ask again in a moment")
        return row

    def _seen(self, principal: Principal, found: CampaignView | None) -> CampaignView:
        if found is None or (principal.test and found.token_id != principal.token_id):
            raise no_campaign()
        return found


def campaign_uses(connection: Connection, segment: str) -> bool:
    """Whether a campaign that is not over goes to a segment."""
    return any(segment in wanted_of_json(text).to for text in campaigns.open_wanted(connection))


def campaign_has(connection: Connection, template: str) -> bool:
    """Whether a campaign that is not over has a variant of a template."""
    found = (wanted_of_json(text) for text in campaigns.open_wanted(connection))
    return any(template == variant.template for wanted in found for variant in wanted.variants)


def no_campaign() -> NotFound:
    """The refusal where there is none."""
    return NotFound("campaign_not_found", "there is no such campaign")


def _view(connection: Connection, campaign_id: str) -> CampaignView:
    found = reading.find(connection, campaign_id)
    assert found is not None, "it is locked"
    return found


def _member(row: AnyRow) -> MemberView:
    return MemberView(row.number, row.variant, MemberState(row.state), row.reason, row.message_id, bool(row.in_test))


def _refuse_segments(to: Collection[str]) -> None:
    """A token that only tests knows nobody: it names numbers."""
    errors = [
        FieldError(f"/to/{at}", "is no number, and this token only tests")
        for at, each in enumerate(to)
        if not (each[:1] == "+" or each[:1].isdigit())
    ]
    if errors:
        raise Forbidden("test_token", "this token only tests: it names no segments", errors=errors)
