"""The stream of events as a client reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from support.daemon import Client


async def stream(client: Client, last: str | None = None, **query: str) -> AsyncGenerator[tuple[str, str, Any]]:
    """Id, type and body of each event."""
    headers = {"Authorization": f"Bearer {client.token}"} | ({"Last-Event-ID": last} if last else {})
    async with client.session.get(client.url + "/v1/events", headers=headers, params=query, timeout=None) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream"), await answer.text()
        fields: dict[str, str] = {}
        async for raw in answer.content:
            line = raw.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields:
                yield fields["id"], fields["event"], json.loads(fields["data"])
                fields = {}
            elif "id" in fields:
                yield fields["id"], "", None
                fields = {}
