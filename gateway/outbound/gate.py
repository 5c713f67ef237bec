"""The last gate: the one transaction in front of a modem.

It writes what became of the part before, chooses the next one, asks the rules again, and sets the durable mark; one
flush for all of it. Nothing is ever written to a modem without a mark that was flushed, and a STOP that was committed
before wins always. The final text and its octets are fixed here, when the first part passes, and never change after: a
retry repeats only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from drivers.tpdu import Address, build_submits, segment
from gateway.clock import SECOND_US
from gateway.config.settings import Category, Settings
from gateway.failpoints import reach
from gateway.message import NO_PAUSE, PartEvent, PartState
from gateway.outbound import storms
from gateway.outbound.admitting import Admitting
from gateway.outbound.clock_guard import ClockGuard
from gateway.outbound.line import Line, Queued
from gateway.outbound.rulebook import Rulebook
from gateway.outbound.sim import Sim, Sims
from gateway.outbound.traffic import Meter, Traffic
from gateway.outbound.wording import Wording
from gateway.rules.report import finding_of
from gateway.rules.routing import Lane, is_stopped, lane_of, stopped_keys
from gateway.store import campaign_stops, history, lanes, marks, outcomes, queue, recipients, reports, sim_counts
from gateway.store.outcomes import Outcome
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow

_FLASH_CLASS = 0
# The shortest that a service centre keeps a message for (23.040, 9.2.3.12.1).
_LEAST_VALIDITY_US = 300 * SECOND_US
#: So many messages are held or ended in one transaction at most: at the hour at which the quiet ones begin a million
#: may wait, and others want to write.
MOST_DECIDED = 100


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
    #: Since when the message could leave, where this is its first part and first try; microseconds UTC.
    due_us: int | None = None


class Gate:
    """Decides and marks, inside a transaction that is handed in."""

    def __init__(self, settings: Settings, clock: ClockGuard | None = None) -> None:
        self._categories = settings.categories
        self._max_parts = settings.gateway.max_parts
        self._admitting = Admitting(Rulebook(settings))
        self._wording = Wording(settings)
        self.line = Line(settings.modems)
        self._sims = Sims(settings.modems, settings.categories, settings.gateway.timezone)
        self._traffic = Traffic(settings)
        #: The caps of all traffic in this transaction; None where there are none.
        self._meter: Meter | None = None
        #: How many more messages may be held or ended in this transaction.
        self._room = MOST_DECIDED
        #: What was paused when a part was last asked for.
        self.pause = NO_PAUSE
        #: When a modem should ask again for what it left to others, by its name.
        self.look_again_us: dict[str, int] = {}
        #: Makes the transaction fail unless this host holds its lease; where there is one host there is none.
        self.fence: Callable[[Connection], None] = lambda _: None
        self._clock: ClockGuard | None = None
        if clock is not None:
            self.go_by(clock)

    def go_by(self, clock: ClockGuard) -> None:
        """While this clock is doubted what needs the time waits, and nothing is too late."""
        self._clock = clock
        self._admitting.doubt = clock.doubt

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
        self._room = MOST_DECIDED
        self.pause, begun, waiting = lanes.look(connection, modem, now_us)
        if self.pause.everything:
            return None
        sim, self._meter = self._sims.open(connection, modem, now_us), self._traffic.open(connection, now_us)
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
            sim.count(best, now_us, held=self._sims.holds(best.category))
        if self._meter is not None and marked is not None and marked.copies > 1:
            self._meter.count(best, 1)
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
        # Asked for behind the lock that whoever stops a campaign takes alone, and only where it matters.
        of_campaigns = any(lane_of(row.lane).campaign for row in waiting)
        stopped = stopped_keys(campaign_stops.standing(connection)) if of_campaigns else ()

        def may(lane: Lane) -> bool:
            full = sim is not None and self._sims.holds(lane.category) and sim.is_full
            # An automatic reply has no token; it answers at once, whatever the hour.
            timed = lane.token_id is not None and self._clock is not None and self._clock.holds(lane.category)
            return not (full or timed or self.pause.holds(lane.category) or is_stopped(lane.campaign, stopped))

        for flow in self.line.flows(waiting, modem, now_us, above, may=may):
            marked = self._begin_of(connection, modem, now_us, flow, sim)
            if marked is not None:
                return marked
        return None

    def _begin_of(
        self, connection: Connection, modem: ModemFacts, now_us: int, flow: Sequence[Queued], sim: Sim | None
    ) -> Marked | None:
        """Begin the first message of a flow that the rules let through; those they refuse end here."""
        while self._room > 0:
            ended = False
            for row in self.line.candidates(connection, modem, flow, now_us):
                if not self._wants(connection, modem, row, now_us, sim):
                    continue
                claimed = queue.claim(connection, row, *self._admitting.questions(row, now_us))
                if claimed is None:
                    continue
                if self._admitting.admit(connection, row, claimed, now_us) and self._has_room(row):
                    marked = self._begin(connection, row, modem, now_us, claimed.row.mark)
                    self.line.serve(row)
                    if sim is not None and marked is not None:
                        if not self._sims.holds(row.category):
                            sim.tell_bypass(row, now_us)
                        sim.count(row, now_us, held=self._sims.holds(row.category))
                    return marked
                ended = True
                self._room -= 1
                if self._room <= 0:
                    # The rest at once, in a transaction of its own.
                    self._look_again(modem, now_us)
                    break
            if not ended:
                # Nothing, or other hosts decide about all of these at this moment, or others are to take them.
                return None
        return None

    def _begin(
        self, connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int, number: int | None
    ) -> Marked | None:
        if row.has_parts:
            queue.begin(connection, row.id, modem, now_us)
            marked = _mark_next(connection, row, modem, now_us)
            if self._meter is not None and marked is not None and marked.copies > 1:
                self._meter.count(row, 1)
            return marked
        octets = self._fix(connection, row, modem, now_us)
        if self._meter is not None:
            self._meter.count(row, len(octets))
        self._traffic.note_country(connection, row, modem, now_us)
        queue.begin(connection, row.id, modem, now_us, octets)
        reach("claimed")
        attempt_id = queue.mark(connection, row.id, 1, modem, now_us, number=number)
        return Marked(attempt_id, row.id, 1, octets[0], 1, row.expires_us, modem.iccid, row.due_us)

    def _wants(self, connection: Connection, modem: ModemFacts, row: AnyRow, now_us: int, sim: Sim | None) -> bool:
        """Whether its SIM has room for the message, and it is not to be left to another modem for a moment."""
        if sim is not None and self._sims.holds(row.category) and not sim.takes(row):
            return False
        until_us = self.line.leaves_until_us(connection, modem, row, now_us)
        if until_us is None:
            return True
        self._look_again(modem, until_us)
        return False

    def _has_room(self, row: AnyRow) -> bool:
        """Whether the caps of all traffic let it begin, too; else it is held. What has begun before was counted."""
        return self._meter is None or bool(row.has_parts) or self._meter.lets(row, held=self._sims.holds(row.category))

    def _fix(self, connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int) -> Sequence[bytes]:
        """The octets of every part, from now on unchangeable."""
        category = self._categories.get(row.category) or Category(row.category)
        most, tables = category.max_parts or self._max_parts, category.national_tables
        worded, fits = self._worded(connection, row, category, modem), storms.fits_in(most, national_tables=tables)
        text = worded(storms.text_of(connection, row, lambda text: fits(worded(text))))
        found = segment(text, national_tables=tables)
        submits = build_submits(
            found,
            Address.from_text(row.number),
            reference=recipients.next_concat_reference(connection, row.recipient_id) if len(found.parts) > 1 else 0,
            validity=timedelta(microseconds=max(row.expires_us - now_us, _LEAST_VALIDITY_US)),
            status_report=True,
            message_class=_FLASH_CLASS if row.flash else None,
        )
        return [submit.to_bytes() for submit in submits]

    def _worded(
        self, connection: Connection, row: AnyRow, category: Category, modem: ModemFacts
    ) -> Callable[[str], str]:
        """What adds sender and notice to a text; an automatic reply is the gateway's own, and leaves as it is."""
        if row.reply_to_inbox_id is not None:
            return str
        first = category.stop_notice_when != "first" or not history.had_any(
            connection, row.recipient_id, category.name, test=bool(row.test)
        )
        return lambda text: self._wording.final(text, category, row.number, modem=modem.name, first=first).text

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
