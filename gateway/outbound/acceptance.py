"""The transaction that accepts messages: keys looked up, people found, forecasts made, rows written.

Works on a group, because what one message costs is mostly what one statement costs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from gateway.address import Residence, kind_of
from gateway.clock import SECOND_US
from gateway.config.settings import Category, Settings
from gateway.errors import Conflict, FieldError, GatewayError, InvalidRequest, TooMany
from gateway.ids import IdSource
from gateway.message import Caution, Encoding, Message, Pause, Rule, Status
from gateway.outbound.door import facts_of, warnings_of
from gateway.outbound.draft import NOBODY, Draft, Person, part_of
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.fallback import leads_to_contact
from gateway.outbound.foretold import expiry_cautions, shown
from gateway.outbound.quotas import Quotas
from gateway.outbound.rulebook import Rulebook
from gateway.outbound.storms import Asked, Gathering, Storms
from gateway.outbound.waits import Waits
from gateway.requests import Accepted, Principal
from gateway.rules.admission import is_promotional
from gateway.rules.caps import History
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict
from gateway.store import consents, history, idempotency, messages, optouts, recipients, reviews
from gateway.store.idempotency import Key, Use


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody handed in: a draft, or what is wrong with it, which counts only if `key` was not used before."""

    principal: Principal
    draft: Draft | GatewayError
    key: Key | None
    #: Where its token may only send so many in a time: the place that it takes among them.
    place: Place | None = None


@dataclass(slots=True, eq=False)
class Place:
    """One message in a token's rate, since an instant of the monotonic clock; `used` once it was accepted."""

    at_us: int
    used: bool = False


@dataclass(frozen=True, slots=True)
class Fresh:
    """A message that was accepted in this transaction."""

    row: messages.NewRow
    number: str
    pause: Pause
    waiting: messages.Waiting

    def message(self, connection: Connection) -> Message:
        """As front ends know it."""
        del connection  # everything is known already
        return messages.of_row(self.row, self.number, self.pause, self.waiting)

    def accepted(self, connection: Connection) -> Accepted:
        """The same in short."""
        del connection  # as above
        return Accepted(self.row.id, messages.status_of_row(self.row, self.pause, self.waiting))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A message that was accepted earlier, under the same key, or in this group and changed since."""

    message_id: str

    def message(self, connection: Connection) -> Message:
        """As it is now."""
        found = messages.get(connection, self.message_id)
        assert found is not None, "a key is kept no longer than its message"
        return found

    def accepted(self, connection: Connection) -> Accepted:
        """The same in short."""
        return Accepted(self.message_id, self.message(connection).status)


Taken: TypeAlias = Fresh | Repeated
Outcome: TypeAlias = Taken | GatewayError


class Acceptance:
    """Writes what passed the door."""

    def __init__(
        self,
        settings: Settings,
        fingerprint: Callable[[str], bytes],
        ids: IdSource,
        elsewhere: Elsewhere | None = None,
        doubt: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._elsewhere = elsewhere or Elsewhere()
        self._fingerprint = fingerprint
        self._ids = ids
        self._channels = settings.channels
        self.waits = Waits(settings, doubt)
        self._rulebook = Rulebook(settings)
        self.storms = Storms(settings, fingerprint)
        self._all_simulated = all(modem.simulated for modem in settings.modems.values())

    def commit(self, connection: Connection, entries: Sequence[Entry], now_us: int) -> list[Outcome]:
        """Accept the entries, of whoever they are, in their order; what became of each."""
        limited = [entry.principal for entry in entries if entry.principal.parts_a_day is not None]
        quotas = Quotas(connection, limited, now_us) if limited else None
        keys = [entry.key for entry in entries if entry.key is not None]
        used = idempotency.uses(connection, keys, now_us) if keys else {}
        people, residences = self._people(connection, entries, used, now_us)
        drafts = [each.draft for each in entries if isinstance(each.draft, Draft) and each.draft.number in people]
        pause, waiting = self.waits.with_kill_switch(connection, now_us)
        group = _Group(connection, people, pause, waiting, alone=self.storms.is_on)
        group.quotas, group.residences = quotas, residences
        group.look_up(drafts, self._rulebook, now_us)
        group.storms = self.storms.gather(connection, _asked(entries, people), now_us, group.canceled)
        fresh: list[tuple[Key, str]] = []
        outcomes: list[Outcome] = []
        for entry in entries:
            outcome = _known(entry, used) or self._accept(group, entry.principal, entry.draft)
            if entry.key is not None and isinstance(outcome, Fresh):
                used[entry.key.lookup] = Use(entry.key.body, outcome.row.id)
                fresh.append((entry.key, outcome.row.id))
            if entry.place is not None:
                entry.place.used = isinstance(outcome, Fresh)
            outcomes.append(outcome)
        group.end(now_us)
        if fresh:
            idempotency.add(connection, fresh, now_us)
        return group.as_committed(outcomes) if group.canceled else outcomes

    def _people(
        self, connection: Connection, entries: Sequence[Entry], used: dict[bytes, Use], now_us: int
    ) -> tuple[dict[str, int], Mapping[int, Residence]]:
        """The recipients' rows, by number, and by row where they live. Who only stands in a refused entry gets none."""
        numbers = {
            entry.draft.number: None
            for entry in entries
            if isinstance(entry.draft, Draft) and not (entry.key is not None and entry.key.lookup in used)
        }
        if not numbers:
            return {}, {}
        lookups = {self._fingerprint(number): number for number in numbers}
        people = {lookup: (number, kind_of(number)) for lookup, number in lookups.items()}
        rows, residences = recipients.ensure_known(connection, people, now_us)
        return {lookups[lookup]: person for lookup, person in rows.items()}, residences

    def _accept(self, group: _Group, principal: Principal, draft: Draft | GatewayError) -> Outcome:
        if isinstance(draft, GatewayError):
            return draft
        person = group.people[draft.number]
        known = group.known_of(person, draft, test=principal.test)
        verdict = self._rulebook.admission.decide(facts_of(draft, known, group.residences.get(person)))
        refusal = _refused_at_door(verdict, draft)
        if refusal is None and group.quotas is not None:
            refusal = group.quotas.refusal(principal, draft.parts)
        if refusal is not None:
            return refusal
        if draft.replaces and draft.reference is not None:
            group.cancel(draft.reference, principal.token_id, draft.created_us)
        if draft.unreachable and leads_to_contact(group.connection, draft.fallback, self._channels, person):
            draft = replace(draft, unreachable=False)
        likeness = group.storms.likeness(principal, draft)
        row = self._row(principal, draft, person, verdict, likeness)
        if too_late := expiry_cautions(draft, shown(draft, verdict, group.pause, group.waiting)):
            row = replace(row, warnings=_stored([*too_late, *warnings_of(draft)]))
        row = group.storms.place(row, draft)
        group.rows.append(row)
        return Fresh(row, draft.number, group.pause, group.waiting)

    def _row(
        self, principal: Principal, draft: Draft, person: int, verdict: Verdict, likeness: int | None
    ) -> messages.NewRow:
        hold, status, error = _standing(verdict)
        category, message_id = draft.category, self._ids.new()
        return messages.NewRow(
            id=message_id,
            recipient_id=person,
            # The gateway itself has no token.
            token_id=principal.token_id or None,
            category=category.name,
            priority=category.priority,
            stoppable=category.stoppable,
            test=principal.test,
            text=draft.text,
            flash=draft.flash,
            encoding=Encoding(draft.segmentation.encoding),
            parts=draft.parts,
            reference=draft.reference,
            wanted_modem=draft.wanted_modem,
            lane=draft.lane,
            wanted_node=draft.wanted_node,
            on_uncertain=draft.on_uncertain,
            created_us=draft.created_us,
            send_us=draft.send_us,
            timing=draft.timing,
            about_us=draft.about_us,
            shift=draft.shift,
            expect=json.dumps(draft.expect, ensure_ascii=False) if draft.expect else None,
            callback=draft.callback(message_id, draft.number) if callable(draft.callback) else draft.callback,
            fallback=json.dumps(draft.fallback) if draft.fallback else None,
            due_us=_due_us(draft, hold),
            expires_us=draft.expires_us,
            simulated=principal.test or (self._all_simulated and self._elsewhere.all_simulated),
            status=status,
            **_reasons(hold, error),
            warnings=_stored(warnings_of(draft)),
            likeness=likeness,
            **part_of(draft),
        )


def _reasons(hold: Defer | None, error: Refuse | None) -> dict[str, Any]:
    """The columns that say why it waits, or why it ended at once."""
    held = {"hold_rule": hold.rule, "hold_until_us": hold.until_us, "hold_detail": hold.explanation} if hold else {}
    return held | ({"error_code": error.rule, "error_message": error.explanation} if error else {})


_NO_HISTORY: History = {}


class _Group:
    """What is accepted in one transaction, and what all of it shares."""

    def __init__(
        self, connection: Connection, people: dict[str, int], pause: Pause, waiting: messages.Waiting, *, alone: bool
    ) -> None:
        self.connection = connection
        self.people = people
        self.waiting = waiting
        self.pause = pause
        self.rows: list[messages.NewRow] = []
        #: What was cancelled, also of what this very group brought.
        self.canceled: set[str] = set()
        #: What these messages are joined to.
        self.storms: Gathering
        #: What their tokens may still send today; None where none of them has such a limit.
        self.quotas: Quotas | None = None
        #: Where those people live of whom a contact says so.
        self.residences: Mapping[int, Residence] = {}
        # A STOP that another host hears at this moment comes before or after all of this, never in between.
        recipients.lock_all(connection, people.values(), alone=alone)
        self._optouts = optouts.standing(connection, list(people.values())) if people else set[tuple[int, str]]()
        self._consents: Mapping[tuple[int, str], str] = {}
        self._reviews: Collection[int] = ()
        self._history: Mapping[tuple[int, bool], History] = {}

    def look_up(self, drafts: Sequence[Draft], rulebook: Rulebook, now_us: int) -> None:
        """Ask the store for what the rules of these drafts look at, each question once for all of them."""

        def people_of(concerned: Callable[[Category], bool]) -> list[int]:
            return sorted({self.people[draft.number] for draft in drafts if concerned(draft.category)})

        if people := people_of(lambda category: category.consent != "none"):
            self._consents = consents.standing(self.connection, people)
        if people := people_of(is_promotional):
            self._reviews = reviews.standing(self.connection, people)
        if people := people_of(lambda category: category.name in rulebook.horizons):
            counted, span_us = rulebook.looked_back({draft.category.name for draft in drafts})
            self._history = history.of_people(self.connection, people, counted, now_us - span_us)

    def known_of(self, person: int, draft: Draft, *, test: bool) -> Person:
        """What is known of this person that concerns the draft."""
        category = draft.category
        opted_out = category.stoppable and bool(self._optouts) and optouts.covered(self._optouts, person, category.name)
        consent = self._consents.get((person, category.name)) if self._consents else None
        history = self._history.get((person, test)) if self._history else None
        if not (opted_out or consent or history or self._reviews):
            return NOBODY
        return Person(opted_out, consent, person in self._reviews, history or _NO_HISTORY)

    def cancel(self, reference: str, token_id: int, now_us: int) -> None:
        """Cancel what waits under the caller's reference, also what was accepted a moment ago."""
        self.write()
        for each in messages.waiting_under(self.connection, reference, token_id=token_id):
            if messages.end_waiting(
                self.connection, each, Status.CANCELED, now_us, code=None, sentence="replaced by another message"
            ):
                self.canceled.add(each)

    def as_committed(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """What was accepted and then cancelled is told as it is in the end, not as it came."""
        return [
            Repeated(each.row.id) if isinstance(each, Fresh) and each.row.id in self.canceled else each
            for each in outcomes
        ]

    def write(self) -> None:
        """Insert what was accepted so far."""
        if self.rows:
            messages.add_all(self.connection, self.rows, self.pause)
            self.rows.clear()

    def end(self, now_us: int) -> None:
        """Insert the rest, and count what was joined to what."""
        self.write()
        if self.quotas is not None:
            self.quotas.write()
        self.storms.write(self.connection, now_us)


def _asked(entries: Sequence[Entry], people: dict[str, int]) -> list[Asked]:
    """The messages among them, each with the row of its recipient."""
    return [
        (entry.principal, entry.draft, people[entry.draft.number])
        for entry in entries
        if isinstance(entry.draft, Draft) and entry.draft.number in people
    ]


def _known(entry: Entry, used: dict[bytes, Use]) -> Outcome | None:
    """The outcome of an entry whose key was used before."""
    use = used.get(entry.key.lookup) if entry.key is not None else None
    if use is None:
        return None
    if entry.key is not None and entry.key.body != use.body:
        return Conflict("idempotency_mismatch", "this idempotency key was used before, for another message")
    return Repeated(use.message_id)


def _stored(cautions: Sequence[Caution]) -> str | None:
    return json.dumps([[each.code, each.message] for each in cautions]) if cautions else None


def _due_us(draft: Draft, hold: Defer | None) -> int:
    """When it is looked at again: at the moment that a rule names; at its end, where somebody has to decide before."""
    if hold is None:
        return draft.created_us
    return draft.expires_us if hold.until_us is None else hold.until_us


def _refused_at_door(verdict: Verdict, draft: Draft) -> GatewayError | None:
    """What is known to be refused is not accepted first: a cap that is full, a country whose rules forbid it. Whom a
    campaign leaves out it writes down itself, so that nobody stands in it with a message that ended at once."""
    match verdict:
        case Refuse(rule=Rule.CAP, explanation=sentence, again_us=again_us):
            # Rounded up: who came a moment before there is room would be refused again.
            after_s = max(1, -(-((again_us or draft.created_us) - draft.created_us) // SECOND_US))
            return TooMany(Rule.CAP, sentence, retry_after_s=after_s, errors=[FieldError("/to", sentence)])
        case Refuse(rule=Rule.COUNTRY_PROFILE, explanation=sentence):
            pointer = FieldError("/category", sentence)
            return InvalidRequest(Rule.COUNTRY_PROFILE, sentence, errors=[pointer])
        case Refuse(rule=rule, explanation=sentence) if draft.campaign_id is not None:
            return InvalidRequest(rule, sentence)
        case _:
            return None


def _standing(verdict: Verdict) -> tuple[Defer | None, Status, Refuse | None]:
    """Status at acceptance: what is refused now is accepted all the same, and ends at once."""
    match verdict:
        case Allow():
            return None, Status.QUEUED, None
        case Defer():
            return verdict, Status.HELD, None
        case Refuse(rule=Rule.OPT_OUT | Rule.NO_CONSENT):
            return None, Status.SUPPRESSED, verdict
        case Refuse():
            return None, Status.EXPIRED, verdict
