"""Server-sent events (WHATWG HTML, 9.2), as they come out of a connection; and again from where it broke."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from api.client.errors import ApiError, NoAnswer, NotAGateway, Phase
from api.client.exchange import Exchange, Query, document_of, reason_of
from api.client.shapes import EventDoc

_STREAM = "text/event-stream"
_MOST_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `id` is where to go on from (`Client.events(after=…)`)."""

    id: str
    type: str
    document: EventDoc


def events_of(exchange: Exchange, path: str, query: Query, after: str | None) -> Iterator[Event]:
    """Events without end. A connection that breaks is made again, and goes on behind the last event that was given.

    Raises `ApiError` for a refusal that would come again, `NoAnswer` when nobody answers after some tries.
    """
    failures = 0
    while True:
        try:
            for event in _connected(exchange, path, query, after):
                failures, after = 0, event.id
                if event.type:
                    yield event
        except NoAnswer as error:
            failures += 1
            if error.phase is Phase.TLS or failures > exchange.repeating.times:
                raise
        except ApiError as error:
            failures += 1
            if error.retry_after is None or failures > exchange.repeating.times:
                raise
        exchange.pause(exchange.repeating.first_pause_s * 2**failures)


def _connected(exchange: Exchange, path: str, query: Query, after: str | None) -> Iterator[Event]:
    """What comes over one connection. An event without type only says where the stream is."""
    fields = {"Accept": _STREAM, **({"Last-Event-ID": after} if after else {})}
    connection = exchange.opened()
    try:
        response = exchange.sent(connection, "GET", path, query, body=None, fields=fields)
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            document_of(exchange.url, response.status, dict(response.headers.items()), response.read(_MOST_OCTETS))
        if response.headers.get_content_type() != _STREAM:
            raise NotAGateway(exchange.url, response.status)
        yield from parsed(response)
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(exchange.url, reason_of(error), Phase.ASKED) from None
    finally:
        connection.close()


def parsed(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events in the lines of a stream; one that breaks off in the middle is not given."""
    event_id, kind, data = "", "", list[str]()
    for line in lines:
        name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            event_id = value
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif not line.strip() and event_id:
            document: Any = json.loads("\n".join(data)) if data else {}
            yield Event(event_id, kind, cast("EventDoc", document))
            kind, data = "", []
