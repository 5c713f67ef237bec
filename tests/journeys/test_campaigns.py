"""Campaigns of a whole daemon over slow modems: who says STOP meanwhile, who stops all of it, and who is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.campaign_rig import MODEMS, CampaignRig, campaign_rig
from support.daemon import Client
from support.event_stream import stream
from support.receiving import receiver
from support.waiting import eventually

from gateway.clock import SystemClock

VARIANTS = [{"name": "tu", "text": "Viens, {{ name }}"}, {"name": "vous", "text": "Venez, {{ name }}"}]
TEXTS = ("Viens", "Venez")
FACTS = {"id", "name", "status", "reason", "parent", "detail"}
PEOPLE = 30
#: Until a test lets the modems hurry.
SLOW = "late-answer:times=0,after=500ms"
#: Of each variant so many leave while the campaign runs, before it is their turn.
EACH = 3


def people(count: int) -> list[str]:
    """So many numbers."""
    return [f"+33{640_000_000 + at}" for at in range(count)]


def written_to(rig: CampaignRig) -> Counter[str]:
    """How often each person was written to by a campaign's variants."""
    return Counter(each.to for text in TEXTS for each in rig.air(text))


async def _last_of(rig: CampaignRig, campaign_id: str, variant: str) -> list[str]:
    """Those whose turn comes last of those who get a variant."""
    members = await rig.client.ok("GET", f"/v1/campaigns/{campaign_id}/members", limit="1000")
    return [each["number"] for each in members["items"] if each["variant"] == variant][-EACH:]


async def _leave(rig: CampaignRig, numbers: Sequence[str]) -> None:
    """One by a text, one over HTTP, one on the command line: each is known when this returns."""
    by_text, by_request, by_command = numbers
    await rig.hear(by_text, "STOP")
    await rig.client.ok("POST", "/v1/optouts", {"number": by_request})
    done = await rig.command("optouts", "add", by_command)
    assert done.exit_code == 0, done.output


def _marks_after_a_stop(rig: CampaignRig) -> list[tuple[Any, ...]]:
    """Parts of campaigns that were begun to be sent after the person had left."""
    return rig.rows(
        "SELECT attempt.id FROM attempt JOIN message ON message.id = message_id JOIN optout USING (recipient_id)"
        " WHERE message.campaign_id IS NOT NULL AND attempt.marked_us > optout.since_us AND optout.lifted_us IS NULL"
    )


async def test_who_leaves_while_it_runs_hears_nothing_more_in_any_variant_and_no_file_brings_them_back(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    async with campaign_rig(tmp_path, "--trouble", SLOW) as rig:
        numbers = people(PEOPLE)
        imported = await rig.import_people(numbers)
        assert (imported["added"], imported["consents"], imported["withheld"]) == (PEOPLE, PEOPLE, 0)
        await rig.segment()
        first = await rig.start(variants=VARIANTS)
        await eventually(lambda: len(written_to(rig)) >= 4, 20, "the first messages")
        leaving = [await _last_of(rig, first, each["name"]) for each in VARIANTS]
        for each in leaving:
            await _leave(rig, each)
        left = {number for each in leaving for number in each}
        assert not left & set(written_to(rig)), "the campaign was too quick for this test"
        # Whoever was written to a moment ago, and whoever is next, may be under way: what counts is the mark.
        early = next(iter(written_to(rig)))
        await rig.hear(early, "STOP")
        again = await rig.import_people(numbers)
        assert (again["added"], again["consents"], again["withheld"]) == (0, 0, len(left) + 1)
        assert (await rig.client.ok("GET", f"/v1/campaigns/{first}"))["status"] == "running", "all of it while it runs"
        await rig.hurry()
        done = await rig.over(first)
        assert (done["counts"]["members"], done["counts"]["waiting"]) == (PEOPLE, 0)
        assert written_to(rig) == Counter(set(numbers) - left)
        assert _marks_after_a_stop(rig) == []
        tell(f"{len(left) + 1} of {PEOPLE} left while a campaign of two variants ran: no part was begun after that")
        await _is_told(rig, first, left, early)
        # What begins anew, and what goes to them by name, brings nobody back either.
        assert (await rig.client.call("POST", f"/v1/campaigns/{first}/start"))[0] in {200, 409}
        second = await rig.start(variants=VARIANTS, to=[rig.tag, *sorted(left)], audience="live")
        await rig.until(second, lambda one: one["counts"]["members"] == PEOPLE)
        done = await rig.over(second)
        assert (done["counts"]["queued"], done["counts"]["left_out"]) == (PEOPLE - len(left) - 1, len(left) + 1)
        report = await rig.client.ok("GET", f"/v1/reports/campaign/{second}")
        assert report["figures"]["left_out"] == {"opt_out": len(left) + 1}
        stayed = set(numbers) - left
        assert written_to(rig) == Counter(dict.fromkeys(stayed - {early}, 2) | {early: 1})
        assert _marks_after_a_stop(rig) == []


async def _is_told(rig: CampaignRig, campaign_id: str, left: set[str], early: str) -> None:
    """The report: who left after its message began unsubscribed; who left before that was suppressed, or left out."""
    report = await rig.client.ok("GET", f"/v1/reports/campaign/{campaign_id}")
    figures = report["figures"]
    unsent = figures["statuses"]["suppressed"] + figures["left_out"].get("opt_out", 0)
    assert (figures["unsubscribed"], unsent) == (1, len(left))
    assert figures["statuses"]["delivered"] == PEOPLE - len(left)
    for each in report["variants"]:
        assert each["statuses"]["suppressed"] + each["left_out"].get("opt_out", 0) == EACH
    assert not [number for number in (*left, early) if number in str(report)]
    shown = await rig.client.ok("GET", "/v1/contacts", hygiene="unsubscribed", limit="1000")
    assert {each["number"] for each in shown["items"]} == {*left, early}


async def _stops(rig: CampaignRig, campaign_id: str, act: str, count: int) -> str:
    """Pause or cancel a campaign of which so many are queued; what was measured. What leaves after the answer was
    begun before: at most a part of each modem."""
    clock = SystemClock()
    asked_us = clock.now_us()
    await rig.act(campaign_id, act)
    answered_us, sent = clock.now_us(), len(rig.air("Campaign"))
    # What is behind a campaign leaves now: the modems were not idle.
    for number in people(6):
        other = await rig.client.send(number, "Other", category="low")
        await rig.client.until(other["id"], "delivered")
    late = [each for each in rig.air("Campaign") if each.at_us > answered_us]
    assert len(rig.air("Campaign")) <= sent + MODEMS
    assert all(each.at_us < asked_us + 1_000_000 for each in late)
    return f"{act} of {count} queued: answered in {(answered_us - asked_us) / 1000:.0f} ms, {len(late)} left after it"


async def _paused_resumed_canceled(rig: CampaignRig, count: int, tell: Callable[[str], None]) -> None:
    await rig.import_people(people(count))
    await rig.segment()
    campaign_id = await rig.start(text="Campaign")
    await rig.until(campaign_id, lambda one: one["counts"]["queued"] == count, 600)
    tell(await _stops(rig, campaign_id, "pause", count))
    shown = await rig.client.ok("GET", "/v1/messages", campaign=campaign_id, limit="1")
    assert (shown["items"][0]["status"], shown["items"][0]["hold"]["rule"]) == ("held", "paused")
    sent = len(rig.air("Campaign"))
    await rig.act(campaign_id, "resume")
    await eventually(lambda: len(rig.air("Campaign")) >= sent + 4, 20, "what was paused")
    tell(await _stops(rig, campaign_id, "cancel", count))
    query = f"SELECT status, count(*) FROM message WHERE campaign_id = '{campaign_id}' GROUP BY status"
    await eventually(lambda: not {"queued", "held", "sending", "sent"} & dict(rig.rows(query)).keys(), 600, "its end")
    ended = dict(rig.rows(query))
    assert ended == {"delivered": len(rig.air("Campaign")), "canceled": count - len(rig.air("Campaign"))}
    assert max(Counter(each.to for each in rig.air("Campaign")).values()) == 1
    assert (await rig.client.ok("GET", f"/v1/campaigns/{campaign_id}"))["status"] == "canceled"


async def test_pause_and_cancel_stop_what_has_not_left_within_a_second_and_all_who_listen_are_told(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    async with receiver() as hook, campaign_rig(tmp_path, "--latency", "50ms") as rig:
        hooked = await rig.client.ok("POST", "/v1/webhooks", {"url": hook.url, "types": ["campaign.*"]})
        listening = asyncio.Event()
        following = asyncio.create_task(_follow(rig.client, listening))
        await asyncio.wait_for(listening.wait(), 10)
        await _paused_resumed_canceled(rig, 400, tell)
        told = await asyncio.wait_for(following, 10)
        await eventually(lambda: len(hook.told) == len(told), 10, "the webhook")
        assert hooked["types"] == ["campaign.*"]
    words = ["draft", "running", "paused", "running", "canceled"]
    assert [each["type"] for each in told] == [f"campaign.{word}" for word in words]
    assert [each["data"]["status"] for each in told] == words
    assert {(each["data"]["name"], each["data"]["reason"], each["data"]["parent"]) for each in told} == {
        ("c", None, None)
    }
    for each in told:
        assert (list(each), set(each["data"])) == (["type", "timestamp", "data"], FACTS)
        assert not [word for word in ("+33", "3364", "Campaign", "Person") if word in str(each)]
    assert sorted((each.document for each in hook.told), key=lambda one: one["timestamp"]) == told


async def _follow(client: Client, listening: asyncio.Event) -> list[Any]:
    """What the stream tells of campaigns until one is canceled."""
    told: list[Any] = []
    async with aclosing(stream(client, types="campaign.*")) as events:
        async for _, kind, body in events:
            listening.set()
            told += [body] if kind else []
            if kind == "campaign.canceled":
                break
    return told


@pytest.mark.long
async def test_pause_and_cancel_of_a_hundred_thousand(tmp_path: Path, tell: Callable[[str], None]) -> None:
    async with campaign_rig(tmp_path, "--latency", "50ms") as rig:
        await _paused_resumed_canceled(rig, 100_000, tell)
