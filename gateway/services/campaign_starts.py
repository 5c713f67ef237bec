"""Starting and scheduling a campaign, and trying its texts on whoever wrote them.

Everything is looked at before anything is queued: who is in it, whether the text can be made for each of them, what a
proof-reader finds in it. What is wrong is told at once, and then the draft is as it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from drivers.events import ModemStatus
from gateway.campaign import FROZEN, LIVE, CampaignAct, CampaignEstimate, CampaignStatus, CampaignView
from gateway.campaigns import lifecycle, reading
from gateway.campaigns.estimate import estimate_of, leaves_of
from gateway.campaigns.people import contacts_of
from gateway.campaigns.recurrent import AUDIENCE_EMPTY
from gateway.campaigns.starting import Prepared, refusal_of
from gateway.campaigns.stored import wanted_to_json
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, FieldError, GatewayError, InvalidRequest
from gateway.message import Caution
from gateway.outbound.door import DEFAULT_CATEGORY
from gateway.outbound.draft import Draft
from gateway.outbound.forecast import Forecaster, Standing
from gateway.outbound.intake import Intake
from gateway.people.contact import Contact
from gateway.people.rendering import RenderFault
from gateway.requests import Accepted, NewMessage, Preview, Principal, Submission
from gateway.rules.lint import ERRORS
from gateway.services.campaigns import Campaigns, no_campaign
from gateway.services.proofreading import Proofreader
from gateway.store import campaigns, recipients
from gateway.store.database import Store

# What is wrong with a number concerns that person alone.
_OF_NUMBER: Final = frozenset({"number_invalid", "number_not_allowed", "destination_not_allowed"})
_ROUTES: Final = (Path("/proc/net/route"), Path("/proc/net/ipv6_route"))


@dataclass(frozen=True, slots=True)
class CampaignFinding:
    """What a proof-reader found in a variant."""

    variant: int
    caution: Caution

    @property
    def is_error(self) -> bool:
        """Whether the campaign is not started with it unless somebody insists."""
        return self.caution.code in ERRORS


@dataclass(frozen=True, slots=True)
class Launch:
    """A campaign that was started or scheduled, how long it is expected to take, and what was found in its texts."""

    campaign: CampaignView
    estimate: CampaignEstimate | None = None
    findings: Sequence[CampaignFinding] = field(default_factory=tuple[CampaignFinding, ...])


class CampaignStarts:
    """Starts campaigns."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        *,
        campaigns: Campaigns,
        intake: Intake,
        statuses: Callable[[], Sequence[ModemStatus]],
        nudge: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._campaigns = campaigns
        self._intake = intake
        self._proofreader = Proofreader(settings)
        self._forecaster = Forecaster(settings, store.measures, clock, statuses)
        self._nudge = nudge

    async def close(self) -> None:
        """End what runs beside the gateway for proof-reading."""
        await self._proofreader.close()

    async def start(self, principal: Principal, campaign_id: str, *, force: bool = False) -> Launch:
        """Start it now. Raises `InvalidRequest` with what is wrong; `force` lets it start in spite of findings."""
        found = await self._campaigns.act_on(principal, campaign_id)
        lifecycle.status_after(found.status, CampaignAct.START)
        if found.status is CampaignStatus.RUNNING:
            return Launch(found)
        return await self._launch(principal, found, None, force=force)

    async def schedule(self, principal: Principal, campaign_id: str, at_us: int, *, force: bool = False) -> Launch:
        """Let it start at a moment. Who is in a frozen one is written down now."""
        found = await self._campaigns.act_on(principal, campaign_id)
        lifecycle.status_after(found.status, CampaignAct.SCHEDULE)
        if at_us <= self._clock.now_us():
            raise InvalidRequest.field("send_at_past", "/at", "is in the past")
        return await self._launch(principal, found, at_us, force=force)

    async def proof(
        self, principal: Principal, campaign_id: str, to: str | None, variables: Mapping[str, Any]
    ) -> Sequence[Accepted]:
        """Send every variant to one person, as ordinary messages outside the campaign's counts."""
        found = await self._campaigns.act_on(principal, campaign_id)
        number = to or found.wanted.proof_to
        if number is None:
            raise InvalidRequest.field("proof_to_missing", "/to", "says where the proof goes; the campaign does not")
        number = self._intake.recipient(number)
        wanted = await self._campaigns.engine.starter.resolved(found.wanted)
        contact = await self._contact(number)
        news: list[NewMessage] = []
        shown = {**self._campaigns.engine.starter.samples(), **wanted.variables, **variables}
        for at, each in enumerate(wanted.variants):
            text = await self._campaigns.engine.renderer.render(each.texts, contact, shown)
            if isinstance(text, RenderFault):
                raise InvalidRequest.field(text.code, f"/variants/{at}", text.message)
            news.append(await self._proof_of(principal, found, number, text))
        accepted = await self._intake.accept_all(principal, [Submission(each) for each in news])
        self._nudge()
        return accepted

    async def _proof_of(self, principal: Principal, campaign: CampaignView, number: str, text: str) -> NewMessage:
        """As it will leave, notice and all; by the rules of notices, since an author has not asked for advertising."""
        new = NewMessage(number, text, campaign.category, reference=f"proof:{campaign.id}")
        if principal.categories and DEFAULT_CATEGORY not in principal.categories:
            return new
        preview = await self._intake.preview(principal, new, None)
        return replace(new, text=preview.text, category=DEFAULT_CATEGORY)

    async def _contact(self, number: str) -> Contact:
        lookup = self._store.fingerprint(number)

        def work(connection: Connection) -> Contact | None:
            person = recipients.find(connection, lookup)
            return None if person is None else contacts_of(connection, [person])[person]

        found = await self._store.read(work)
        return found or Contact(id=0, recipient_id=0, number=number, created_us=0, updated_us=0)

    # --- starting

    async def _launch(self, principal: Principal, found: CampaignView, at_us: int | None, *, force: bool) -> Launch:
        self._check_moments(found, at_us)
        starter, me = self._campaigns.engine.starter, f"{self._campaigns.engine.me}/{secrets.token_hex(4)}"
        wanted = await starter.resolved(found.wanted)
        await starter.check(wanted)
        campaign = replace(found, wanted=wanted)
        # Who is in a recurring one is written down anew each time.
        kept = campaign if wanted.every is None else replace(campaign, audience=LIVE)
        await starter.claim(campaign.id, me)
        try:
            await self._store.write(lambda connection: _unschedule(connection, campaign.id))
            prepared = await starter.prepare(kept, me)
            _refuse_unfit(kept, prepared)
            await starter.check_own(wanted, prepared.people if kept.audience == FROZEN else 0)
            looked = await self._look(principal, campaign, prepared)
            if not force:
                _refuse_errors(looked.findings)
            estimate = await self._estimate(campaign, prepared.people, looked, at_us)
            begun = await self._store.write(lambda connection: self._begin(connection, campaign, me, at_us))
            return Launch(begun, estimate, looked.findings)
        except BaseException:
            await self._give_up(kept, me)
            raise
        finally:
            self._campaigns.engine.nudge()

    async def _give_up(self, campaign: CampaignView, me: str) -> None:
        """The draft is as it was; what was scheduled is a draft again."""

        def work(connection: Connection) -> bool:
            row = campaigns.locked(connection, campaign.id)
            return row is not None and row.worker == me

        if await self._store.write(work):
            if campaign.audience == FROZEN:
                await self._campaigns.engine.starter.forget(campaign.id)
            await self._store.write(lambda connection: campaigns.release(connection, campaign.id, me))

    def _check_moments(self, campaign: CampaignView, at_us: int | None) -> None:
        now_us = self._clock.now_us()
        past = [
            FieldError(f"/variants/{at}/send_at", "is in the past")
            for at, each in enumerate(campaign.wanted.variants)
            if each.send_us is not None and each.send_us <= now_us
        ]
        for pointer, moment_us in (("/decide_at", campaign.wanted.decide_us), ("/until", campaign.wanted.until_us)):
            if moment_us is not None and moment_us <= max(now_us, at_us or now_us):
                past.append(FieldError(pointer, "is over before it starts"))
        if past:
            raise InvalidRequest("send_at_past", past[0].message, errors=past)

    def _begin(self, connection: Connection, campaign: CampaignView, me: str, at_us: int | None) -> CampaignView:
        row, now_us = campaigns.locked(connection, campaign.id), self._clock.now_us()
        if row is None:
            raise no_campaign()
        if row.worker != me:
            raise Conflict("campaign_busy", "somebody else began to prepare it")
        free: dict[str, Any] = {"wanted": wanted_to_json(campaign.wanted), "worker": None, "lease_us": None}
        every = campaign.wanted.every
        if at_us is None:
            first_us = now_us if every is None else self._campaigns.engine.recurrent.first_us(every, now_us)
            lifecycle.start(connection, row, now_us, next_us=first_us, **free)
        else:
            after = lifecycle.status_after(row.status, CampaignAct.SCHEDULE)
            campaigns.set_status(connection, row, after, now_us, scheduled_us=at_us, next_us=at_us, **free)
        found = reading.find(connection, campaign.id)
        assert found is not None, "it is locked"
        return found

    async def _estimate(
        self, campaign: CampaignView, people: int, looked: _Looked, at_us: int | None
    ) -> CampaignEstimate:
        """By what the modems were measured to take; what waits before it, and holds it, as far as it starts now."""
        leaves = leaves_of(people, looked.drafts)
        starts_us = self._clock.now_us() if at_us is None else at_us
        priority = min((each.category.priority for each in looked.drafts), default=0)
        standing = Standing(campaign.category, priority)
        if at_us is not None:
            standing = replace(standing, before=None)
        held_us = looked.held_until_us if at_us is None else None
        leaving = await self._store.read(
            lambda connection: self._forecaster.leaving(connection, standing, leaves, held_until_us=held_us)
        )
        pace = campaign.wanted.per_minute
        return estimate_of(people, leaves, leaving, per_minute=pace, starts_us=starts_us)

    # --- looking at texts

    async def _look(self, principal: Principal, campaign: CampaignView, prepared: Prepared) -> _Looked:
        """What a proof-reader finds in some of the messages, and as what they will leave."""
        starter, looked = self._campaigns.engine.starter, _Looked()
        found: dict[tuple[int, str, str], CampaignFinding] = {}
        linked: set[int] = set()
        for variant, new in await starter.messages(campaign, prepared):
            plain = replace(new, campaign_id=None, variant=None)
            try:
                preview = await self._intake.preview(principal, plain, None)
            except GatewayError as error:
                if error.code in _OF_NUMBER:
                    continue
                raise InvalidRequest(
                    error.code, error.message, errors=[FieldError(f"/variants/{variant}", error.message)]
                ) from None
            looked.add(preview, *await self._intake.drafts(principal, [starter.as_sent(campaign, variant, plain)]))
            cautions = list(preview.warnings)
            if variant not in linked and is_online():
                linked.add(variant)
                cautions += await self._proofreader.read(new.text, check_links=True, check_spelling=False)
            for each in cautions:
                found.setdefault((variant, each.code, each.message), CampaignFinding(variant, each))
        looked.findings = list(found.values())
        return looked


@dataclass(slots=True)
class _Looked:
    """What was seen of some of a campaign's messages; `held_until_us` is until when rules hold them, as things are."""

    findings: Sequence[CampaignFinding] = ()
    drafts: list[Draft] = field(default_factory=list[Draft])
    held_until_us: int | None = None

    def add(self, preview: Preview, draft: Draft | GatewayError) -> None:
        """One of them."""
        if isinstance(draft, Draft):
            self.drafts.append(draft)
        if preview.until_us is not None:
            self.held_until_us = max(self.held_until_us or 0, preview.until_us)


def _unschedule(connection: Connection, campaign_id: str) -> None:
    """What is broken off while people are being written down must not start by itself with those who are."""
    row = campaigns.locked(connection, campaign_id)
    if row is not None and row.status == CampaignStatus.SCHEDULED:
        campaigns.change(connection, campaign_id, status=CampaignStatus.DRAFT.value, scheduled_us=None, next_us=None)


def _refuse_unfit(campaign: CampaignView, prepared: Prepared) -> None:
    if not prepared.people and not (campaign.audience == LIVE and campaign.wanted.until_us is not None):
        raise InvalidRequest.field(AUDIENCE_EMPTY, "/to", "nobody is in it now")
    if campaign.audience == FROZEN and (refusal := refusal_of(prepared)) is not None:
        raise refusal


def _refuse_errors(findings: Sequence[CampaignFinding]) -> None:
    errors = [
        FieldError(f"/variants/{each.variant}", f"{each.caution.code}: {each.caution.message}")
        for each in findings
        if each.is_error
    ]
    if errors:
        raise InvalidRequest("lint_failed", f"{errors[0].message}; force starts it all the same", errors=errors)


def is_online() -> bool:
    """Whether this machine has a way out: without one a link that nobody answers at says nothing about the link."""
    default4, default6 = "00000000", "0" * 32
    for path, column, default in zip(_ROUTES, (1, 0), (default4, default6), strict=True):
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > column and words[column] == default and words[0] != "lo" and words[-1] != "lo":
                return True
    return False
