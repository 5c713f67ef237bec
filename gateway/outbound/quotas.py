"""How many parts a token may hand in over 24 hours, asked and counted in the transaction that accepts them.

So it holds over restarts and over all hosts, and what is undone costs nothing. It counts what was accepted, whatever
became of it later; a message that repeats an idempotency key is not accepted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from gateway.clock import SECOND_US
from gateway.errors import TooMany
from gateway.requests import Principal
from gateway.store import token_parts

DAY_US = 24 * 3600 * SECOND_US


class Quotas:
    """What tokens with such a limit may still hand in, within one transaction."""

    def __init__(self, connection: Connection, principals: Iterable[Principal], now_us: int) -> None:
        self._connection = connection
        self._now_us = now_us
        limited = sorted({each.token_id for each in principals})
        self._used: Mapping[int, dict[int, int]] = token_parts.since(connection, limited, now_us - DAY_US)
        self._more: dict[int, int] = {}
        # What was refused here: who comes again wants room for all of it.
        self._refused: dict[int, int] = {}

    def refusal(self, principal: Principal, parts: int) -> TooMany | None:
        """Why these parts are too many now; None, and they are counted, if they are not."""
        most = principal.parts_a_day
        if most is None:
            return None
        token_id = principal.token_id
        used, more = self._used.get(token_id, {}), self._more.get(token_id, 0)
        if sum(used.values()) + more + parts <= most:
            self._more[token_id] = more + parts
            return None
        wanted = self._refused[token_id] = self._refused.get(token_id, 0) + parts
        after_s = max(1, -(-(self._free_us(used, most - more - wanted) - self._now_us) // SECOND_US))
        return TooMany("daily_parts", f"this token may send {most} parts in 24 hours", retry_after_s=after_s)

    def _free_us(self, used: Mapping[int, int], room: int) -> int:
        """When no more than `room` of what was used still counts."""
        left = sum(used.values())
        for begun_us in sorted(used):
            left -= used[begun_us]
            if left <= room:
                return begun_us + token_parts.SPAN_US + DAY_US
        return self._now_us + DAY_US

    def write(self) -> None:
        """Write down what was let through."""
        for token_id in sorted(self._more):
            known = self._used.get(token_id, {})
            token_parts.add(
                self._connection, token_id, self._more[token_id], self._now_us, forget_us=DAY_US, known=known
            )
