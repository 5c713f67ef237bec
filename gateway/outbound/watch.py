"""What a submit is watched by: the journal is written before Ctrl-Z, and a mark that has grown old is taken back.

A process that was stopped, or a machine that slept, between the mark and Ctrl-Z would act on a decision of the past:
the person may have said STOP meanwhile, and another host may have taken over. The clock for that is the one that counts
through sleep.
"""

from __future__ import annotations

import contextlib
import logging

from drivers.errors import ModemNotReady
from drivers.events import WireStage
from gateway.clock import SECOND_US, Clock
from gateway.failpoints import reach
from gateway.outbound.journal import WireJournal

log = logging.getLogger(__name__)

#: The oldest mark on which Ctrl-Z may follow.
STALE_US = 5 * SECOND_US


class SubmitWatch:
    """The witness of one submit. `marked_us` is the boot-time clock's reading when the mark was made."""

    def __init__(self, journal: WireJournal, clock: Clock, attempt_id: int, marked_us: int) -> None:
        self._journal = journal
        self._clock = clock
        self._attempt_id = attempt_id
        self._marked_us = marked_us

    @property
    def tag(self) -> int:
        """The attempt, which the store knows."""
        return self._attempt_id

    def begin(self) -> None:
        """Before the modem is touched. Raises `ModemNotReady` when nothing can be written down."""
        try:
            self._journal.begin(self._attempt_id, self._clock.now_us())
        except OSError as error:
            raise _unwritable(error) from error

    def on_wire(self, stage: WireStage) -> None:
        """Write down that Ctrl-Z is next, or have the part taken back."""
        match stage:
            case WireStage.PROMPTED:
                reach("prompted")
            case WireStage.TYPED:
                self._end_next()
                reach("journaled")
                # The last thing before Ctrl-Z: whatever took long, it shows here.
                self._refuse_stale()
            case WireStage.ENDED:
                reach("ended")

    def on_line(self, line: str) -> None:
        """Write down what the modem answered; what cannot be written is missing evidence, nothing worse."""
        with contextlib.suppress(OSError):
            self._journal.answered(line)

    def _end_next(self) -> None:
        try:
            self._journal.end_next(self._clock.now_us())
        except OSError as error:
            raise _unwritable(error) from error

    def _refuse_stale(self) -> None:
        if self._clock.boottime_us() - self._marked_us > STALE_US:
            # It will not leave, and the journal must not say that it may have.
            self.begin()
            raise ModemNotReady("the mark was too old when the part was ready to leave")


def _unwritable(error: OSError) -> ModemNotReady:
    log.error("the wire journal cannot be written", extra={"action": "journal_refused", "cause": error.strerror})
    return ModemNotReady(f"the wire journal cannot be written ({error.strerror or error})")
