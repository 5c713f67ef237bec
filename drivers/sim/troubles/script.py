"""A nemesis: troubles by lot, with their options and times, the same ones in the same order for the same seed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from drivers.at.equipment_grammar import Command
from drivers.sim.answers import Answer
from drivers.sim.troubles.base import Lasting, Patient, Produce, Trouble
from drivers.sim.troubles.board import TroubleEvent, Troubles
from drivers.sim.troubles.options import DURATION, LINES, count, option
from drivers.sim.troubles.table import NAMED


@dataclass(kw_only=True, eq=False)
class RandomTroubles(Lasting):
    """one trouble after the other by lot, each for a while; the same seed draws the same ones"""

    name = "random"

    lasting: float = option(DURATION, 0.0, "how long it goes on; 0: until it is ended", word="for")
    seed: int = option(count(range(1_000_000_000)), 1, "of the lots; each modem has lots of its own")
    every: float = option(DURATION, 20.0, "between two troubles on the average")
    commands: int = option(count(range(1_000_000)), 0, "commands between two troubles on the average, instead of time")
    longest: float = option(DURATION, 10.0, "how long a trouble may last or wait for its occasion")
    only: tuple[str, ...] = option(LINES, (), "these alone, all equally often")

    #: How often each is drawn; None: as often as its class says.
    weights: Mapping[str, float] | None = None
    _lots: Random = field(default_factory=Random, init=False, repr=False)
    _drawable: Mapping[str, float] = field(default_factory=dict[str, float], init=False, repr=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)
    _current: Trouble | None = field(default=None, init=False, repr=False)
    _commands_left: int = field(default=0, init=False, repr=False)
    _over: bool = field(default=False, init=False, repr=False)

    def check(self, modem: Patient) -> None:
        weights = dict.fromkeys(self.only, 1.0) or self.weights or {name: kind.weight for name, kind in NAMED.items()}
        if unknown := set(weights) - set(NAMED):
            raise ValueError(f"random: there is no trouble {min(unknown)}")
        self._drawable = {name: weight for name, weight in weights.items() if weight and _can_have(modem, name)}
        if not self._drawable:
            raise ValueError("random: there is no trouble to draw for this modem")
        if not self.longest or not (self.every or self.commands):
            raise ValueError("random: longest and every must be more than 0")

    def begin(self) -> None:
        self._lots = Random(f"{self.seed} {self.modem.settings.name}")  # noqa: S311 - no secret
        self._wait()

    def finish(self) -> None:
        self._over = True
        if self._timer:
            self._timer.cancel()
        if self._current:
            self.host.end(self._current)

    def command(self, command: Command, produce: Produce) -> Answer:
        if not self._due():
            return produce()
        drawn = self._draw()
        # It has come too late to be asked about this command; and it may be over already.
        return drawn.command(command, produce) if self._current is drawn else produce()

    def _due(self) -> bool:
        """Whether this command is the one at which a trouble begins."""
        if not self.commands or self._current:
            return False
        self._commands_left -= 1
        return self._commands_left <= 0

    def _wait(self) -> None:
        self._current = None
        if self._over:
            return
        if self.commands:
            self._commands_left = self._lots.randint(1, 2 * self.commands - 1)
        else:
            self._timer = self.later(self._lots.expovariate(1 / self.every), self._draw)

    def _draw(self) -> Trouble:
        kind = NAMED[self._lots.choices(list(self._drawable), list(self._drawable.values()))[0]]
        trouble = kind(**kind.drawn(self._lots, self.longest))
        self._current, trouble.ended = trouble, self._wait
        self.host.begin(trouble)
        return trouble


def _can_have(modem: Patient, name: str) -> bool:
    """Whether this modem can have that trouble."""
    try:
        NAMED[name]().check(modem)
    except ValueError:
        return False
    return True


class Troubled(Protocol):
    """What has troubles."""

    @property
    def troubles(self) -> Troubles: ...


class TroubleScript:
    """Troubles by lot for as many modems as it is started on; `history` says what it did to them, and when.

    `weights` says how often each named trouble is drawn beside the others. Between the end of one and the beginning of
    the next lie `mean_seconds` on the average, or so many commands if `mean_commands` is not 0; none waits or lasts
    longer than about `longest` seconds.
    """

    def __init__(
        self,
        seed: int,
        weights: Mapping[str, float] | None = None,
        mean_seconds: float = 20.0,
        *,
        mean_commands: int = 0,
        longest: float = 10.0,
    ) -> None:
        self._seed, self._weights, self._longest = seed, weights, longest
        self._mean_seconds, self._mean_commands = mean_seconds, mean_commands
        self._started: list[tuple[Troubles, RandomTroubles]] = []
        self.history: list[TroubleEvent] = []

    def start(self, modem: Troubled) -> None:
        """Begin on this modem; ValueError when there is nothing to draw for it."""
        nemesis = RandomTroubles(
            seed=self._seed,
            every=self._mean_seconds,
            commands=self._mean_commands,
            longest=self._longest,
            weights=self._weights,
        )
        modem.troubles.listeners.append(self.history.append)
        self._started.append((modem.troubles, nemesis))
        modem.troubles.begin(nemesis)

    def stop(self) -> None:
        """End what is on, everywhere; `history` stays."""
        for troubles, nemesis in self._started:
            troubles.end(nemesis)
            troubles.listeners.remove(self.history.append)
        self._started.clear()
