"""Asks the rules about a message that is about to begin, with the facts of this transaction, and does what they say.

Who is held or ended here is told why; who may leave although other messages would wait now leaves a line for the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from gateway.clock import SECOND_US
from gateway.config.settings import Category
from gateway.message import Hold, Rule, Status
from gateway.outbound.rulebook import Rulebook
from gateway.rules.admission import Facts, never_held
from gateway.rules.verdict import Allow, Defer, Refuse
from gateway.store import events, history, messages, recipients
from gateway.store.prepared import Question
from gateway.store.queue import Claimed
from gateway.store.schema import AnyRow

#: How a message ends that a rule refuses; by any other rule it is suppressed.
_ENDS = {
    Rule.EXPIRED: Status.EXPIRED,
    Rule.NUMBER_NOT_ALLOWED: Status.FAILED,
    Rule.CAP: Status.FAILED,
    Rule.COUNTRY_PROFILE: Status.FAILED,
}
# How long something waits that should have ended, and cannot while the clock is doubted.
_AGAIN_US = 600 * SECOND_US
#: Whose hours other messages keep to, when it is told that one did not wait for them.
_ORDINARY = "transactional"


class Admitting:
    """The rules, asked inside a transaction that is handed in."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._admission = rulebook.admission
        #: Why the time cannot be known now; None while it can.
        self.doubt: Callable[[], str | None] = lambda: None
        self._ordinary = rulebook.settings.categories.get(_ORDINARY) or Category(_ORDINARY)

    def questions(self, row: AnyRow, now_us: int) -> Sequence[Question]:
        """What caps must be told of the person of a ready message."""
        horizon = self._rulebook.horizons.get(row.category)
        if horizon is None or row.reply_to_inbox_id is not None:
            return ()
        since_us = now_us - horizon.span_us
        return history.ask(row.recipient_id, horizon.categories, since_us, horizon.most, test=bool(row.test))

    def admit(self, connection: Connection, row: AnyRow, claimed: Claimed, now_us: int) -> bool:
        """Whether it may begin now; else it is held or ended. The answers are those to `questions`."""
        facts = Facts(
            now_us,
            row.category,
            row.number or "",
            self._end_us(row, now_us),
            row.send_us,
            timing=row.timing,
            shift=row.shift,
            led=row.led_us is not None,
            stoppable=bool(row.stoppable),
            opted_out=bool(claimed.row.opted_out),
            consent=claimed.row.consent,
            under_review=bool(claimed.row.under_review),
            history=history.told(claimed.answers),
            automatic_reply=row.reply_to_inbox_id is not None,
            residence=recipients.residence(row),
        )
        match self._admission.decide(facts):
            case Allow():
                self._tell_bypass(connection, row, facts)
                return True
            case Refuse(rule=rule, explanation=sentence):
                status = _ENDS.get(rule, Status.SUPPRESSED)
                messages.end_waiting(connection, row.id, status, now_us, code=rule, sentence=sentence)
            case Defer() as later:
                due_us = self._again_us(row, now_us) if later.until_us is None else later.until_us
                messages.hold(connection, row.id, Hold(later.rule, later.until_us, later.explanation), due_us, now_us)
        return False

    def _end_us(self, row: AnyRow, now_us: int) -> int:
        """Nothing is too late while nobody knows how late it is."""
        if row.expires_us > now_us or self.doubt() is None:
            return row.expires_us
        return now_us + 1

    def _again_us(self, row: AnyRow, now_us: int) -> int:
        """When to look again at what nobody knows the end of: at its own. While the clock is doubted that may lie
        behind, and nothing ends it: then now and again."""
        return row.expires_us if row.expires_us > now_us else now_us + _AGAIN_US

    def _tell_bypass(self, connection: Connection, row: AnyRow, facts: Facts) -> None:
        """A line for the audit when nothing holds what would hold others."""
        if facts.automatic_reply or not never_held(self._admission.book.category(row.category)):
            return
        for sentence in self._admission.bypassed(facts, self._ordinary):
            events.record(connection, facts.now_us, "rule.bypassed", message_id=row.id, detail=sentence)
