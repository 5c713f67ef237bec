"""How long it takes until the last of many messages has left: pure, by playing what the modems will do.

A modem takes one part after the other, each for as long as its parts were measured to take, and the parts of a message
leave through one modem. Whichever modem is free first takes the next message that it may take; where there are several
kinds (kept for some prefixes, say), the one of which most is left. What waits ahead leaves before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Of a modem that has sent nothing yet: a plain 2G or 3G stick.
USUAL_S: Final = 3.0
_DAY_S: Final = 86_400.0
# More steps than this tell no more.
_MOST_STEPS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Machine:
    """A modem that can send: the seconds that a part occupies it for.

    `room` is how many more parts its SIM may take until `renews_s` from now, and `daily` from then on each day; None
    where nothing bounds it.
    """

    name: str
    seconds: float = USUAL_S
    room: int | None = None
    renews_s: float = 0.0
    daily: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """So many messages of so many parts each, for any of these machines."""

    machines: frozenset[str]
    messages: int
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until the last part has left, None where some of it never does; the parts that each machine takes, and
    how many messages none takes."""

    seconds: float | None
    parts: Mapping[str, int]
    stuck: int = 0


def estimate(machines: Sequence[Machine], ours: Sequence[Load], ahead: Sequence[Load] = ()) -> Estimate:
    """When the last of `ours` has left, behind all of `ahead`."""
    runs = {each.name: _Run(each) for each in machines}
    _play(runs, ahead)
    for run in runs.values():
        run.parts = 0
    stuck = _play(runs, ours)
    took = {name: run.parts for name, run in runs.items() if run.parts}
    seconds = None if stuck else max((runs[name].done_s for name in took), default=0.0)
    return Estimate(seconds, took, stuck)


class _Run:
    """One machine while it is played: when its last part has left, when it can take the next, and what it took."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.done_s = self.free_s = 0.0
        self.parts = 0
        self._room = machine.room
        self._renews_s = machine.renews_s
        self._renew()

    @property
    def is_shut(self) -> bool:
        """Whether there is no room, and never will be."""
        return self._room is not None and self._room <= 0 and not self.machine.daily

    def take(self, parts: int) -> None:
        """So many parts, one after the other."""
        self.parts += parts
        while self._room is not None and self.machine.daily and parts > self._room:
            parts -= self._room
            self._leave(self._room)
            self._renew()
        self._leave(parts)
        self._renew()

    def _leave(self, parts: int) -> None:
        self.done_s = self.free_s = self.free_s + parts * self.machine.seconds
        if self._room is not None:
            self._room -= parts

    def _renew(self) -> None:
        """Without any room it waits for the next day."""
        if self._room is not None and self._room <= 0 and self.machine.daily:
            self.free_s = max(self.free_s, self._renews_s)
            self._room, self._renews_s = self.machine.daily, self._renews_s + _DAY_S


def _play(runs: Mapping[str, _Run], loads: Sequence[Load]) -> int:
    """Let the machines take all of it; how many messages none of them takes."""
    left = [load.messages for load in loads]
    at_once = max(1, sum(left) // _MOST_STEPS)
    able = {name: run for name, run in runs.items() if not run.is_shut}
    while able and any(left):
        name = min(able, key=lambda each: able[each].free_s)
        mine = [at for at, load in enumerate(loads) if left[at] and name in load.machines]
        if not mine:
            del able[name]
            continue
        at = max(mine, key=lambda each: left[each] / loads[each].messages)
        # At the end one by one again: the last messages decide when all have left.
        count = min(at_once, max(1, left[at] // (2 * len(able))))
        left[at] -= count
        able[name].take(count * loads[at].parts)
        if able[name].is_shut:
            del able[name]
    return sum(left)
