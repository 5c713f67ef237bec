"""The main job, whole: HTTP in, the simulated network, HTTP out. One daemon in this process, real store, real clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.daemon import Client, client_of
from support.settings import settings_in
from support.waiting import eventually

from gateway.clock import SystemClock, rfc3339
from gateway.daemon import running_gateway

PERSON = "+33639980142"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running_gateway(settings_in(tmp_path)) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        await eventually(lambda: _ready(client), what="a usable modem")
        yield client


async def _ready(client: Client) -> bool:
    status, _ = await client.call("GET", "/readyz")
    return status == 200


@pytest.mark.parametrize(
    ("text", "parts", "encoding"),
    [
        ("Hello", 1, "gsm7"),
        ("x" * 160, 1, "gsm7"),
        ("x" * 161, 2, "gsm7"),
        ("é" * 70 + "😀", 2, "ucs2"),
        ("[" * 80, 1, "gsm7"),
        ("[" * 81, 2, "gsm7"),
        ("ж" * 70, 1, "ucs2"),
        ("👨‍👩‍👧" * 30, 4, "ucs2"),
    ],
    ids=["short", "160", "161", "71-emoji", "80-brackets", "81-brackets", "70-cyrillic", "families"],
)
async def test_a_message_is_delivered_in_so_many_parts(client: Client, text: str, parts: int, encoding: str) -> None:
    accepted = await client.send(PERSON, text)
    assert (accepted["parts"], accepted["encoding"]) == (parts, encoding)
    done = await client.until(accepted["id"], "delivered")
    assert (done["parts"], done["text"], done["modem"], done["simulated"]) == (parts, text, "sim1", True)
    assert done["created_at"] <= done["sent_at"] <= done["delivered_at"]
    timeline = await client.ok("GET", f"/v1/messages/{accepted['id']}/timeline")
    items = timeline["items"] if isinstance(timeline, dict) else timeline
    words = [item["event"] for item in items]
    assert words.count("part.submitting") == words.count("part.sent") == words.count("part.delivered") == parts
    assert [word for word in words if word.startswith("message.")] == [
        f"message.{word}" for word in ("queued", "sending", "sent", "delivered")
    ]
    times = [item["at"] for item in items]
    assert times == sorted(times)


async def test_stop_is_obeyed_confirmed_once_and_lifted_by_start(client: Client) -> None:
    async def hear(text: str, count: int) -> None:
        await client.ok("POST", "/v1/modems/sim1/simulate", {"from": PERSON, "text": text})

        async def heard() -> bool:
            return len((await client.ok("GET", "/v1/inbox", **{"from": PERSON}))["items"]) == count

        await eventually(heard, what="the reply in the inbox")

    async def confirmations() -> list[str]:
        items = (await client.ok("GET", "/v1/messages", to=PERSON))["items"]
        return [item["id"] for item in items if item["id"] not in ours]

    later = await client.send(PERSON, "later", send_at=_in_an_hour())
    ours = {later["id"]}
    assert (later["status"], later["hold"]["rule"]) == ("held", "scheduled")
    await hear("stop", 1)
    ended = await client.ok("GET", f"/v1/messages/{later['id']}")
    assert (ended["status"], ended["error"]["code"], ended["hold"]) == ("suppressed", "opt_out", None)
    refused = await client.send(PERSON, "Hello")
    ours.add(refused["id"])
    assert (refused["status"], refused["error"]["code"]) == ("suppressed", "opt_out")
    (confirmation,) = await confirmations()
    await client.until(confirmation, "delivered")
    await hear("Arrêt !", 2)
    assert await confirmations() == [confirmation]
    listed = (await client.ok("GET", "/v1/optouts"))["items"]
    assert [(item["number"], item["category"]) for item in listed] == [(PERSON, None)]
    await hear("START", 3)
    assert (await client.ok("GET", "/v1/optouts"))["items"] == []
    again = await client.send(PERSON, "Hello again")
    await client.until(again["id"], "delivered")


def _in_an_hour() -> str:
    return rfc3339(SystemClock().now_us() + 3600 * 1_000_000)


async def test_a_waiting_message_can_be_cancelled_and_a_sent_one_cannot(client: Client) -> None:
    later = await client.send(PERSON, "later", send_at=_in_an_hour())
    canceled = await client.ok("POST", f"/v1/messages/{later['id']}/cancel")
    assert canceled["status"] == "canceled"
    status, problem = await client.call("POST", f"/v1/messages/{later['id']}/cancel")
    assert (status, problem["code"]) == (409, "not_cancelable")
    sent = await client.send(PERSON, "now")
    await client.until(sent["id"], "delivered")
    status, _ = await client.call("DELETE", f"/v1/messages/{sent['id']}")
    assert status == 409


async def test_a_long_text_arrives_whole_in_the_inbox_tied_to_what_it_answers(client: Client) -> None:
    sent = await client.send(PERSON, "Rendez-vous demain ?", reference="rdv-7")
    await client.until(sent["id"], "delivered")
    text = "Oui, à 10 h. " * 30 + "😀"
    await client.ok("POST", "/v1/modems/sim1/simulate", {"from": PERSON, "text": text})

    async def heard() -> list[object]:
        return (await client.ok("GET", "/v1/inbox"))["items"]

    (item,) = await eventually(heard, what="the reply in the inbox")
    assert (item["text"], item["from"], item["in_reply_to"], item["reference"]) == (text, PERSON, sent["id"], "rdv-7")
    assert item["parts"] > 1


async def test_the_second_start_keeps_everything(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        sent = await client.send(PERSON, "Hello")
        await client.until(sent["id"], "delivered")
        first_token = gateway.admin_token
        held = await client.send(PERSON, "later", send_at=_in_an_hour())
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        assert gateway.admin_token == first_token
        items = (await client.ok("GET", "/v1/messages"))["items"]
        assert [(item["id"], item["status"]) for item in items] == [(held["id"], "held"), (sent["id"], "delivered")]


async def test_a_revoked_token_is_refused_at_once(client: Client) -> None:
    made = await client.ok("POST", "/v1/tokens", {"name": "till", "scopes": ["send"]})
    async with client_of(client.url, made["token"]) as other:
        assert (await other.send(PERSON, "Hello"))["status"] in {"queued", "sending", "sent", "delivered"}
        await client.ok("DELETE", "/v1/tokens/till")
        status, _ = await other.call("POST", "/v1/messages", {"to": PERSON, "text": "Hello"})
        assert status == 401
