"""Guesses of tokens: who offers wrong ones again and again is told to wait, longer each time.

A token has 256 bits, so nobody finds one; what is guarded here is the log, the attention of whoever reads it, and the
work that a guess costs. A right token is never looked at here: it is let in from an address of guessers as from any
other, and costs nothing more. What is kept is bounded, however many addresses guess.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from api.sources import source_of

log = logging.getLogger(__name__)

#: So many wrong tokens of one source are no more than a slip, in a configuration that many programs share for instance.
FREE: Final = 100
#: One of them is forgotten in so many seconds.
_FORGET_S: Final = 0.6
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 3600.0
#: Guesses of all sources together, in a minute.
TOGETHER: Final = 1000
_MINUTE_S: Final = 60.0
_MOST_SOURCES: Final = 4096


@dataclass(slots=True)
class _Source:
    """What is known of one address. Instants are seconds of the loop's clock."""

    wrong: float = 0.0
    seen_s: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    until_s: float = -math.inf
    told_s: float = -math.inf


class Guesses:
    """The wrong tokens, or other secrets, that one gateway was offered. `quiet`: the log is not told of sources."""

    def __init__(self, now: Callable[[], float] | None = None, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._minute_s = -math.inf
        self._together = 0

    def wrong(self, source: str) -> int | None:
        """Note a wrong token from a source: None, or after how many whole seconds it may try again."""
        now = self._now()
        known = self._known(source, now)
        wait_s = max(self._wait_of(known, now), self._wait_of_all(now))
        if wait_s > 0:
            self._tell(source, known, now)
            return math.ceil(wait_s)
        return None

    def __len__(self) -> int:
        return len(self._sources)

    def _known(self, source: str, now: float) -> _Source:
        known = self._sources.pop(source, None) or _Source(seen_s=now)
        self._sources[source] = known
        if len(self._sources) > _MOST_SOURCES:
            self._sources.popitem(last=False)
        known.wrong = max(0.0, known.wrong - (now - known.seen_s) / _FORGET_S)
        if known.wrong == 0.0:
            known.pause_s = _FIRST_PAUSE_S
        known.seen_s = now
        return known

    def _wait_of(self, known: _Source, now: float) -> float:
        if now < known.until_s:
            return known.until_s - now
        known.wrong = min(known.wrong + 1, FREE + 1)
        if known.wrong <= FREE:
            return 0.0
        known.until_s = now + known.pause_s
        known.pause_s = min(known.pause_s * 2, _LONGEST_PAUSE_S)
        return known.until_s - now

    def _wait_of_all(self, now: float) -> float:
        if now - self._minute_s >= _MINUTE_S:
            self._minute_s, self._together = now, 0
        self._together += 1
        return 0.0 if self._together <= TOGETHER else self._minute_s + _MINUTE_S - now

    def _tell(self, source: str, known: _Source, now: float) -> None:
        """One line a minute for each source: it is an attack, or a program with an old token."""
        if not self._quiet and now - known.told_s >= _MINUTE_S:
            known.told_s = now
            log.warning("wrong tokens again and again", extra={"action": "guesses", "from": source})


# By the service that knows the tokens, and so one for each gateway.
_GUESSES: Final[WeakKeyDictionary[object, Guesses]] = WeakKeyDictionary()


def wrong_token(transport: asyncio.BaseTransport | None, tokens: object) -> int | None:
    """Note that a token that nobody holds came over this connection; as `Guesses.wrong`.

    A source has one account with a gateway, whatever it speaks: HTTP or SMTP.
    """
    guesses = _GUESSES.get(tokens)
    if guesses is None:
        guesses = _GUESSES[tokens] = Guesses()
    return guesses.wrong(source_of(transport))
