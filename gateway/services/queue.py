"""The kill switch over everything that waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import FieldError, InvalidRequest
from gateway.message import Pause
from gateway.requests import Principal
from gateway.services.visibility import refuse_test
from gateway.store import pauses
from gateway.store.beside import StoreHeld, write_beside
from gateway.store.database import Store
from gateway.store.engine import StoreUnusable
from gateway.store.opening import engine_of, holder_of


class Queue:
    """Pauses and resumes sending."""

    def __init__(self, store: Store, clock: Clock, nudge: Callable[[], None], categories: Collection[str]) -> None:
        self._store = store
        self._clock = clock
        self._nudge = nudge
        self._categories = categories

    async def state(self, principal: Principal) -> Pause:
        """What is paused."""
        del principal  # the scope of the route is all that is asked
        return await self._store.read(pauses.standing)

    async def pause(self, principal: Principal, categories: Sequence[str] | None) -> Pause:
        """Pause these categories, or everything: when this returns no further part is marked.

        Of each modem one part that was marked before may still leave.
        """
        refuse_test(principal, "pauses nothing, since real modems would stop")
        checked = known_categories(categories, self._categories)
        by = f"token {principal.name}"

        def work(connection: Connection) -> Pause:
            return pauses.add(connection, checked, self._clock.now_us(), by=by)

        return await self._store.write(work, hurried=True)

    async def resume(self, principal: Principal) -> Pause:
        """Let everything leave again, at once."""
        refuse_test(principal, "resumes nothing, since real modems would send")
        by = f"token {principal.name}"

        def work(connection: Connection) -> Pause:
            return pauses.lift(connection, self._clock.now_us(), by=by)

        resumed = await self._store.write(work, hurried=True)
        self._nudge()
        return resumed


def known_categories(wanted: Sequence[str] | None, known: Collection[str]) -> tuple[str, ...]:
    """The categories to pause, none for all; `InvalidRequest` for one that the configuration does not have."""
    if wanted is None:
        return ()
    errors = [
        FieldError(f"/categories/{index}", "there is no such category in the configuration")
        for index, category in enumerate(wanted)
        if category not in known
    ]
    if errors:
        raise InvalidRequest("category_unknown", errors[0].message, errors=errors)
    if not wanted:
        raise InvalidRequest.field("categories_empty", "/categories", "names no category; leave it out to pause all")
    return tuple(wanted)


def pause_beside(settings: Settings, categories: Sequence[str] | None, now_us: int, *, by: str) -> Pause:
    """Pause on the store itself, also while a gateway that does not answer holds it."""
    checked = known_categories(categories, settings.categories)
    return _beside(settings, lambda connection: pauses.add(connection, checked, now_us, by=by))


def resume_beside(settings: Settings, now_us: int, *, by: str) -> Pause:
    """Resume on the store itself; a gateway that runs on it notices within seconds."""
    return _beside(settings, lambda connection: pauses.lift(connection, now_us, by=by))


def _beside(settings: Settings, work: Callable[[Connection], Pause]) -> Pause:
    try:
        return write_beside(engine_of(settings), work)
    except StoreHeld as held:
        raise StoreUnusable(f"{held}; {_mend(settings)}") from None


def _mend(settings: Settings) -> str:
    """What to do about who holds the store. Ended is as good as gone on: what was not committed is undone."""
    pid = (holder_of(settings.gateway.state_dir) or {}).get("pid")
    if settings.store.path is None or not isinstance(pid, int):
        return "ask again in a few seconds"
    return f"process {pid} is the gateway here: let it go on (kill -CONT {pid}) or end it (kill -KILL {pid}), ask again"
