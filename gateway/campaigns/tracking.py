"""What campaigns leave to others: links and codes of one's own, what was clicked and converted, and who has won.

Defaults that do nothing stand here, so that a campaign runs without any of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from gateway.campaign import Decision, Wanted
from gateway.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Shortened:
    """A text whose links were replaced, and which code stands for which address."""

    text: str
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A message of a campaign that is being queued: whose, and what `Tracking.shortened` said of its text."""

    recipient_id: int
    message_id: str
    shortened: Shortened


class Tracking(Protocol):
    """Links, codes and conversions of campaigns."""

    def names(self) -> frozenset[str]:
        """The variables that each person gets from here, such as `code`; where no text names one, nobody is asked."""
        ...

    def personal(self, connection: Connection, campaign_id: str, people: Sequence[int]) -> Sequence[Mapping[str, Any]]:
        """Each person's own variables, written down in this transaction. It comes before the one that queues: asked
        again about the same people of the same campaign it says the same. What is used up is left out."""
        ...

    def shortened(self, campaign_id: str, variant: int | None, items: Sequence[tuple[int, str]]) -> Sequence[Shortened]:
        """Texts (with the row of who gets each) with their links replaced. Nothing is written yet: what is never queued
        leaves nothing behind, so codes are drawn so that none comes twice."""
        ...

    def queued(
        self, connection: Connection, campaign_id: str, variant: int | None, left: Sequence[Left], now_us: int
    ) -> None:
        """Write down what was shortened, in the transaction that queues these messages."""
        ...

    def refusal(
        self, connection: Connection, wanted: Wanted, names: frozenset[str], people: int
    ) -> InvalidRequest | None:
        """Why a campaign whose texts use these variables cannot have what is its people's own: there is no such thing,
        or too little of it for so many. None where nothing lacks."""
        ...


class NoTracking:
    """Links stay as they are, nobody has a code, and nothing is known of clicks."""

    def names(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def personal(self, connection: Connection, campaign_id: str, people: Sequence[int]) -> Sequence[Mapping[str, Any]]:
        """Nothing for each."""
        del connection, campaign_id
        return [{} for _ in people]

    def shortened(self, campaign_id: str, variant: int | None, items: Sequence[tuple[int, str]]) -> Sequence[Shortened]:
        """The texts as they are."""
        del campaign_id, variant
        return [Shortened(text) for _, text in items]

    def queued(
        self, connection: Connection, campaign_id: str, variant: int | None, left: Sequence[Left], now_us: int
    ) -> None:
        """Nothing to write."""

    def refusal(
        self, connection: Connection, wanted: Wanted, names: frozenset[str], people: int
    ) -> InvalidRequest | None:
        """Nothing lacks."""
        del connection, wanted, names, people
        return None


class Deciding(Protocol):
    """The statistics of a test."""

    def decide(self, metric: str, counts: Sequence[tuple[int, int]]) -> Decision:
        """Which variant is better by `metric` (of `METRICS`), with how many of each were tried and how many of these
        did so; fewer is better for `opt_out`. None where the difference may be chance."""
        ...


class NoDeciding:
    """Nobody judges, so nobody wins."""

    def decide(self, metric: str, counts: Sequence[tuple[int, int]]) -> Decision:
        """No winner."""
        del metric
        return Decision(None, "no test is there that could tell the variants apart", tuple(counts))
