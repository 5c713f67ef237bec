"""How many messages a token may hand in over a time, such as 60 in a minute: exact over a sliding window, in memory.

Each host counts for itself, and begins anew when it starts. A place is taken before the transaction and given back when
nothing was accepted for it: so no window ever holds more than the rate, and neither a message that is refused nor one
that repeats an idempotency key costs anything. A token without a rate costs one look at it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from gateway.clock import SECOND_US, Clock
from gateway.config.durations import read_cap
from gateway.errors import GatewayError, InvalidRequest, TooMany, Unavailable
from gateway.outbound.acceptance import Entry, Place
from gateway.requests import Principal

T = TypeVar("T")


class Rates:
    """The places of every token that has a rate."""

    def __init__(self, clock: Clock) -> None:
        # A wall clock that is set must neither lock a token out nor let it do all of it again.
        self._clock = clock
        self._taken: dict[int, OrderedDict[Place, None]] = {}

    def each(self, entries: Sequence[Entry]) -> list[Entry]:
        """A place for each entry that is not wrong already, as long as there are some; the others are refused."""
        return [self.together([entry])[0] for entry in entries]

    def together(self, entries: Sequence[Entry]) -> list[Entry]:
        """Places for all entries that are not wrong already, or none: then each of these is refused."""
        wanting = [entry for entry in entries if not isinstance(entry.draft, GatewayError)]
        if not wanting or wanting[0].principal.rate is None:
            return list(entries)
        principal = wanting[0].principal
        refusal, now_us = self._refusal(principal, len(wanting)), self._clock.monotonic_us()
        if refusal is not None:
            return [each if isinstance(each.draft, GatewayError) else replace(each, draft=refusal) for each in entries]
        found = [
            each if isinstance(each.draft, GatewayError) else replace(each, place=Place(now_us)) for each in entries
        ]
        self._taken[principal.token_id].update((each.place, None) for each in found if each.place is not None)
        return found

    def spend(self, principal: Principal, count: int) -> None:
        """Take so many places for good; raises where there are not as many."""
        if principal.rate is None:
            return
        if (refusal := self._refusal(principal, count)) is not None:
            raise refusal
        now_us = self._clock.monotonic_us()
        self._taken[principal.token_id].update((Place(now_us, used=True), None) for _ in range(count))

    async def settled(self, entries: Sequence[Entry], committing: Awaitable[T]) -> T:
        """What `committing` brings; then the places of what was not accepted are given back."""
        try:
            result = await committing
        except asyncio.CancelledError:
            # Nobody waits for it any more; it may be accepted all the same.
            raise
        except Unavailable as error:
            # Nor where nobody knows whether it was committed.
            if error.code != "commit_in_doubt":
                self._give_back(entries)
            raise
        except Exception:
            self._give_back(entries)
            raise
        self._give_back(entries)
        return result

    def _give_back(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.place is not None and not entry.place.used:
                self._taken[entry.principal.token_id].pop(entry.place, None)

    def _refusal(self, principal: Principal, count: int) -> GatewayError | None:
        assert principal.rate is not None, "it was asked for before"
        most, span_us = read_cap(principal.rate)
        span = principal.rate.partition("/")[2]
        if count > most:
            what = f"are more than the {most} in {span} that this token may send"
            return InvalidRequest.field("batch_over_rate", "/messages", what)
        now_us = self._clock.monotonic_us()
        taken = self._taken.setdefault(principal.token_id, OrderedDict())
        while taken and next(iter(taken)).at_us <= now_us - span_us:
            taken.popitem(last=False)
        if len(taken) + count <= most:
            return None
        last_in_the_way = next(islice(taken, len(taken) + count - most - 1, None))
        free_us = last_in_the_way.at_us + span_us
        after_s = max(1, -(-(free_us - now_us) // SECOND_US))
        sentence = f"this token may send {most} messages in {span}, and has"
        return TooMany("rate_limited", sentence, retry_after_s=after_s)
