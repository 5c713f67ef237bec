"""How many connections are held, and which one goes when there is no room: nobody's can push out another's.

One source (`api.sources`) has a share of the room. Beyond it, and when all the room is taken, a newcomer takes the
place of the longest idle connection of its own source, or of the source that holds most. Idle is also who has asked
and shown no token for it: sending a body slowly, or not reading an answer, costs nothing and must hold no place. What a
token stands behind is never cut off; where there is nothing else, the newcomer is turned away.
"""

from __future__ import annotations

import resource
from typing import Final, Protocol, cast

from aiohttp import web

#: Far more than programs of one house have open. Each costs a few kB and a descriptor.
_MOST: Final = 4096
_SHARE: Final = 4


class Held(Protocol):
    """A connection."""

    #: Whether the request that is being answered came with a token.
    known: bool

    def idle_since(self) -> float | None:
        """On the loop's clock, when it last answered or was made; None while a request with a token is answered."""
        ...

    def force_close(self) -> None:
        """End it."""
        ...


class Connections:
    """Every open connection by its source: at most `most`, at most `share` of one source."""

    def __init__(self, most: int, share: int) -> None:
        self._most = most
        self._share = share
        self._held: dict[str, dict[Held, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def admit(self, connection: Held, source: str) -> bool:
        """Whether there is room for it, or room was made."""
        own = self._held.get(source, {})
        if len(own) >= self._share:
            room = self._displace_of(source)
        elif self._count >= self._most:
            room = self._displace_of(max(self._held, key=lambda each: len(self._held[each])))
        else:
            room = True
        if room:
            self._held.setdefault(source, {})[connection] = None
            self._count += 1
        return room

    def forget(self, connection: Held, source: str) -> None:
        """It is closed, or about to be."""
        own = self._held.get(source, {})
        if connection in own:
            del own[connection]
            self._count -= 1
            if not own:
                del self._held[source]

    def _displace_of(self, source: str) -> bool:
        idle = [(since, each) for each in self._held[source] if (since := each.idle_since()) is not None]
        if not idle:
            return False
        _, longest = min(idle, key=lambda pair: pair[0])
        self.forget(longest, source)
        longest.force_close()
        return True


def vouch(request: web.Request) -> None:
    """Somebody's token stands behind this request: its connection keeps its place until it is answered."""
    cast("Held", request.protocol).known = True


def connections_of_process(share: int = 2) -> Connections:
    """As many as suit the descriptors that this process may have: one in `share` of them, the others are for ports,
    files and the store."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST if soft == resource.RLIM_INFINITY else min(_MOST, max(soft // share, _SHARE))
    return Connections(most, most // _SHARE)
