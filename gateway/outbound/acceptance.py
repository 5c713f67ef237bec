"""The transaction that accepts messages: keys looked up, people found, forecasts made, rows written.

Works on a group, because what one message costs is mostly what one statement costs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from gateway.address import AddressKind
from gateway.config.settings import Settings
from gateway.errors import Conflict, GatewayError
from gateway.ids import IdSource
from gateway.message import Caution, Encoding, Message, Pause, Rule, Status
from gateway.outbound.door import Draft, facts_of, warnings_of
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.waits import Waits
from gateway.requests import Accepted, Principal
from gateway.rules.admission import decide
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict
from gateway.store import idempotency, messages, optouts, recipients
from gateway.store.idempotency import Key, Use


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody handed in: a draft, or what is wrong with it, which counts only if `key` was not used before."""

    principal: Principal
    draft: Draft | GatewayError
    key: Key | None


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
        return Accepted(self.row.id, self.message(connection).status)


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
        self, settings: Settings, fingerprint: Callable[[str], bytes], ids: IdSource, elsewhere: Elsewhere | None = None
    ) -> None:
        self._elsewhere = elsewhere or Elsewhere()
        self._fingerprint = fingerprint
        self._ids = ids
        self._waits = Waits(settings)
        self._all_simulated = all(modem.simulated for modem in settings.modems.values())

    def commit(self, connection: Connection, entries: Sequence[Entry], now_us: int) -> list[Outcome]:
        """Accept the entries, of whoever they are, in their order; what became of each."""
        keys = [entry.key for entry in entries if entry.key is not None]
        used = idempotency.uses(connection, keys, now_us) if keys else {}
        people = self._people(connection, entries, used, now_us)
        group = _Group(connection, people, *self._waits.with_kill_switch(connection, now_us))
        fresh: list[tuple[Key, str]] = []
        outcomes: list[Outcome] = []
        for entry in entries:
            outcome = _known(entry, used) or self._accept(group, entry.principal, entry.draft)
            if entry.key is not None and isinstance(outcome, Fresh):
                used[entry.key.lookup] = Use(entry.key.body, outcome.row.id)
                fresh.append((entry.key, outcome.row.id))
            outcomes.append(outcome)
        group.write()
        if fresh:
            idempotency.add(connection, fresh, now_us)
        return group.as_committed(outcomes) if group.canceled else outcomes

    def _people(
        self, connection: Connection, entries: Sequence[Entry], used: dict[bytes, Use], now_us: int
    ) -> dict[str, int]:
        """The recipients' rows, by number. Who only stands in a refused entry gets none."""
        numbers = {
            entry.draft.number: None
            for entry in entries
            if isinstance(entry.draft, Draft) and not (entry.key is not None and entry.key.lookup in used)
        }
        if not numbers:
            return {}
        lookups = {self._fingerprint(number): number for number in numbers}
        people = {lookup: (number, AddressKind.E164) for lookup, number in lookups.items()}
        rows = recipients.ensure_all(connection, people, now_us)
        return {lookups[lookup]: person for lookup, person in rows.items()}

    def _accept(self, group: _Group, principal: Principal, draft: Draft | GatewayError) -> Outcome:
        if isinstance(draft, GatewayError):
            return draft
        person = group.people[draft.number]
        if draft.replaces and draft.reference is not None:
            group.cancel(draft.reference, principal.token_id, draft.created_us)
        opted_out = group.opted_out(person, draft)
        row = self._row(principal, draft, person, opted_out=opted_out)
        group.rows.append(row)
        return Fresh(row, draft.number, group.pause, group.waiting)

    def _row(self, principal: Principal, draft: Draft, person: int, *, opted_out: bool) -> messages.NewRow:
        hold, status, error = _standing(decide(facts_of(draft, opted_out=opted_out)))
        category = draft.category
        return messages.NewRow(
            id=self._ids.new(),
            recipient_id=person,
            token_id=principal.token_id,
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
            due_us=draft.send_us or draft.created_us,
            expires_us=draft.expires_us,
            simulated=principal.test or (self._all_simulated and self._elsewhere.all_simulated),
            status=status,
            hold_rule=hold.rule if hold else None,
            hold_until_us=hold.until_us if hold else None,
            hold_detail=hold.explanation if hold else None,
            error_code=error.rule if error else None,
            error_message=error.explanation if error else None,
            warnings=_stored(warnings_of(draft)),
        )


class _Group:
    """What is accepted in one transaction, and what all of it shares."""

    def __init__(self, connection: Connection, people: dict[str, int], pause: Pause, waiting: messages.Waiting) -> None:
        self._connection = connection
        self.people = people
        self.waiting = waiting
        self.pause = pause
        self.rows: list[messages.NewRow] = []
        #: What was cancelled, also of what this very group brought.
        self.canceled: set[str] = set()
        # A STOP that another host hears at this moment comes before or after all of this, never in between.
        recipients.lock_all(connection, people.values())
        self._optouts = optouts.standing(connection, list(people.values())) if people else set[tuple[int, str]]()

    def opted_out(self, person: int, draft: Draft) -> bool:
        """Whether this person has opted out of the draft's category, or of all."""
        if not (self._optouts and draft.category.stoppable):
            return False
        return (person, "") in self._optouts or (person, draft.category.name) in self._optouts

    def cancel(self, reference: str, token_id: int, now_us: int) -> None:
        """Cancel what waits under the caller's reference, also what was accepted a moment ago."""
        self.write()
        for each in messages.waiting_under(self._connection, reference, token_id=token_id):
            if messages.end_waiting(
                self._connection, each, Status.CANCELED, now_us, code=None, sentence="replaced by another message"
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
            messages.add_all(self._connection, self.rows, self.pause)
            self.rows.clear()


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


def _standing(verdict: Verdict) -> tuple[Defer | None, Status, Refuse | None]:
    """Status at acceptance: what is refused now is accepted all the same, and ends at once."""
    match verdict:
        case Allow():
            return None, Status.QUEUED, None
        case Defer():
            return verdict, Status.HELD, None
        case Refuse(rule=Rule.OPT_OUT):
            return None, Status.SUPPRESSED, verdict
        case Refuse():
            return None, Status.EXPIRED, verdict
