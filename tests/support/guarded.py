"""A bench that goes by a guarded clock, on a machine that can be started again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import category, settings_in

from gateway.clock import SECOND_US, Boot
from gateway.config.settings import Category
from gateway.ids import IdSource
from gateway.message import Rule, Status
from gateway.outbound.clock_guard import ClockGuard
from gateway.outbound.gate import Gate
from gateway.outbound.intake import Intake
from gateway.outbound.waits import Waits
from gateway.requests import Principal
from gateway.store import messages
from gateway.store.database import Store

HOUR_US = 3600 * SECOND_US
#: Waits for the clock, and is allowed at any hour.
TIMED = category("timed", windows=("mon-sun 00:00-24:00",), caps=("2/24h",), expires_after_us=6 * HOUR_US)
PLAIN = category("plain", caps=("2/24h",), expires_after_us=6 * HOUR_US)


@dataclass
class Guarded:
    """A bench that goes by a guarded clock; the machine can be started again."""

    place: Place
    folder: Path
    machine: ManualClock
    store: Store
    guard: ClockGuard
    bench: Bench

    async def look(self) -> None:
        """What the guard does every few seconds."""
        await self.guard.look()

    async def again(self, wall_us: int, boot: Boot | None = None, *, synced: bool | None = False) -> None:
        """The machine starts again, and its clock says this."""
        await self.store.close()
        machine = ManualClock(wall_us)
        machine.synced = synced
        machine.started = boot or machine.started
        fresh = await guarded(self.place, self.folder, machine, self.bench.principal)
        self.machine, self.store, self.guard, self.bench = fresh.machine, fresh.store, fresh.guard, fresh.bench

    async def shown(self, message_id: str) -> tuple[Status, Rule | None, str | None]:
        """As people see it."""

        def work(connection: Connection) -> Any:
            waits = Waits(self.bench.settings, self.guard.doubt).standing(connection, self.guard.now_us())
            return messages.get(connection, message_id, waiting=waits)

        found = await self.store.read(work)
        return found.status, found.hold and found.hold.rule, found.hold and found.hold.detail

    async def events(self) -> list[str]:
        """What was told of the clock."""

        def work(connection: Connection) -> list[str]:
            query = "SELECT type FROM event WHERE type LIKE 'clock.%' ORDER BY id"
            return [row[0] for row in connection.exec_driver_sql(query.replace("%", "%%") if shared else query)]

        shared = self.store.engine.shared
        return await self.store.read(work)


async def guarded(
    place: Place,
    folder: Path,
    machine: ManualClock,
    known: Principal | None = None,
    *,
    node: str = "test-1",
    categories: Sequence[Category] = (TIMED, PLAIN),
) -> Guarded:
    """Everything that such a machine starts with. Who is `known` needs no new token."""
    store = place.open(node)
    settings = settings_in(folder, categories=categories)
    settings = replace(settings, gateway=replace(settings.gateway, node=node))
    guard = ClockGuard(machine, node, settings.categories)
    await guard.begin(store)
    if guard._database is not None:
        # From now on the server's clock goes as the machine's.
        guard._database = (guard._database[0], 1 << 62)
    if known is None:
        bench = await make_bench(settings, store, guard)  # pyright: ignore[reportArgumentType]
    else:
        ids = IdSource(guard)
        intake = Intake(settings, store, guard, ids)
        bench = Bench(settings, store, guard, ids, Gate(settings), intake, known)  # pyright: ignore[reportArgumentType]
    bench.gate.go_by(guard)
    return Guarded(place, folder, machine, store, guard, bench)
