"""Queues what is ready: message and member in one transaction, so that they never differ, however it ends.

The same transaction looks whether the campaign runs still, and who was settled already. So nobody is written to twice
after a crash, by a second host, or when an audience names them twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.campaign import CampaignStatus, CampaignView, MemberState
from gateway.campaigns.preparing import Ready
from gateway.campaigns.tracking import Left, Tracking
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.outbound.acceptance import Entry
from gateway.outbound.intake import Intake
from gateway.requests import Principal
from gateway.store import campaign_members, campaigns
from gateway.store.campaign_members import Member
from gateway.store.database import Store


class NotRunning(Exception):
    """The campaign was paused, canceled or taken over: nothing of the group was queued."""


@dataclass(frozen=True, slots=True)
class Queued:
    """How many of a group have a message now, and how many are left out."""

    messages: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A group whose messages passed the door, or what is wrong with them: those `with_message`, each with its entry."""

    group: Sequence[Ready]
    with_message: Sequence[Ready]
    entries: Sequence[Entry]


class Queueing:
    """Commits groups of a campaign."""

    def __init__(self, store: Store, clock: Clock, intake: Intake, tracking: Tracking, me: str) -> None:
        self._store = store
        self._clock = clock
        self._intake = intake
        self._tracking = tracking
        self._me = me

    async def check(self, principal: Principal, group: Sequence[Ready]) -> Checked:
        """Check the messages of a group, while another one is committed."""
        with_message = [each for each in group if each.new is not None]
        news = [each.new for each in with_message if each.new is not None]
        return Checked(group, with_message, await self._intake.chosen.check(principal, news))

    async def queue(self, campaign: CampaignView, checked: Checked) -> Queued:
        """Commit a group, all or nothing. Raises `NotRunning`, or `TooMany` where the token has no room now."""
        transaction = _Transaction(self, campaign, checked)
        if checked.entries:
            await self._intake.chosen.accept(checked.entries, transaction.choose, transaction.note)
        else:
            await self._store.write(transaction.alone, idle=True)
        return transaction.queued

    def lock(self, connection: Connection, campaign: CampaignView) -> None:
        """Nobody pauses or cancels it until this transaction ends; `NotRunning` where somebody has."""
        row = campaigns.locked(connection, campaign.id)
        if row is None or row.status != CampaignStatus.RUNNING or row.worker != self._me:
            raise NotRunning

    def write(
        self,
        connection: Connection,
        campaign: CampaignView,
        group: Sequence[Ready],
        became: Mapping[int, str | GatewayError],
    ) -> Queued:
        """Write down what became of each of a group; `became` by the person's row."""
        members = [_member(each, became.get(each.candidate.contact.recipient_id)) for each in group]
        campaign_members.settle(connection, campaign.id, members)
        queued = sum(each.message_id is not None for each in members)
        campaigns.count(connection, campaign.id, queued=queued, left_out=len(members) - queued)
        self._track(connection, campaign, group, became)
        return Queued(queued, len(members) - queued)

    def _track(
        self,
        connection: Connection,
        campaign: CampaignView,
        group: Sequence[Ready],
        became: Mapping[int, str | GatewayError],
    ) -> None:
        left: dict[int, list[Left]] = {}
        for each in group:
            found = became.get(each.candidate.contact.recipient_id)
            if isinstance(found, str) and each.shortened is not None and each.shortened.links:
                person = each.candidate.contact.recipient_id
                left.setdefault(each.candidate.variant, []).append(Left(person, found, each.shortened))
        for variant, messages in left.items():
            self._tracking.queued(connection, campaign.id, variant, messages, self._clock.now_us())


class _Transaction:
    """One group: what is asked and written where its messages are committed. Run again, it begins anew."""

    def __init__(self, queueing: Queueing, campaign: CampaignView, checked: Checked) -> None:
        self._queueing = queueing
        self._campaign = campaign
        self._group = checked.group
        self._with_message = checked.with_message
        self._open: Sequence[Ready] = ()
        self._new_members = 0
        self.queued = Queued(0, 0)

    def choose(self, connection: Connection) -> Sequence[int]:
        """Those who are not settled yet."""
        self._queueing.lock(connection, self._campaign)
        people = {each.candidate.contact.recipient_id for each in self._group}
        known = campaign_members.known(connection, self._campaign.id, people)
        settled = {person for person, state in known.items() if state != MemberState.WAITING}
        seen: set[int] = set()
        self._open = [each for each in self._group if _is_first(each, settled, seen)]
        self._new_members = sum(each.candidate.contact.recipient_id not in known for each in self._open)
        chosen = {id(each) for each in self._open}
        return [at for at, each in enumerate(self._with_message) if id(each) in chosen]

    def note(self, connection: Connection, became: Mapping[int, str | GatewayError]) -> None:
        """Write the members beside their messages."""
        people = {self._with_message[at].candidate.contact.recipient_id: each for at, each in became.items()}
        self.queued = self._queueing.write(connection, self._campaign, self._open, people)
        if self._new_members:
            campaigns.count(connection, self._campaign.id, members=self._new_members)

    def alone(self, connection: Connection) -> None:
        """Where nobody of them gets a message."""
        self.choose(connection)
        self.note(connection, {})


def _is_first(each: Ready, settled: set[int], seen: set[int]) -> bool:
    person = each.candidate.contact.recipient_id
    if person in settled or person in seen:
        return False
    seen.add(person)
    return True


def _member(each: Ready, became: str | GatewayError | None) -> Member:
    candidate = each.candidate
    message_id = became if isinstance(became, str) else None
    reason = became.code if isinstance(became, GatewayError) else each.reason
    return Member(
        recipient_id=candidate.contact.recipient_id,
        variant=candidate.variant,
        state=MemberState.QUEUED.value if message_id else MemberState.LEFT_OUT.value,
        in_test=candidate.in_test,
        reason=None if message_id else str(reason),
        message_id=message_id,
    )
