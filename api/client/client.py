"""The interface as methods: one for each thing that it does, named as the routes are."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Unpack, cast

from api.client.address import certificate_in
from api.client.campaigns import CampaignCalls
from api.client.events import Event, events_of
from api.client.exchange import Document, Exchange, Query, Repeating, path_of
from api.client.shapes import (
    AcceptedDoc,
    BatchMessageDoc,
    MessageDoc,
    ModemDoc,
    NewMessageDoc,
    OptOutDoc,
    PreviewDoc,
    ReceivedDoc,
    TimelineDoc,
)

_PAGE = 1000
_NDJSON = "application/x-ndjson"


class Client(CampaignCalls):
    """One gateway at `url` (http, https or unix:/PATH), spoken to with `token`.

    `certificate` names a PEM file with the one certificate that an https gateway must show; without it the system's
    authorities vouch for it. Every call may raise `ApiError` (the gateway refuses), `NoAnswer` (nobody answered) or
    `NotAGateway`. What does no harm twice is tried again when the gateway says "later" or does not answer.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 60.0,
        certificate: Path | None = None,
        repeating: Repeating | None = None,
    ) -> None:
        shown = certificate_in(certificate) if certificate else None
        self.exchange = Exchange(url, token, timeout_s=timeout_s, certificate=shown, repeating=repeating)

    def send(self, to: str, text: str, *, key: str | None = None, **fields: Unpack[NewMessageDoc]) -> MessageDoc:
        """Hand over one message; it is on disk when this returns. `key` is its Idempotency-Key, made up where none is
        given, so that an answer that is lost does not send it twice."""
        body = {"to": to, "text": text, **fields}
        return cast("MessageDoc", self._post(path_of("messages"), body, key or secrets.token_hex(16)))

    def send_all(self, messages: Iterable[BatchMessageDoc], *, key: str | None = None) -> list[AcceptedDoc]:
        """Hand over up to 1 000 messages, all or none of them."""
        body: Document = {"messages": list(messages)}
        return self._post(path_of("messages", "batch"), body, key or secrets.token_hex(16))["items"]

    def stream(self, messages: Iterable[BatchMessageDoc]) -> Iterator[AcceptedDoc]:
        """Hand over any number of messages, one after the other as they are made; an outcome for each, at the end.

        What was committed before a break stays: give each an `idempotency_key` and the whole can be sent again.
        """
        fields = {"Content-Type": _NDJSON, "Accept": _NDJSON, "Connection": "close"}
        lines = (json.dumps(message).encode() + b"\n" for message in messages)
        for line in self.exchange.lines("POST", path_of("messages", "batch"), lines, fields):
            yield cast("AcceptedDoc", json.loads(line))

    def preview(self, to: str, text: str, *, at: str | None = None, category: str | None = None) -> PreviewDoc:
        """What would become of a text; changes nothing."""
        given = {"at": at, "category": category}
        body = {"to": to, "text": text} | {name: value for name, value in given.items() if value is not None}
        return cast("PreviewDoc", self.exchange.call("POST", path_of("messages", "preview"), (), body))

    def messages(self, *, most: int = sys.maxsize, **filters: str) -> Iterator[MessageDoc]:
        """Messages, newest first: filters `status`, `to`, `category`, `reference`, `modem`, `since`, `until`."""
        return cast("Iterator[MessageDoc]", self.items(path_of("messages"), filters, most))

    def message(self, message_id: str) -> MessageDoc:
        """One message as it is now."""
        return cast("MessageDoc", self._get(path_of("messages", message_id)))

    def timeline(self, message_id: str) -> list[TimelineDoc]:
        """What happened to a message."""
        return self._get(path_of("messages", message_id, "timeline"))["items"]

    def cancel(self, message_id: str) -> MessageDoc:
        """Cancel a message that waits."""
        return cast("MessageDoc", self.exchange.call("DELETE", path_of("messages", message_id)))

    def cancel_reference(self, reference: str) -> Document:
        """Cancel everything that waits under a reference of this token."""
        return self.exchange.call("DELETE", path_of("messages"), [("reference", reference)])

    def resolve(self, message_id: str, settlement: str) -> MessageDoc:
        """Settle an uncertain message as `sent`, `failed` or `resend`."""
        return cast("MessageDoc", self._post(path_of("messages", message_id, "resolve"), {"as": settlement}))

    def inbox(self, *, most: int = sys.maxsize, **filters: str) -> Iterator[ReceivedDoc]:
        """Received messages, newest first: filters `keyword`, `since`, `until`; `sender` for the number it is from."""
        named = {"from" if name == "sender" else name: value for name, value in filters.items()}
        return cast("Iterator[ReceivedDoc]", self.items(path_of("inbox"), named, most))

    def optouts(self, *, most: int = sys.maxsize, **filters: str) -> Iterator[OptOutDoc]:
        """Who wants nothing more."""
        return cast("Iterator[OptOutDoc]", self.items(path_of("optouts"), filters, most))

    def opt_out(self, number: str, category: str | None = None) -> Document:
        """Nobody writes to this number any more, in this category or at all."""
        return self._post(path_of("optouts"), {"number": number} | ({"category": category} if category else {}))

    def lift_optout(self, number: str, category: str | None = None) -> Document:
        """Take an opt-out back."""
        named = [("number", number), *([("category", category)] if category else [])]
        return self.exchange.call("DELETE", path_of("optouts"), named)

    def consents(self, *, most: int = sys.maxsize, **filters: str) -> Iterator[Document]:
        """The ledger of consent, newest first."""
        return self.items(path_of("consents"), filters, most)

    def add_consent(self, **fields: Any) -> Document:
        """Note that somebody agreed, or took it back: the fields of `POST /v1/consents`."""
        return self._post(path_of("consents"), fields)

    def modems(self) -> Iterator[ModemDoc]:
        """Every modem."""
        return cast("Iterator[ModemDoc]", self.items(path_of("modems")))

    def pause(self, categories: Iterable[str] | None = None) -> Document:
        """The kill switch: nothing further is sent, or nothing of these categories."""
        return self._post(path_of("pause"), {} if categories is None else {"categories": list(categories)})

    def resume(self) -> Document:
        """Send again."""
        return self._post(path_of("resume"), {})

    def tokens(self) -> Iterator[Document]:
        """Every token, without its secret."""
        return self.items(path_of("tokens"))

    def create_token(self, name: str, scopes: Iterable[str], **fields: Any) -> Document:
        """Make a token; its secret is the answer's `token`, told this once."""
        return self._post(path_of("tokens"), {"name": name, "scopes": list(scopes), **fields})

    def revoke_token(self, name: str) -> Document:
        """Revoke a token, at once."""
        return self.exchange.call("DELETE", path_of("tokens", name))

    def webhooks(self) -> Iterator[Document]:
        """Every endpoint that is told of events."""
        return self.items(path_of("webhooks"))

    def create_webhook(self, url: str, types: Iterable[str] | None = None) -> Document:
        """Let an address be told of events, of all or of these types. The answer's `secret` checks signatures."""
        return self._post(path_of("webhooks"), {"url": url} | ({"types": list(types)} if types is not None else {}))

    def remove_webhook(self, webhook_id: str) -> Document:
        """Tell an address nothing more."""
        return self.exchange.call("DELETE", path_of("webhooks", webhook_id))

    def events(self, *, after: str | None = None, **filters: str) -> Iterator[Event]:
        """What happens, as it happens, without end; `after` is the id of the last event that was dealt with."""
        return events_of(self.exchange, path_of("events"), [*filters.items()], after)

    def items(self, path: str, filters: Mapping[str, str] | None = None, most: int = sys.maxsize) -> Iterator[Document]:
        """The first `most` items of any list, page by page."""
        return pages(self.exchange, path, [*(filters or {}).items()], most)

    def _get(self, path: str) -> Document:
        return self.exchange.call("GET", path)

    def _post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Document:
        return self.exchange.call("POST", path, (), dict(body), key=key)


def pages(exchange: Exchange, path: str, query: Query, most: int = sys.maxsize) -> Iterator[Document]:
    """The first `most` items of a list, asked for page by page."""
    cursor: str | None = None
    while most > 0:
        page = [*query, ("limit", str(min(most, _PAGE))), *([("cursor", cursor)] if cursor else [])]
        answer = exchange.call("GET", path, page)
        items = cast("list[Document]", answer.get("items", []))
        yield from items[:most]
        most -= len(items)
        cursor = answer.get("next")
        if not cursor or not items:
            return
