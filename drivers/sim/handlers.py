"""What the command tables of the simulated modem share: the shape of a handler and the plainest ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, lines
from drivers.sim.station import MobileStation

Handler: TypeAlias = Callable[[MobileStation, Command], Answer]
CommandTable: TypeAlias = Mapping[tuple[str, Form], Handler]


def fixed(text: str) -> Handler:
    """Always the same line of information text."""
    return lambda _station, _command: lines(text)


def accept(_station: MobileStation, _command: Command) -> Answer:
    """OK and nothing else."""
    return OK
