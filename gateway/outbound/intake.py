"""Accepting messages: each is checked at the door, then all that were handed in together are committed at once.

One message, a batch and the lines of a stream go the same way; they differ in what one bad message does to the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import fields, replace

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, FieldError, Forbidden, GatewayError, InvalidRequest
from gateway.failpoints import reach
from gateway.ids import IdSource
from gateway.message import Encoding, Message, Pause, Rule
from gateway.outbound.acceptance import Acceptance, Entry, Outcome, Taken
from gateway.outbound.door import Door, Draft, Memory, facts_of, warnings_of
from gateway.outbound.elsewhere import Elsewhere
from gateway.requests import Accepted, NewMessage, Preview, Principal, Submission
from gateway.rules.admission import decide
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict
from gateway.store import optouts, pauses, recipients
from gateway.store.database import Store
from gateway.store.idempotency import Key

MAX_KEY = 255
# How many messages are checked before others on the loop, such as a modem's answer, have their turn.
_AT_ONE_GO = 25
_DEFAULTS = {field.name: field.default for field in fields(NewMessage)}


class Intake:
    """Takes messages in."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, ids: IdSource, elsewhere: Elsewhere | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._door = Door(settings, elsewhere, shared=store.engine.shared)
        self._acceptance = Acceptance(settings, store.fingerprint, ids, elsewhere)

    async def accept(self, principal: Principal, new: NewMessage, key: str | None = None) -> Message:
        """Check and commit one message; returns after the flush.

        With a key that was used before: the message of that time, as it is now. Raises `InvalidRequest`, `Forbidden`,
        or `Conflict` when the key was used for another body.
        """
        entry = self._entry(principal, Submission(new, key), Memory())
        if isinstance(entry.draft, GatewayError) and entry.key is None:
            raise entry.draft
        reach("parsed")
        taken = await self._store.write_together(self._waiting, entry, hurried=True)
        reach("accepted")
        return taken

    async def accept_all(
        self, principal: Principal, submissions: Sequence[Submission], key: str | None = None
    ) -> list[Accepted]:
        """Check and commit all or none; `key` stands for all of them together.

        Raises what the first wrong one raises, with the fields of every wrong one as `/messages/N/…`.
        """
        entries = await self._entries(principal, submissions)
        if key is not None:
            entries = self._keyed_together(principal, submissions, entries, key)
        errors = {at: entry.draft for at, entry in enumerate(entries) if isinstance(entry.draft, GatewayError)}
        if errors and not any(entry.key for entry in entries):
            raise _together(errors)
        return await self._store.write(lambda connection: self._all(connection, entries), hurried=True)

    async def accept_each(
        self, principal: Principal, groups: AsyncIterator[Sequence[Submission]]
    ) -> AsyncGenerator[Sequence[Accepted | GatewayError]]:
        """Check and commit group by group, in their order; for each group what became of each of its messages.

        A group is checked while the one before is committed. What was committed stays, however this ends.
        """
        memory = Memory()
        flight: asyncio.Future[Sequence[Accepted | GatewayError]] | None = None
        try:
            async for group in groups:
                entries = await self._entries(principal, group, memory)
                if flight is not None:
                    yield await flight
                flight = asyncio.ensure_future(self._each(entries))
            if flight is not None:
                yield await flight
        finally:
            if flight is not None:
                await asyncio.gather(flight, return_exceptions=True)

    async def preview(self, principal: Principal, new: NewMessage, at_us: int | None) -> Preview:
        """What would become of it, were it handed in at `at_us` (now if None); changes nothing."""
        draft = self._door.check(principal, new, self._clock.now_us() if at_us is None else at_us)
        lookup = self._store.fingerprint(draft.number)

        def work(connection: Connection) -> tuple[bool, Pause]:
            return _opted_out(connection, lookup, draft.category.name), pauses.standing(connection)

        opted_out, pause = await self._store.read(work)
        return _preview(draft, decide(facts_of(draft, opted_out=opted_out)), paused=pause.holds(draft.category.name))

    def _waiting(self, connection: Connection, entries: Sequence[Entry]) -> list[Message | Exception]:
        """Requests that came one by one and wait together: their tokens and fates are their own."""
        outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
        return [outcome if isinstance(outcome, GatewayError) else outcome.message(connection) for outcome in outcomes]

    def _all(self, connection: Connection, entries: Sequence[Entry]) -> list[Accepted]:
        outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
        errors = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, GatewayError)}
        if errors:
            # Raised inside the transaction: nothing of it stays.
            raise _together(errors)
        return [_taken(outcome).accepted(connection) for outcome in outcomes]

    async def _each(self, entries: Sequence[Entry]) -> Sequence[Accepted | GatewayError]:
        if not any(entry.key or isinstance(entry.draft, Draft) for entry in entries):
            return [entry.draft for entry in entries if isinstance(entry.draft, GatewayError)]

        def work(connection: Connection) -> list[Accepted | GatewayError]:
            outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
            return [each.accepted(connection) if isinstance(each, Taken) else each for each in outcomes]

        try:
            return await self._store.write(work, hurried=True)
        except GatewayError as error:
            # The store refused: the answer to each of them, and the next group may find it well again.
            return [error] * len(entries)

    async def _entries(
        self, principal: Principal, submissions: Sequence[Submission], memory: Memory | None = None
    ) -> list[Entry]:
        memory = memory or Memory()
        entries: list[Entry] = []
        for at, submission in enumerate(submissions, 1):
            entries.append(self._entry(principal, submission, memory))
            if at % _AT_ONE_GO == 0:
                await asyncio.sleep(0)
        return entries

    def _entry(self, principal: Principal, submission: Submission, memory: Memory) -> Entry:
        """The submission, checked: what is wrong with it counts only if its key was not used before."""
        try:
            key = (
                self._key(principal, submission.key, canonical(submission.new)) if submission.key is not None else None
            )
        except InvalidRequest as error:
            return Entry(principal, error, None)
        try:
            return Entry(principal, self._door.check(principal, submission.new, self._clock.now_us(), memory), key)
        except GatewayError as error:
            return Entry(principal, error, key)

    def _keyed_together(
        self, principal: Principal, submissions: Sequence[Submission], entries: Sequence[Entry], key: str
    ) -> list[Entry]:
        """Each entry with its own place under the common key, and with the body of all."""
        whole = "\n".join(canonical(submission.new) for submission in submissions)
        checked = self._key(principal, key, whole)
        places = [self._store.fingerprint(f"{checked.lookup.hex()}/{at}") for at in range(len(entries))]
        return [replace(entry, key=Key(lookup, checked.body)) for lookup, entry in zip(places, entries, strict=True)]

    def _key(self, principal: Principal, key: str, body: str) -> Key:
        if not 1 <= len(key) <= MAX_KEY or any("\ud800" <= character <= "\udfff" for character in key):
            raise InvalidRequest.field("idempotency_key_invalid", "/idempotency_key", f"has 1 to {MAX_KEY} characters")
        fingerprint = self._store.fingerprint
        return Key(fingerprint(f"idempotency/{principal.token_id}/{key}"), fingerprint(f"body/{body}"))


def canonical(new: NewMessage) -> str:
    """A request in a form in which two that mean the same are the same; a field that says the default is left out."""
    said = {name: getattr(new, name) for name in _DEFAULTS}
    return json.dumps({name: value for name, value in said.items() if value != _DEFAULTS[name]}, sort_keys=True)


def _taken(outcome: Outcome) -> Taken:
    if isinstance(outcome, GatewayError):
        raise outcome
    return outcome


def _together(errors: dict[int, GatewayError]) -> GatewayError:
    """The first of several refusals, with the fields of all."""
    first = next(iter(errors.values()))
    named = [
        FieldError(f"/messages/{at}{field.pointer}", field.message)
        for at, error in errors.items()
        for field in (error.errors or (FieldError("", error.message),))
    ]
    kind = type(first) if type(first) in {InvalidRequest, Forbidden, Conflict} else InvalidRequest
    return kind(first.code, named[0].message, errors=named)


def _opted_out(connection: Connection, lookup: bytes, category: str) -> bool:
    person = recipients.find(connection, lookup)
    return person is not None and optouts.is_opted_out(connection, person, category)


_NO_RULE = "no rule speaks against it"
_PAUSED = "sending is paused until somebody resumes it"


def _preview(draft: Draft, verdict: Verdict, *, paused: bool) -> Preview:
    found = draft.segmentation
    decision, rule = {Allow: "send", Defer: "hold", Refuse: "refuse"}[type(verdict)], None
    explanation = _NO_RULE
    if not isinstance(verdict, Allow):
        rule, explanation = verdict.rule, verdict.explanation
    elif paused:
        decision, rule, explanation = "hold", Rule.PAUSED, _PAUSED
    return Preview(
        encoding=Encoding(found.encoding),
        parts=draft.parts,
        characters=found.characters,
        remaining=found.remaining,
        forced_ucs2_by=list(found.forced_ucs2_by),
        gsm7_text=None,
        text=draft.text,
        decision=decision,
        rule=rule,
        until_us=verdict.until_us if isinstance(verdict, Defer) else None,
        explanation=[explanation],
        warnings=warnings_of(draft),
    )
