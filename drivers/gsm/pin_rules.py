"""When a PIN may be given to a SIM. Pure: what is known of PIN and SIM goes in, a refusal or None comes out.

The third wrong PIN blocks a SIM. So a PIN is given once to a SIM that has not taken it before, and then not again until
a person says so, whatever happened in between; one that the SIM did take may be given whenever it is asked for. Below
three tries only a person can decide, and the last try is never taken. Where the modem does not count, our own records
do: two attempts on a SIM with whatever PIN, until it takes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from drivers.gsm.pin_counter import ALL, Tries

# ICCIDs have 19 or 20 digits (ITU-T E.118), and some modems leave the last one out.
_TOLD_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Card:
    """A SIM as far as it is known: by its ICCID, else by the modem's IMEI, else by what the modem is called."""

    name: str
    imei: str | None = None
    iccid: str | None = None

    def may_be(self, other: Card) -> bool:
        """Whether both can be one SIM, by the best that is known of both."""
        if self.iccid and other.iccid:
            return is_same_iccid(self.iccid, other.iccid)
        if self.imei and other.imei:
            return self.imei == other.imei
        return self.name == other.name


def is_same_iccid(one: str, other: str) -> bool:
    """Whether two readings are of one SIM."""
    return one[:_TOLD_DIGITS] == other[:_TOLD_DIGITS]


class PinState(StrEnum):
    """What became of a PIN that was given to a SIM."""

    TRYING = "trying"
    """It is written down that it will be given; what came of it is not."""
    REFUSED = "refused"
    RETRYING = "retrying"
    """As `TRYING`, by a person's leave after it was tried before."""
    SPENT = "spent"
    """Refused again."""
    PAST = "past"
    """Refused, or tried, before the SIM took another PIN, with which its tries began anew."""
    PROVEN = "proven"
    """The SIM took it the last time."""


#: Tries of the SIM that may be gone by a PIN in such a state.
_GONE = {PinState.TRYING: 1, PinState.REFUSED: 1, PinState.RETRYING: 2, PinState.SPENT: 2}
# So many may be gone before only the last is left.
_MOST_GONE = ALL - 1


@dataclass(frozen=True, slots=True)
class PinRecord:
    """One PIN and one SIM. `state` None: never given. `proven`: the SIM took it once. `confirmed`: a person allows one
    more try."""

    state: PinState | None = None
    proven: bool = False
    confirmed: bool = False


class Forbidden(StrEnum):
    """Why a PIN may not be given; the words are stable."""

    LAST_TRY = "pin_last_try"
    NO_COUNTER = "pin_no_counter"
    FEW_TRIES = "pin_few_tries"
    REFUSED = "pin_refused"
    INTERRUPTED = "pin_interrupted"


_WHY = {
    Forbidden.LAST_TRY: "the SIM has no try left for its PIN but the last, which is never taken: enter the PIN in a "
    "phone, then `tocsin modems reset {name}`",
    Forbidden.NO_COUNTER: "the modem does not tell how many tries the SIM has left, so its PIN is not given: set "
    "pin_without_counter = true in [modems.{name}], or switch the SIM's PIN off",
    Forbidden.FEW_TRIES: "the SIM has {left} of its tries left, so somebody gave it a wrong PIN: check the PIN, then "
    "`tocsin modems unlock {name}`",
    Forbidden.REFUSED: "the SIM refused the configured PIN{left}; it is not tried again: check the PIN, then "
    "`tocsin modems unlock {name}`",
    Forbidden.INTERRUPTED: "the configured PIN was given to the SIM and what came of it is not known{left}; it is not "
    "tried again: check the PIN, then `tocsin modems unlock {name}`",
}

# The last try by our own count.
_LAST_BY_RECORD = (
    "the SIM was given wrong PINs twice and the modem does not tell what is left, so no PIN is tried any more: free "
    "the SIM in a phone (switch its PIN off there), then `tocsin modems reset {name}`"
)


@dataclass(frozen=True, slots=True)
class PinRefusal:
    """A PIN that is not given, why, and how many tries the SIM has left if that is known."""

    why: Forbidden
    left: int | None = None

    def text(self, name: str) -> str:
        """For a person: what is the matter, and what to do about the modem `name`."""
        if self.why is Forbidden.FEW_TRIES:
            return _WHY[self.why].format(name=name, left=self.left)
        if self.why is Forbidden.LAST_TRY and self.left is None:
            return _LAST_BY_RECORD.format(name=name)
        left = "" if self.left is None else f" ({self.left} tries left)"
        return _WHY[self.why].format(name=name, left=left)


def gone_by(records: Iterable[PinRecord]) -> int:
    """How many tries may be gone by one PIN, of which these are the records."""
    return max((_GONE.get(record.state, 0) for record in records if record.state is not None), default=0)


def is_last(gone: int, left: int | None) -> bool:
    """Whether only the last try is left, as the SIM counts, else as we do."""
    return gone >= _MOST_GONE if left is None else left <= 1


def state_of_attempt(records: Iterable[PinRecord]) -> PinState:
    """What a PIN that is about to be given is from then on."""
    again = any(record.confirmed and record.state in _GONE for record in records)
    return PinState.RETRYING if again else PinState.TRYING


def refusal_of(
    records: Iterable[PinRecord], tries: Tries | None, *, without_counter: bool, others_gone: int = 0
) -> PinRefusal | None:
    """Why the PIN may not be given to a SIM with these records and tries; None when it may. Of several records, the SIM
    being not known for certain, each can forbid it. `others_gone`: tries that may be gone by other PINs."""
    known = list(records)
    why = _of_tries(tries, without_counter=without_counter)
    if why is None and tries is None and is_last(gone_by(known) + others_gone, None):
        return PinRefusal(Forbidden.LAST_TRY)
    if why in {None, Forbidden.FEW_TRIES}:
        if any(record.confirmed for record in known):
            return None
        # What we did ourselves explains the tries that are gone.
        why = next((found for record in known if (found := _of_record(record, tries)) is not None), why)
    return None if why is None else PinRefusal(why, None if tries is None else tries.left)


def _of_tries(tries: Tries | None, *, without_counter: bool) -> Forbidden | None:
    if tries is None:
        return None if without_counter else Forbidden.NO_COUNTER
    if is_last(0, tries.left):
        return Forbidden.LAST_TRY
    return Forbidden.FEW_TRIES if tries.left < ALL else None


def _of_record(record: PinRecord, tries: Tries | None) -> Forbidden | None:
    if record.state in {PinState.REFUSED, PinState.SPENT, PinState.PAST}:
        return Forbidden.REFUSED
    if record.state in {PinState.TRYING, PinState.RETRYING} and not (
        record.proven and tries is not None and tries.all_left
    ):
        return Forbidden.INTERRUPTED
    return None
