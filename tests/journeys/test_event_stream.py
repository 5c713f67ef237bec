"""The stream of events as its clients meet it: a real daemon that is killed, one that stops, and who reads nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from support.daemon import Client, client_of, daemon
from support.event_stream import stream

from gateway.notify.stream import MOST_OF_TOKEN

CONFIG = """
[gateway]
country = "FR"
[api]
listen = ["127.0.0.1:0"]
[modems.sim1]
port = "simulated:"
[modems.sim2]
port = "simulated:"
"""
MESSAGES = 200
CANARY_NUMBER = "+33698765432"
CANARY_TEXT = "canary-5a1e"
LEFT = {f"message.{word}" for word in ("sent", "delivered", "uncertain")}


class Listener:
    """A client that goes on where it was."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []
        self.place: str | None = None
        self.listening = asyncio.Event()

    async def follow(self, client: Client, until: int) -> None:
        """Until so many have arrived, or the stream ends."""
        async with aclosing(stream(client, self.place, types="message.*")) as told:
            async for event_id, kind, body in told:
                self.place = event_id
                self.listening.set()
                if kind:
                    self.seen.append((event_id, kind, body))
                if len(self.left()) >= until:
                    return

    def left(self) -> set[str]:
        """The messages of which it was told that they left, or may have."""
        return {body["data"]["id"] for _, kind, body in self.seen if kind in LEFT}


async def test_nothing_is_lost_and_nothing_twice_over_a_kill_and_a_stop_ends_it_at_once(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    listener = Listener()
    async with daemon(tmp_path, CONFIG) as process:
        await process.start()
        async with client_of(process.url, process.token) as client:
            following = asyncio.create_task(listener.follow(client, MESSAGES // 4))
            await asyncio.wait_for(listener.listening.wait(), 10)
            wanted = [{"to": f"+3361234{number:04}", "text": "hello"} for number in range(MESSAGES)]
            made = await client.ok("POST", "/v1/messages/batch", {"messages": wanted})
            await asyncio.wait_for(following, 30)
        await process.end(signal.SIGKILL)
        await process.start()
        async with client_of(process.url, process.token) as client:
            await asyncio.wait_for(listener.follow(client, MESSAGES), 60)
            words: dict[str, list[str]] = {each["id"]: [] for each in made["items"]}
            for _, kind, body in listener.seen:
                assert (body["type"], list(body)) == (kind, ["type", "timestamp", "data"])
                assert kind == f"message.{body['data']['status']}"
                words[body["data"]["id"]].append(kind)
            for message_id, told in words.items():
                lines = await client.ok("GET", f"/v1/messages/{message_id}/timeline")
                happened = [line["event"] for line in lines["items"] if line["event"].startswith("message.")]
                assert told == happened[: len(told)]
                assert len(told) >= 3
            await _metrics(client, MESSAGES)
            tell(f"A14: {MESSAGES} messages and a canary: no number and no text in /metrics, /healthz, /readyz")
            await _refusals(client, listener.place or "")
            following = asyncio.create_task(listener.follow(client, MESSAGES + 1))
            async with asyncio.timeout(4):
                await asyncio.sleep(0)
                assert await process.end() == 0
                await following
    ids = [event_id for event_id, _, _ in listener.seen]
    assert len(set(ids)) == len(ids)


#: By the contract, and what kind each is; then those of our own.
METRICS = {
    "tocsin_messages": "counter", "tocsin_queue_messages": "gauge", "tocsin_oldest_due_seconds": "gauge",
    "tocsin_modem_up": "gauge", "tocsin_parts_sent": "counter", "tocsin_submit_seconds": "histogram",
    "tocsin_accept_to_wire_seconds": "histogram", "tocsin_report_delay_seconds": "histogram",
    "tocsin_uncertain_messages": "gauge", "tocsin_store_flush_seconds": "histogram",
    "tocsin_held_messages": "gauge", "tocsin_queue_paused": "gauge",
}  # fmt: skip


async def _metrics(client: Client, messages: int) -> None:
    """What monitors read without a token bears the contract's names, the right figures, and nothing of anybody."""
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await client.send(CANARY_NUMBER, CANARY_TEXT, category="emergency", reference=CANARY_TEXT, send_at=later)
    for accept, parse in (("", text_string_to_metric_families), ("application/openmetrics-text", openmetrics)):
        headers = {"Accept": accept, "Host": "anything.example"}
        async with client.session.get(client.url + "/metrics", headers=headers) as answer:
            body = await answer.text()
            assert (answer.status, answer.content_type) == (200, accept or "text/plain")
        found = {family.name: family for family in parse(body)}
        assert {name: family.type for name, family in found.items()} == METRICS
        assert all(family.documentation for family in found.values())
        samples = [sample for family in found.values() for sample in family.samples]
        values = {(each.name, *sorted(each.labels.values())): each.value for each in samples}
        assert 0 < values["tocsin_messages_total", "sent", "transactional"] <= messages
        assert values["tocsin_queue_messages", "emergency", "held"] == 1
        assert values["tocsin_held_messages", "emergency", "scheduled"] == 1
        assert values["tocsin_modem_up", "sim1"] == values["tocsin_modem_up", "sim2"] == 1
        parts = sum(values["tocsin_parts_sent_total", name] for name in ("sim1", "sim2"))
        assert parts == values["tocsin_submit_seconds_count",]
        # A further copy of what was open at the kill has no first time on the wire.
        assert 0 < values["tocsin_accept_to_wire_seconds_count",] <= parts
        assert values["tocsin_report_delay_seconds_count",] > 0
        assert values["tocsin_store_flush_seconds_sum",] > 0
    for path in ("/metrics", "/healthz", "/readyz"):
        async with client.session.get(client.url + path) as answer:
            told = await answer.text() + str(answer.headers)
        assert not [word for word in (CANARY_NUMBER[1:], CANARY_TEXT, "3361234") if word in told]


async def _refusals(client: Client, place: str) -> None:
    """What is no id of this stream, a type that there is not, too many streams; and a token that is revoked."""
    for wrong in ("nonsense", place[:-1] + ("0" if place[-1] != "0" else "1"), "0-1-" + "0" * 16):
        assert await _status(client, {"Last-Event-ID": wrong}) == (422, "cursor_invalid")
    assert await _status(client, types="message.nonsense") == (422, "type_unknown")
    assert await _status(client, last_event_id=place) == (422, "invalid_request")
    made = await client.ok("POST", "/v1/tokens", {"name": "reader", "scopes": ["read"]})
    reader = replace(client, token=made["token"])
    streams = [stream(reader) for _ in range(MOST_OF_TOKEN)]
    for each in streams:
        await anext(each)
    assert await _status(reader) == (429, "streams_full")
    # Somebody else's message is not told; a queue that is paused is.
    await client.send("+33612340000", "not for the reader")
    await client.ok("POST", "/v1/pause")
    assert [(await anext(each))[1] for each in streams] == ["queue.paused"] * MOST_OF_TOKEN
    await client.ok("POST", "/v1/resume")
    assert {(await anext(each))[1] for each in streams} == {"queue.resumed"}
    await client.ok("DELETE", "/v1/tokens/reader")
    for each in streams:
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(each), 5)
    assert await _status(reader) == (401, "unauthorized")


async def _status(client: Client, fields: dict[str, str] | None = None, **query: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {client.token}", **(fields or {})}
    async with client.session.get(client.url + "/v1/events", headers=headers, params=query) as answer:
        return answer.status, (await answer.json(content_type=None))["code"]
