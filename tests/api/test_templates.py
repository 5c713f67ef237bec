"""`/v1/templates`, and messages whose text is made of a template."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio
from support.crowd import Someone, fill
from support.http import Api

from gateway.daemon import Gateway

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("nobody")]

MARIE, LOUIS = "+33639980511", "+33639980512"
TEXTS = {
    "fr": "Bonjour {{ name }}, rendez-vous {{ at | day }} à {{ at | time }}.",
    "en": "Hello {{ name }}, your appointment is on {{ at | day }} at {{ at | time }}.",
}
AT = {"at": "2026-12-01T09:30:00+01:00"}


@pytest_asyncio.fixture(loop_scope="session")
async def people(gateway: Gateway, nobody: None) -> None:
    await fill(
        gateway.services.segments._store,
        [
            Someone(number=MARIE, name="Marie", attributes={"city": "Lyon"}),
            Someone(number=LOUIS, name="Louis", language="en-GB", timezone="America/New_York"),
        ],
    )


@pytest_asyncio.fixture(loop_scope="session")
async def visit(api: Api, people: None):
    made = await api.post("/v1/templates", {"name": "visit", "texts": TEXTS})
    assert made.status == 201, made.document
    yield "visit"
    assert (await api.delete("/v1/templates/visit")).status == 200


async def test_a_template_is_made_changed_and_removed(api: Api):
    made = await api.post("/v1/templates", {"name": "greeting", "text": "Hello {{ name }} of {{ attributes.moon }}"})
    assert (made.status, made.document["texts"]) == (201, {"": "Hello {{ name }} of {{ attributes.moon }}"})
    assert made.document["variables"] == ["attributes.moon", "name"]
    assert [each["code"] for each in made.document["warnings"]] == ["attribute_unknown"]
    assert (await api.get("/v1/templates/greeting")).document == made.document
    assert (await api.get("/v1/templates")).items[0] == made.document
    assert (await api.post("/v1/templates", {"name": "greeting", "text": "x"})).code == "template_exists"
    changed = await api.ask("PUT", "/v1/templates/greeting", json={"texts": {"fr": "Salut {{ name }}"}})
    assert (changed.status, changed.document["texts"]) == (200, {"fr": "Salut {{ name }}"})
    assert (await api.delete("/v1/templates/greeting")).document == changed.document
    for gone in (
        await api.get("/v1/templates/greeting"),
        await api.delete("/v1/templates/greeting"),
        await api.ask("PUT", "/v1/templates/greeting", json={"text": "x"}),
        await api.post("/v1/templates/greeting/preview", {"to": [MARIE]}),
    ):
        assert (gone.status, gone.code) == (404, "template_not_found")


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        ({"name": "Bad Name", "text": "x"}, "template_name_invalid", ["/name"]),
        ({"name": "bad", "texts": {"fr": "{{ name", "en": "{{ name | shout }}"}}, None, ["/texts/fr", "/texts/en"]),
        ({"name": "bad", "text": "{% include 'passwords' %}"}, None, ["/text"]),
        ({"name": "bad", "texts": {"klingon!": "x"}}, None, ["/texts/klingon!"]),
        ({"name": "bad", "texts": {}}, None, ["/texts"]),
        ({"name": "bad", "text": "  "}, None, ["/text"]),
        ({"name": "bad", "text": "a\x00b"}, None, ["/text"]),
        ({"name": "bad", "text": "x" * 10_001}, None, ["/text"]),
        ({"name": "bad", "text": "{% for i in (1..1000000000) %}x{% endfor %}"}, None, ["/text"]),
        ({"name": "bad", "text": "x", "texts": {"fr": "y"}}, "invalid_request", [""]),
        ({"name": "bad"}, "invalid_request", [""]),
    ],
)
async def test_what_can_never_become_a_text_is_refused(api: Api, body: Any, code: str | None, pointers: list[str]):
    refused = await api.post("/v1/templates", body)
    assert (refused.status, refused.code) == (422, code or "template_invalid")
    assert refused.pointers == pointers


async def test_a_message_is_made_of_a_template_and_of_its_contact(api: Api, visit: str):
    body = {"template": visit, "variables": AT}
    marie = await api.post("/v1/messages", {"to": MARIE, **body})
    assert (marie.status, marie.document["text"]) == (202, "Bonjour Marie, rendez-vous mardi 1 décembre à 09:30.")
    louis = await api.post("/v1/messages", {"to": LOUIS, **body})
    assert louis.document["text"] == "Hello Louis, your appointment is on Tuesday 1 December at 03:30."
    other = await api.post("/v1/messages", {"to": "+33639980513", **body, "variables": {**AT, "name": "Zoé"}})
    assert other.document["text"] == "Bonjour Zoé, rendez-vous mardi 1 décembre à 09:30."
    seen = await api.post("/v1/messages/preview", {"to": MARIE, **body})
    assert (seen.document["text"], seen.document["forced_ucs2_by"]) == (marie.document["text"], [])


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        ({"template": "nothing"}, "template_unknown", ["/template"]),
        ({"template": "NO SUCH \x00"}, "template_unknown", ["/template"]),
        ({"template": "visit"}, "template_variable_missing", ["/variables"]),
        ({"template": "visit", "variables": {"at": None}}, "template_variable_missing", ["/variables"]),
        ({"template": "visit", "variables": {"at": "soon"}}, "template_failed", ["/variables"]),
        ({"template": "visit", "variables": {**AT, "name": "N" * 10_000}}, "template_too_long", ["/variables"]),
        ({"template": "visit", "variables": {**AT, "name": "N" * 3_000}}, "text_too_long", ["/text"]),
        ({"template": "visit", "text": "both"}, "invalid_request", ["/template"]),
        ({"text": "both", "variables": AT}, "invalid_request", ["/variables"]),
        ({}, "invalid_request", ["/text"]),
        ({"text": None}, "invalid_request", ["/text"]),
        ({"template": "visit", "to": "12"}, "number_invalid", ["/to", "/variables"]),
    ],
)
async def test_what_has_no_text_is_refused_before_anything_is_queued(
    api: Api, visit: str, body: Any, code: str, pointers: list[str]
):
    before = (await api.get("/v1/messages?limit=1")).items
    for path in ("/v1/messages", "/v1/messages/preview"):
        refused = await api.post(path, {"to": MARIE, **body})
        assert (refused.status, refused.code, refused.pointers) == (422, code, pointers)
        assert "NNNN" not in json.dumps(refused.document)
    assert (await api.get("/v1/messages?limit=1")).items == before


async def test_a_missing_variable_is_named(api: Api, visit: str):
    refused = await api.post("/v1/messages", {"to": "+33639980513", "template": visit, "variables": AT})
    assert refused.document["detail"] == "variables: the variable name has no value"


async def test_a_batch_is_all_or_nothing_and_a_stream_each_for_itself(api: Api, visit: str):
    good = {"to": MARIE, "template": visit, "variables": AT}
    bad = {"to": MARIE, "template": visit}
    plain = {"to": LOUIS, "text": "plain"}
    refused = await api.post("/v1/messages/batch", {"messages": [good, bad, plain]})
    assert (refused.status, refused.code, refused.pointers) == (
        422,
        "template_variable_missing",
        ["/messages/1/variables"],
    )
    # More than are made in the gateway's own process.
    taken = await api.post("/v1/messages/batch", {"messages": [good, plain, *[good] * 8]})
    assert taken.status == 202
    texts = [(await api.get(f"/v1/messages/{each['id']}")).document["text"] for each in taken.document["items"][:3]]
    assert texts[0] == texts[2] == "Bonjour Marie, rendez-vous mardi 1 décembre à 09:30."
    assert texts[1] == "plain"
    lines = "\n".join(json.dumps(each) for each in (good, bad, plain))
    fields = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/x-ndjson"}
    async with api.session.post(api.url + "/v1/messages/batch", data=lines.encode(), headers=fields) as answer:
        answers = [json.loads(line) for line in (await answer.read()).splitlines()]
    assert [each.get("error", {}).get("code") for each in answers] == [None, "template_variable_missing", None]


async def test_the_same_key_is_the_same_message_whatever_became_of_the_template(api: Api, people: None):
    await api.post("/v1/templates", {"name": "keyed", "text": "one {{ name }}"})
    headers = {"Idempotency-Key": "templates-1"}
    body = {"to": MARIE, "template": "keyed"}
    first = await api.ask("POST", "/v1/messages", json=body, headers=headers)
    assert first.document["text"] == "one Marie"
    await api.ask("PUT", "/v1/templates/keyed", json={"text": "two {{ name }}"})
    again = await api.ask("POST", "/v1/messages", json=body, headers=headers)
    assert (again.document["id"], again.document["text"]) == (first.document["id"], "one Marie")
    await api.delete("/v1/templates/keyed")
    again = await api.ask("POST", "/v1/messages", json=body, headers=headers)
    assert again.document["id"] == first.document["id"]
    other = await api.ask("POST", "/v1/messages", json={**body, "variables": {"name": "X"}}, headers=headers)
    assert (other.status, other.code) == (409, "idempotency_mismatch")


async def test_a_preview_tells_the_longest_and_what_makes_it_long(api: Api, people: None, gateway: Gateway):
    await fill(
        gateway.services.segments._store,
        [Someone(number=f"+3363998052{n}", name=f"N{n}", tags=["tried"]) for n in range(9)],
    )
    await fill(
        gateway.services.segments._store, [Someone(number="+33639980530", name="Anaïs " + "x" * 60, tags=["tried"])]
    )
    await fill(gateway.services.segments._store, [Someone(number="+33639980531", tags=["tried"])])
    await api.post("/v1/segments", {"name": "tried", "filter": '"tried" in tags'})
    await api.post("/v1/templates", {"name": "sized", "text": "Bonjour {{ name }}, votre résultat est prêt : {{ at }}"})
    found = await api.post(
        "/v1/templates/sized/preview", {"to": ["tried", MARIE, "+33639980531"], "variables": {"at": "demain"}}
    )
    assert found.status == 200, found.document
    document = found.document
    assert (document["count"], document["failed"], document["parts"]) == (
        12,
        1,
        {"1": 10, "2": 1},
    )
    assert document["longest"]["number"] == "+33639980530"
    assert document["longest"]["text"].startswith("Bonjour Anaïs")
    assert [each["number"] for each in document["items"]] == [MARIE, "+33639980531"]
    assert document["items"][0]["text"] == "Bonjour Marie, votre résultat est prêt : demain"
    assert document["items"][0]["gsm7_text"] == "Bonjour Marie, votre résultat est pret : demain"
    assert document["items"][1]["error"]["code"] == "template_variable_missing"
    assert [each["code"] for each in document["warnings"]][:2] == ["template_variable_missing", "forced_ucs2"]


async def test_who_may_see_texts_of_whom(api: Api, holder, visit: str):
    body = {"to": [MARIE], "variables": AT}
    path = f"/v1/templates/{visit}/preview"
    assert (await (await holder("send")).post(path, body)).status == 403
    found = await (await holder("campaigns")).post(path, body)
    assert found.document["items"] == []
    assert (found.document["longest"]["number"], found.document["longest"]["text"]) == (None, None)
    assert found.document["longest"]["characters"] == len("Bonjour Marie, rendez-vous mardi 1 décembre à 09:30.")
    tester = await holder("send", "campaigns", "contacts", test=True)
    assert (await tester.post(path, body)).document["items"][0]["error"]["code"] == "template_variable_missing"
    assert (await tester.post("/v1/messages", {"to": MARIE, "template": visit, "variables": AT})).code == (
        "template_variable_missing"
    )
    assert (await tester.post("/v1/templates", {"name": "mine", "text": "x"})).code == "test_token"
    assert (await tester.delete(f"/v1/templates/{visit}")).code == "test_token"


async def test_a_template_stays_while_a_campaign_uses_it(api: Api, people: None):
    await api.post("/v1/templates", {"name": "used", "text": "Bonjour {{ name }}"})
    body = {
        "name": "autumn",
        "category": "transactional",
        "to": [MARIE],
        "variants": [{"name": "a", "template": "used"}],
    }
    campaign = await api.post("/v1/campaigns", body)
    assert campaign.status == 201, campaign.document
    refused = await api.delete("/v1/templates/used")
    assert (refused.status, refused.code) == (409, "template_in_use")
    assert (await api.delete(f"/v1/campaigns/{campaign.document['id']}")).status == 200
    assert (await api.delete("/v1/templates/used")).status == 200
