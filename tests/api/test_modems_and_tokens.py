"""Modems, the simulated one's ear, and tokens."""

from __future__ import annotations

import pytest
from support.clock import START_US
from support.http import Api

from gateway.clock import rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW = rfc3339(START_US)
MODEM_FIELDS = [
    "name",
    "node",
    "state",
    "reason",
    "port",
    "manufacturer",
    "model",
    "imei",
    "iccid",
    "operator",
    "registration",
    "signal_dbm",
    "profile",
    "smsc",
    "storage_used",
    "storage_total",
    "sent_today",
    "limits",
    # Not in the contract: what came of looking after it.
    "self_test",
    "balance",
    "warnings",
]
LIMITS = ["destinations", "rate", "parts_a_day", "expires_at"]
TOKEN_FIELDS = ["name", "scopes", "categories", "default_category", "test", *LIMITS, "created_at", "revoked_at"]


async def test_a_modem_is_told_as_the_contract_shows_it(api: Api):
    answer = await api.get("/v1/modems")
    assert answer.status == 200
    (modem,) = answer.items
    assert list(modem) == MODEM_FIELDS
    assert (modem["name"], modem["node"], modem["port"]) == ("sim1", "test-1", "simulated:")
    assert modem["state"] in {"ready", "busy"}
    assert (modem["self_test"], modem["balance"], modem["warnings"]) == (None, None, [])
    assert answer.document["next"] is None


@pytest.mark.parametrize("name", ["sim1", "test-1:sim1"])
async def test_simulate_takes_both_names(api: Api, name: str):
    answer = await api.post(f"/v1/modems/{name}/simulate", {"from": "Clinic", "text": "x"})
    assert (answer.status, answer.document) == (202, {})


@pytest.mark.parametrize("name", ["sim9", "other:sim1", "%ff", "é", "%00", "a%2fb"])
async def test_simulate_on_no_modem(api: Api, name: str):
    answer = await api.post(f"/v1/modems/{name}/simulate", {"from": "+33639980301", "text": "x"})
    assert answer.status == 404
    assert answer.code in {"modem_not_found", "route_not_found"}


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ({}, ["/from", "/text"]),
        ({"sender": "+33639980301", "text": "x"}, ["/from", "/sender"]),
        ({"from": 1, "text": "x"}, ["/from"]),
        ({"from": "", "text": "x"}, ["/from"]),
        ({"from": "a name that is far too long", "text": "x"}, ["/from"]),
        ({"from": "+33639980301", "text": ""}, ["/text"]),
        ({"from": "+33639980301", "text": "x" * 10_001}, ["/text"]),
    ],
)
async def test_a_wrong_simulation(api: Api, document: dict, pointers: list[str]):
    answer = await api.post("/v1/modems/sim1/simulate", document)
    assert (answer.status, sorted(answer.pointers)) == (422, pointers)


async def test_a_token_is_shown_once(api: Api):
    asked = {
        "name": "once",
        "scopes": ["send", "read", "send"],
        "categories": ["transactional"],
        "default_category": "transactional",
        "test": True,
        "destinations": ["+33 6", "be", "+336"],
        "rate": "60/1m",
        "parts_a_day": 500,
        "expires_at": "2027-01-01T00:00:00+01:00",
    }
    made = await api.post("/v1/tokens", asked)
    assert made.status == 201
    assert list(made.document) == [*TOKEN_FIELDS, "token"]
    secret = made.document.pop("token")
    kept = {"scopes": ["send", "read"], "destinations": ["+336", "BE"], "expires_at": "2026-12-31T23:00:00.000Z"}
    assert made.document == {**asked, **kept, "created_at": NOW, "revoked_at": None}
    listed = await api.get("/v1/tokens")
    assert made.document in listed.items
    assert secret not in str(listed.document)
    assert all(list(item) == TOKEN_FIELDS for item in listed.items)
    taken = await api.post("/v1/tokens", asked)
    assert (taken.status, taken.code) == (409, "token_exists")
    assert secret not in str(taken.document)


async def test_a_token_is_revoked_at_once_and_once(api: Api):
    made = (await api.post("/v1/tokens", {"name": "short-lived", "scopes": ["read"]})).document
    held = api.with_token(made["token"])
    assert (await held.get("/v1/inbox")).status == 200
    revoked = await api.delete("/v1/tokens/short-lived")
    assert (revoked.status, revoked.document["revoked_at"]) == (200, NOW)
    assert (await held.get("/v1/inbox")).status == 401
    again = await api.delete("/v1/tokens/short-lived")
    assert (again.status, again.code) == (404, "token_not_found")
    assert (await api.post("/v1/tokens", {"name": "short-lived", "scopes": ["read"]})).status == 201


async def test_tokens_come_in_pages(api: Api):
    for number in range(3):
        await api.post("/v1/tokens", {"name": f"page-{number}", "scopes": ["read"]})
    whole = (await api.get("/v1/tokens?limit=1000")).items
    assert [item["name"] for item in whole[:3]] == ["page-2", "page-1", "page-0"]
    seen, cursor = [], None
    while True:
        page = await api.get("/v1/tokens?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += page.items
        cursor = page.document["next"]
        if cursor is None:
            break
    assert seen == whole


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a b"}, "/name"),
        ({"name": "é"}, "/name"),
        ({"name": None}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": "send"}, "/scopes"),
        ({"scopes": ["send", "everything"]}, "/scopes/1"),
        ({"scopes": ["send"] * 17}, "/scopes"),
        ({"categories": ["nonsense"]}, "/categories/0"),
        ({"categories": None}, "/categories"),
        ({"categories": ["transactional"], "default_category": "emergency"}, "/default_category"),
        ({"test": "yes"}, "/test"),
        ({"token": "tocsin_mine"}, "/token"),
        ({"destinations": ["+33", "Paris"]}, "/destinations/1"),
        ({"destinations": ["+"] * 300}, "/destinations"),
        ({"rate": "60"}, "/rate"),
        ({"rate": "0/1m"}, "/rate"),
        ({"rate": "100001/1m"}, "/rate"),
        ({"rate": "60/25h"}, "/rate"),
        ({"parts_a_day": 0}, "/parts_a_day"),
        ({"parts_a_day": 1 << 40}, "/parts_a_day"),
        ({"expires_at": NOW}, "/expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "/expires_at"),
    ],
)
async def test_a_wrong_token(api: Api, change: dict, pointer: str):
    answer = await api.post("/v1/tokens", {"name": "wrong", "scopes": ["send"]} | change)
    assert (answer.status, answer.pointers) == (422, [pointer])
    assert "wrong" not in [item["name"] for item in (await api.get("/v1/tokens?limit=1000")).items]


@pytest.mark.parametrize("name", ["nobody", "%ff", "é", "%00", "x" * 300])
async def test_no_such_token(api: Api, name: str):
    answer = await api.delete(f"/v1/tokens/{name}")
    assert (answer.status, answer.code) == (404, "token_not_found")


async def test_who_may_not_make_tokens_cannot_make_itself_more(holder):
    held = await holder("send", "read:all", "contacts", "campaigns")
    answer = await held.post("/v1/tokens", {"name": "more", "scopes": ["admin"]})
    assert (answer.status, answer.code) == (403, "scope_missing")
