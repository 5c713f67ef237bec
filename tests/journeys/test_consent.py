"""Consent, whole: a word by SMS, a question and its yes, advertising, STOP, and the page that proves all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.daemon import Client, client_of
from support.settings import category, settings_in
from support.waiting import eventually

from gateway.cli.consent_page import page, summary
from gateway.daemon import running_gateway

PERSON = "+33639980147"
CATEGORIES = (
    category("promotional", consent="opt_in"),
    category("club", consent="opt_in", join_words=("CLUB",), welcome="Bienvenue au club"),
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    settings = settings_in(tmp_path, categories=CATEGORIES)
    named = replace(settings, gateway=replace(settings.gateway, sender_name="La Boutique"))
    async with running_gateway(named) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        yield client


async def _hear(client: Client, text: str) -> None:
    async def count() -> int:
        return len((await client.ok("GET", "/v1/inbox", **{"from": PERSON}))["items"])

    before = await count()
    await client.ok("POST", "/v1/modems/sim1/simulate", {"from": PERSON, "text": text})

    async def heard() -> bool:
        return await count() > before

    await eventually(heard, what="the message in the inbox")


async def _delivered(client: Client, text: str) -> dict[str, object]:
    """The message to the person that holds this text, once it has arrived."""

    async def found() -> bool:
        items = (await client.ok("GET", "/v1/messages", to=PERSON))["items"]
        return any(text in one["text"] and one["status"] == "delivered" for one in items)

    await eventually(found, what=f"a delivered message with {text}")
    items = (await client.ok("GET", "/v1/messages", to=PERSON))["items"]
    return next(one for one in items if text in one["text"])


async def test_from_the_word_to_the_proof(client: Client) -> None:
    refused = await client.send(PERSON, "offer", category="club")
    assert (refused["status"], refused["error"]["code"]) == ("suppressed", "no_consent")
    await _hear(client, "club")
    welcome = await _delivered(client, "Bienvenue au club")
    assert welcome["category"] == "transactional"
    sent = await client.send(PERSON, "the club's offer", category="club")
    await client.until(sent["id"], "delivered")
    asked = {"number": PERSON, "category": "promotional", "state": "given", "double_opt_in": True, "wording": "form"}
    await client.ok("POST", "/v1/consents", asked)
    question = await _delivered(client, "La Boutique: voulez-vous recevoir nos messages ?")
    assert (await client.send(PERSON, "offer", category="promotional"))["status"] == "suppressed"
    await _hear(client, "Oui.")
    await client.until((await client.send(PERSON, "an offer", category="promotional"))["id"], "delivered")
    await _hear(client, "STOP svp")
    for name in ("club", "promotional", "transactional"):
        ended = await client.send(PERSON, "once more", category=name)
        assert (ended["status"], ended["error"]["code"]) == ("suppressed", "opt_out")
    entries = (await client.ok("GET", "/v1/consents", number=PERSON))["items"]
    assert [(one["category"], one["state"], one["source"]) for one in entries[2:]] == [
        ("promotional", "given", "sms:confirm"),
        ("promotional", "asked", "api"),
        ("club", "given", "sms:join"),
    ]
    assert {(one["category"], one["state"]) for one in entries[:2]} == {
        ("promotional", "withdrawn"),
        ("club", "withdrawn"),
    }
    optouts = (await client.ok("GET", "/v1/optouts", number=PERSON))["items"]
    proof = page(summary(PERSON, entries, optouts))
    assert proof.count('<section class="entry">') == 5
    assert str(question["text"]) in proof
