"""100 000 contacts from a file: how quickly, in what memory, and what a message waits for meanwhile."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.memory import peak_mib, resident_mib
from support.place import Place
from support.settings import settings_in

from gateway.clock import SystemClock
from gateway.ids import IdSource
from gateway.people.importing import Importer
from gateway.people.importing_wishes import ImportWishes
from gateway.store import contacts_lists, imports

pytestmark = pytest.mark.long

ROWS = 100_000
#: Of both processors together, in seconds: 10 000 rows a second on two.
MOST_CPU_S = 20.0


def _rows() -> AsyncIterator[bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        yield "Téléphone;Prénom;Nom;E-mail;Ville;Né le;Membre\n".encode("latin-1")
        for start in range(0, ROWS, 1000):
            yield "".join(
                f"06 12 {at // 10_000 % 100:02d} {at // 100 % 100:02d} {at % 100:02d};Prénom{at};Nom{at};"
                f"p{at}@example.org;Orléans;{1 + at % 28:02d}/{1 + at % 12:02d}/{1940 + at % 70};oui\n"
                for at in range(start, start + 1000)
            ).encode("latin-1")

    return pieces()


async def test_100_000_contacts(tmp_path: Path, tell: Callable[[str], None]):
    store, clock = Place(tmp_path, None).open(), SystemClock()
    importer = Importer(settings_in(tmp_path), store, clock, IdSource(clock))
    waited: list[float] = []
    over = asyncio.Event()

    async def write_now_and_then() -> None:
        """What a message that is accepted meanwhile waits for."""
        while not over.is_set():
            began = time.perf_counter()
            await store.write(lambda _connection: None)
            waited.append(time.perf_counter() - began)
            await clock.wait(over, clock.now_us() + 20_000)

    before_mib = resident_mib(os.getpid())
    began, used = time.perf_counter(), os.times()
    begun, _ = await importer.receive(_rows(), ImportWishes(), None)
    writer = asyncio.create_task(write_now_and_then())
    await importer.work_off()
    over.set()
    await writer
    took_s, now = time.perf_counter() - began, os.times()
    await importer.close()
    ended = os.times()
    cpu_s = now.user + now.system - used.user - used.system
    beside_s = ended.children_user + ended.children_system - used.children_user - used.children_system
    row = await store.read(lambda connection: imports.get(connection, begun.id))
    count = await store.read(contacts_lists.count)
    await store.close()
    p99_ms = sorted(waited)[len(waited) * 99 // 100] * 1000
    grown_mib = peak_mib(os.getpid()) - before_mib
    tell(
        f"import: {ROWS / took_s:.0f} rows/s; processor {cpu_s:.1f} s here and {beside_s:.1f} s beside; "
        f"memory +{grown_mib:.0f} MiB; a write meanwhile waits {p99_ms:.0f} ms (p99)"
    )
    assert row is not None
    assert (row.status, row.added, row.rejected, count) == ("finished", ROWS, 0, ROWS)
    assert grown_mib < 100
    assert cpu_s + beside_s < MOST_CPU_S
