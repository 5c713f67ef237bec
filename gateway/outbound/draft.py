"""A message that passed the door, and what the store knows of whom it is for. Values only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from drivers.tpdu import Segmentation
from gateway.config.settings import Category
from gateway.requests import NewMessage
from gateway.rules.caps import History
from gateway.rules.composition import Composed


# Not frozen, as a row is not (`gateway.store.new_message`): many are made. Nobody changes one.
@dataclass(slots=True)
class Draft:
    """A message that passed every check of its form. Instants are microseconds UTC."""

    number: str
    text: str
    category: Category
    #: The longest text as which it may leave, and its parts.
    composed: Composed
    segmentation: Segmentation
    created_us: int
    send_us: int | None
    expires_us: int
    on_uncertain: str
    reference: str | None
    wanted_modem: str | None
    flash: bool
    replaces: bool
    timing: str | None
    shift: str | None
    about_us: int | None
    expect: tuple[str, ...]
    #: As it is kept, or who writes it (`NewMessage.seal`).
    callback: str | Callable[[str, str], str] | None
    fallback: tuple[str, ...]
    #: What `gateway.rules.routing.Lane` says of it, and whether a modem of this configuration takes such a message.
    lane: str
    routed: bool = True
    wanted_node: str | None = None
    test: bool = False
    #: What it is part of.
    campaign_id: str | None = None
    variant: int | None = None
    ring_id: str | None = None
    #: Whether the recipient is taken for somebody who had nothing of the category before.
    first: bool = True
    #: Whether nothing of `fallback` leads anywhere as yet.
    unreachable: bool = False

    @property
    def parts(self) -> int:
        """How many short messages it takes."""
        return len(self.segmentation.parts)


@dataclass(frozen=True, slots=True)
class Person:
    """What the store knows of a recipient, as far as it concerns a draft's category."""

    opted_out: bool = False
    consent: str | None = None
    under_review: bool = False
    history: History = field(default_factory=dict[str, Sequence[int]])


#: Somebody of whom nothing is known.
NOBODY = Person()


def part_of(asked: NewMessage | Draft) -> dict[str, Any]:
    """What a message is part of, by the names that every stage has for it."""
    return {"campaign_id": asked.campaign_id, "variant": asked.variant, "ring_id": asked.ring_id}
