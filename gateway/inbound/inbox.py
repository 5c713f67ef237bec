"""Takes an SMS-DELIVER into the inbox: once, and whole when its last part is there.

Everything runs inside one transaction: the record, the long message it completes, what a keyword in it means. Parts
wait in the store, so a restart between them changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.address import AddressKind
from gateway.clock import SECOND_US
from gateway.ids import IdSource
from gateway.inbound.arrival import Arrival, Origin, fingerprint, joined
from gateway.inbound.replies import Replies, Reply
from gateway.rules.keywords import keyword_of
from gateway.store import events, inbox, messages, recipients
from gateway.store.schema import AnyRow

#: Parts that are further apart than this are not of one message: the reference will have come round.
REASSEMBLY_US = 24 * 3600 * SECOND_US


class Inbox:
    """The decisions about what came in."""

    def __init__(self, ids: IdSource, replies: Replies) -> None:
        self._ids = ids
        self._replies = replies

    def take(self, connection: Connection, arrival: Arrival, lookup: bytes, origin: Origin, now_us: int) -> bool:
        """Keep it; False when the same octets were here before. `lookup` is the sender's fingerprint."""
        sender_id = recipients.ensure(connection, arrival.sender, arrival.kind, lookup, now_us)
        row = arrival.row(sender_id, origin, now_us)
        part_id = inbox.add_part(connection, row)
        if part_id is None:
            return False
        if arrival.whole:
            whole = Whole([part_id], arrival.text, arrival.data, arrival.sent_us)
        else:
            waiting = inbox.open_parts(connection, row, now_us - REASSEMBLY_US)
            whole = _whole_of(_full_set(waiting, arrival.concat_total or 0))
        if whole is not None:
            self._complete(connection, whole, _Sender(sender_id, arrival.kind), origin, now_us)
        return True

    def take_undecodable(self, connection: Connection, raw: str, problem: str, origin: Origin, now_us: int) -> None:
        """Keep octets that no reading fits, so that the modem may forget them."""
        octets = raw.encode(errors="replace")
        row = {
            "fingerprint": fingerprint(origin, octets),
            "modem": origin.modem,
            "iccid": origin.iccid,
            "received_us": now_us,
            "octets": octets,
            "problem": problem,
        }
        if inbox.add_part(connection, row) is not None:
            events.record(connection, now_us, "inbound.undecodable", detail=f"{problem}, through {origin.modem}")

    def _complete(self, connection: Connection, whole: Whole, sender: _Sender, origin: Origin, now_us: int) -> None:
        """One whole message: its record, its event, and what its keyword asks for."""
        keyword = keyword_of(whole.text)
        answered = messages.last_sent_to(connection, sender.id)
        item_id = self._ids.new()
        row = {
            "id": item_id,
            "recipient_id": sender.id,
            "modem": origin.modem,
            "node": origin.node,
            "iccid": origin.iccid,
            "text": whole.text,
            "data": whole.data,
            "parts": len(whole.part_ids),
            "received_us": now_us,
            "sent_us": whole.sent_us,
            "keyword": keyword,
            "in_reply_to": answered.id if answered else None,
            "reference": answered.reference if answered else None,
        }
        inbox.add(connection, row, whole.part_ids)
        events.record(connection, now_us, "inbound.received", inbox_id=item_id, detail=f"through {origin.modem}")
        if keyword is not None:
            category = answered.category if answered else None
            reply = Reply(item_id, sender.id, sender.kind, keyword, origin.modem, category)
            self._replies.obey(connection, reply, now_us)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole message: the rows of its parts in order, and what they say together."""

    part_ids: Sequence[int]
    text: str | None
    data: bytes | None
    sent_us: int | None


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who wrote: row of `recipient` and kind."""

    id: int
    kind: AddressKind


def _whole_of(parts: Sequence[AnyRow]) -> Whole | None:
    if not parts:
        return None
    is_text = any(part.text is not None for part in parts)
    text = joined([bytes(part.octets) for part in parts]) if is_text else None
    data = None if is_text else b"".join(part.data or b"" for part in parts)
    return Whole([part.id for part in parts], text, data, parts[0].sent_us)


def _full_set(parts: Sequence[AnyRow], total: int) -> Sequence[AnyRow]:
    """The parts in their order, or nothing while one is missing. The first that came of each number counts."""
    first = {part.concat_sequence: part for part in reversed(parts)}
    return [first[sequence] for sequence in sorted(first)] if len(first) == total else []
