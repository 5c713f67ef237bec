"""The last gate: the one transaction in front of a modem.

It writes what became of the part before, chooses the next one, asks the rules again, and sets the durable mark; one
flush for all of it. Nothing is ever written to a modem without a mark that was flushed, and a STOP that was committed
before wins always. The final text and its octets are fixed here, when the first part passes, and never change after: a
retry repeats only what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from drivers.tpdu import Address, build_submits, segment
from gateway.config.settings import Category
from gateway.failpoints import reach
from gateway.message import NO_PAUSE, Hold, PartEvent, PartState, Pause, Rule, Status
from gateway.rules.admission import Facts, decide
from gateway.rules.report import finding_of
from gateway.rules.verdict import Allow, Defer, Refuse
from gateway.store import messages, optouts, outcomes, pauses, queue, recipients, reports
from gateway.store.outcomes import Outcome
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow

# A report cannot be older than the submit it speaks of; this much is allowed for clocks that moved.
_EARLY_REPORT_US = 600_000_000
_FLASH_CLASS = 0


@dataclass(frozen=True, slots=True)
class Marked:
    """A part that carries the durable mark: it may be handed to the modem, once. `copies` counts this one."""

    attempt_id: int
    message_id: str
    sequence: int
    octets: bytes
    copies: int
    expires_us: int


class Gate:
    """Decides and marks, inside a transaction that is handed in."""

    def __init__(self, categories: Mapping[str, Category]) -> None:
        self._categories = categories
        #: What was paused when a part was last asked for.
        self.pause = NO_PAUSE

    def settle(self, connection: Connection, outcome: Outcome, modem: str, now_us: int) -> None:
        """Write what became of a mark that was made for `modem`, and what follows from it.

        One that was settled meanwhile, by somebody who could not know, takes it as evidence.
        """
        others = outcomes.settle(connection, outcome, now_us)
        if others is None:
            if outcomes.late(connection, outcome, now_us) and outcome.event is PartEvent.ACCEPTED:
                _apply_early_report(connection, outcome, modem, now_us)
            return
        if outcome.event is PartEvent.ACCEPTED:
            _apply_early_report(connection, outcome, modem, now_us)
        elif outcome.event is PartEvent.OUTCOME_LOST:
            self._plan_resend(connection, outcome.attempt_id, now_us)
            _apply_waiting_reports(connection, outcome.attempt_id, now_us)
        if PartState.UNCERTAIN in others:
            # While this copy was under way a report could not be told to be another's.
            for attempt_id in outcomes.uncertain_copies(connection, outcome.attempt_id):
                _apply_waiting_reports(connection, attempt_id, now_us)

    def next(self, connection: Connection, modem: ModemFacts, now_us: int) -> Marked | None:
        """Mark the next part for this modem, or None when there is nothing for it or sending is paused."""
        pause = self.pause = pauses.standing(connection)
        if pause.everything:
            return None
        begun = queue.begun(connection, modem, now_us)
        above = 0 if begun is None else begun.priority + 1
        chosen = self._begin_ready(connection, modem, now_us, above, pause)
        if chosen is None and begun is not None and queue.claim(connection, begun):
            chosen = begun
            if begun.modem is None:
                queue.begin(connection, begun.id, modem, now_us)
        if chosen is None:
            return None
        row = queue.next_part(connection, chosen.id)
        assert row is not None, "a begun message has a part left"
        reach("claimed")
        attempt_id = queue.mark(connection, row, modem, now_us)
        return Marked(attempt_id, chosen.id, row.sequence, bytes(row.octets), row.copies + 1, chosen.expires_us)

    def _begin_ready(
        self, connection: Connection, modem: ModemFacts, now_us: int, above: int, pause: Pause
    ) -> AnyRow | None:
        """Begin the best ready message that the rules let through; those they refuse end here."""
        while rows := queue.ready(connection, modem, now_us, above=above, pause=pause):
            claimed = False
            for row in rows:
                if not queue.claim(connection, row):
                    continue
                claimed = True
                if self._admit(connection, row, now_us):
                    octets = None if row.has_parts else self._fix(connection, row, now_us)
                    queue.begin(connection, row.id, modem, now_us, octets)
                    return row
            if not claimed:
                # Other hosts decide about all of these at this moment.
                return None
        return None

    def _admit(self, connection: Connection, row: AnyRow, now_us: int) -> bool:
        opted_out = row.stoppable and optouts.is_opted_out(connection, row.recipient_id, row.category)
        reply = row.reply_to_inbox_id is not None
        match decide(
            Facts(now_us, row.send_us, row.expires_us, bool(row.stoppable), opted_out=opted_out, automatic_reply=reply)
        ):
            case Allow():
                return True
            case Refuse(rule=rule, explanation=sentence):
                status = Status.EXPIRED if rule is Rule.EXPIRED else Status.SUPPRESSED
                messages.end_waiting(connection, row.id, status, now_us, code=rule, sentence=sentence)
            case Defer() as later:
                messages.hold(connection, row.id, Hold(later.rule, later.until_us, later.explanation), now_us)
        return False

    def _fix(self, connection: Connection, row: AnyRow, now_us: int) -> Sequence[bytes]:
        """The octets of every part, from now on unchangeable."""
        category = self._categories.get(row.category)
        found = segment(row.text, national_tables=category is not None and category.national_tables)
        submits = build_submits(
            found,
            Address.from_text(row.number),
            reference=recipients.next_concat_reference(connection, row.recipient_id) if len(found.parts) > 1 else 0,
            validity=timedelta(microseconds=row.expires_us - now_us),
            status_report=True,
            message_class=_FLASH_CLASS if row.flash else None,
        )
        return [submit.to_bytes() for submit in submits]

    def _plan_resend(self, connection: Connection, attempt_id: int, now_us: int) -> None:
        row = outcomes.message_of(connection, attempt_id)
        if row.on_uncertain == "resend":
            category = self._categories.get(row.category) or Category(row.category)
            outcomes.plan_resend(connection, row.id, now_us + category.resend_after_us)


def _apply_early_report(connection: Connection, outcome: Outcome, modem: str, now_us: int) -> None:
    """A report may have come before the answer it belongs to was committed."""
    assert outcome.tp_mr is not None, "an accepted part has a reference"
    found = reports.early(connection, outcome.attempt_id, modem, outcome.tp_mr, now_us - _EARLY_REPORT_US)
    if found is not None:
        early, row = found
        reports.apply(connection, early.id, row, now_us, told=early, finding=finding_of(early.tp_st))


def _apply_waiting_reports(connection: Connection, attempt_id: int, now_us: int) -> None:
    """A report of a part whose answer is lost may have come before anybody knew that."""
    for waiting, row in reports.waiting_for(connection, attempt_id):
        reports.apply(connection, waiting.id, row, now_us, told=waiting, finding=finding_of(waiting.tp_st))
