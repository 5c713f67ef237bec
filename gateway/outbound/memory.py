"""What the door found out while one request was read."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """What was found out while one request was read: long lists repeat numbers and texts."""

    _MOST = 500

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` said when it was first asked; what it raises is not remembered."""
        if key not in self._found:
            if len(self._found) >= self._MOST:
                self._found.clear()
            self._found[key] = find()
        return self._found[key]
