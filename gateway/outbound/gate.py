"""The last gate: the one transaction in front of a modem.

It writes what became of the part before, chooses the next one, asks the rules again, and sets the durable mark; one
flush for all of it. Nothing is ever written to a modem without a mark that was flushed, and a STOP that was committed
before wins always. The final text and its octets are fixed here, when the first part passes, and never change after: a
retry repeats only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from drivers.tpdu import Address, build_submits, segment
from gateway.config.settings import Category, ModemConfig
from gateway.failpoints import reach
from gateway.message import NO_PAUSE, Hold, PartEvent, PartState, Rule, Status
from gateway.outbound.line import Line, Queued
from gateway.outbound.sim import Sim, Sims
from gateway.rules.admission import Facts, decide
from gateway.rules.numbers import Numbers
from gateway.rules.report import finding_of
from gateway.rules.routing import lane_of
from gateway.rules.verdict import Allow, Defer, Refuse
from gateway.store import lanes, marks, messages, outcomes, queue, recipients, reports, sim_counts
from gateway.store.outcomes import Outcome
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow

_FLASH_CLASS = 0
#: How a message ends that a rule refuses; by any other rule it is suppressed.
_ENDS = {Rule.EXPIRED: Status.EXPIRED, Rule.NUMBER_NOT_ALLOWED: Status.FAILED}


@dataclass(frozen=True, slots=True)
class Marked:
    """A part that carries the durable mark: it may be handed to the modem, once. `copies` counts this one; `iccid` is
    the SIM that it is recorded for, if that is known."""

    attempt_id: int
    message_id: str
    sequence: int
    octets: bytes
    copies: int
    expires_us: int
    iccid: str | None = None


class Gate:
    """Decides and marks, inside a transaction that is handed in."""

    def __init__(
        self,
        categories: Mapping[str, Category],
        modems: Mapping[str, ModemConfig] | None = None,
        timezone: str = "UTC",
        numbers: Numbers | None = None,
    ) -> None:
        self._categories = categories
        self._numbers = numbers or Numbers()
        self.line = Line(modems or {})
        self._sims = Sims(modems or {}, categories, timezone)
        #: What was paused when a part was last asked for.
        self.pause = NO_PAUSE
        #: When a modem should ask again for what it left to others, by its name.
        self.look_again_us: dict[str, int] = {}
        #: Makes the transaction fail unless this host holds its lease; where there is one host there is none.
        self.fence: Callable[[Connection], None] = lambda _: None

    def settle(self, connection: Connection, outcome: Outcome, modem: str, now_us: int) -> None:
        """Write what became of a mark that was made for `modem`, and what follows from it.

        One that was settled meanwhile, by somebody who could not know, takes it as evidence.
        """
        settled = outcomes.settle(connection, outcome, modem, now_us)
        if settled is None:
            if outcomes.late(connection, outcome, now_us) and outcome.event is PartEvent.ACCEPTED:
                _apply_early_report(connection, outcome, modem, now_us)
            return
        self.line.learn(modem, lost=outcome.event is PartEvent.OUTCOME_LOST)
        if outcome.event in {PartEvent.RELEASED, PartEvent.REFUSED}:
            sim_counts.take_back(connection, outcome.attempt_id)
        if settled.reported:
            _apply_early_report(connection, outcome, modem, now_us)
        if outcome.event is PartEvent.OUTCOME_LOST:
            self._plan_resend(connection, outcome.attempt_id, now_us)
            _apply_waiting_reports(connection, outcome.attempt_id, now_us)
        if PartState.UNCERTAIN in settled.others:
            # While this copy was under way a report could not be told to be another's.
            for attempt_id in outcomes.uncertain_copies(connection, outcome.attempt_id):
                _apply_waiting_reports(connection, attempt_id, now_us)

    def next(self, connection: Connection, modem: ModemFacts, now_us: int) -> Marked | None:
        """Mark the next part for this modem, or None when there is nothing for it or sending is paused."""
        self.fence(connection)
        self.pause, begun, waiting = lanes.look(connection, modem, now_us)
        if self.pause.everything:
            return None
        sim = self._sims.open(connection, modem, now_us)
        self.look_again_us.pop(modem.name, None)
        marked = self._mark_next(connection, modem, now_us, sim, begun=begun, waiting=waiting)
        if sim is not None and (until_us := sim.close()) is not None:
            self._look_again(modem, until_us)
        return marked

    def _look_again(self, modem: ModemFacts, until_us: int) -> None:
        self.look_again_us[modem.name] = min(until_us, self.look_again_us.get(modem.name, until_us))

    def _mark_next(
        self,
        connection: Connection,
        modem: ModemFacts,
        now_us: int,
        sim: Sim | None,
        *,
        begun: Sequence[AnyRow],
        waiting: Sequence[AnyRow],
    ) -> Marked | None:
        best = self._best_begun(begun, modem, sim)
        above = 0 if best is None else best.priority + 1
        fresh = self._begin_ready(connection, modem, now_us, sim, above=above, waiting=waiting)
        if fresh is not None or best is None or queue.claim(connection, best) is None:
            return fresh
        if best.modem is None:
            queue.begin(connection, best.id, modem, now_us)
        marked = _mark_next(connection, best, modem, now_us)
        if sim is not None and marked is not None:
            sim.count(best, now_us)
        return marked

    def _best_begun(self, begun: Sequence[AnyRow], modem: ModemFacts, sim: Sim | None) -> AnyRow | None:
        """The best begun message whose next part this modem may send now."""
        for row in begun:
            if row.modem is None and not self.line.route(modem).takes(lane_of(row.lane), row.number or ""):
                continue
            if sim is None or not self._sims.holds(row.category) or sim.takes_part(row):
                return row
        return None

    def _begin_ready(
        self,
        connection: Connection,
        modem: ModemFacts,
        now_us: int,
        sim: Sim | None,
        *,
        above: int,
        waiting: Sequence[AnyRow],
    ) -> Marked | None:
        """Begin and mark the message whose turn it is."""

        def may(category: str) -> bool:
            full = sim is not None and self._sims.holds(category) and sim.is_full
            return not (full or self.pause.holds(category))

        for flow in self.line.flows(waiting, modem, now_us, above, may=may):
            marked = self._begin_of(connection, modem, now_us, flow, sim)
            if marked is not None:
                return marked
        return None

    def _begin_of(
        self, connection: Connection, modem: ModemFacts, now_us: int, flow: Sequence[Queued], sim: Sim | None
    ) -> Marked | None:
        """Begin the first message of a flow that the rules let through; those they refuse end here."""
        while True:
            ended = False
            for row in self.line.candidates(connection, modem, flow, now_us):
                if not self._wants(connection, modem, row, now_us, sim):
                    continue
                claimed = queue.claim(connection, row)
                if claimed is None:
                    continue
                if self._admit(connection, row, now_us, opted_out=bool(claimed.opted_out)):
                    marked = self._begin(connection, row, modem, now_us, claimed.mark)
                    self.line.serve(row)
                    if sim is not None and marked is not None:
                        sim.count(row, now_us)
                    return marked
                ended = True
            if not ended:
                # Nothing, or other hosts decide about all of these at this moment, or others are to take them.
                return None

    def _begin(
        self, connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int, number: int | None
    ) -> Marked | None:
        if row.has_parts:
            queue.begin(connection, row.id, modem, now_us)
            return _mark_next(connection, row, modem, now_us)
        octets = self._fix(connection, row, now_us)
        queue.begin(connection, row.id, modem, now_us, octets)
        reach("claimed")
        attempt_id = queue.mark(connection, row.id, 1, modem, now_us, number=number)
        return Marked(attempt_id, row.id, 1, octets[0], 1, row.expires_us, modem.iccid)

    def _wants(self, connection: Connection, modem: ModemFacts, row: AnyRow, now_us: int, sim: Sim | None) -> bool:
        """Whether its SIM has room for the message, and it is not to be left to another modem for a moment."""
        if sim is not None and self._sims.holds(row.category) and not sim.takes(row):
            return False
        until_us = self.line.leaves_until_us(connection, modem, row, now_us)
        if until_us is None:
            return True
        self._look_again(modem, until_us)
        return False

    def _admit(self, connection: Connection, row: AnyRow, now_us: int, *, opted_out: bool) -> bool:
        facts = Facts(
            now_us,
            row.send_us,
            row.expires_us,
            stoppable=bool(row.stoppable),
            opted_out=opted_out,
            automatic_reply=row.reply_to_inbox_id is not None,
            number_refused=self._numbers.refusal(row.number),
        )
        match decide(facts):
            case Allow():
                return True
            case Refuse(rule=rule, explanation=sentence):
                status = _ENDS.get(rule, Status.SUPPRESSED)
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
        row = marks.message_of(connection, attempt_id)
        if row.on_uncertain == "resend":
            category = self._categories.get(row.category) or Category(row.category)
            outcomes.plan_resend(connection, row.id, now_us + category.resend_after_us)


def _mark_next(connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int) -> Marked | None:
    """Mark the next part of a message whose octets are fixed."""
    found = queue.next_part(connection, row.id)
    if found is None:
        # Another host heard a moment ago what makes this part needless.
        return None
    reach("claimed")
    attempt_id = queue.mark_part(connection, found, modem, now_us)
    copies = found.copies + 1
    return Marked(attempt_id, row.id, found.sequence, bytes(found.octets), copies, row.expires_us, modem.iccid)


def _apply_early_report(connection: Connection, outcome: Outcome, modem: str, now_us: int) -> None:
    """A report may have come before the answer it belongs to was committed."""
    assert outcome.tp_mr is not None, "an accepted part has a reference"
    found = reports.early(connection, outcome.attempt_id, modem, outcome.tp_mr, now_us - outcomes.EARLY_REPORT_US)
    if found is not None:
        early, row = found
        reports.apply(connection, early.id, row, now_us, told=early, finding=finding_of(early.tp_st))


def _apply_waiting_reports(connection: Connection, attempt_id: int, now_us: int) -> None:
    """A report of a part whose answer is lost may have come before anybody knew that."""
    for waiting, row in reports.waiting_for(connection, attempt_id):
        reports.apply(connection, waiting.id, row, now_us, told=waiting, finding=finding_of(waiting.tp_st))
