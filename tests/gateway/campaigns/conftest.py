"""Campaigns over each kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.bench import Bench, make_bench
from support.campaigning import Campaigner, campaigner_on
from support.clock import ManualClock
from support.settings import category, settings_in

from gateway.store.database import Store


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    news = category("news", consent="none", priority=3)
    ports = {"sim1": "simulated:", "sim2": "simulated:"}
    return await make_bench(settings_in(tmp_path, ports=ports, categories=(news,)), store, clock)


@pytest.fixture
async def c(bench: Bench) -> AsyncIterator[Campaigner]:
    async with campaigner_on(bench) as campaigner:
        yield campaigner
