"""Finds whom there is something to tell.

Endpoints are few, and each look finds them all. Servers of callbacks are as many as whoever may send likes to name: of
each token a look takes some, and the next look those behind them, so that it costs the same however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gateway.notify.shares import CALLBACKS, holder
from gateway.requests import WebhookView
from gateway.store import deliveries, webhooks

#: Servers of one token that a look finds.
SERVERS: Final = 64
_MOST_ENDPOINTS: Final = 1000
# Behind every letter and digit that a target has.
_END: Final = "z"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found: every endpoint, and when the first is due of each target that has something."""

    endpoints: Mapping[str, WebhookView]
    due_us: Mapping[str, int]
    #: Whether it did not look at all of them.
    more: bool


class Lookout:
    """Looks, again and again, one look at a time."""

    def __init__(self) -> None:
        # Behind which server the next look goes on, of each token that has more of them than one look finds.
        self._places: dict[str, str] = {}

    def look(self, connection: Connection) -> Found:
        """Whom there is something to tell now."""
        endpoints = {each.id: each for each in webhooks.every(connection)}
        due_us = dict(deliveries.targets(connection, "", CALLBACKS, _MOST_ENDPOINTS))
        more, behind = False, CALLBACKS
        while first := deliveries.targets(connection, behind, _END, 1):
            whose = holder(first[0][0])
            more |= self._of_token(connection, whose, due_us)
            behind = whose + _END
        return Found(endpoints, due_us, more)

    def _of_token(self, connection: Connection, whose: str, due_us: dict[str, int]) -> bool:
        """Some servers of a token's callbacks; whether there are others."""
        begun = self._places.pop(whose, None)
        found = deliveries.targets(connection, begun or whose, whose + _END, SERVERS)
        due_us.update(found)
        if len(found) == SERVERS:
            self._places[whose] = found[-1][0]
        return begun is not None or len(found) == SERVERS
