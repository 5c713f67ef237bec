"""The stream of events, as front ends hand it out: where one stands is a text that only this store can have made."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Sequence
from typing import Final

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.config.test_network import rehearsal_of
from gateway.errors import InvalidRequest
from gateway.notify.event_types import complaint
from gateway.notify.happenings import Happening
from gateway.notify.stream import Follower, Listening, Told
from gateway.requests import Principal
from gateway.store.database import Store
from gateway.store.events import Cursor

#: Something is written at least so often, so that both sides notice when the other is gone.
HEARTBEAT_US: Final = 15 * SECOND_US
_FORM: Final = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})-([0-9a-f]{16})")
_PROOF: Final = 16
#: A word that may be told back to whoever wrote it.
_FIT: Final = re.compile(r"[a-z_.*]{1,64}")


class Events:
    """What happens, for those who may see it."""

    def __init__(self, store: Store, clock: Clock, render: Callable[[Happening], bytes], settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._follower = Follower(store, clock, render, rehearsal_of(settings))

    async def run(self) -> None:
        """Read for all who listen, until cancelled."""
        await self._follower.run()

    async def open(self, principal: Principal, last_id: str | None, kinds: Collection[str]) -> Listening:
        """Begin to listen behind the event of this id, None for what happens from now on; end with `leave`.

        Raises what `check` raises, `TooMany` and `Unavailable` where too many listen.
        """
        return await self._follower.open(principal, self.check(last_id, kinds), kinds)

    def check(self, last_id: str | None, kinds: Collection[str]) -> Cursor | None:
        """The place behind which whoever asks so would listen; `InvalidRequest` for an id that is none of this store
        and for a type that there is not."""
        for kind in kinds:
            if (wrong := complaint(kind)) is not None:
                raise InvalidRequest.field(
                    "type_unknown", "types", f'"{kind[:64]}" {wrong}' if _FIT.fullmatch(kind) else wrong
                )
        return None if last_id is None else self._cursor(last_id)

    async def next(self, listening: Listening) -> Sequence[Told] | None:
        """What comes next; nothing when it is time for a sign of life. None at the end."""
        return await self._follower.next(listening, self._clock.now_us() + HEARTBEAT_US)

    def leave(self, listening: Listening) -> None:
        """No more for this one."""
        self._follower.leave(listening)

    def look_again(self) -> None:
        """Tokens have changed: who listens may have to end."""
        self._follower.wake()

    def close(self) -> None:
        """End every stream."""
        self._follower.close()

    def id_of(self, cursor: Cursor) -> str:
        """Where somebody stands, as a text."""
        place = f"{cursor.xact:x}-{cursor.id:x}"
        return f"{place}-{self._proof(place)}"

    def _cursor(self, text: str) -> Cursor:
        match = _FORM.fullmatch(text)
        if match is None or not hmac.compare_digest(match[3], self._proof(f"{match[1]}-{match[2]}")):
            raise InvalidRequest.field("cursor_invalid", "Last-Event-ID", "is not an id that this stream gave")
        return Cursor(int(match[1], 16), int(match[2], 16))

    def _proof(self, place: str) -> str:
        return self._store.fingerprint(f"event {place}").hex()[:_PROOF]
