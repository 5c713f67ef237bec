"""Events with what they are about, for everybody who is told of them: webhooks, callbacks, the stream, channels.

An event bears no personal data: what it is about is loaded when it is read, a statement for each kind of thing and
group. A message is shown as it was at its event: with the event's word, and without what came later. Of somebody who
was erased nothing is left to show. Events of an earlier version bear no facts; of them is told what their sentence
says.

`visible_to` is the one place that decides who may be told of what.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from gateway.config.test_network import RECIPIENTS, Rehearsal
from gateway.message import (
    NO_PAUSE,
    PAUSED,
    WAITING,
    Consent,
    ConsentState,
    Hold,
    InboxItem,
    Message,
    OptOut,
    Rule,
    Status,
)
from gateway.requests import Principal
from gateway.store import calls, consents, events, inbox, messages, recipients, rings
from gateway.store.events import Cursor
from gateway.store.modem_facts import MODEM_FACTS
from gateway.store.schema import AnyRow

#: What an event is about. A mapping holds the fields of `data` as they are shown; None: there is nothing (any more).
Subject: TypeAlias = Message | InboxItem | OptOut | Consent | Mapping[str, object] | None

_MESSAGE: Final = "message."
_INBOUND: Final = "inbound."
_STATUSES: Final = {f"{_MESSAGE}{status}": status for status in Status}
_PROGRESS: Final = "alert.progress"
_OPTOUTS: Final = ("optout.added", "optout.lifted")
_CONSENTS: Final = {f"consent.{state}": state for state in ConsentState}
_ENDED_BADLY: Final = frozenset(
    {Status.FAILED, Status.UNDELIVERED, Status.UNCERTAIN, Status.EXPIRED, Status.SUPPRESSED}
)
_LEFT: Final = frozenset({Status.SENT, Status.DELIVERED, Status.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, with its subject. `at_us` is microseconds UTC.

    `token_id` is the token whose message it tells of, or whose message it answers; `callback` is that of the message,
    as the store keeps it; `node` the host that heard what came in.
    """

    id: int
    xact: int
    at_us: int
    type: str
    detail: str | None
    token_id: int | None
    subject: Subject
    callback: str | None = None
    node: str | None = None

    @property
    def is_status(self) -> bool:
        """Whether it is `message.STATUS`, of a word of the contract."""
        return self.type in _STATUSES

    @property
    def cursor(self) -> Cursor:
        """Where a reader stands who has read it."""
        return Cursor(self.xact, self.id)


def following(connection: Connection, cursor: Cursor, limit: int) -> tuple[list[Happening], Cursor]:
    """The next events of all behind `cursor`, in the order of `gateway.store.events.after`, and the cursor behind them;
    at most `limit`."""
    rows, behind = events.after(connection, cursor, limit)
    return _with_subjects(connection, rows), behind


def these(connection: Connection, ids: Sequence[int]) -> list[Happening]:
    """The events of these ids that are still here, in the same order."""
    return _with_subjects(connection, events.these(connection, ids))


# --- who may be told


#: What tells of the gateway itself, and of nobody: whoever may read is told.
_OF_GATEWAY: Final = frozenset({"modem", "sim", "queue", "balance", "clock"})
_OF_PEOPLE: Final = frozenset({"optout", "consent"})
_OF_CAMPAIGNS: Final = frozenset({"campaign", "link", "conversion"})
#: What is told of a message without showing it.
_FACTS_ALONE: Final = frozenset({"link", "conversion"})
_NOTHING: Final = Rehearsal()


def visible_to(principal: Principal, happening: Happening, rehearsal: Rehearsal = _NOTHING) -> bool:
    """Whether this token may be told of it.

    `read:all` sees everything. `read` sees its own messages, the replies to them, and what tells of the gateway itself.
    `contacts` sees opt-outs and consents, `campaigns` what becomes of campaigns, as they do in their lists. Calls and
    what cannot be read are of nobody's message. A token that only tests sees nothing of real people, whatever its
    scopes.
    """
    if principal.test and not _is_test(happening, rehearsal):
        return False
    if principal.may("read:all"):
        return True
    family = happening.type.partition(".")[0]
    if family in _OF_PEOPLE:
        return principal.may("contacts")
    if family in _OF_CAMPAIGNS:
        return principal.may("campaigns")
    if not principal.may("read"):
        return False
    return family in _OF_GATEWAY or (happening.token_id is not None and happening.token_id == principal.token_id)


def _is_test(happening: Happening, rehearsal: Rehearsal) -> bool:
    """Whether it tells of no real person."""
    subject = happening.subject
    if isinstance(subject, Message):
        return subject.simulated
    if isinstance(subject, InboxItem):
        return rehearsal.heard(happening.node, subject.modem)
    if isinstance(subject, OptOut | Consent):
        return subject.number in RECIPIENTS
    if happening.type == _PROGRESS:
        return subject is not None and bool(subject["simulated"])
    return happening.type.partition(".")[0] in _OF_GATEWAY


# --- subjects


def _with_subjects(connection: Connection, rows: Sequence[AnyRow]) -> list[Happening]:
    loaded = _load(connection, rows)
    return [_happening(row, loaded) for row in rows]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the events of a group are about."""

    messages: Mapping[str, AnyRow]
    items: Mapping[str, tuple[InboxItem, int | None, str]]
    numbers: Mapping[int, str | None]
    consents: Mapping[int, Consent]
    calls: Mapping[int, AnyRow]
    facts: Mapping[int, Mapping[str, Any]]
    rings: Mapping[str, AnyRow]


def _load(connection: Connection, rows: Sequence[AnyRow]) -> _Loaded:
    facts = {row.id: json.loads(row.facts) for row in rows if row.facts is not None}
    entries = {row.id: facts[row.id]["consent"] for row in rows if row.type in _CONSENTS and row.id in facts}
    return _Loaded(
        messages=messages.many(connection, _distinct(row.message_id for row in rows)),
        items=inbox.many(connection, _distinct(row.inbox_id for row in rows if row.type.startswith(_INBOUND))),
        numbers=recipients.numbers_of(connection, _distinct(row.recipient_id for row in rows)),
        consents=consents.many(connection, _distinct(entries.values())),
        calls=calls.of_events(connection, [row.id for row in rows if row.type == calls.MISSED]),
        facts=facts,
        rings=rings.tokens_of(connection, _distinct(facts[row.id]["id"] for row in rows if row.type == _PROGRESS)),
    )


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(value for value in values if value is not None))


def _happening(row: AnyRow, loaded: _Loaded) -> Happening:
    token_id, callback, node = None, None, None
    of_message = loaded.messages.get(row.message_id)
    if of_message is not None:
        token_id, callback = of_message.token_id, of_message.callback
    elif row.inbox_id in loaded.items:
        _, token_id, node = loaded.items[row.inbox_id]
    elif row.type == _PROGRESS and (ring := loaded.rings.get(loaded.facts[row.id]["id"])) is not None:
        token_id = ring.token_id
    subject = _subject(row, loaded)
    return Happening(row.id, row.xact or 0, row.at_us, row.type, row.detail, token_id, subject, callback, node)


def _subject(row: AnyRow, loaded: _Loaded) -> Subject:
    facts = loaded.facts.get(row.id, {})
    family = row.type.partition(".")[0]
    if row.type in _OPTOUTS:
        return _optout(row, facts, loaded.numbers)
    if row.type in _CONSENTS:
        return _consent(row, facts, loaded)
    if row.type == calls.MISSED:
        return _call(row, loaded.calls)
    if family == "modem":
        return _modem(row, facts)
    if family in _FACTS_ALONE:
        return facts or None
    if row.message_id is not None:
        found = loaded.messages.get(row.message_id)
        return None if found is None else _as_it_was(row, facts, found)
    if row.inbox_id is not None:
        return loaded.items[row.inbox_id][0] if row.inbox_id in loaded.items else None
    return facts or None


def _optout(row: AnyRow, facts: Mapping[str, Any], numbers: Mapping[int, str | None]) -> OptOut:
    return OptOut(
        number=numbers.get(row.recipient_id) or "",
        category=facts.get("category"),
        since_us=facts.get("since_us", row.at_us),
        source=facts.get("source") or (row.detail or "").removeprefix("by "),
    )


def _consent(row: AnyRow, facts: Mapping[str, Any], loaded: _Loaded) -> Consent:
    entry = loaded.consents.get(facts.get("consent", -1))
    if entry is not None:
        return entry
    category = (row.detail or "").removeprefix("of ")
    number = loaded.numbers.get(row.recipient_id) or ""
    return Consent(number, category, _CONSENTS[row.type], at_us=row.at_us, recorded_us=row.at_us)


def _call(row: AnyRow, known: Mapping[int, AnyRow]) -> Mapping[str, object]:
    call = known.get(row.id)
    if call is None:
        return {"from": None, "modem": None, "node": None, "at_us": row.at_us}
    return {"from": call.number, "modem": call.modem, "node": call.node, "at_us": call.at_us}


def _modem(row: AnyRow, facts: Mapping[str, Any]) -> Mapping[str, object]:
    """What the event bears; of one of an earlier version, the name that its sentence begins with."""
    known = facts or {"name": (row.detail or "").partition(": ")[0] or None}
    return {**dict.fromkeys(MODEM_FACTS), **known}


def _as_it_was(row: AnyRow, facts: Mapping[str, Any], found: AnyRow) -> Message:
    now = messages.to_message(found, NO_PAUSE)
    status = _STATUSES.get(row.type)
    if status is None:
        return now
    began, ended_badly = status not in WAITING, status in _ENDED_BADLY
    code = facts.get("code") or (now.error_code if now.status is status else None)
    return replace(
        now,
        status=status,
        modem=now.modem if began else None,
        node=now.node if began else None,
        attempts=now.attempts if began else 0,
        sent_us=now.sent_us if status in _LEFT else None,
        delivered_us=now.delivered_us if status is Status.DELIVERED else None,
        hold=_held_by(row, facts, now) if status is Status.HELD else None,
        error_code=code if ended_badly else None,
        error_message=row.detail if ended_badly and code else None,
    )


def _held_by(row: AnyRow, facts: Mapping[str, Any], now: Message) -> Hold | None:
    """What held it: by the facts, or by the sentence where it says so; None where nobody knows any more."""
    detail = row.detail or ""
    if "rule" in facts:
        return Hold(Rule(facts["rule"]), facts["until_us"], detail)
    if detail == PAUSED.detail:
        return PAUSED
    return now.hold if now.hold is not None and now.hold.detail == detail else None
