"""The troubles of one modem: which are on, what they do to its dialogue, and what has happened so far."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import chain

from drivers.at.equipment_grammar import Command, Form
from drivers.sim.incoming import Incoming
from drivers.sim.troubles.base import Patient, Produce, Trouble

HISTORY = 10_000


class Happening(StrEnum):
    """What becomes of a trouble."""

    BEGAN = "began"
    STRUCK = "struck"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TroubleEvent:
    """One entry of the history. `at` is the event loop's time in seconds; `trouble` the words that make it again.

    `note` says what came of it: at a submission whether it has `left` or has `not left`.
    """

    at: float
    modem: str
    trouble: str
    happening: Happening
    note: str = ""

    def __str__(self) -> str:
        return f"{self.modem}: trouble {self.trouble} {self.happening}" + (f" ({self.note})" if self.note else "")


class Troubles:
    """What is wrong with one modem. `on` is empty, and nothing here is ever called, while nothing is."""

    def __init__(self, modem: Patient) -> None:
        self.modem = modem
        self.on: tuple[Trouble, ...] = ()
        self.history: deque[TroubleEvent] = deque(maxlen=HISTORY)
        self.listeners: list[Callable[[TroubleEvent], object]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bounds: dict[Trouble, asyncio.TimerHandle] = {}
        self._later: dict[Trouble, asyncio.TimerHandle] = {}

    # --- beginning and ending

    def begin(self, trouble: Trouble) -> None:
        """Switch it on; ValueError when this modem cannot have it."""
        trouble.check(self.modem)
        trouble.host = self
        self._loop = asyncio.get_running_loop()
        self._set((*self.on, trouble))
        self._tell(trouble, Happening.BEGAN)
        if trouble.bound:
            self._bounds[trouble] = asyncio.get_running_loop().call_later(trouble.bound, self.end, trouble)
        trouble.begin()

    def begin_later(self, trouble: Trouble, delay: float) -> None:
        """Switch it on after `delay` seconds; ValueError, now, when this modem cannot have it."""
        trouble.check(self.modem)
        if delay:
            self._later[trouble] = asyncio.get_running_loop().call_later(delay, self._begin_due, trouble)
        else:
            self.begin(trouble)

    def _begin_due(self, trouble: Trouble) -> None:
        del self._later[trouble]
        self.begin(trouble)

    def end(self, trouble: Trouble) -> None:
        """Switch it off, if it is on."""
        if trouble not in self.on:
            return
        self._set(tuple(one for one in self.on if one is not trouble))
        self.forget_bound(trouble)
        trouble.finish()
        self._tell(trouble, Happening.ENDED)
        if trouble.ended:
            trouble.ended()

    def end_all(self) -> None:
        """Nothing is wrong any more, and what was to begin later does not."""
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()
        while self.on:
            self.end(self.on[0])

    def struck(self, trouble: Trouble, note: str) -> None:
        """It has happened."""
        self._tell(trouble, Happening.STRUCK, note)

    def forget_bound(self, trouble: Trouble) -> None:
        """What it has begun ends by itself."""
        if bound := self._bounds.pop(trouble, None):
            bound.cancel()

    def _set(self, on: tuple[Trouble, ...]) -> None:
        self.on = tuple(sorted(on, key=lambda trouble: trouble.last))
        self.modem.station.arriving = self.arriving if on else None

    def _tell(self, trouble: Trouble, happening: Happening, note: str = "") -> None:
        # Not the running loop: a modem may be closed when there is none any more.
        event = TroubleEvent(
            self._loop.time() if self._loop else 0.0, self.modem.settings.name, trouble.words(), happening, note
        )
        self.history.append(event)
        for listener in self.listeners:
            listener(event)

    # --- the modem's dialogue

    def attached(self) -> None:
        """A terminal has opened the port."""
        for trouble in self.on:
            trouble.attached()

    def hear(self, data: bytes, take: Callable[[bytes], None]) -> None:
        """Octets from the terminal, one by one, to `take`; none of them once the port is gone."""
        for octet in data:
            if all(trouble.heard(octet) for trouble in self.on):
                take(bytes((octet,)))
            if not self.modem.plugged:
                return

    def around(self, command: Command, produce: Produce, *, payload: bool) -> Produce:
        """`produce` with every trouble's hand in it; `payload` when what was typed at the prompt is executed."""
        submits = command.name == ("+CMGS" if payload else "+CMSS") and command.form is Form.SET
        if payload and not submits:
            return produce
        for trouble in self.on:
            produce = partial(trouble.submission if submits else trouble.command, command, produce)
        return produce

    def tells(self, lines: tuple[str, ...]) -> bool:
        """Whether an unsolicited result gets as far as the terminal."""
        return all(trouble.tells(lines) for trouble in self.on)

    def say(self, data: bytes) -> None:
        """Write octets as the troubles let them leave."""
        on = self.on
        for trouble in on:
            data = trouble.say(data)
        if data:
            self.modem.emit(data)
        for trouble in on:
            trouble.said(data)

    def arriving(self, incoming: Incoming) -> Iterable[Incoming]:
        """What arrives from the network instead of `incoming`."""
        arrived: Iterator[Incoming] = iter((incoming,))
        for trouble in self.on:
            arrived = chain.from_iterable(map(trouble.arriving, list(arrived)))
        return list(arrived)
