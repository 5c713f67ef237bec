"""Makes reports: walks over messages step by step, and adds up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection

from gateway.campaign import CampaignStatus, CampaignView
from gateway.campaigns.ab_deciding import AbTest
from gateway.campaigns.deciding import decides_at_us
from gateway.campaigns.report import (
    PRESSURES,
    CampaignReport,
    CategoryHours,
    MessagesReport,
    PressureReport,
    TimingReport,
    Verdict,
)
from gateway.campaigns.report_hours import HourCounter
from gateway.campaigns.report_tally import Group, Tally
from gateway.campaigns.stored import wanted_of_json
from gateway.clock import Clock
from gateway.message import Status
from gateway.store import campaign_members, report_figures
from gateway.store.database import Store
from gateway.store.report_figures import KEYS, OF_CAMPAIGN, Counted, Span
from gateway.store.schema import AnyRow

#: Campaigns that are looked up at a time.
_MANY: Final = 200
#: A group by the values of its keys.
_Key = tuple[Any, ...]
#: The operator that each modem is registered with, by node and name.
Operators = Mapping[tuple[str | None, str | None], str | None]


class Reporter:
    """Over one store. `zone` is the gateway's."""

    def __init__(self, store: Store, clock: Clock, zone: str) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._hours = HourCounter(store, zone)

    # --- a campaign

    async def campaign(self, campaign: CampaignView, *, test: bool, operators: Operators) -> CampaignReport:
        """What came of it, of each variant, through which modems, at which hours; and which variant is better."""
        found = await self._groups(Span(campaign.id), (*OF_CAMPAIGN, *KEYS["modem"]))
        whole, variants, tried = Tally(), _tallies(campaign), _tallies(campaign)
        modems: dict[_Key, Group] = {}
        for (place, is_tried, node, modem), tally in found.items():
            _at(variants, place).join(tally)
            whole.join(tally)
            key = {"node": node, "modem": modem, "operator": operators.get((node, modem))}
            modems.setdefault((node, modem), Group(key, Tally())).tally.join(tally)
            if is_tried:
                _at(tried, place).join(tally)
        rows = await self._store.read(lambda connection: campaign_members.counts(connection, campaign.id))
        for row in rows:
            _add_members(whole, row)
            _add_members(_at(variants, row.variant), row)
        verdict = await asyncio.to_thread(self._verdict, campaign, tried)
        hours = next(iter(await self._hours.of(Span(campaign.id), None)), None) if whole.begun else None
        return CampaignReport(
            campaign=campaign,
            test=test,
            made_us=self._clock.now_us(),
            whole=whole,
            variants=variants,
            verdict=verdict,
            remarks=_remarks_of(campaign, whole, verdict, hours),
            modems=_ordered(group for group in modems.values() if group.key["modem"] is not None),
            hours=hours,
        )

    def _verdict(self, campaign: CampaignView, tried: Sequence[Tally]) -> Verdict | None:
        metric = campaign.wanted.metric
        if len(campaign.wanted.variants) < 2 or campaign.started_us is None:
            return None
        if campaign.decision is not None:
            return Verdict("decided", metric, campaign.decided_us, campaign.decision)
        if campaign.wanted.tests:
            return Verdict("pending", metric, decides_at_us(campaign), None)
        counts = [(tally.begun, _did(tally, metric)) for tally in tried]
        return Verdict("current", metric, None, AbTest().decide(metric, counts))

    # --- messages

    async def messages(self, span: Span, since_us: int, until_us: int, by: str, operators: Operators) -> MessagesReport:
        """What came of them, in groups."""
        found = await self._groups(span, KEYS[_KEYS_OF.get(by, by)])
        whole = Tally()
        for tally in found.values():
            whole.join(tally)
        named = await self._named(by, found, operators)
        groups: dict[tuple[Any, ...], Group] = {}
        for (*values,), tally in found.items():
            for key in named(values):
                group = groups.setdefault(tuple(key.values()), Group(key, Tally()))
                group.tally.join(tally)
        return MessagesReport(since_us, until_us, by, whole, _ordered(groups.values()), _remarks_by(by, whole))

    async def _named(
        self, by: str, found: Mapping[_Key, Tally], operators: Operators
    ) -> Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]:
        """What the values of a group's keys are called; in which groups it is counted."""
        if by in ("campaign", "variant", "segment"):
            known = await self._known(report_figures.campaigns_named, {key[0] for key in found})
            if by == "segment":
                rung = await self._known(report_figures.rings_wanted, {key[1] for key in found})
                return lambda values: _segments_of(known.get(values[0]), rung.get(values[1]))
            return lambda values: _names_of_campaign(by, values, known)
        if by == "modem":
            return lambda values: [{"node": values[0], "modem": values[1]}]
        if by == "operator":
            return lambda values: [{"operator": operators.get((values[0], values[1]))}]
        return lambda values: [{by: values[0]}]

    async def _known(
        self, looked_up: Callable[[Connection, Sequence[str]], Sequence[AnyRow]], keys: Collection[str | None]
    ) -> Mapping[str, AnyRow]:
        """What these campaigns or rings are, by id."""
        known: dict[str, AnyRow] = {}
        ids = sorted(key for key in keys if key is not None)
        for start in range(0, len(ids), _MANY):
            some = ids[start : start + _MANY]
            rows = await self._store.read(lambda connection, some=some: looked_up(connection, some))
            known |= {row.id: row for row in rows}
        return known

    async def _groups(self, span: Span, keys: Sequence[ColumnElement[Any]]) -> dict[_Key, Tally]:
        found: dict[_Key, Tally] = {}
        async for counted in self._steps(span, keys):
            for row in counted.rows:
                found.setdefault(tuple(row[: len(keys)]), Tally()).add(row)
            for row in counted.delays:
                found.setdefault(tuple(row[: len(keys)]), Tally()).delays_us.append(max(0, row.took_us))
            for row in counted.conversions:
                tally = found.setdefault(tuple(row[: len(keys)]), Tally())
                tally.conversions += row.conversions
                tally.values.append(float(row.value))
        return found

    async def _steps(self, span: Span, keys: Sequence[ColumnElement[Any]]) -> AsyncIterator[Counted]:
        after: str | None = ""
        while after is not None:
            counted = await self._store.read(
                lambda connection, after=after: report_figures.step(connection, span, keys, after)
            )
            yield counted
            after = counted.last

    # --- hours

    async def timing(self, span: Span, since_us: int, until_us: int, category: str | None) -> TimingReport:
        """When messages began, by hour and day of the week, and what came of them."""
        return TimingReport(since_us, until_us, self._zone, await self._hours.of(span, category))

    # --- pressure

    async def pressure(self, month: str, since_us: int, until_us: int, *, test: bool) -> PressureReport:
        """How many people got how many messages that began in this time."""
        people = [0] * len(PRESSURES)
        after = 0
        while (
            last := await self._store.read(lambda read, after=after: report_figures.people_after(read, after))
        ) is not None:
            some = await self._store.read(
                lambda read, after=after, last=last: report_figures.pressure(
                    read, after, last, since_us, until_us, test=test
                )
            )
            for messages, count in some.items():
                people[_class_of(messages)] += count
            after = last
        return PressureReport(month, since_us, until_us, people)


_KEYS_OF: Final = {"operator": "modem"}


def _ordered(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-group.tally.accepted, str(group.key)))


def _tallies(campaign: CampaignView) -> list[Tally]:
    return [Tally() for _ in campaign.wanted.variants]


def _at(tallies: Sequence[Tally], variant: int | None) -> Tally:
    """That of a variant; one that nobody reads where there is no such variant."""
    return tallies[variant] if variant is not None and variant < len(tallies) else Tally()


def _class_of(messages: int) -> int:
    return next(at for at, (_, most) in enumerate(PRESSURES) if most is None or messages <= most)


def _add_members(tally: Tally, row: AnyRow) -> None:
    tally.members += row.people
    if row.state == "waiting":
        tally.waiting += row.people
    elif row.state == "left_out":
        tally.left_out[row.reason or "unknown"] += row.people


def _did(tally: Tally, metric: str) -> int:
    return next(rate.share.hits for rate in tally.rates() if rate.name == metric)


def _segments_of(campaign: AnyRow | None, rung: AnyRow | None) -> Sequence[Mapping[str, Any]]:
    """The groups that messages of a campaign, of a ring or of neither belong to."""
    wanted: Sequence[str] = ()
    if campaign is not None:
        wanted = wanted_of_json(campaign.wanted).to
    elif rung is not None:
        wanted = json.loads(rung.wanted)["to"]
    names = [name for name in dict.fromkeys(wanted) if not (name[:1] == "+" or name[:1].isdigit())]
    return [{"segment": name} for name in names] or [{"segment": None}]


def _names_of_campaign(by: str, values: Sequence[Any], known: Mapping[str, AnyRow]) -> Sequence[Mapping[str, Any]]:
    """The groups that messages of a campaign, or of none, belong to."""
    row = None if values[0] is None else known.get(values[0])
    key: dict[str, Any] = {"campaign": values[0], "name": None if row is None else row.name}
    if by == "campaign":
        return [key]
    names = [] if row is None else [each.name for each in wanted_of_json(row.wanted).variants]
    variant = values[1]
    return [{**key, "variant": names[variant] if variant is not None and variant < len(names) else None}]


def _remarks_of(
    campaign: CampaignView, whole: Tally, verdict: Verdict | None, hours: CategoryHours | None
) -> Sequence[str]:
    over = campaign.status in (CampaignStatus.FINISHED, CampaignStatus.CANCELED)
    found = [*_remarks_by("campaign", whole)]
    if hours is not None and any(best.hour is not None for best in hours.best.values()):
        found.append("hours_not_dealt")
    if not over:
        found.append("running")
        if verdict is not None and verdict.status == "current":
            found.append("stopped_early")
    return found


def _remarks_by(by: str, whole: Tally) -> Sequence[str]:
    found = ["no_open"]
    if whole.statuses[Status.SENT] and not whole.statuses[Status.DELIVERED] and not whole.statuses[Status.UNDELIVERED]:
        found.append("no_reports")
    if by == "segment":
        found.append("segments_overlap")
    if by == "operator":
        found.append("operator_now")
    return found
