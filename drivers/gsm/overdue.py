"""The one submit whose answer is still missed, and what is made of it when it comes after all.

A modem has one submit in flight, so an answer that belongs to nothing that runs belongs to the last one that was given
up, until the next begins. The submit may also be one of an earlier process, whose port was kept open for us. This
module knows no line and no clock: it judges what the channel hears.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.at.results import parse_final
from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import SubmitAnsweredLate, SubmitResult, WireWitness
from drivers.gsm.submit_answer import judge_lines

# An answer that never came through a port that was kept: what is left of the mark is the same as after any restart.
_RESTART = "restart"


class OverdueSubmit:
    """What is known of it. `publish` takes what became of it; `concluded` is called when nothing is waited for."""

    def __init__(self, publish: Callable[[SubmitAnsweredLate], None], concluded: Callable[[], None]) -> None:
        self._publish = publish
        self._concluded = concluded
        self._witness: WireWitness | None = None
        self._tpdu: bytes | None = None
        self._alone = False
        self._escaped = False
        #: How long, in seconds, an answer to the submit of an earlier process is waited for; None for one of ours.
        self.patience: float | None = None
        #: Whether nothing at all was heard that could be a result.
        self.silent = True

    @property
    def missed(self) -> bool:
        """Whether there is such a submit."""
        return self._tpdu is not None

    def expect(self, witness: WireWitness | None, tpdu: bytes, patience: float | None = None) -> None:
        """A submit was given up. Without a witness nobody wants to know more of it."""
        self.forget()
        if witness is not None:
            self._witness, self._tpdu, self.patience = witness, tpdu, patience
            self._alone, self._escaped, self.silent = True, False, True

    def forget(self) -> None:
        """The next submit begins: what comes from now on may be its answer."""
        self._witness = self._tpdu = self.patience = None

    def doubt(self) -> None:
        """Another command was given up too: an error may be its answer."""
        self._alone = False

    def escaped(self) -> None:
        """ESC was written, which a modem may answer with an error of its own."""
        self._escaped = True

    def hear(self, line: str) -> None:
        """A line that answers nothing that runs: the reference, or a final result."""
        if self._tpdu is None or self._witness is None:
            return
        self.silent = False
        if self.patience is not None:
            # Ours might die too before anybody has settled it. One of this process is on record as given up.
            self._witness.on_line(line)
        if parse_final(line) is not None and not self._alone:
            return
        try:
            self._end(judge_lines((line,), self._tpdu))
        except SubmitRefused as error:
            if not (error.local and self._escaped):
                self._end(error)
        except SubmitUncertain:
            return

    def taken_back(self) -> None:
        """The modem proved to wait for the end of the PDU still, and has forgotten it."""
        self._end(ModemNotReady("it waited for the end of the message when the gateway came back"))

    def conclude(self) -> None:
        """Nothing more will be heard of an earlier process's submit."""
        if self.patience is not None:
            self._end(SubmitUncertain(_RESTART))

    def _end(self, result: SubmitResult | SubmitRefused | SubmitUncertain | ModemNotReady) -> None:
        tag = None if self._witness is None else self._witness.tag
        self.forget()
        self._publish(SubmitAnsweredLate(tag, result))
        self._concluded()
