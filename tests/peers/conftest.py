"""One simulation for all peers, run as a user runs it; each client has a modem, and a folder, of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.foreign import Foreign, foreign_in
from support.simulation import PATIENCE_S, Modem, running
from support.waiting import eventually_sync

from drivers.sim import SIM_PROFILES

TOCSIN = Path(sys.executable).with_name("tocsin")
MODEMS = 8


@pytest.fixture(scope="session")
def modems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Modem]]:
    folder = tmp_path_factory.mktemp("simulation")
    command = [str(TOCSIN), "simulate", "--count", str(MODEMS), "--dir", str(folder)]
    log = folder / "log"
    with running([*command, "--ledger", str(folder / "ledger")], log) as process:
        eventually_sync(lambda: log.read_text().count("ready ") == MODEMS or process.poll() is not None, PATIENCE_S)
        assert process.poll() is None, log.read_text()
        yield [Modem(f"modem{index}", folder) for index in range(MODEMS)]
    assert process.returncode == 0
    assert not any(folder.glob("modem*"))


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Modem]]:
    """A modem of each family, fresh for each client."""
    folder = tmp_path_factory.mktemp("families")
    count = len(SIM_PROFILES)
    command = [str(TOCSIN), "simulate", "--profile", "all", "--count", str(count), "--dir", str(folder)]
    log = folder / "log"
    with running([*command, "--ledger", str(folder / "ledger")], log) as process:
        eventually_sync(lambda: log.read_text().count("ready ") == count or process.poll() is not None, PATIENCE_S)
        assert process.poll() is None, log.read_text()
        yield {name: Modem(f"modem{index}", folder) for index, name in enumerate(SIM_PROFILES)}
    assert process.returncode == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def foreign(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Foreign]:
    """A gateway that other systems' clients speak to."""
    async with foreign_in(tmp_path_factory.mktemp("foreign")) as gateway:
        yield gateway
