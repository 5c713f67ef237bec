"""What is wrong with a campaign, an automation, an audience: told by its field, and nothing half done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from support.http import Api
from support.moved_gateway import counts_of, refused
from support.waiting import eventually

from gateway.daemon import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAMPAIGNS, AUTOMATIONS = "/v1/campaigns", "/v1/automations"
A, B, TRIED = "+33639980521", "+33639980522", "+33639980001"
PAST, FUTURE, LATER = "2020-01-01T00:00:00Z", "2026-01-06T10:00:00Z", "2026-01-07T10:00:00Z"
TWICE = [{"name": "a", "text": "x"}, {"name": "a", "text": "y"}]


@pytest_asyncio.fixture(loop_scope="session")
async def before(gateway: Gateway) -> AsyncIterator[None]:
    """Whatever happens meanwhile, there are as many messages, campaigns, members and automations after as before."""
    counted = await counts_of(gateway)
    yield
    assert await counts_of(gateway) == counted


@pytest.mark.parametrize(
    ("fields", "code", "pointers"),
    [
        ({"to": []}, "campaign_invalid", ["/to"]),
        ({"to": A}, "invalid_request", ["/to"]),
        ({"to": [A] * 1001}, "invalid_request", ["/to"]),
        ({"to": [A, "nowhere"]}, "to_invalid", ["/to/1"]),
        ({"to": [A, "+12"]}, "to_invalid", ["/to/1"]),
        ({"to": ["No Segment"]}, "to_invalid", ["/to/0"]),
        ({"to": None}, "invalid_request", ["/to"]),
        ({"name": " "}, "campaign_invalid", ["/name"]),
        ({"name": "a\nb"}, "campaign_invalid", ["/name"]),
        ({"name": "x" * 256}, "invalid_request", ["/name"]),
        ({"text": None}, "campaign_invalid", ["/variants"]),
        ({"text": ""}, "template_invalid", ["/text"]),
        ({"text": " \n"}, "template_invalid", ["/text"]),
        ({"text": None, "texts": {}}, "campaign_invalid", ["/texts"]),
        ({"text": None, "texts": {"fr": "x", "en": ""}}, "template_invalid", ["/texts/en"]),
        ({"text": "Hello {{ name"}, "template_invalid", ["/text"]),
        ({"text": None, "texts": {"fr": "{% if %}"}}, "template_invalid", ["/texts/fr"]),
        ({"template": "t"}, "campaign_invalid", ["/variants"]),
        ({"text": None, "template": "nowhere"}, "template_not_found", ["/template"]),
        ({"text": None, "variants": []}, "campaign_invalid", ["/variants"]),
        ({"text": None, "variants": TWICE}, "campaign_invalid", ["/variants/0/name", "/variants/1/name"]),
        ({"text": None, "variants": [{"name": "", "text": "x"}]}, "campaign_invalid", ["/variants/0/name"]),
        ({"text": None, "variants": [{"name": "a", "text": "{{"}]}, "template_invalid", ["/variants/0/text"]),
        ({"text": None, "variants": [{"name": "a"}]}, "campaign_invalid", ["/variants/0"]),
        ({"text": None, "variants": [{"name": "a", "text": "x", "weight": 0}]}, "campaign_invalid", ["/variants"]),
        (
            {"text": None, "variants": [{"name": "a", "text": "x", "weight": -1}]},
            "invalid_request",
            ["/variants/0/weight"],
        ),
        (
            {"text": None, "variants": [{"name": str(at), "text": "x"} for at in range(11)]},
            "invalid_request",
            ["/variants"],
        ),
        ({"pace": {"per_minute": 0}}, "campaign_invalid", ["/pace/per_minute"]),
        ({"pace": {"per_minute": -3}}, "campaign_invalid", ["/pace/per_minute"]),
        ({"pace": {"per_minute": 1.5}}, "invalid_request", ["/pace/per_minute"]),
        ({"pace": {"per_minute": "fast"}}, "invalid_request", ["/pace/per_minute"]),
        ({"pace": {"per_minute": 10**30}}, "campaign_invalid", ["/pace/per_minute"]),
        ({"pace": {}}, "invalid_request", ["/pace/per_minute"]),
        ({"pace": 60}, "invalid_request", ["/pace"]),
        ({"windows": ["9-5"]}, "campaign_invalid", ["/windows/0"]),
        ({"every": "now and then"}, "campaign_invalid", ["/every"]),
        ({"every": "1m"}, "campaign_invalid", ["/every"]),
        ({"until": PAST, "audience": "live"}, "campaign_invalid", ["/until"]),
        ({"until": FUTURE}, "campaign_invalid", ["/until"]),
        ({"decide_at": PAST}, "campaign_invalid", ["/decide_at"]),
        ({"decide_at": FUTURE, "decide_after": "1h"}, "campaign_invalid", ["/decide_at"]),
        ({"decide_after": "soon"}, "invalid_request", ["/decide_after"]),
        ({"test_share": 0}, "campaign_invalid", ["/test_share"]),
        ({"test_share": 1.1}, "campaign_invalid", ["/test_share"]),
        ({"metric": "luck"}, "invalid_request", ["/metric"]),
        ({"guard": {"opt_out_rate": 7}}, "campaign_invalid", ["/guard/opt_out_rate"]),
        ({"look_every": "1s"}, "campaign_invalid", ["/look_every"]),
        ({"audience": "everybody"}, "invalid_request", ["/audience"]),
        ({"category": "nope"}, "category_unknown", ["/category"]),
        ({"variables": {"x": "y" * 20_000}}, "campaign_invalid", ["/variables"]),
        ({"codes": "nowhere"}, "codes_not_found", ["/codes"]),
        ({"seed": 0}, "invalid_request", ["/seed"]),
        ({"nope": 1}, "invalid_request", ["/nope"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_campaign(before: None, api: Api, fields: dict[str, Any], code: str, pointers: list[str]) -> None:
    body = {"name": "x", "to": [A], "text": "Hello", **fields}
    for more in ({}, {"start": True, "force": True}):
        answer = await api.post(CAMPAIGNS, {**{name: each for name, each in body.items() if each is not None}, **more})
        assert refused(answer) == (422, code, pointers)
        assert all(each["message"] for each in answer.document["errors"])


async def test_what_a_draft_says_is_checked_when_it_is_changed_and_again_when_it_starts(
    gateway: Gateway, api: Api
) -> None:
    await api.post("/v1/segments", {"name": "refusals", "filter": f'number == "{A}"'})
    await api.post("/v1/contacts", {"number": A})
    await api.post("/v1/templates", {"name": "refusals", "texts": {"": "Hello {{ attributes.city }}"}})
    for text, code in (("Hello {{ nmae }}", "template_variable_missing"), ("x" * 5000, "template_too_long")):
        body = {"name": "x", "to": ["refusals"], "text": text, "start": True, "force": True}
        assert refused(await api.post(CAMPAIGNS, body)) == (422, code, ["/text"])
    made = await api.post(CAMPAIGNS, {"name": "x", "to": ["refusals"], "template": "refusals"})
    path, counted = f"{CAMPAIGNS}/{made.document['id']}", await counts_of(gateway)
    for fields, code, pointers in (
        ({"to": ["nowhere"]}, "to_invalid", ["/to/0"]),
        ({"text": "{{ x"}, "template_invalid", ["/text"]),
        ({"variants": TWICE}, "campaign_invalid", ["/variants/0/name", "/variants/1/name"]),
        ({"pace": {"per_minute": 0}}, "campaign_invalid", ["/pace/per_minute"]),
        ({"start": True}, "invalid_request", ["/start"]),
    ):
        assert refused(await api.ask("PATCH", path, json=fields)) == (422, code, pointers)
    assert (await api.get(path)).document == {
        name: each for name, each in made.document.items() if name not in {"estimate", "findings"}
    }
    for given, code, pointers in (
        ({"at": PAST}, "send_at_past", ["/at"]),
        ({"at": "tomorrow"}, "invalid_request", ["/at"]),
        ({"at": "2026-01-06T10:00:00"}, "invalid_request", ["/at"]),
        ({}, "invalid_request", ["/at"]),
        ({"at": FUTURE, "force": "yes"}, "invalid_request", ["/force"]),
        ({"at": FUTURE}, "template_variable_missing", ["/variants/0"]),
    ):
        assert refused(await api.post(f"{path}/schedule", given)) == (422, code, pointers)
    answer = await api.post(f"{path}/start", {"force": True})
    assert refused(answer) == (422, "template_variable_missing", ["/variants/0"])
    assert "1 person" in answer.document["detail"]
    assert "attributes.city" in answer.document["detail"]
    assert A not in str(answer.document)
    # What a draft goes to and says stays there.
    assert refused(await api.delete("/v1/segments/refusals")) == (409, "segment_in_use", [])
    assert refused(await api.delete("/v1/templates/refusals")) == (409, "template_in_use", [])
    moment = {"variants": [{"name": "a", "text": "x", "send_at": PAST}]}
    assert (await api.ask("PATCH", path, json=moment)).status == 200
    assert refused(await api.post(f"{path}/start")) == (422, "send_at_past", ["/variants/0/send_at"])
    assert await counts_of(gateway) == counted
    assert (await api.delete(path)).document["status"] == "draft"
    for method, act in (("GET", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/cancel"), ("POST", "/proof")):
        assert refused(await api.ask(method, path + act)) == (404, "campaign_not_found", [])
        assert refused(await api.ask(method, f"{CAMPAIGNS}/x{act}")) == (404, "campaign_not_found", [])


async def test_an_act_at_the_wrong_time(api: Api) -> None:
    made = await api.post(CAMPAIGNS, {"name": "x", "to": [A], "text": "x", "pace": {"per_minute": 1}})
    path = f"{CAMPAIGNS}/{made.document['id']}"
    for act in ("pause", "resume"):
        answer = await api.post(f"{path}/{act}")
        assert refused(answer) == (409, "campaign_state", [])
        assert answer.document["detail"] == f"the campaign is draft: {act} is not possible now"
    first = await api.post(f"{path}/start")
    again = await api.post(f"{path}/start")
    assert (again.status, again.document["started_at"]) == (200, first.document["started_at"])
    assert refused(await api.post(f"{path}/schedule", {"at": FUTURE})) == (409, "campaign_state", [])
    for _ in range(2):
        assert (await api.post(f"{path}/cancel")).document["status"] == "canceled"
    for act in ("start", "resume", "pause"):
        assert refused(await api.post(f"{path}/{act}")) == (409, "campaign_state", [])
    assert refused(await api.delete(path)) == (409, "campaign_state", [])


async def test_who_may_do_what(gateway: Gateway, api: Api, holder: Any) -> None:
    body = {"name": "x", "to": [A], "text": "x"}
    made = (await api.post(CAMPAIGNS, body)).document["id"]
    await api.ask("PUT", f"{AUTOMATIONS}/scopes", json={"text": "x"})
    counted = await counts_of(gateway)
    stranger = await holder("send", "read:all", "contacts")
    for method, path in (
        ("GET", CAMPAIGNS),
        ("POST", CAMPAIGNS),
        *((method, f"{CAMPAIGNS}/{made}") for method in ("GET", "PATCH", "DELETE")),
        ("GET", f"{CAMPAIGNS}/{made}/members"),
        *(("POST", f"{CAMPAIGNS}/{made}/{act}") for act in ("proof", "schedule", "start", "pause", "resume", "cancel")),
        ("GET", AUTOMATIONS),
        ("POST", AUTOMATIONS),
        *((method, f"{AUTOMATIONS}/scopes") for method in ("GET", "PUT", "DELETE")),
        ("GET", f"/v1/reports/campaign/{made}"),
    ):
        assert refused(await stranger.ask(method, path, json=body)) == (403, "scope_missing", []), (method, path)
    writer = await holder("campaigns")
    assert refused(await writer.post(f"{AUTOMATIONS}/scopes/trigger", {"to": A})) == (403, "scope_missing", [])
    narrow = await holder("campaigns", "send", categories=["transactional"])
    for fields in ({"category": "promotional"}, {"category": "emergency"}):
        assert refused(await narrow.post(CAMPAIGNS, {**body, **fields})) == (403, "category_not_allowed", [])
        rule = {"text": "x", **fields}
        assert refused(await narrow.ask("PUT", f"{AUTOMATIONS}/x", json=rule)) == (403, "category_not_allowed", [])
    other = await holder("campaigns", categories=["promotional"], default_category="promotional")
    for act in ("start", "cancel", "proof"):
        assert refused(await other.post(f"{CAMPAIGNS}/{made}/{act}")) == (403, "category_not_allowed", [])
    assert await counts_of(gateway) == counted
    assert (await api.delete(f"{CAMPAIGNS}/{made}")).status == 200


async def test_a_token_that_tests_reaches_the_test_network_alone(gateway: Gateway, api: Api, holder: Any) -> None:
    await api.post("/v1/segments", {"name": "real-people", "filter": "true"})
    foreign = (await api.post(CAMPAIGNS, {"name": "x", "to": [A], "text": "x"})).document["id"]
    await api.ask("PUT", f"{AUTOMATIONS}/tested", json={"text": "Told of {{ what }}"})
    trial = await holder("campaigns", "send", "read", test=True)
    counted = await counts_of(gateway)
    named = await trial.post(CAMPAIGNS, {"name": "x", "to": [TRIED, "real-people"], "text": "x", "start": True})
    assert refused(named) == (403, "test_token", ["/to/1"])
    for act in ("start", "cancel", "proof"):
        assert refused(await trial.post(f"{CAMPAIGNS}/{foreign}/{act}")) == (404, "campaign_not_found", [])
    assert (await trial.get(CAMPAIGNS)).items == []
    for method, path in (("PUT", "tested"), ("DELETE", "tested")):
        answer = await trial.ask(method, f"{AUTOMATIONS}/{path}", json={"text": "x"})
        assert refused(answer) == (403, "test_token", [])
    assert await counts_of(gateway) == counted
    body = {"name": "x", "to": [TRIED, B], "text": "A rehearsal", "start": True, "pace": {"per_minute": 100}}
    made = await trial.post(CAMPAIGNS, body)
    assert (made.status, made.document["status"]) == (201, "running")
    told = await trial.post(f"{AUTOMATIONS}/tested/trigger", {"to": A, "variables": {"what": "it"}})
    assert (told.document["message"]["text"], told.document["message"]["simulated"]) == ("Told of it", True)
    assert (await trial.post(f"{CAMPAIGNS}/{made.document['id']}/cancel")).status == 200
    assert {each["simulated"] for each in (await trial.get("/v1/messages")).items} == {True}
    for path in (f"{CAMPAIGNS}/{foreign}", f"{AUTOMATIONS}/tested"):
        assert (await api.delete(path)).status == 200


@pytest.mark.parametrize(
    ("rule", "code", "pointers"),
    [
        ({}, "automation_invalid", ["/text"]),
        ({"text": "x", "template": "y"}, "automation_invalid", ["/text"]),
        ({"template": "nowhere"}, "template_not_found", ["/template"]),
        ({"text": "{{ x"}, "template_invalid", ["/text"]),
        ({"text": ""}, "template_invalid", ["/text"]),
        ({"texts": {"fr": "{{ x"}}, "template_invalid", ["/texts/fr"]),
        ({"text": "x", "after": "1h", "before": "1h"}, "automation_invalid", ["/after"]),
        ({"text": "x", "after": "soon"}, "invalid_request", ["/after"]),
        ({"text": "x", "after": "9999d"}, "automation_invalid", ["/after"]),
        ({"text": "x", "days_before": 1}, "automation_invalid", ["/at"]),
        ({"text": "x", "days_before": -1, "at": "18:00"}, "automation_invalid", ["/days_before"]),
        ({"text": "x", "days_before": 1, "at": "24:00"}, "automation_invalid", ["/at"]),
        ({"text": "x", "category": "nope"}, "category_unknown", ["/category"]),
        ({"text": "x", "name": "other"}, "invalid_request", ["/name"]),
        ({"text": "x", "nope": 1}, "invalid_request", ["/nope"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_rule(before: None, api: Api, rule: dict[str, Any], code: str, pointers: list[str]) -> None:
    assert refused(await api.ask("PUT", f"{AUTOMATIONS}/wrong", json=rule)) == (422, code, pointers)
    assert refused(await api.get(f"{AUTOMATIONS}/wrong")) == (404, "automation_not_found", [])


async def test_an_event(gateway: Gateway, api: Api) -> None:
    rule = {"text": "See you at {{ hour }}", "before": "24h"}
    assert (await api.ask("PUT", f"{AUTOMATIONS}/visit", json=rule)).status == 200
    assert refused(await api.post(AUTOMATIONS, {"name": "visit", **rule})) == (409, "automation_exists", [])
    assert refused(await api.post(AUTOMATIONS, {"name": "No Name", **rule})) == (422, "automation_invalid", ["/name"])
    counted = await counts_of(gateway)
    event = {"to": A, "at": LATER, "variables": {"hour": "9"}, "reference": "a17"}
    for fields, code, pointers in (
        ({"at": None}, "at_missing", ["/at"]),
        ({"at": PAST}, "about_at_invalid", ["/at"]),
        ({"at": "tomorrow"}, "invalid_request", ["/at"]),
        ({"variables": {}}, "template_variable_missing", ["/variables"]),
        ({"variables": {"huor": "9"}}, "template_variable_missing", ["/variables"]),
        ({"variables": ["9"]}, "invalid_request", ["/variables"]),
        ({"to": None}, "number_invalid", ["/to"]),
        ({"to": "the caretaker"}, "number_invalid", ["/to"]),
        ({"reference": None, "cancel": True}, "reference_missing", ["/reference"]),
        ({"hour": "9"}, "invalid_request", ["/hour"]),
    ):
        body = {name: each for name, each in {**event, **fields}.items() if each is not None}
        assert refused(await api.post(f"{AUTOMATIONS}/visit/trigger", body)) == (422, code, pointers)
    for method, path in (("POST", "nowhere/trigger"), ("GET", "nowhere"), ("DELETE", "nowhere")):
        answer = await api.ask(method, f"{AUTOMATIONS}/{path}", **({"json": event} if method == "POST" else {}))
        assert refused(answer) == (404, "automation_not_found", [])
    assert await counts_of(gateway) == counted
    assert (await api.delete(f"{AUTOMATIONS}/visit")).status == 200


async def test_a_file_of_contacts_in_latin_1_with_semicolons_and_somebody_twice(before: None, api: Api) -> None:
    lines = "Téléphone;Nom complet;Ville\n06 39 98 05 31;Zoë;Orléans\n06 39 98 05 31;Chloé;Metz\n06 39;Bo;Metz\n"
    answer = await api.post("/v1/contacts/import", data=lines.encode("latin-1"), headers={"Content-Type": "text/csv"})
    assert answer.status == 202, answer.document
    path = f"/v1/contacts/imports/{answer.document['id']}"

    async def read() -> dict[str, Any] | None:
        found = (await api.get(path)).document
        return found if found["status"] != "running" else None

    done = await eventually(read)
    assert done is not None
    assert (done["charset"], done["delimiter"], done["added"], done["rejected"]) == ("cp1252", ";", 1, 2)
    rejected = (await api.get(f"{path}/rejections")).items
    assert [(each["line"], each["code"]) for each in rejected] == [(3, "number_twice"), (4, "number_invalid")]
    kept = (await api.get("/v1/contacts/%2B33639980531")).document
    assert (kept["name"], kept["attributes"]) == ("Zoë", {"ville": "Orléans"})
    refusal = await api.post("/v1/segments", {"name": "misspelt", "filter": 'attributes.vile == "Metz"'})
    assert refused(refusal) == (422, "filter_unknown", ["/filter"])
    assert "did you mean attributes.ville" in refusal.document["detail"]
