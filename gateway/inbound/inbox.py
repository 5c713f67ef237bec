"""Takes an SMS-DELIVER into the inbox: once, and whole when its last part is there.

Everything runs inside one transaction: the record, the long message it completes, what a keyword in it means. Parts
wait in the store, so a restart between them changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.address import AddressKind
from gateway.clock import SECOND_US
from gateway.ids import IdSource
from gateway.inbound.arrival import Arrival, Origin, fingerprint, joined
from gateway.inbound.reading import Meaning
from gateway.inbound.replies import Replies, Reply
from gateway.inbound.sheet import Sheet, Whole
from gateway.rules.self_test import token_in
from gateway.store import care, events, inbox, locks, recipients
from gateway.store.answered import expected_by, last_sent_to
from gateway.store.locks import Lock
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

#: Parts that are further apart than this are not of one message: the reference will have come round.
REASSEMBLY_US = 24 * 3600 * SECOND_US
#: The same octets again are the same message for this long: a network or a restart brings it once more.
REDELIVERY_US = 24 * 3600 * SECOND_US
#: And for this long when the service centre's time stamp is broken.
REDELIVERY_UNSTAMPED_US = 600 * SECOND_US
#: A stamp that was no further from our own clock than a centre keeps a message was right: what bears it is known for
#: ever, as it may lie in a slot that cannot be freed, and an old STOP is not to be obeyed at each start.
CREDIBLE_US = 72 * 3600 * SECOND_US
_GIVE_UP = 500
#: Parts of two messages whose times lie this near cannot be told apart by them.
NEAR_US = 60 * SECOND_US
#: So many long messages of one sender may wait for their parts, and so many in all.
MOST_OPEN_OF_SENDER = 16
MOST_OPEN = 1000
# When there are too many, so many are ended at once, so that they are not counted with each that comes.
_AT_ONCE = 50


class Inbox:
    """The decisions about what came in."""

    def __init__(self, ids: IdSource, replies: Replies) -> None:
        self._ids = ids
        self._replies = replies
        self._listener = replies.listener
        # How many more may wait for their parts before they are counted.
        self._room = 0

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
        again = arrival.fingerprint in known
        known.add(arrival.fingerprint)
        if not arrival.shown or _is_own_test(sheet, heard):
            return _keep(sheet, row, again=again)
        if again:
            return self._take_again(sheet, row, arrival, sender)
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
        if sheet.now_us - before.received_us > _known_for(arrival, before.received_us):
            return self._take_anew(sheet, row | {"fingerprint": fresh}, arrival, sender)
        inbox.hear_again(sheet.connection, arrival.fingerprint)
        soon = sheet.now_us - before.received_us <= REDELIVERY_US
        if soon and arrival.whole and before.inbox_id is not None and self._listener.is_stop(arrival.text):
            # STOP, START and STOP again within one second of the network's clock: in doubt it is a STOP.
            meaning = self._listener.hear(arrival.text, (), lambda: ())
            self._replies.obey(sheet.connection, sender.said(before.inbox_id, meaning, arrival.text), sheet.now_us)
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
        mine = [part for part in waiting if part.id == part_id]
        older = [part for part in waiting if part.id != part_id]
        rivals = [part for part in older if part.concat_sequence == row["concat_sequence"]]
        at_us = _sent_at(mine[0])
        if any(abs(_sent_at(part) - at_us) <= NEAR_US for part in rivals):
            # Two messages of one moment under one reference: nobody can say which parts belong together.
            self._in_pieces(sheet, waiting, sender)
            return
        if inbox.in_pieces(sheet.connection, row, at_us, NEAR_US):
            self._in_pieces(sheet, mine, sender)
            return
        if rivals:
            # The sender has begun another message under this reference.
            self._complete(sheet, _whole_of(_in_order(older)), sender)
            waiting = mine
        parts = _in_order(waiting)
        if len(parts) == row["concat_total"]:
            self._complete(sheet, _whole_of(parts), sender)
        elif len(waiting) == 1:
            self._bound(sheet, sender)

    def _in_pieces(self, sheet: Sheet, parts: Sequence[AnyRow], sender: _Sender) -> None:
        """Show each part by itself."""
        for part in parts:
            self._complete(sheet, _whole_of([part]), sender)

    def _bound(self, sheet: Sheet, sender: _Sender) -> None:
        """One more long message waits for its parts: of one sender, and in all, only so many may. The oldest are shown
        as they are: a flood of beginnings takes no more room than so many messages."""
        connection = sheet.connection
        own = inbox.open_sets(connection, sender.id)
        if len(own) > MOST_OPEN_OF_SENDER:
            self._end_early(sheet, own[: len(own) - MOST_OPEN_OF_SENDER])
        self._room -= 1
        if self._room <= 0:
            every = inbox.open_sets(connection)
            self._end_early(sheet, every[: max(len(every) - MOST_OPEN + _AT_ONCE, 0)])
            self._room = max(MOST_OPEN - len(every), _AT_ONCE)

    def _end_early(self, sheet: Sheet, sets: Sequence[AnyRow]) -> None:
        if sets and locks.try_alone(sheet.connection, Lock.FRAGMENTS):
            self._show(sheet, inbox.parts_of(sheet.connection, sets), None)

    def give_up(self, connection: Connection, node: str, now_us: int) -> int:
        """Show what came of long messages whose other parts did not come in a day; returns how many messages."""
        if not locks.try_alone(connection, Lock.FRAGMENTS):
            return 0
        stale = inbox.stale_parts(connection, now_us - REASSEMBLY_US, _GIVE_UP)
        sheet = Sheet(connection, now_us, last_sent_to(connection, {part.recipient_id for part in stale}))
        shown = self._show(sheet, stale, node)
        sheet.write()
        return shown

    def _show(self, sheet: Sheet, stale: Sequence[AnyRow], node: str | None) -> int:
        """Show what there is of long messages, given their parts; returns how many messages."""
        sets: dict[tuple[object, ...], list[AnyRow]] = {}
        for part in stale:
            key = (part.recipient_id, part.iccid, part.concat_reference, part.concat_bits, part.concat_total)
            sets.setdefault(key, []).append(part)
        for parts in sets.values():
            first = parts[0]
            origin = Origin(first.modem, first.node or node or "", first.iccid)
            sender = _Sender(first.recipient_id, AddressKind(first.kind), origin)
            self._complete(sheet, _whole_of(_in_order(parts)), sender)
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
        """One whole message: its record, its event, and what it asks for."""
        answered = sheet.answered.get(sender.id)
        meaning = self._listener.hear(
            whole.text,
            expected_by(answered),
            lambda: self._replies.questions(sheet.connection, sender.id, sheet.now_us),
        )
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
            "keyword": None if meaning.keyword is None else str(meaning.keyword),
            **_answered_by(meaning, answered),
            "answer": meaning.answer,
        }
        sheet.add(row, whole)
        if meaning.acts:
            sheet.write()
            category = answered.category if answered else None
            self._replies.obey(sheet.connection, sender.said(item_id, meaning, whole.text, category), sheet.now_us)
        elif self._replies.answers_all and whole.text and not expected_by(answered):
            sheet.write()
            self._replies.say_unread(sheet.connection, sender.said(item_id, meaning, whole.text), sheet.now_us)


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

    def said(self, item_id: str, meaning: Meaning, text: str | None, answers: str | None = None) -> Reply:
        """What they wrote as something to be obeyed; `answers` is the category of what they were sent last."""
        return Reply(item_id, self.id, self.kind, meaning, self.origin.modem, answers, self.origin.node, text)


def _answered_by(meaning: Meaning, last: AnyRow | None) -> dict[str, str | None]:
    """The columns of what a message answers: a question that is said yes to, else the last that its sender was sent."""
    if (question := meaning.confirms) is not None:
        return {"in_reply_to": question.message_id, "reference": question.reference}
    return {"in_reply_to": last.id if last else None, "reference": last.reference if last else None}


def _is_own_test(sheet: Sheet, heard: Heard) -> bool:
    """Whether it is a self-test of one of our modems: its token is known, and it comes from that modem's number."""
    token = token_in(heard.arrival.text)
    test = None if token is None else care.arrived(sheet.connection, token, heard.lookup, sheet.now_us)
    if test is not None and test.outcome != care.SelfTestOutcome.ARRIVED:
        details = {"action": "selftest_arrived", "modem": test.modem, "late": test.outcome is not None}
        log.info("self-test arrived", extra=details)
    return test is not None


def _keep(sheet: Sheet, row: dict[str, Any], *, again: bool) -> bool:
    """Keep what is not for people; False when the same octets are here already."""
    if again:
        sheet.write()
        inbox.hear_again(sheet.connection, row["fingerprint"])
    else:
        sheet.keep(row)
    return not again


def _known_for(arrival: Arrival, received_us: int) -> float:
    """How long, in microseconds, the same octets are the same message; they were kept at `received_us`.

    A stamp that is broken, or stands still, makes every "OK" of one person look alike.
    """
    if arrival.sent_us is None:
        return REDELIVERY_UNSTAMPED_US
    credible = abs(received_us - arrival.sent_us) <= CREDIBLE_US
    return math.inf if arrival.stays or credible else REDELIVERY_US


def _sent_at(part: AnyRow) -> int:
    """When the service centre took a part; when it came, where the network's time is broken."""
    return part.received_us if part.sent_us is None else part.sent_us


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
