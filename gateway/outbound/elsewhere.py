"""The modems of other hosts, as they were last told of: for questions that cannot wait for the store."""

from __future__ import annotations

from collections.abc import Mapping


class Elsewhere:
    """By node and name: whether it is simulated. Empty where there is one host."""

    def __init__(self) -> None:
        self.modems: Mapping[tuple[str, str], bool] = {}

    @property
    def all_simulated(self) -> bool:
        """Whether no other host has a real modem."""
        return all(self.modems.values())

    @property
    def any_simulated(self) -> bool:
        """Whether another host has a simulated one."""
        return any(self.modems.values())

    def find(self, node: str, name: str) -> tuple[str, bool] | None:
        """The one modem of that name, of `node` unless that is empty: its node, and whether it is simulated."""
        found = [
            (at, simulated) for (at, other), simulated in self.modems.items() if other == name and node in {"", at}
        ]
        return found[0] if len(found) == 1 else None
