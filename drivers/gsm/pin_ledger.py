"""Where it is written down that a PIN was given to a SIM: before it is given, so that no restart forgets it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol, TypeAlias

from drivers.gsm.pin_rules import Card, PinRecord, PinRefusal, PinState, gone_by, state_of_attempt

#: Whether a PIN with these records may be given to a SIM that lost so many tries by other PINs.
Judge: TypeAlias = Callable[[Sequence[PinRecord], int], "PinRefusal | None"]


class PinOutcome(Enum):
    """What came of a PIN that was given."""

    PROVEN = auto()
    REFUSED = auto()
    UNTOUCHED = auto()
    """The SIM shows that it was not presented at all."""


class PinLedger(Protocol):
    """Keeps records of PINs and SIMs."""

    async def begin(self, card: Card, pin: str, judge: Judge) -> PinRefusal | None:
        """Ask `judge` about the records of this PIN on what may be this SIM; if it has nothing against it write down
        that the PIN is being tried, using up a confirmation. When this returns None that is on the disk.

        Raises `ModemNotReady` when it cannot be written.
        """
        ...

    async def settle(self, card: Card, pin: str, outcome: PinOutcome) -> None:
        """Write down what came of it."""
        ...

    async def confirm(self, card: Card, pin: str) -> None:
        """A person allows one more try."""
        ...


def after(record: PinRecord, outcome: PinOutcome) -> PinRecord:
    """The record once the outcome is known."""
    match outcome:
        case PinOutcome.PROVEN:
            return PinRecord(PinState.PROVEN, proven=True)
        case PinOutcome.REFUSED:
            again = record.state in {PinState.RETRYING, PinState.SPENT}
            return replace(record, state=PinState.SPENT if again else PinState.REFUSED)
        case PinOutcome.UNTOUCHED if record.state is PinState.RETRYING:
            return replace(record, state=PinState.REFUSED)
        case PinOutcome.UNTOUCHED:
            return replace(record, state=PinState.PROVEN if record.proven else None)


def after_another(record: PinRecord) -> PinRecord:
    """The record once the SIM took another PIN: whatever was presented wrongly counts no more."""
    return replace(record, state=PinState.PAST) if gone_by([record]) else record


class PinMemory:
    """A ledger that lasts as long as the process: for modems that nobody keeps a store for."""

    def __init__(self) -> None:
        self._records: dict[tuple[Card, str], PinRecord] = {}

    async def begin(self, card: Card, pin: str, judge: Judge) -> PinRefusal | None:
        """As the protocol says."""
        found = self._of(card, pin)
        refusal = judge(list(found.values()), self._others_gone(card, pin))
        if refusal is None:
            state = state_of_attempt(found.values())
            proven = any(record.proven for record in found.values())
            for known in {*found, (card, pin)}:
                self._records[known] = PinRecord(state, proven=proven)
        return refusal

    async def settle(self, card: Card, pin: str, outcome: PinOutcome) -> None:
        """As the protocol says."""
        for known, record in self._of(card, pin).items():
            self._records[known] = after(record, outcome)
        if outcome is PinOutcome.PROVEN:
            for known in [each for each in self._records if each[1] != pin and each[0].may_be(card)]:
                self._records[known] = after_another(self._records[known])

    async def confirm(self, card: Card, pin: str) -> None:
        """As the protocol says."""
        for known, record in (self._of(card, pin) or {(card, pin): PinRecord()}).items():
            self._records[known] = replace(record, confirmed=True)

    def _others_gone(self, card: Card, pin: str) -> int:
        return sum(gone_by(self._of(card, other).values()) for other in {its for _, its in self._records} - {pin})

    def _of(self, card: Card, pin: str) -> dict[tuple[Card, str], PinRecord]:
        return {
            (known, its): record for (known, its), record in self._records.items() if its == pin and known.may_be(card)
        }
