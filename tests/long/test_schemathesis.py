"""H01: schemathesis plays every phase against the description of the interface; 2 000 calls, 20 000 in `make soak`.

Every route is asked but /v1/events, whose answer has no end. What is changed besides: `support.schemathesis_hooks`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.daemon import daemon
from support.fuzzing import fuzz
from support.long_run import LongRun, hours_asked_for

from api.app import ENDPOINTS, INTAKES, OPEN_ENDPOINTS

pytestmark = pytest.mark.long

CONFIG = """
[gateway]
node = "test-1"
country = "FR"
timezone = "Europe/Paris"
[api]
listen = ["127.0.0.1:0"]
[webhooks]
allow = ["127.0.0.1/32"]
[modems.sim1]
port = "simulated:"
"""
# The description itself is read once, and no operation that is tried.
NOT_TRIED = {"/v1/events", "/openapi.json"}
ROWS = (*ENDPOINTS, *OPEN_ENDPOINTS, *INTAKES)
ROUTES = {f"{row.method} {row.path}" for row in ROWS if row.path not in NOT_TRIED}
CALLS, CALLS_OF_A_SOAK = 2_000, 20_000
# Several rounds make a soak, each with a seed of its own.
EXAMPLES, EXAMPLES_OF_A_SOAK = 4, 15
SHORT_S = 1.0
A_ROUND_S = 3600.0


async def test_h01_nothing_is_answered_that_is_not_described(
    tmp_path: Path, long_run: LongRun, seed: int, tell: Callable[[str], None]
) -> None:
    soaks = hours_asked_for() is not None
    wanted, examples = (CALLS_OF_A_SOAK, EXAMPLES_OF_A_SOAK) if soaks else (CALLS, EXAMPLES)
    statuses, seeds = Counter[str](), itertools.count(seed)
    async with daemon(tmp_path, CONFIG) as gateway:
        url = await gateway.start()
        while long_run.goes_on(SHORT_S) or statuses.total() < wanted:
            of_round = next(seeds)
            run = await fuzz(tmp_path, url, gateway.token, of_round, examples=examples, timeout_s=A_ROUND_S)
            statuses += run.statuses
            tell(f"H01: seed {of_round}, {run.calls} calls, {dict(sorted(run.statuses.items()))}")
            assert not run.complaint, run.complaint
            assert run.let_in >= ROUTES, ROUTES - run.let_in
        assert gateway.process is not None
        assert gateway.process.poll() is None
    assert "unexpected error" not in (tmp_path / "stderr.log").read_text(encoding="utf-8")
    assert statuses.total() >= wanted
