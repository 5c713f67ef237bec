"""What a trouble is: the places of a modem where it may put its hand in, and how long it lasts.

A trouble is a dataclass whose fields are its options. It is handed the modem as a `Patient` and must know no wire.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar, Protocol

from drivers.at.equipment import Equipment
from drivers.at.equipment_grammar import Command
from drivers.sim.answers import Answer, Later
from drivers.sim.incoming import Incoming
from drivers.sim.settings import SimSettings
from drivers.sim.station import MobileStation
from drivers.sim.troubles.options import DURATION, count, option, options_of, part_of_longest

Produce = Callable[[], Answer]


class Patient(Protocol):
    """A modem as its troubles see it."""

    station: MobileStation

    @property
    def settings(self) -> SimSettings: ...
    @property
    def interface(self) -> Equipment:
        """The AT interface, which a loss of power replaces."""
        ...

    @property
    def plugged(self) -> bool: ...
    def emit(self, data: bytes) -> None:
        """Write octets to the terminal past every trouble; lost when nobody listens."""
        ...

    def notify(self, *lines: str) -> None:
        """Tell one unsolicited result."""
        ...

    def unplug(self) -> None: ...
    def plug(self, link: str | None = None) -> None: ...
    def switch_off(self) -> None:
        """Lose the power, and by that the dialogue and all settings that are not kept."""
        ...

    def switch_on(self) -> None:
        """Have it back, if it is off."""
        ...

    def restart(self) -> None:
        """Start anew, as after a reset command."""
        ...


class Host(Protocol):
    """Who keeps the troubles of one modem."""

    @property
    def modem(self) -> Patient: ...
    def begin(self, trouble: Trouble) -> None: ...
    def struck(self, trouble: Trouble, note: str) -> None: ...
    def end(self, trouble: Trouble) -> None: ...
    def forget_bound(self, trouble: Trouble) -> None:
        """The trouble has begun to do its work, which ends by itself."""
        ...


@dataclass(kw_only=True, eq=False)
class Trouble:
    """Nothing is wrong yet: subclasses put their hands in. Every method here lets things be as they are."""

    name: ClassVar[str]
    #: How often a random script draws it, beside the others.
    weight: ClassVar[float] = 1.0
    #: Whether it must be the last to see what the modem says, because it holds octets back.
    last: ClassVar[bool] = False

    host: Host = field(init=False, repr=False)
    #: Told when it is over.
    ended: Callable[[], object] | None = field(default=None, init=False, repr=False)

    @property
    def modem(self) -> Patient:
        return self.host.modem

    @property
    def bound(self) -> float:
        """Seconds after which it ends whatever has happened; 0 if it has none."""
        return 0.0

    def words(self) -> str:
        """The trouble as a specification that makes it again: its name and what is not at its default."""
        made = type(self)()
        pairs = [
            f"{one.word}={one.kind.write(getattr(self, name))}"
            for name, one in options_of(type(self)).items()
            if getattr(self, name) != getattr(made, name)
        ]
        return f"{self.name}:{','.join(pairs)}" if pairs else self.name

    @classmethod
    def drawn(cls, lots: Random, longest: float) -> Mapping[str, Any]:
        """Options by lot, such that the trouble is over within about `longest` seconds."""
        return {name: one.draw(lots, longest) for name, one in options_of(cls).items() if one.draw}

    def check(self, modem: Patient) -> None:
        """ValueError when such a modem cannot have this trouble."""

    def begin(self) -> None:
        """It is on from now on."""

    def finish(self) -> None:
        """It is off: put back what it changed, and stop its own timers."""

    def later(self, delay: float, work: Callable[[], object]) -> asyncio.TimerHandle:
        """A timer of the running loop."""
        return asyncio.get_running_loop().call_later(delay, work)

    # --- where it may put its hand in

    def attached(self) -> None:
        """A terminal has opened the port."""

    def heard(self, octet: int) -> bool:  # noqa: ARG002 - for subclasses
        """An octet from the terminal; False keeps it from the modem."""
        return True

    def command(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - for subclasses
        """A command is executed; RefusedError is an answer too."""
        return produce()

    def submission(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - for subclasses
        """A message is submitted, by Ctrl-Z or from the storage; unless `produce` is called it never leaves."""
        return produce()

    def tells(self, lines: tuple[str, ...]) -> bool:  # noqa: ARG002 - for subclasses
        """An unsolicited result is to be told; False keeps it from the terminal."""
        return True

    def say(self, data: bytes) -> bytes:
        """Octets for the terminal, as they shall leave."""
        return data

    def said(self, data: bytes) -> None:
        """These octets have been written."""

    def arriving(self, incoming: Incoming) -> Iterable[Incoming]:
        """What arrives instead of `incoming`."""
        return (incoming,)


@dataclass(kw_only=True, eq=False)
class Lasting(Trouble):
    """A trouble that is there for a time."""

    lasting: float = option(DURATION, 10.0, "how long it lasts; 0: until it is ended", word="for", draw=part_of_longest)

    @property
    def bound(self) -> float:
        return self.lasting


@dataclass(kw_only=True, eq=False)
class Momentary(Trouble, ABC):
    """A trouble that is over as soon as it has begun; what it leaves behind stays."""

    @abstractmethod
    def happen(self) -> None:
        """What it does."""

    def begin(self) -> None:
        self.happen()
        self.host.end(self)


@dataclass(kw_only=True, eq=False)
class Striking(Trouble):
    """A trouble that waits for its occasion and strikes so many times."""

    times: int = option(count(range(1_000_000)), 1, "how often it strikes; 0: until it is ended")
    within: float = option(
        DURATION, 0.0, "ends when it has not struck by then; 0: waits", draw=lambda _lots, longest: longest
    )

    _strikes: int = field(default=0, init=False, repr=False)

    @property
    def bound(self) -> float:
        return self.within

    def strike(self, note: str = "", *, done: bool = True) -> None:
        """It has happened; with `done`, nothing of it is still to come."""
        self._strikes += 1
        self.host.struck(self, note)
        if done:
            self.spend()
        else:
            self.host.forget_bound(self)

    def spend(self) -> None:
        """What followed from a strike is over: that may have been the last one."""
        if self.times and self._strikes >= self.times:
            self.host.end(self)


def once_given(answer: Answer, change: Callable[[Answer], Answer]) -> Answer:
    """`change` applied to what is answered in the end, however long that is put off."""
    if isinstance(answer, Later):
        return Later(answer.delay, lambda: once_given(answer.then(), change))
    return change(answer)
