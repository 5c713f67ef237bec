"""Who is next among those of one priority. Pure: it knows neither what they are nor what time it is.

Each flow (a category of a token) has a tally of the parts it was given. The one with the smallest goes first, and
nobody saves up turns while having nothing to send: who comes back begins where the others are. So a single message
waits for a few parts of a campaign at most, however long that is.
"""

from __future__ import annotations

from collections.abc import Hashable


class Turns:
    """The tallies of the flows of one priority."""

    def __init__(self) -> None:
        self._tallies: dict[Hashable, int] = {}
        self._level = 0

    def tally(self, flow: Hashable) -> int:
        """What to sort by: the smallest goes first."""
        return max(self._tallies.get(flow, 0), self._level)

    def serve(self, flow: Hashable, parts: int) -> None:
        """This flow was given so many parts."""
        self._level = self.tally(flow)
        self._tallies[flow] = self._level + parts
        # Who is not ahead of the others needs no line.
        self._tallies = {each: tally for each, tally in self._tallies.items() if tally > self._level}
