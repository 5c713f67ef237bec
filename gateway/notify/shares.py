"""Who may have how many requests under way. Whoever may send names the servers of callbacks, as many as they like and
ones that never answer: so callbacks have a share of their own, each token a share of that, and endpoints wait for none
of them."""

from __future__ import annotations

from collections import Counter
from typing import Final

#: At once: to endpoints, to callbacks, and to the callbacks of one token. Beyond the first two one each of those that
#: have none.
OF_ENDPOINTS: Final = 32
OF_CALLBACKS: Final = 32
OF_TOKEN: Final = 8
_TOKEN_DIGITS: Final = 8
#: What the name of a callbacks' server begins with.
CALLBACKS: Final = "c"


def target_of_callbacks(token_id: int, digest: str) -> str:
    """A name for a server that callbacks of a token go to, which says whose they are. `digest` tells servers apart."""
    return f"{CALLBACKS}{token_id:0{_TOKEN_DIGITS}x}{digest}"[:32]


def is_callback(target: str) -> bool:
    """Whether a target is no endpoint's id: those are made of the time, and begin with a nought until the year 6429."""
    return target.startswith(CALLBACKS)


def holder(target: str) -> str:
    """Whose callbacks go there; nothing for an endpoint."""
    return target[: 1 + _TOKEN_DIGITS] if is_callback(target) else ""


def token_of(target: str) -> int | None:
    """The token whose callbacks go there; None for an endpoint."""
    return int(holder(target)[len(CALLBACKS) :], 16) if is_callback(target) else None


class Shares:
    """Counts what is under way. Whoever has nothing under way may always begin one, however much others have: there are
    few endpoints and few tokens. Servers that have failed last hold a half of their token's share at most, so that
    they leave the other half to those that answer."""

    def __init__(self) -> None:
        self._going: Counter[str] = Counter()
        self._failing: Counter[str] = Counter()
        self._at: Counter[str] = Counter()
        self._callbacks = 0

    def has_room(self, target: str, *, fails: bool) -> bool:
        """Whether one more may be begun at a server; `fails`: that did not answer well last."""
        whose = holder(target)
        if not is_callback(target):
            return self._going[whose] < OF_ENDPOINTS or not self._at[target]
        if fails and self._failing[whose] >= OF_TOKEN // 2:
            return False
        return self._going[whose] < OF_TOKEN and (self._callbacks < OF_CALLBACKS or not self._going[whose])

    def begun(self, target: str, *, fails: bool) -> None:
        """One more is under way."""
        self._count(target, 1, fails=fails)

    def ended(self, target: str, *, fails: bool) -> None:
        """One less is; `fails` as when it was begun."""
        self._count(target, -1, fails=fails)

    def _count(self, target: str, change: int, *, fails: bool) -> None:
        self._callbacks += change * is_callback(target)
        for counter, key in (self._going, holder(target)), (self._failing, holder(target)), (self._at, target):
            if counter is self._failing and not fails:
                continue
            counter[key] += change
            if not counter[key]:
                del counter[key]
