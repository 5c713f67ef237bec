"""Named places where a test may end or stop the process: between two steps that belong together.

In use nothing happens at them. Nothing in the packages ever calls `arm`, and no setting and no variable of the
environment is read: the tests' own program arms the place before it starts the daemon.
"""

from __future__ import annotations

from collections.abc import Callable

_act: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """The place `name` is reached."""
    if _act is not None:
        _act(name)


def arm(act: Callable[[str], None]) -> None:
    """From now on `act` is called at every place, in whatever thread reaches it. For test programs alone."""
    global _act  # noqa: PLW0603 - one process, one set of places
    _act = act
