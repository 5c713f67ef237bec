"""Pause, resume, keys, resolve and references, on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.clock import START_US
from support.http import Api, raw
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")

TO = "+33639980101"
NOW = rfc3339(START_US)
LATER = rfc3339(START_US + 3600 * SECOND_US)
NOTHING = {"paused": False, "categories": None, "since": None}


@pytest_asyncio.fixture(loop_scope="session")
async def switch(api: Api) -> AsyncIterator[Api]:
    """The interface; whatever a test paused is resumed after it."""
    yield api
    assert (await api.post("/v1/resume")).document == NOTHING


async def accepted(api: Api, key: str | None = None, **fields: object) -> dict:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await api.post("/v1/messages", {"to": TO, "text": "hello", **fields}, headers=headers)
    assert answer.status == 202, answer.document
    return answer.document


async def test_a_resume_that_says_more_than_resume_is_refused(switch: Api):
    await switch.post("/v1/pause")
    for body in ({"categories": ["bulk"]}, {"x": 1}, [1]):
        assert (await switch.post("/v1/resume", body)).status in {400, 422}
    assert (await switch.get("/v1/pause")).document["paused"] is True
    assert (await switch.post("/v1/resume", {})).document == NOTHING


async def test_everything_is_paused_and_resumed(switch: Api):
    assert (await switch.get("/v1/pause")).document == NOTHING
    paused = await switch.post("/v1/pause")
    assert (paused.status, paused.document) == (200, {"paused": True, "categories": None, "since": NOW})
    assert (await switch.get("/v1/pause")).document == paused.document
    message = await accepted(switch, category="emergency")
    assert (message["status"], message["hold"]["rule"], message["hold"]["until"]) == ("held", "paused", None)
    path = f"/v1/messages/{message['id']}"
    assert (await switch.get(path)).document == message
    assert message["id"] in [item["id"] for item in (await switch.get("/v1/messages?status=held")).items]
    assert message["id"] not in [item["id"] for item in (await switch.get("/v1/messages?status=queued")).items]
    assert (await switch.post("/v1/resume")).document == NOTHING

    async def delivered() -> bool:
        return (await switch.get(path)).document["status"] == "delivered"

    await eventually(delivered)
    assert (await switch.get(path)).document["hold"] is None


async def test_some_categories_are_paused(switch: Api):
    paused = await switch.post("/v1/pause", {"categories": ["promotional", "authentication"]})
    assert paused.document == {"paused": True, "categories": ["authentication", "promotional"], "since": NOW}
    held, sent = await accepted(switch, category="promotional"), await accepted(switch, category="transactional")
    assert (held["status"], sent["status"]) == ("held", "queued")
    preview = await switch.post("/v1/messages/preview", {"to": TO, "text": "x", "category": "promotional"})
    assert (preview.document["decision"], preview.document["rule"]) == ("hold", "paused")
    assert (await switch.post(f"/v1/messages/{held['id']}/cancel")).document["status"] == "canceled"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"categories": ["emergency", "nope"]}, "category_unknown", "/categories/1"),
        ({"categories": []}, "categories_empty", "/categories"),
        ({"categories": "emergency"}, "invalid_request", "/categories"),
        ({"category": "emergency"}, "invalid_request", "/category"),
    ],
)
async def test_what_cannot_be_paused(switch: Api, body: object, code: str, pointer: str):
    answer = await switch.post("/v1/pause", body)
    assert (answer.status, answer.code, answer.pointers) == (422, code, [pointer])
    assert (await switch.get("/v1/pause")).document == NOTHING


async def test_an_empty_body_pauses_as_none_does(switch: Api):
    assert (await switch.post("/v1/pause", {})).document["paused"] is True


async def test_only_an_administrator_pauses(holder):
    sender = await holder("send", "read")
    assert (await sender.post("/v1/pause")).status == 403
    assert (await sender.post("/v1/resume")).status == 403
    assert (await sender.get("/v1/pause")).document == NOTHING


async def test_same_key_same_message(holder):
    api = await holder("send", "read")
    first = await accepted(api, "order-4711", send_at=LATER)
    assert await accepted(api, "order-4711", send_at=LATER) == first
    assert await accepted(api, "order-4711", send_at="2026-01-05T12:00:00+01:00", flash=False) == first
    other = await api.post(
        "/v1/messages", {"to": TO, "text": "other", "send_at": LATER}, headers={"Idempotency-Key": "order-4711"}
    )
    assert (other.status, other.code) == (409, "idempotency_mismatch")
    assert len((await api.get("/v1/messages")).items) == 1


async def test_a_thousand_repeats_at_once(holder):
    api = await holder("send", "read")
    answers = await asyncio.gather(*(accepted(api, "thousand", send_at=LATER) for _ in range(1000)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len((await api.get("/v1/messages")).items) == 1


async def test_a_refused_request_uses_up_no_key(holder):
    api = await holder("send", "read")
    for body in ({"to": TO, "text": ""}, {"to": TO}, {"to": "x", "text": "x"}):
        assert (await api.post("/v1/messages", body, headers={"Idempotency-Key": "k"})).status == 422
    await accepted(api, "k")


async def test_another_tokens_key_is_another_key(holder):
    mine, theirs = await holder("send"), await holder("send")
    assert (await accepted(mine, "k"))["id"] != (await accepted(theirs, "k"))["id"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_cannot_be_one(api: Api, key: str):
    answer = await api.post("/v1/messages", {"to": TO, "text": "x"}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.code, answer.pointers) == (422, "idempotency_key_invalid", ["Idempotency-Key"])


@pytest.mark.parametrize("fields", [b"Idempotency-Key: a\r\nIdempotency-Key: a\r\n", b"Idempotency-Key: \xff\r\n"])
async def test_a_key_given_twice_or_in_no_utf_8(api: Api, fields: bytes):
    host, body = api.url.removeprefix("http://"), b'{"to":"+33639980101","text":"x"}'
    head = f"POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {api.token}\r\n".encode()
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    answer = await raw(api.url, head + fields + b"\r\n" + body)
    assert (answer.status, answer.code) == (422, "idempotency_key_invalid")


async def test_what_waits_under_a_reference_is_cancelled(holder, api: Api):
    mine, theirs = await holder("send", "read"), await holder("send", "read")
    ours = [(await accepted(mine, send_at=LATER, reference="visit-7"))["id"] for _ in range(3)]
    other = await accepted(mine, send_at=LATER, reference="visit-8")
    foreign = await accepted(theirs, send_at=LATER, reference="visit-7")
    answer = await mine.delete("/v1/messages?reference=visit-7")
    assert (answer.status, answer.document["next"]) == (200, None)
    assert [(item["id"], item["status"]) for item in answer.items] == [(each, "canceled") for each in reversed(ours)]
    assert (await mine.get(f"/v1/messages/{ours[0]}")).document == answer.items[-1]
    assert (await mine.delete("/v1/messages?reference=visit-7")).items == []
    assert (await mine.get(f"/v1/messages/{other['id']}")).document["status"] == "held"
    assert [item["id"] for item in (await api.delete("/v1/messages?reference=visit-7")).items] == [foreign["id"]]


async def test_a_long_list_is_cancelled_whole(holder):
    api = await holder("send", "read")
    batch = {"messages": [{"to": TO, "text": "x", "send_at": LATER, "reference": "many"}] * 1000}
    made = [item["id"] for item in (await api.post("/v1/messages/batch", batch)).document["items"]]
    answer = await api.delete("/v1/messages?reference=many")
    assert [item["id"] for item in answer.items] == made[::-1]
    assert {item["status"] for item in answer.items} == {"canceled"}


@pytest.mark.parametrize(
    ("query", "pointer"), [("", "reference"), ("?reference=a&to=b", "to"), ("?reference=a&reference=b", "reference")]
)
async def test_a_cancellation_says_of_what(api: Api, query: str, pointer: str):
    answer = await api.delete(f"/v1/messages{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_replaces(holder):
    api = await holder("send", "read")
    old = await accepted(api, send_at=LATER, reference="visit-9")
    new = await accepted(api, send_at=LATER, reference="visit-9", replaces=True, text="moved")
    assert (await api.get(f"/v1/messages/{old['id']}")).document["status"] == "canceled"
    assert new["status"] == "held"
    answer = await api.post("/v1/messages", {"to": TO, "text": "x", "replaces": True})
    assert (answer.status, answer.code, answer.pointers) == (422, "reference_missing", ["/replaces"])


async def test_only_an_uncertain_message_is_resolved(holder, api: Api):
    mine, theirs = await holder("send", "read"), await holder("send", "read")
    path = f"/v1/messages/{(await accepted(mine, send_at=LATER))['id']}/resolve"
    for word in ("sent", "failed", "resend"):
        answer = await mine.post(path, {"as": word})
        assert (answer.status, answer.code) == (409, "not_uncertain")
    assert (await theirs.post(path, {"as": "sent"})).status == 404
    assert (await api.post(f"/v1/messages/{'0' * 32}/resolve", {"as": "sent"})).status == 404
    for body in ({"as": "delivered"}, {}, {"as": "sent", "by": "me"}):
        assert (await mine.post(path, body)).status == 422
