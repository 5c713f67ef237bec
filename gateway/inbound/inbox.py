"""Takes an SMS-DELIVER into the inbox: once, and whole when its last part is there.

Everything runs inside one transaction: the record, the long message it completes, what a keyword in it means. Parts
wait in the store, so a restart between them changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.address import AddressKind
from gateway.clock import SECOND_US
from gateway.ids import IdSource
from gateway.inbound.arrival import Arrival, Origin, fingerprint, joined
from gateway.inbound.replies import Replies, Reply
from gateway.inbound.sheet import Sheet, Whole
from gateway.rules.keywords import Keyword, keyword_of
from gateway.store import events, inbox, locks, recipients
from gateway.store.answered import last_sent_to
from gateway.store.locks import Lock
from gateway.store.schema import AnyRow

#: Parts that are further apart than this are not of one message: the reference will have come round.
REASSEMBLY_US = 24 * 3600 * SECOND_US
#: The same octets again are the same message for this long: a network or a restart brings it once more.
REDELIVERY_US = 24 * 3600 * SECOND_US
#: And for this long when the service centre's time stamp is broken.
REDELIVERY_UNSTAMPED_US = 600 * SECOND_US
_GIVE_UP = 500


class Inbox:
    """The decisions about what came in."""

    def __init__(self, ids: IdSource, replies: Replies) -> None:
        self._ids = ids
        self._replies = replies

    def take(self, connection: Connection, arrival: Arrival, lookup: bytes, origin: Origin, now_us: int) -> bool:
        """Keep it; False when the same octets were here before. `lookup` is the sender's fingerprint."""
        (kept,) = self.take_all(connection, [Heard(arrival, lookup, origin)], now_us)
        return kept

    def take_all(self, connection: Connection, group: Sequence[Heard], now_us: int) -> list[bool]:
        """Keep them in their order, as if each came alone; what all of them need is asked and written together."""
        named = {heard.lookup: (heard.arrival.sender, heard.arrival.kind) for heard in group}
        found = recipients.find_all(connection, named)
        made = recipients.add_all(connection, {each: named[each] for each in named.keys() - found.keys()}, now_us)
        known = inbox.known(connection, [heard.arrival.fingerprint for heard in group])
        # To people who were not known nothing was sent.
        sheet = Sheet(connection, now_us, last_sent_to(connection, found.values()))
        people = found | made
        kept = [self._take(sheet, heard, people[heard.lookup], known) for heard in group]
        sheet.write()
        return kept

    def _take(self, sheet: Sheet, heard: Heard, person: int, known: set[bytes]) -> bool:
        arrival = heard.arrival
        sender = _Sender(person, arrival.kind, heard.origin)
        row = arrival.row(person, heard.origin, sheet.now_us)
        if arrival.fingerprint in known:
            return self._take_again(sheet, row, arrival, sender)
        known.add(arrival.fingerprint)
        if arrival.whole:
            self._complete(sheet, Whole(arrival.text, arrival.data, arrival.sent_us, new_part=row), sender)
            return True
        sheet.write()
        part_id = inbox.add_part(sheet.connection, row)
        if part_id is None:
            return self._take_again(sheet, row, arrival, sender)  # another host has just kept it
        self._join(sheet, row, part_id, sender)
        return True

    def _take_again(self, sheet: Sheet, row: dict[str, Any], arrival: Arrival, sender: _Sender) -> bool:
        """The same octets were kept before: a redelivery, or the same words again from a network without a clock."""
        sheet.write()
        before, fresh = _last_kept(sheet.connection, arrival.fingerprint)
        # A stamp that is broken, or stands still, makes every "OK" of one person look alike.
        bound_us = REDELIVERY_US if arrival.sent_us is not None else REDELIVERY_UNSTAMPED_US
        if sheet.now_us - before.received_us > bound_us:
            return self._take_anew(sheet, row | {"fingerprint": fresh}, arrival, sender)
        if arrival.whole and before.inbox_id is not None and keyword_of(arrival.text) is Keyword.STOP:
            # STOP, START and STOP again within one second of the network's clock: in doubt it is a STOP.
            reply = Reply(before.inbox_id, sender.id, sender.kind, Keyword.STOP, row["modem"], None, sender.origin.node)
            self._replies.obey(sheet.connection, reply, sheet.now_us)
        return False

    def _take_anew(self, sheet: Sheet, row: dict[str, Any], arrival: Arrival, sender: _Sender) -> bool:
        part_id = inbox.add_part(sheet.connection, row)
        if part_id is None:
            return False
        if arrival.whole:
            self._complete(sheet, Whole(arrival.text, arrival.data, arrival.sent_us, part_ids=[part_id]), sender)
        else:
            self._join(sheet, row, part_id, sender)
        return True

    def _join(self, sheet: Sheet, row: dict[str, Any], part_id: int, sender: _Sender) -> None:
        """One more part of a long message: complete it, or end an older one whose reference came round."""
        waiting = inbox.open_parts(sheet.connection, row, sheet.now_us - REASSEMBLY_US)
        older = [part for part in waiting if part.id != part_id]
        if any(part.concat_sequence == row["concat_sequence"] for part in older):
            # The same number with other octets: the sender has begun another message under this reference.
            self._complete(sheet, _whole_of(_in_order(older)), sender)
            waiting = [part for part in waiting if part.id == part_id]
        parts = _in_order(waiting)
        if len(parts) == row["concat_total"]:
            self._complete(sheet, _whole_of(parts), sender)

    def give_up(self, connection: Connection, node: str, now_us: int) -> int:
        """Show what came of long messages whose other parts did not come in a day; returns how many messages."""
        if not locks.try_alone(connection, Lock.FRAGMENTS):
            return 0
        stale = inbox.stale_parts(connection, now_us - REASSEMBLY_US, _GIVE_UP)
        sets: dict[tuple[object, ...], list[AnyRow]] = {}
        for part in stale:
            key = (part.recipient_id, part.iccid, part.concat_reference, part.concat_bits, part.concat_total)
            sets.setdefault(key, []).append(part)
        sheet = Sheet(connection, now_us, last_sent_to(connection, {part.recipient_id for part in stale}))
        for parts in sets.values():
            first = parts[0]
            origin = Origin(first.modem, first.node or node, first.iccid)
            sender = _Sender(first.recipient_id, AddressKind(first.kind), origin)
            self._complete(sheet, _whole_of(_in_order(parts)), sender)
        sheet.write()
        return len(sets)

    def take_undecodable(self, connection: Connection, raw: str, problem: str, origin: Origin, now_us: int) -> None:
        """Keep octets that no reading fits, so that the modem may forget them."""
        octets = raw.encode(errors="replace")
        row = {
            "fingerprint": fingerprint(origin, octets),
            "modem": origin.modem,
            "node": origin.node,
            "iccid": origin.iccid,
            "received_us": now_us,
            "octets": octets,
            "problem": problem,
        }
        if inbox.add_part(connection, row) is not None:
            events.record(connection, now_us, "inbound.undecodable", detail=f"{problem}, through {origin.modem}")

    def _complete(self, sheet: Sheet, whole: Whole, sender: _Sender) -> None:
        """One whole message: its record, its event, and what its keyword asks for."""
        keyword = keyword_of(whole.text)
        answered = sheet.answered.get(sender.id)
        item_id = self._ids.new()
        row = {
            "id": item_id,
            "recipient_id": sender.id,
            "modem": sender.origin.modem,
            "node": sender.origin.node,
            "iccid": sender.origin.iccid,
            "text": whole.text,
            "data": whole.data,
            "parts": max(len(whole.part_ids), 1),
            "received_us": sheet.now_us,
            "sent_us": whole.sent_us,
            "keyword": None if keyword is None else str(keyword),
            "in_reply_to": answered.id if answered else None,
            "reference": answered.reference if answered else None,
        }
        sheet.add(row, whole)
        if keyword is not None:
            sheet.write()
            category = answered.category if answered else None
            reply = Reply(item_id, sender.id, sender.kind, keyword, sender.origin.modem, category, sender.origin.node)
            self._replies.obey(sheet.connection, reply, sheet.now_us)


@dataclass(frozen=True, slots=True)
class Heard:
    """An SMS-DELIVER to be kept: what it says, its sender's fingerprint, and where it was heard."""

    arrival: Arrival
    lookup: bytes
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who wrote, as a row of `recipient` and its kind, and who heard it."""

    id: int
    kind: AddressKind
    origin: Origin


def _last_kept(connection: Connection, fingerprint: bytes) -> tuple[AnyRow, bytes]:
    """When these octets were kept last, and the fingerprint that they have if they are kept once more: each follows
    from the one before, so that whatever is told again is found, however often it has come in earnest."""
    last, name = None, fingerprint
    while (row := inbox.earlier(connection, name)) is not None:
        last, name = row, hashlib.sha256(fingerprint + row.id.to_bytes(8, "big")).digest()
    assert last is not None, "the same octets stand in the way"
    return last, name


def _whole_of(parts: Sequence[AnyRow]) -> Whole:
    is_text = any(part.text is not None for part in parts)
    text = joined([bytes(part.octets) for part in parts]) if is_text else None
    data = None if is_text else b"".join(part.data or b"" for part in parts)
    return Whole(text, data, parts[0].sent_us, part_ids=[part.id for part in parts])


def _in_order(parts: Sequence[AnyRow]) -> Sequence[AnyRow]:
    """The parts by their number."""
    return sorted(parts, key=lambda part: part.concat_sequence)
