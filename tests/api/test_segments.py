"""Segments over HTTP: made, checked, counted, changed, forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from support.crowd import TYPES, Someone, fill
from support.http import Api

from gateway.daemon import Gateway

MakeToken = Callable[..., Awaitable[Api]]

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("nobody")]

LYON = 'attributes.city == "Lyon"'


async def _crowd(gateway: Gateway) -> None:
    people = [
        Someone(number="+33655500101", attributes={"city": "Lyon", "visits": 3}, tags=["vip"]),
        Someone(number="+33655500102", attributes={"city": "Nice"}),
        Someone(number="+33655500103", attributes={"visits": 3}, language="fr"),
        Someone(number="+33655500104", attributes={"city": "Lyon"}, dead=True),
    ]
    store = gateway.services.segments._store
    await fill(store, people, TYPES)


async def test_a_segment_from_its_making_to_its_end(gateway: Gateway, api: Api) -> None:
    await _crowd(gateway)
    made = await api.post("/v1/segments", {"name": "lyon", "filter": LYON})
    assert made.status == 201
    assert made.document["filter"] == LYON
    assert (await api.post("/v1/segments", {"name": "lyon", "filter": "true"})).document["code"] == "segment_exists"
    assert made.document in (await api.get("/v1/segments")).items
    assert (await api.get("/v1/segments/lyon")).document == made.document
    counted = await api.post("/v1/segments/lyon/count", {})
    assert counted.document == {
        "count": 1,
        "left_out": {"missing": {"attributes.city": 1}, "failed": 0, "dead": 1},
    }
    changed = await api.ask("PUT", "/v1/segments/lyon", json={"filter": "attributes.visits > 2"})
    assert (changed.status, changed.document["filter"]) == (200, "attributes.visits > 2")
    assert (await api.post("/v1/segments/lyon/count", {})).document["count"] == 2
    members = await api.get("/v1/segments/lyon/contacts?limit=1")
    assert [each["number"] for each in members.items] == ["+33655500103"]
    rest = await api.get(f"/v1/segments/lyon/contacts?limit=1&cursor={members.document['next']}")
    assert ([each["number"] for each in rest.items], rest.document["next"]) == (["+33655500101"], None)
    together = await api.post("/v1/segments/count", {"to": ["lyon", "+33655500102", "+33655500101"]})
    assert together.document["count"] == 3
    wrong = await api.post("/v1/segments/count", {"to": ["lyon", "lion"]})
    assert (wrong.status, wrong.code, wrong.pointers) == (422, "to_invalid", ["/to/1"])
    assert (await api.post("/v1/segments/count", {})).status == 422
    assert (await api.ask("DELETE", "/v1/segments/lyon")).status == 200
    for method, path, body in (
        ("GET", "/v1/segments/lyon", None),
        ("DELETE", "/v1/segments/lyon", None),
        ("PUT", "/v1/segments/lyon", {"filter": "true"}),
        ("POST", "/v1/segments/lyon/count", {}),
        ("GET", "/v1/segments/lyon/contacts", None),
    ):
        gone = await api.ask(method, path, json=body)
        assert (gone.status, gone.document["code"]) == (404, "segment_not_found")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ('attributes.ciy == "Lyon"', "filter_unknown"),
        ("attributes.city ==", "filter_invalid"),
        ("attributes.visits + 1 > 2.0", "filter_type"),
        ("attributes.city", "filter_type"),
        ("true" + " " * 5000, "filter_too_long"),
        ("(" * 40 + "true" + ")" * 40, "filter_invalid"),
    ],
)
async def test_a_filter_that_can_be_none_is_refused_before_anything_is_kept(
    gateway: Gateway, api: Api, source: str, code: str
) -> None:
    await _crowd(gateway)
    for path, name in (("/v1/segments", {"name": "none"}), ("/v1/segments/count", {})):
        refused = await api.post(path, {**name, "filter": source})
        assert (refused.status, refused.document["code"]) == (422, code)
        assert refused.document["errors"][0]["pointer"] == "/filter"
    assert (await api.get("/v1/segments/none")).status == 404


NUMBERS = str([*range(100)])
ENDLESS = f"{NUMBERS}.all(a, {NUMBERS}.all(b, {NUMBERS}.all(c, {NUMBERS}.all(d, {NUMBERS}.all(e, a >= 0)))))"
GREEDY = f"{NUMBERS}.map(a, {NUMBERS}.map(b, {NUMBERS}.map(c, {NUMBERS}.map(d, {NUMBERS})))).size() > 0"


@pytest.mark.parametrize("source", [ENDLESS, GREEDY], ids=["time", "memory"])
async def test_a_filter_that_takes_all_there_is_is_refused_and_the_next_is_taken(api: Api, source: str) -> None:
    refused = await api.post("/v1/segments/count", {"filter": source})
    assert (refused.status, refused.document["code"]) == (422, "filter_too_slow")
    assert (await api.post("/v1/segments/count", {"filter": "false"})).document["count"] == 0


async def test_a_token_needs_its_scope_and_one_that_tests_sees_the_test_network_alone(
    gateway: Gateway, api: Api, holder: MakeToken
) -> None:
    store = gateway.services.segments._store
    await fill(store, [Someone(number="+33639980001", language="br"), Someone(number="+33655500109", language="br")])
    assert (await api.post("/v1/segments", {"name": "breton", "filter": 'language == "br"'})).status == 201
    sender = await holder("send", "read:all")
    assert (await sender.get("/v1/segments")).code == "scope_missing"
    trial = await holder("contacts", test=True)
    assert (await trial.post("/v1/segments", {"name": "mine", "filter": "true"})).code == "test_token"
    assert (await trial.ask("DELETE", "/v1/segments/breton")).code == "test_token"
    assert (await trial.post("/v1/segments/breton/count", {})).document["count"] == 1
    assert [one["number"] for one in (await trial.get("/v1/segments/breton/contacts")).items] == ["+33639980001"]
    both = {"to": ["breton", "+33655500109", "+33639980002"]}
    assert (await trial.post("/v1/segments/count", both)).document["count"] == 2
    assert (await api.post("/v1/segments/count", both)).document["count"] == 3


@pytest.mark.parametrize("name", ["", "Lyon", "9lives", "a" * 65, "a b", "+33612345678", "count\n"])
async def test_a_name_that_could_be_taken_for_something_else_is_refused(api: Api, name: str) -> None:
    refused = await api.post("/v1/segments", {"name": name, "filter": "true"})
    assert (refused.status, refused.document["code"]) == (422, "segment_name_invalid")
