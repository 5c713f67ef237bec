"""Campaigns over HTTP, from the draft to the report: a gateway of their own, whose clock the tests move."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import pytest_asyncio
from support.daemon import Client
from support.event_stream import stream
from support.moved_gateway import Moved, counts_of, moved_gateway, refused
from support.settings import category
from support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAMPAIGNS = "/v1/campaigns"
A, B, C, D = (f"+3363998050{at}" for at in range(1, 5))
NIGHT = category("night", quiet_hours=("00:00-23:59",), consent="none", stoppable=True, priority=3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def g(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Moved]:
    async with moved_gateway(tmp_path_factory.mktemp("campaigns"), NIGHT) as moved:
        yield moved


async def test_from_a_draft_to_the_report(g: Moved) -> None:
    await g.people("check-up", A, B, C)
    body = {"name": "Check-up", "to": ["check-up"], "text": "Time for it, {{ number }}", "pace": {"per_minute": 60}}
    made = await g.ok("POST", CAMPAIGNS, body)
    path = f"{CAMPAIGNS}/{made['id']}"
    nobody = {"members": 0, "queued": 0, "left_out": 0, "waiting": 0}
    assert (made["status"], made["counts"], made["estimate"], made["findings"]) == ("draft", nobody, None, [])
    changed = await g.ok("PATCH", path, {"name": "Check-up in spring"})
    assert (changed["name"], changed["to"], changed["pace"]) == ("Check-up in spring", ["check-up"], {"per_minute": 60})
    at = g.later(hours=1)
    planned = await g.act(made["id"], "schedule", {"at": at})
    assert (planned["status"], planned["scheduled_at"], planned["counts"]["members"]) == ("scheduled", at, 3)
    assert (planned["estimate"]["recipients"], planned["estimate"]["parts"]) == (3, 3)
    # Another moment is no second campaign.
    await g.act(made["id"], "schedule", {"at": g.later(minutes=30)})
    assert await g.sent(made["id"]) == []
    g.advance(minutes=30)
    await g.until(made["id"], lambda one: one["counts"]["queued"] == 1)
    assert (await g.act(made["id"], "pause"))["status"] == "paused"
    assert (await g.act(made["id"], "pause"))["status"] == "paused"
    assert (await g.delivered(made["id"], 1))[0]["text"].startswith("Time for it, +336")
    g.advance(seconds=30)
    assert (await g.campaign(made["id"]))["counts"] == {"members": 3, "queued": 1, "left_out": 0, "waiting": 2}
    assert refused(await g.api.post(f"{path}/start")) == (409, "campaign_state", [])
    assert (await g.act(made["id"], "resume"))["status"] == "running"
    await g.passing(made["id"], lambda one: one["counts"]["queued"] == 3)
    await g.delivered(made["id"], 3)
    done = await g.finished(made["id"])
    assert done["counts"] == {"members": 3, "queued": 3, "left_out": 0, "waiting": 0}
    assert done["started_at"] < done["finished_at"]
    texts = {each["to"]: each["text"] for each in await g.delivered(made["id"], 3)}
    assert texts == {number: f"Time for it, {number}" for number in (A, B, C)}
    members = (await g.api.get(f"{path}/members?state=queued")).items
    assert {each["number"] for each in members} == {A, B, C}
    assert {each["message_id"] for each in members} == {each["id"] for each in await g.sent(made["id"])}
    report = await g.ok("GET", f"/v1/reports/campaign/{made['id']}")
    assert (report["figures"]["accepted"], report["figures"]["statuses"]["delivered"]) == (3, 3)
    for act in ("start", "pause", "resume", "cancel"):
        assert refused(await g.api.post(f"{path}/{act}")) == (409, "campaign_state", [])
    assert refused(await g.api.ask("PATCH", path, json={"name": "x"})) == (409, "campaign_state", [])
    assert refused(await g.api.delete(path)) == (409, "campaign_state", [])


async def test_a_proof_is_each_variant_and_none_of_the_campaign(g: Moved) -> None:
    variants = [{"name": "tu", "text": "Salut {{ name }}"}, {"name": "vous", "text": "Bonjour {{ name }}, {{ place }}"}]
    body = {"name": "Two ways", "to": [A], "variants": variants, "variables": {"place": "Metz"}}
    made = await g.ok("POST", CAMPAIGNS, body)
    proof, before = f"{CAMPAIGNS}/{made['id']}/proof", await counts_of(g.gateway)
    assert refused(await g.api.post(proof, {})) == (422, "proof_to_missing", ["/to"])
    assert refused(await g.api.post(proof, {"to": D})) == (422, "template_variable_missing", ["/variants/0"])
    assert refused(await g.api.post(proof, {"to": "12"}))[:2] == (422, "number_invalid")
    assert await counts_of(g.gateway) == before
    sent = await g.ok("POST", proof, {"to": D, "variables": {"name": "Ada"}})
    found = [await g.ok("GET", f"/v1/messages/{each['id']}") for each in sent["items"]]
    assert [each["text"] for each in found] == ["Salut Ada", "Bonjour Ada, Metz"]
    assert {each["to"] for each in found} == {D}
    await g.ok("PATCH", f"{CAMPAIGNS}/{made['id']}", {"proof_to": D, "variables": {"place": "Metz", "name": "Lou"}})
    assert len((await g.ok("POST", proof))["items"]) == 2
    assert await g.sent(made["id"]) == []
    assert (await g.campaign(made["id"]))["counts"]["members"] == 0


async def test_what_a_proof_reader_finds_keeps_it_a_draft_unless_somebody_insists(g: Moved) -> None:
    body = {"name": "Hasty", "to": [A, B], "text": "Bonjour {prenom}, à demain !!!!"}
    before = await counts_of(g.gateway)
    assert refused(await g.api.post(CAMPAIGNS, {**body, "start": True})) == (422, "lint_failed", ["/text"])
    assert await counts_of(g.gateway) == before, "what was to start at once is not kept"
    made = await g.ok("POST", CAMPAIGNS, body)
    drafted = await counts_of(g.gateway)
    for act, given in (("start", {}), ("schedule", {"at": g.later(hours=1)})):
        answer = await g.api.post(f"{CAMPAIGNS}/{made['id']}/{act}", given)
        assert refused(answer) == (422, "lint_failed", ["/variants/0"])
        assert "missing_field" in answer.document["errors"][0]["message"]
        assert await counts_of(g.gateway) == drafted
    assert (await g.campaign(made["id"]))["status"] == "draft"
    started = await g.act(made["id"], "start", {"force": True})
    found = {each["code"]: each["error"] for each in started["findings"]}
    assert (started["status"], found["missing_field"]) == ("running", True)
    assert False in found.values(), "a warning is told, and refuses nothing"
    await g.delivered(made["id"], 2)


@pytest.mark.parametrize(
    ("fields", "code", "pointers"),
    [
        ({"text": "Salut {{ attributes.city }}"}, "template_variable_missing", ["/variants/0"]),
        ({"text": "{% if false %}x{% endif %}"}, "text_empty", ["/variants/0"]),
        ({"text": "x" * 2000}, "text_too_long", ["/variants/0"]),
        ({"text": "x" * 5000}, "template_too_long", ["/variants/0"]),
        ({"to": ["nobody-there"]}, "audience_empty", ["/to"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_no_force_starts_what_cannot_be_sent(
    g: Moved, fields: dict[str, object], code: str, pointers: list[str]
) -> None:
    await g.people("nobody-there")
    made = await g.ok("POST", CAMPAIGNS, {"name": "Impossible", "to": [A, B], "text": "x", **fields})
    before = await counts_of(g.gateway)
    for act, given in (("start", {}), ("schedule", {"at": g.later(hours=1)})):
        answer = await g.api.post(f"{CAMPAIGNS}/{made['id']}/{act}", {**given, "force": True})
        assert refused(answer) == (422, code, pointers)
        assert (await counts_of(g.gateway), (await g.campaign(made["id"]))["status"]) == (before, "draft")
    await g.ok("DELETE", f"{CAMPAIGNS}/{made['id']}")


async def test_a_live_one_writes_to_who_comes_while_it_runs(g: Moved) -> None:
    await g.people("welcome", A)
    body = {"name": "Welcome", "to": ["welcome"], "text": "Welcome {{ name }}", "audience": "live"}
    body |= {"until": g.later(hours=1), "look_every": "10m", "start": True}
    assert (await g.api.ask("PATCH", f"/v1/contacts/{A}", json={"name": "Ada"})).status == 200
    made = await g.ok("POST", CAMPAIGNS, body)
    await g.delivered(made["id"], 1)
    await g.people("welcome", B, name="Bo")
    await g.people("welcome", C)
    g.advance(minutes=10)
    await g.until(made["id"], lambda one: one["counts"]["members"] == 3)
    texts = {each["to"]: each["text"] for each in await g.delivered(made["id"], 2)}
    assert texts == {A: "Welcome Ada", B: "Welcome Bo"}
    left = (await g.api.get(f"{CAMPAIGNS}/{made['id']}/members?state=left_out")).items
    assert [(each["number"], each["reason"]) for each in left] == [(C, "template_variable_missing")]
    g.advance(hours=1)
    assert (await g.finished(made["id"]))["counts"]["queued"] == 2


async def test_a_recurring_one_begins_a_campaign_each_time_until_it_is_canceled(g: Moved) -> None:
    await g.people("weekly", A, B)
    made = await g.ok(
        "POST", CAMPAIGNS, {"name": "Menu", "to": ["weekly"], "text": "Menu", "every": "1d", "start": True}
    )
    assert (made["status"], made["next_at"]) == ("running", made["started_at"])

    async def runs() -> list[dict[str, object]]:
        return (await g.api.get(f"{CAMPAIGNS}?parent={made['id']}")).items

    for count in (1, 2, 3):

        async def begun(count: int = count) -> bool:
            found = await runs()
            return len(found) == count and all(each["counts"]["queued"] == 2 for each in found)

        await eventually(begun, 20, f"run {count}")
        await g.delivered(str((await runs())[0]["id"]), 2)
        if count < 3:
            g.advance(days=1)
    first = (await runs())[-1]
    assert (first["name"], first["parent"], first["every"]) == ("Menu", made["id"], None)
    sent = [await g.sent(run["id"]) for run in await runs()]
    written = Counter(each["to"] for messages in sent for each in messages)
    assert written == {A: 3, B: 3}
    assert (await g.act(made["id"], "cancel"))["status"] == "canceled"
    g.advance(days=2)
    body = {"name": "After", "to": [A], "text": "Another, behind which the engine has looked", "start": True}
    await g.delivered((await g.ok("POST", CAMPAIGNS, body))["id"], 1)
    assert len(await runs()) == 3
    assert {each["status"] for each in await runs()} <= {"canceled", "finished"}


async def test_an_emergency_reaches_a_segment_in_one_call_whatever_they_opted_out_of(g: Moved) -> None:
    await g.people("all-staff", A, B, C)
    assert (await g.api.post("/v1/optouts", {"number": C})).status == 201
    body = {"name": "Fire", "to": ["all-staff"], "text": "Leave the building"}
    rung = await g.ok("POST", CAMPAIGNS, {**body, "category": "emergency", "start": True})
    assert (rung["status"], rung["estimate"]["recipients"], rung["estimate"]["modems"]) == ("running", 3, 1)
    assert {each["to"] for each in await g.delivered(rung["id"], 3)} == {A, B, C}
    # What anything else would do to them at this hour.
    held = await g.ok("POST", CAMPAIGNS, {**body, "category": "night", "start": True})
    await g.until(held["id"], lambda one: one["counts"]["queued"] == 2)
    assert {(each["status"], each["hold"]["rule"]) for each in await g.sent(held["id"])} == {("held", "quiet_hours")}
    left = (await g.api.get(f"{CAMPAIGNS}/{held['id']}/members?state=left_out")).items
    assert [(each["number"], each["reason"]) for each in left] == [(C, "opt_out")]
    assert (await g.act(held["id"], "cancel"))["status"] == "canceled"
    await g.until(held["id"], lambda one: one["counts"]["waiting"] == 0)

    async def ended() -> bool:
        return {each["status"] for each in await g.sent(held["id"])} == {"canceled"}

    await eventually(ended, 20, "the canceled messages")
    assert (await g.ok("DELETE", f"/v1/optouts?number={C.replace('+', '%2B')}"))["number"] == C


async def test_somebody_who_is_named_twice_is_written_to_once(g: Moved) -> None:
    await g.people("named", A, B)
    body = {"name": "Once", "to": ["named", A, "06 39 98 05 01", B, "named"], "text": "Once", "start": True}
    for audience in ("frozen", "live"):
        made = await g.ok("POST", CAMPAIGNS, {**body, "audience": audience})
        assert {each["to"] for each in await g.delivered(made["id"], 2)} == {A, B}
        assert (await g.campaign(made["id"]))["counts"] == {"members": 2, "queued": 2, "left_out": 0, "waiting": 0}


async def test_two_variants_are_tried_and_what_comes_of_it_is_told(g: Moved) -> None:
    numbers = [f"+336399806{at:02}" for at in range(40)]
    variants = [{"name": "short", "text": "Short"}, {"name": "long", "text": "Longer"}]
    body = {"name": "Try", "to": numbers, "variants": variants, "test_share": 0.3, "decide_after": "1h", "seed": 7}
    async with aclosing(stream(Client(g.api.session, g.api.url, g.gateway.admin_token), types="campaign.*")) as told:
        assert (await anext(told))[1] == ""
        made = await g.ok("POST", CAMPAIGNS, {**body, "start": True})
        tried = (await g.until(made["id"], lambda one: one["counts"]["queued"] > 0))["counts"]
        assert 4 <= tried["queued"] <= 20
        await g.delivered(made["id"], tried["queued"])
        assert {each["state"] for each in (await g.api.get(f"{CAMPAIGNS}/{made['id']}/members")).items} == {
            "queued",
            "waiting",
        }
        g.advance(hours=1)
        sent = await g.delivered(made["id"], 40)
        done = await g.finished(made["id"])
        assert (done["winner"], done["decision"]["winner"]) == (None, None), "both arrive: there is no difference"
        assert sum(each["tried"] for each in done["decision"]["counts"]) == tried["queued"]
        assert Counter(each["text"] for each in sent)["Short"] > 20, "the others get the first"
        events: list[Any] = []
        async for _, kind, event in told:
            # Others may finish meanwhile.
            events += [event] if event["data"]["id"] == made["id"] else []
            if kind == "campaign.finished" and events and events[-1] == event:
                break
    assert [each["type"] for each in events] == [
        f"campaign.{word}" for word in ("draft", "running", "decided", "finished")
    ]
    data = events[2]["data"]
    assert {name: data[name] for name in ("id", "name", "winner")} == {"id": made["id"], "name": "Try", "winner": None}
    assert set(data) == {"id", "name", "winner", "detail"}
    assert "+33" not in str(events)
