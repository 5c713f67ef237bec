"""schemathesis, in a process of its own, at a gateway that is another one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
HOOKS = str(Path(__file__).with_name("schemathesis_hooks.py"))

# A schema cannot say what is a valid category or cursor, and a cancelled message stays readable.
_LEFT_OUT = "positive_data_acceptance,use_after_free"
# Ready or not is what /readyz is for: 503 is its answer while a modem starts anew after a reset, and nowhere else.
_CONFIG = """
hooks = {hooks}
[phases.stateful]
generation.max-examples = {scenarios}
[[operations]]
include-path = "/readyz"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]
[[operations]]
include-path-regex = "^/3rdparty/v1/health"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]
[auth.openapi.bearer]
bearer = {token}
[auth.openapi.basic]
username = "somebody"
password = {token}
[auth.openapi.header-X-API-Key]
api_key = {token}
[auth.openapi.header-X-Kannel-Password]
api_key = {token}
[auth.openapi.query-password]
api_key = {token}
"""


@dataclass
class Fuzzed:
    """What came of a run: how often each route answered what, and what schemathesis says if it is not content."""

    answers: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    complaint: str = ""

    @property
    def statuses(self) -> Counter[str]:
        return sum(self.answers.values(), Counter[str]())

    @property
    def calls(self) -> int:
        return self.statuses.total()

    @property
    def let_in(self) -> set[str]:
        """`METHOD /path` of the routes whose good token was one."""
        return {named for named, found in self.answers.items() if found.keys() - {"401", "403", "405"}}


async def fuzz(folder: Path, url: str, token: str, seed: int, *, examples: int, timeout_s: float) -> Fuzzed:
    """All phases, `examples` for each operation; counts are kept in `folder`."""
    counts, config = folder / "counts.json", folder / "schemathesis.toml"
    config.write_text(
        _CONFIG.format(hooks=json.dumps(HOOKS), token=json.dumps(token), scenarios=10 * examples), encoding="utf-8"
    )
    command = [SCHEMATHESIS, "--config-file", str(config), "run", f"{url}/openapi.json"]
    command += ["--seed", str(seed), "--max-examples", str(examples)]
    command += ["--exclude-checks", _LEFT_OUT, "--exclude-path", "/v1/events", "--continue-on-failure"]
    command += ["--no-color", "--warnings", "off", "--request-timeout", "60", "--generation-database", "none"]
    environ = os.environ | {"FUZZ_COUNTS": str(counts), "FUZZ_URL": url, "FUZZ_TOKEN": token}
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    answers = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}
    answers = {named: Counter[str](found) for named, found in answers.items()}
    return Fuzzed(answers, "" if done.returncode == 0 else done.stdout[-20_000:] + done.stderr[-4_000:])
