"""Where it is written down that a PIN was given to a SIM: before it is given, so that no restart forgets it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol, TypeAlias

from drivers.gsm.pin_rules import Card, PinRecord, PinRefusal, PinState

#: Whether a PIN with these records may be given.
Judge: TypeAlias = Callable[[Sequence[PinRecord]], "PinRefusal | None"]


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
            return replace(record, state=PinState.REFUSED)
        case PinOutcome.UNTOUCHED:
            return replace(record, state=PinState.PROVEN if record.proven else None)


class PinMemory:
    """A ledger that lasts as long as the process: for modems that nobody keeps a store for."""

    def __init__(self) -> None:
        self._records: dict[tuple[Card, str], PinRecord] = {}

    async def begin(self, card: Card, pin: str, judge: Judge) -> PinRefusal | None:
        """As the protocol says."""
        found = self._of(card, pin)
        refusal = judge(list(found.values()))
        if refusal is None:
            proven = any(record.proven for record in found.values())
            for known in {*found, (card, pin)}:
                self._records[known] = PinRecord(PinState.TRYING, proven=proven)
        return refusal

    async def settle(self, card: Card, pin: str, outcome: PinOutcome) -> None:
        """As the protocol says."""
        for known, record in self._of(card, pin).items():
            self._records[known] = after(record, outcome)

    async def confirm(self, card: Card, pin: str) -> None:
        """As the protocol says."""
        for known, record in (self._of(card, pin) or {(card, pin): PinRecord()}).items():
            self._records[known] = replace(record, confirmed=True)

    def _of(self, card: Card, pin: str) -> dict[tuple[Card, str], PinRecord]:
        return {
            (known, its): record for (known, its), record in self._records.items() if its == pin and known.may_be(card)
        }
