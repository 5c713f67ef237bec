"""The words of events (contract, section 5), and the patterns that choose among them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.notify.kinds import KINDS

EVENT_TYPES: Final = tuple(KINDS)
EVERY: Final = "*"
#: What `POST …/test` sends.
TEST: Final = "webhook.test"
_FAMILIES: Final = tuple(dict.fromkeys(each.partition(".")[0] for each in EVENT_TYPES))


def fits(patterns: Iterable[str], kind: str) -> bool:
    """Whether an event is chosen. `family.*` takes every word of a family, `*` every event."""
    return any(each in (EVERY, kind) or (each.endswith(".*") and kind.startswith(each[:-1])) for each in patterns)


def complaint(pattern: str) -> str | None:
    """Why a pattern is none, naming the nearest that is; None where it is one."""
    known: Sequence[str] = (EVERY, *EVENT_TYPES, *(f"{each}.*" for each in _FAMILIES))
    if pattern in known:
        return None
    nearest = difflib.get_close_matches(pattern[:64], known, 1, 0.4)
    return "is no event type" + (f"; did you mean {nearest[0]}?" if nearest else f'; "{EVERY}" takes all')
