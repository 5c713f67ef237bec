"""A real store in a temporary folder, and a bench over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.settings import settings_in

from gateway.store.database import Store
from gateway.store.opening import open_store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "tocsin.db")
    yield opened
    await opened.close()


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    return await make_bench(settings_in(tmp_path), store, clock)
