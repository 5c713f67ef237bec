"""Whether rules may go by the wall clock, and how far to believe it.

A clock is doubted for one of the reasons of `_REASONS`, the first that applies. A machine whose kernel says that its
clock is synchronised is believed; the kernel says so anew after each time that the clock was set. So is a machine that
nobody synchronises, for as long as its clock goes on without a jump and says nothing that cannot be.

Instants and spans are integer microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.config.category import Category

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
#: 2026-01-01: no version of the gateway is older, so no clock that runs right says less.
RELEASED_US = 1_767_225_600 * _SECOND_US
#: What moves by no more than this between two looks was slewed, not set.
SLEWED_US = _SECOND_US
#: A clock may be so far behind what it said once.
BEHIND_US = 10 * _MINUTE_US
#: A clock may be set forward by so much without being synchronised.
AHEAD_US = 60 * _MINUTE_US
#: What is set by no more than this is a small step, and may correct how the clock went.
SMALL_US = _MINUTE_US
# Of so much time a clock goes wrong by one: twice what a kernel can hold back. Small steps fade at this pace.
_DRIFT = 1000
#: A host's clock may differ from its database's by so much without being synchronised.
OFF_US = 60 * _SECOND_US


class Reason(StrEnum):
    """Why a clock is doubted."""

    JUMPED_BACK = "jumped_back"
    JUMPED_FORWARD = "jumped_forward"
    BEFORE_FLOOR = "before_floor"
    OFF_DATABASE = "off_database"
    UNVOUCHED = "unvouched"


#: The end of "the clock cannot be trusted: it …".
WORDS: dict[Reason, str] = {
    Reason.JUMPED_BACK: "was set back",
    Reason.JUMPED_FORWARD: "was set forward",
    Reason.BEFORE_FLOOR: "says a time before one that has been",
    Reason.OFF_DATABASE: "differs from the database's",
    Reason.UNVOUCHED: "was set by nobody who knows the time since the machine started",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the clocks of a machine. `off_us` is the database's clock minus this one, where there is one."""

    now_us: int
    boot_us: int
    synchronized: bool | None
    off_us: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a wall clock from one look to the next.

    `offset_us` is the wall clock minus the boot-time clock at the last look; `ahead_us` how far it was set, forward or
    back, since it was last known to be right; `floor_us` the latest instant that has been; `vouched` whether it is
    believed to have been right when it was first looked at; `allowed_off_us` the difference from the database's clock
    that a person called right. `crept_us` is what small steps are of `ahead_us`, as far as they have not faded;
    `looked_us` is the boot-time clock at the last look, None where nobody knows it.
    """

    offset_us: int
    floor_us: int
    ahead_us: int = 0
    vouched: bool = True
    allowed_off_us: int = 0
    reason: Reason | None = None
    crept_us: int = 0
    looked_us: int | None = None


# In this order; the first that applies is the one that is told.
_REASONS: tuple[tuple[Reason, Callable[[Standing, Seen], bool]], ...] = (
    (Reason.JUMPED_BACK, lambda it, _: it.ahead_us < -BEHIND_US),
    (Reason.JUMPED_FORWARD, lambda it, _: it.ahead_us > AHEAD_US),
    (Reason.BEFORE_FLOOR, lambda it, seen: seen.now_us < it.floor_us - BEHIND_US),
    (Reason.OFF_DATABASE, lambda it, seen: seen.off_us is not None and abs(seen.off_us - it.allowed_off_us) > OFF_US),
    (Reason.UNVOUCHED, lambda it, _: not it.vouched),
)


def first_look(seen: Seen, floor_us: int, *, vouched: bool) -> Standing:
    """What is known at a start, where nothing is known of how the clock went before. A clock that is wrong then is
    believed only when it is synchronised, or a person says that it is right: what it says later may be wrong too."""
    floor_us = max(floor_us, RELEASED_US)
    plausible = seen.now_us >= floor_us - BEHIND_US
    offset_us = seen.now_us - seen.boot_us
    return judge(Standing(offset_us, floor_us, vouched=vouched and plausible, looked_us=seen.boot_us), seen)


def judge(last: Standing, seen: Seen) -> Standing:
    """What is known after one more look."""
    offset_us = seen.now_us - seen.boot_us
    if seen.synchronized:
        return Standing(offset_us, seen.now_us, looked_us=seen.boot_us)
    set_us = offset_us - last.offset_us
    set_us = set_us if abs(set_us) > SLEWED_US else 0
    faded_us = _faded(last, seen)
    found = replace(
        last,
        offset_us=offset_us,
        ahead_us=last.ahead_us - last.crept_us + faded_us + set_us,
        crept_us=faded_us + (set_us if abs(set_us) <= SMALL_US else 0),
        looked_us=seen.boot_us,
        reason=None,
    )
    for reason, applies in _REASONS:
        if applies(found, seen):
            return replace(found, reason=reason)
    return replace(found, floor_us=max(last.floor_us, seen.now_us))


def _faded(last: Standing, seen: Seen) -> int:
    """What small steps still count for. A clock that goes wrong by seconds a day and is set right each day is no clock
    that was set by hours; many of them within a short time are a jump, which does not become right by waiting."""
    if last.looked_us is None or last.reason in {Reason.JUMPED_BACK, Reason.JUMPED_FORWARD}:
        return last.crept_us
    left_us = max(abs(last.crept_us) - max(seen.boot_us - last.looked_us, 0) // _DRIFT, 0)
    return left_us if last.crept_us > 0 else -left_us


def confirmed(seen: Seen) -> Standing:
    """What is known after a person said that the clock is right."""
    offset_us = seen.now_us - seen.boot_us
    return Standing(offset_us, seen.now_us, allowed_off_us=seen.off_us or 0, looked_us=seen.boot_us)


def needs_time(category: Category) -> bool:
    """Whether a message of this category waits while the clock is doubted: when it may leave depends on the hour.

    A cap does not: it counts over a span, and the time that the gateway goes by meanwhile neither jumps nor skips.
    """
    return bool(category.quiet_hours or category.windows or category.preferred or category.profile)
