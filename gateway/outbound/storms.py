"""Storms at the door: what a group of accepted messages is joined to, or waits for.

It is decided in the transaction that accepts, in which nobody else decides about the same people: so it is exact, on
one host and on several. At the gate only the text is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy import Connection

from drivers.tpdu import TpduError, segment
from gateway.config.category import Category
from gateway.config.settings import Settings
from gateway.message import WAITING, Rule, Status
from gateway.outbound.draft import Draft
from gateway.requests import Principal
from gateway.rules import storms as rules
from gateway.rules.storms import Alone, Burst, Fate, FollowUp, Join, Left, Waiting, Wish
from gateway.rules.verdict import Allow, Defer, Verdict
from gateway.store import events, recipients, storms
from gateway.store.messages import NewRow
from gateway.store.schema import AnyRow
from gateway.store.storms import Alike, Around, Found, Joined, Likeness

# As much room as most counts need.
_MANY = 9999
#: Whoever asks, what for, and the row of its recipient.
Asked: TypeAlias = "tuple[Principal, Draft, int]"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows about the people of a group."""

    alike: Found
    around: dict[tuple[int, str], Around]


class Storms:
    """What `[storms]` says."""

    def __init__(self, settings: Settings, fingerprint: Callable[[str], bytes]) -> None:
        self._fingerprint = fingerprint
        self._categories = settings.categories
        self._max_parts = settings.gateway.max_parts
        emergency = settings.storms.emergency
        self._digested = {
            name
            for name, category in settings.categories.items()
            if rules.may_be_digested(category, emergency=emergency)
        }
        self.span_us = settings.storms.identical_us
        self.burst = Burst.of_text(settings.storms.burst)

    @property
    def is_on(self) -> bool:
        """Whether anything is joined at all; then nobody else may decide about the same people meanwhile."""
        return self.span_us is not None or self.burst is not None

    def gather(
        self, connection: Connection, asked: Collection[Asked], now_us: int, gone: Collection[str] = ()
    ) -> Gathering:
        """Look for what these could be joined to; their people are locked. `gone` are messages that were cancelled
        since then."""
        if not self.is_on or not asked:
            return Gathering(self, {}, _Known(Found({}, {}), {}), gone)
        likenesses: dict[tuple[object, ...], int] = {}
        wanted: dict[Likeness, None] = {}
        for principal, draft, person in asked if self.span_us is not None else ():
            if draft.ring_id is not None:
                # Whoever rings means it, and a ring itself rings nobody twice who still waits for the first.
                continue
            number = self._likeness(likenesses, principal, draft)
            wanted[Likeness(person, draft.category.name, number)] = None
        known = _Known(
            storms.alike(connection, list(wanted), now_us, self.span_us or 0) if wanted else Found({}, {}),
            self._around(connection, asked, now_us),
        )
        return Gathering(self, likenesses, known, gone)

    def forecast(
        self, connection: Connection, principal: Principal, draft: Draft, lookup: bytes, now_us: int
    ) -> Verdict:
        """What the same text holds a message up for that comes at the moment of the draft; changes nothing.

        What waits now is taken to have left by any later moment.
        """
        person = recipients.find(connection, lookup) if self.span_us is not None else None
        if person is None or self.span_us is None:
            return Allow()
        wanted = Likeness(person, draft.category.name, self._likeness({}, principal, draft))
        found = storms.alike(connection, [wanted], draft.created_us, self.span_us, locked=False)
        key = (person, wanted.number)
        waiting = found.waiting.get(key) if draft.created_us <= now_us else None
        match rules.of_identical(_wish(draft), *_facts(waiting, found.begun.get(key)), self.span_us):
            case Alone():
                return Allow()
            case Join(sentence=sentence):
                return Defer(None, Rule.STORM, sentence)
            case FollowUp(until_us=until_us, sentence=sentence):
                return Defer(until_us, Rule.STORM, sentence)

    def parts_with_count(self, row: NewRow) -> int:
        """How many parts the text of a message may take with a count at its end."""
        category = self._categories.get(row.category) or Category(row.category)
        most = category.max_parts or self._max_parts
        try:
            told = segment(rules.counted(row.text, _MANY), national_tables=category.national_tables, max_parts=most)
        except TpduError:
            return row.parts
        return max(row.parts, len(told.parts))

    def may_be_digested(self, draft: Draft) -> bool:
        """Whether a message may become a line among others: it asks for nothing of its own."""
        asks = draft.flash or draft.replaces or bool(draft.expect) or draft.ring_id is not None
        bound = (draft.send_us, draft.about_us, draft.timing, draft.wanted_modem)
        return draft.category.name in self._digested and not asks and all(each is None for each in bound)

    def _around(self, connection: Connection, asked: Iterable[Asked], now_us: int) -> dict[tuple[int, str], Around]:
        if self.burst is None:
            return {}
        people = sorted({person for _, draft, person in asked if self.may_be_digested(draft)})
        return storms.around(connection, people, now_us - self.burst.span_us) if people else {}

    def _likeness(self, known: dict[tuple[object, ...], int], principal: Principal, draft: Draft) -> int:
        key = _same(principal, draft)
        number = known.get(key)
        if number is None:
            number = known[key] = int.from_bytes(self._fingerprint(f"like/{key!r}")[:8], "big", signed=True)
        return number


class Gathering:
    """One group of accepted messages: each is placed in the order in which it came."""

    def __init__(
        self, storms_: Storms, likenesses: dict[tuple[object, ...], int], known: _Known, gone: Collection[str]
    ) -> None:
        self._storms = storms_
        self._likenesses = likenesses
        self._known = known
        self._gone = gone
        self._joined: dict[str, Joined] = {}

    def likeness(self, principal: Principal, draft: Draft) -> int | None:
        """The number by which the same message is found, where it is looked for."""
        if draft.ring_id is not None or not self._likenesses:
            return None
        return self._likenesses.get(_same(principal, draft))

    def place(self, row: NewRow, draft: Draft) -> NewRow:
        """The row as it is written: as it is, or joined to another, or held as a follow-up."""
        if not self._storms.is_on or row.status not in WAITING:
            return row
        match self._fate(row, draft):
            case Join() as fate:
                self._count(row, fate)
                return _joined(row, fate)
            case FollowUp() as fate:
                row = replace(_held(row, fate), parts=self._storms.parts_with_count(row))
            case Alone():
                pass
        self._remember(row, draft)
        return row

    def _count(self, row: NewRow, fate: Join) -> None:
        joined = self._joined.get(fate.to)
        if joined is None:
            parts = row.parts if fate.different else self._storms.parts_with_count(row)
            joined = self._joined[fate.to] = Joined(parts=parts)
        joined.more += 1
        joined.expires_us = max(joined.expires_us, row.expires_us)

    def write(self, connection: Connection, now_us: int) -> None:
        """Count what was joined; the rows are written."""
        for each in storms.count(connection, self._joined):
            if rules.is_told(each.before, each.after):
                told = f"joined by others: asked for {each.after} times in all"
                events.record(connection, now_us, "message.joined", message_id=each.message_id, detail=told)
        self._joined.clear()

    def _fate(self, row: NewRow, draft: Draft) -> Fate:
        fate = self._fate_of_identical(row, draft)
        burst = self._storms.burst
        if not isinstance(fate, Alone) or burst is None or not self._storms.may_be_digested(draft):
            return fate
        around = self._known.around.get((row.recipient_id, row.category), _NOTHING)
        carrier = around.carriers.get((row.token_id, row.test))
        held = None if carrier is None or carrier in self._gone else Waiting(carrier)
        return rules.of_burst(_wish(draft), held, around.instants, burst)

    def _fate_of_identical(self, row: NewRow, draft: Draft) -> Fate:
        if row.likeness is None or self._storms.span_us is None:
            return _ALONE
        key = (row.recipient_id, row.likeness)
        waiting, begun = self._known.alike.waiting.get(key), self._known.alike.begun.get(key)
        if waiting is not None and waiting.message_id in self._gone:
            waiting = None
        if waiting is None and begun is None:
            return _ALONE
        return rules.of_identical(_wish(draft), *_facts(waiting, begun), self._storms.span_us)

    def _remember(self, row: NewRow, draft: Draft) -> None:
        """Later messages of this group may be joined to it."""
        if row.likeness is not None:
            self._known.alike.waiting[row.recipient_id, row.likeness] = Alike(row.id, None, row.repeats + 1)
        if self._storms.burst is None:
            return
        around = self._known.around.setdefault((row.recipient_id, row.category), Around([], {}))
        around.instants.append(row.created_us)
        if row.hold_rule is Rule.STORM and self._storms.may_be_digested(draft):
            around.carriers[row.token_id, row.test] = row.id


_ALONE = Alone()
_NOTHING = Around([], {})


def text_of(connection: Connection, row: AnyRow, fits: rules.Fits) -> str:
    """The text that leaves for a message of the queue: with its count, or as a digest, where others were joined to it.

    What else goes around it comes after this.
    """
    if not row.repeats:
        return row.text
    others = storms.other_texts(connection, row.id, row.text, rules.MOST_TOLD)
    return rules.text_of(row.text, row.repeats, others, fits)


def fits_in(most: int, *, national_tables: bool = False) -> rules.Fits:
    """Whether a text takes no more parts than so many."""

    def fits(text: str) -> bool:
        try:
            segment(text, national_tables=national_tables, max_parts=most)
        except TpduError:
            return False
        return True

    return fits


def _same(principal: Principal, draft: Draft) -> tuple[object, ...]:
    """All that makes two messages to one person the same."""
    return (
        principal.token_id, principal.test, draft.category.name, draft.flash, draft.send_us, draft.about_us,
        draft.timing, draft.wanted_node, draft.wanted_modem, draft.expect, draft.reference, draft.text,
    )  # fmt: skip


def _wish(draft: Draft) -> Wish:
    return Wish(
        draft.created_us,
        draft.expires_us,
        draft.category.expires_after_us,
        replaces=draft.replaces,
        ends_firmly=draft.about_us is not None,
    )


def _facts(waiting: Alike | None, begun: Alike | None) -> tuple[Waiting | None, Left | None]:
    left = None if begun is None or begun.begun_us is None else Left(begun.begun_us, begun.asked)
    return None if waiting is None else Waiting(waiting.message_id), left


def _joined(row: NewRow, fate: Join) -> NewRow:
    return replace(
        row,
        status=Status.CANCELED,
        joined_id=fate.to,
        error_code=Rule.STORM,
        error_message=fate.sentence,
        hold_rule=None,
        hold_until_us=None,
        hold_detail=None,
    )


def _held(row: NewRow, fate: FollowUp) -> NewRow:
    """Held by the storm, unless another rule holds it for longer."""
    row = replace(row, expires_us=fate.expires_us, repeats=fate.repeats)
    if row.status is Status.HELD and (row.hold_until_us is None or row.hold_until_us >= fate.until_us):
        return row
    return replace(
        row,
        status=Status.HELD,
        due_us=fate.until_us,
        hold_rule=Rule.STORM,
        hold_until_us=fate.until_us,
        hold_detail=fate.sentence,
    )
