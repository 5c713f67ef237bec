"""Accepting messages: each is checked at the door, then all that were handed in together are committed at once.

One message, a batch and the lines of a stream go the same way; they differ in what one bad message does to the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import fields, replace
from typing import TypeAlias

from sqlalchemy import Connection

from gateway.address import NumberInvalid
from gateway.clock import Clock
from gateway.config.settings import Category, Settings
from gateway.errors import Conflict, FieldError, Forbidden, GatewayError, InvalidRequest, TooMany
from gateway.failpoints import reach
from gateway.ids import IdSource
from gateway.message import Caution, Message, Pause, Rule
from gateway.outbound.acceptance import Acceptance, Entry, Outcome, Taken
from gateway.outbound.chosen import Chosen
from gateway.outbound.door import Door, facts_of
from gateway.outbound.draft import NOBODY, Draft, Person
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.foretold import expiry_cautions, leaves_us, preview_of, shown
from gateway.outbound.memory import Memory
from gateway.outbound.rates import Rates
from gateway.outbound.rulebook import Rulebook, numbers_of
from gateway.requests import Accepted, NewMessage, Preview, Principal, Submission
from gateway.rules.admission import Facts
from gateway.rules.verdict import Defer, Refuse, Verdict, strictest
from gateway.store import consents, history, optouts, recipients, reviews
from gateway.store.database import Store
from gateway.store.idempotency import Key
from gateway.store.messages import Waiting

#: What is wrong with a callback of a token, or None; takes up to some seconds (`gateway.notify.callback_check`).
CallbackCheck: TypeAlias = Callable[[str, int], Awaitable[GatewayError | None]]

MAX_KEY = 255
# How many messages are checked before others on the loop, such as a modem's answer, have their turn.
_AT_ONE_GO = 25
# Two requests that differ in nothing else are the same, whoever writes their callbacks.
# What came of a template may be another text today; the request is the same.
_NO_REQUEST = ("seal", "filled", "same")
_DEFAULTS = {field.name: field.default for field in fields(NewMessage) if field.name not in _NO_REQUEST}


class Intake:
    """Takes messages in."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        elsewhere: Elsewhere | None = None,
        *,
        check_callback: CallbackCheck | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._check_callback = check_callback
        self._door = Door(settings, elsewhere, shared=store.engine.shared)
        self._rulebook = Rulebook(settings)
        self._rates = Rates(clock)
        self._acceptance = Acceptance(settings, store.fingerprint, ids, elsewhere, clock.doubt)
        #: For who writes down person by person what becomes of each, beside the messages.
        self.chosen = Chosen(self._entries, store, clock, self._acceptance, self._rates)

    async def accept(self, principal: Principal, new: NewMessage, key: str | None = None) -> Message:
        """Check and commit one message; returns after the flush.

        With a key that was used before: the message of that time, as it is now. Raises `InvalidRequest`, `Forbidden`,
        or `Conflict` when the key was used for another body.
        """
        entry = self._entry(principal, Submission(new, key), Memory())
        if new.callback is not None:
            entry = await self._with_callback(entry, new.callback)
        if principal.rate is not None:
            (entry,) = self._rates.each([entry])
        if isinstance(entry.draft, GatewayError) and entry.key is None:
            raise entry.draft
        reach("parsed")
        committing = self._store.write_together(self._waiting, entry, hurried=True)
        taken = await (committing if entry.place is None else self._rates.settled([entry], committing))
        reach("accepted")
        return taken

    async def accept_all(
        self,
        principal: Principal,
        submissions: Sequence[Submission],
        key: str | None = None,
        *,
        beside: Callable[[Connection], None] | None = None,
    ) -> list[Accepted]:
        """Check and commit all or none; `key` stands for all of them together. `beside` is written in the same
        transaction; where it raises, nothing is.

        Raises what the first wrong one raises, with the fields of every wrong one as `/messages/N/…`.
        """
        entries = await self._entries(principal, submissions)
        if key is not None:
            entries = self._keyed_together(principal, submissions, entries, key)
        errors = {at: entry.draft for at, entry in enumerate(entries) if isinstance(entry.draft, GatewayError)}
        if errors and not any(entry.key for entry in entries):
            raise _together(errors)
        if principal.rate is not None:
            entries = self._rates.together(entries)
            if not any(entry.key for entry in entries):
                # The rate is the whole batch's: no message of it is named.
                _raise_if_refused(entries[:1])
        committing = self._store.write(lambda connection: self._all(connection, entries, beside), hurried=True)
        return await self._rates.settled(entries, committing)

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
                if principal.rate is not None:
                    entries = self._rates.each(entries)
                if flight is not None:
                    yield await flight
                flight = asyncio.ensure_future(self._each(entries))
            if flight is not None:
                yield await flight
        finally:
            if flight is not None:
                await asyncio.gather(flight, return_exceptions=True)

    async def drafts(self, principal: Principal, news: Sequence[NewMessage]) -> list[Draft | GatewayError]:
        """What would be accepted of each, or why it never can be; nothing is. None has a callback."""
        return [entry.draft for entry in await self._entries(principal, [Submission(new) for new in news])]

    def spend(self, principal: Principal, count: int) -> None:
        """So many messages will be handed in for this token: raises where its rate does not let them through."""
        self._rates.spend(principal, count)

    async def accept_apart(
        self,
        principal: Principal,
        news: Sequence[NewMessage],
        beside: Callable[[Connection, Sequence[Accepted | GatewayError]], None],
    ) -> Sequence[Accepted | GatewayError]:
        """Check and commit those of them that can be, in one transaction; what became of each. `beside` is written in
        the same transaction, knowing that; where it raises, nothing is. A rate is not asked: `spend` was. None has a
        callback."""
        entries = await self._entries(principal, [Submission(new) for new in news])

        def work(connection: Connection) -> list[Accepted | GatewayError]:
            outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
            found = [each.accepted(connection) if isinstance(each, Taken) else each for each in outcomes]
            beside(connection, found)
            return found

        return await self._store.write(work)

    def recipient(self, text: str) -> str:
        """A number in its normal form; `InvalidRequest` where nothing is sent to it. For those who ask number by number
        before there is a text."""
        try:
            number, refusal = numbers_of(self._settings).judged(text, self._settings.gateway.country)
        except NumberInvalid as error:
            raise InvalidRequest.field("number_invalid", "/to", str(error)) from None
        if refusal is not None:
            raise InvalidRequest.field(Rule.NUMBER_NOT_ALLOWED, "/to", refusal)
        return number

    async def preview(self, principal: Principal, new: NewMessage, at_us: int | None) -> Preview:
        """What would become of it, were it handed in at `at_us` (now if None); changes nothing."""
        now_us = self._clock.now_us()
        draft = self._door.check(principal, new, now_us if at_us is None else at_us)
        if new.callback is not None and (wrong := await self._wrong_callback(principal, new.callback)) is not None:
            raise wrong
        lookup = self._store.fingerprint(draft.number)

        def work(connection: Connection) -> Preview:
            storm = self._acceptance.storms.forecast(connection, principal, draft, lookup, now_us)
            told = _was_told(connection, lookup, draft.category, test=principal.test)
            worded = self._door.told_before(draft) if told else draft
            found, residence = recipients.find_known(connection, lookup)
            person = NOBODY if found is None else self._person(connection, found, draft, test=principal.test)
            # A limit that ends before the moment that is asked about holds nothing then.
            pause, waiting = self._acceptance.waits.with_kill_switch(connection, draft.created_us)
            return self._forecast(worded, facts_of(worded, person, residence), storm, pause, waiting)

        # The rules too are asked beside the event loop: holidays and zones of a country that nobody asked for before
        # take a tenth of a second, and a modem's answer must not wait for them.
        return await self._store.read(work)

    def _forecast(self, draft: Draft, facts: Facts, storm: Verdict, pause: Pause, waiting: Waiting) -> Preview:
        verdict = shown(draft, strictest((self._rulebook.admission.decide(facts), storm)), pause, waiting)
        return preview_of(draft, verdict, self._others(facts, verdict), self._cautions(draft, facts, verdict))

    def _person(self, connection: Connection, person: int, draft: Draft, *, test: bool) -> Person:
        """What is known of a recipient that concerns a draft."""
        horizon = self._rulebook.horizons.get(draft.category.name)
        since_us = 0 if horizon is None else draft.created_us - horizon.span_us
        begun = horizon and history.of_person(connection, person, horizon.categories, since_us, horizon.most, test=test)
        return Person(
            opted_out=optouts.is_opted_out(connection, person, draft.category.name),
            consent=consents.state_of(connection, person, draft.category.name),
            under_review=bool(reviews.standing(connection, [person])),
            history=begun or {},
        )

    def _others(self, facts: Facts, verdict: Verdict) -> list[str]:
        """What further rules say, beside the one that decides."""
        told = verdict.explanation if isinstance(verdict, Defer | Refuse) else ""
        found = (*self._rulebook.admission.refusals(facts), *self._rulebook.admission.holds_now(facts))
        # One that leaves earlier tells what would hold it later, and goes on from there.
        return [each.explanation for each in found if not told.startswith(each.explanation)]

    def _cautions(self, draft: Draft, facts: Facts, verdict: Verdict) -> list[Caution]:
        """What somebody may want to change in a draft, its moment included."""
        moments, profiles = self._rulebook.moments, self._rulebook.profiles
        place = moments.places.where(draft.number, facts.residence)
        found = self._door.cautions(draft, profiles.of(draft.category, place))
        if too_late := expiry_cautions(draft, verdict):
            return [*too_late, *found]
        moment_us = leaves_us(draft, verdict)
        if moment_us is not None and not moments.preferred_now(
            draft.category, draft.number, moment_us, facts.residence
        ):
            return [_NOT_PREFERRED, *found]
        return found

    def _waiting(self, connection: Connection, entries: Sequence[Entry]) -> list[Message | Exception]:
        """Requests that came one by one and wait together: their tokens and fates are their own."""
        outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
        return [outcome if isinstance(outcome, GatewayError) else outcome.message(connection) for outcome in outcomes]

    def _all(
        self, connection: Connection, entries: Sequence[Entry], beside: Callable[[Connection], None] | None
    ) -> list[Accepted]:
        if beside is not None:
            beside(connection)
        outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
        errors = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, GatewayError)}
        if errors:
            # Raised inside the transaction: nothing of it stays.
            for entry in entries:
                if entry.place is not None:
                    entry.place.used = False
            raise _together(errors)
        return [_taken(outcome).accepted(connection) for outcome in outcomes]

    async def _each(self, entries: Sequence[Entry]) -> Sequence[Accepted | GatewayError]:
        if not any(entry.key or isinstance(entry.draft, Draft) for entry in entries):
            return [entry.draft for entry in entries if isinstance(entry.draft, GatewayError)]

        def work(connection: Connection) -> list[Accepted | GatewayError]:
            outcomes = self._acceptance.commit(connection, entries, self._clock.now_us())
            return [each.accepted(connection) if isinstance(each, Taken) else each for each in outcomes]

        try:
            return await self._rates.settled(entries, self._store.write(work, hurried=True))
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
        if any(submission.new.callback is not None for submission in submissions):
            return await self._with_callbacks(entries, submissions)
        return entries

    async def _with_callbacks(self, entries: Sequence[Entry], submissions: Sequence[Submission]) -> list[Entry]:
        """The entries with their callbacks looked at; those of one request mostly go to one place."""
        named = {each.new.callback for each in submissions if each.new.callback is not None}
        wrong = dict(
            zip(
                named,
                await asyncio.gather(*(self._wrong_callback(entries[0].principal, each) for each in named)),
                strict=True,
            )
        )
        return [
            entry if each.new.callback is None else _refused(entry, wrong[each.new.callback])
            for entry, each in zip(entries, submissions, strict=True)
        ]

    async def _with_callback(self, entry: Entry, callback: str) -> Entry:
        return _refused(entry, await self._wrong_callback(entry.principal, callback))

    async def _wrong_callback(self, principal: Principal, callback: str) -> GatewayError | None:
        return None if self._check_callback is None else await self._check_callback(callback, principal.token_id)

    def _entry(self, principal: Principal, submission: Submission, memory: Memory) -> Entry:
        """The submission, checked: what is wrong with it counts only if its key was not used before."""
        try:
            key = (
                self._key(principal, submission.key, canonical(submission.new)) if submission.key is not None else None
            )
        except InvalidRequest as error:
            return Entry(principal, error, None)
        try:
            new, now_us = submission.new, self._clock.now_us()
            if new.template is not None:
                new = new.worded()
            return Entry(principal, self._door.check(principal, new.dated(now_us), now_us, memory), key)
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


def _refused(entry: Entry, wrong: GatewayError | None) -> Entry:
    """The entry with what is wrong with its callback, beside what else is."""
    if wrong is None or isinstance(entry.draft, Forbidden):
        return entry
    if isinstance(entry.draft, GatewayError):
        wrong = InvalidRequest(entry.draft.code, entry.draft.message, errors=[*entry.draft.errors, *wrong.errors])
    return replace(entry, draft=wrong)


def canonical(new: NewMessage) -> str:
    """A request in a form in which two that mean the same are the same; a field that says the default is left out."""
    if new.same is not None:
        return json.dumps([new.same])
    said = {name: getattr(new, name) for name in _DEFAULTS}
    return json.dumps({name: value for name, value in said.items() if value != _DEFAULTS[name]}, sort_keys=True)


def _was_told(connection: Connection, lookup: bytes, category: Category, *, test: bool) -> bool:
    """Whether a person had anything of a category before; looked for only where the first notice is not like others."""
    if category.stop_notice_when != "first":
        return False
    person = recipients.find(connection, lookup)
    return person is not None and history.had_any(connection, person, category.name, test=test)


def _taken(outcome: Outcome) -> Taken:
    if isinstance(outcome, GatewayError):
        raise outcome
    return outcome


def _raise_if_refused(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if isinstance(entry.draft, GatewayError):
            raise entry.draft


def _together(errors: dict[int, GatewayError]) -> GatewayError:
    """The first of several refusals, with the fields of all."""
    first = next(iter(errors.values()))
    named = [
        FieldError(f"/messages/{at}{field.pointer}", field.message)
        for at, error in errors.items()
        for field in (error.errors or (FieldError("", error.message),))
    ]
    if isinstance(first, TooMany):
        after_s = max(error.retry_after_s for error in errors.values() if isinstance(error, TooMany))
        return TooMany(first.code, named[0].message, retry_after_s=after_s, errors=named)
    kind = type(first) if type(first) in {InvalidRequest, Forbidden, Conflict} else InvalidRequest
    return kind(first.code, named[0].message, errors=named)


_NOT_PREFERRED = Caution("not_preferred", "it would leave outside the preferred hours of its category")
