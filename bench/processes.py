"""Processes beside this one: the daemon, simulated modems, a client. Each ends with the block it is used in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.rules_off import rules_off

ROOT = Path(__file__).resolve().parents[1]
NODE = "bench"
_START_S = 60.0
_END_S = 20.0
_LOOK_S = 0.1
_USABLE = frozenset({"ready", "busy"})
# The tree this file lies in, whatever else is installed.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN")} | {
    "PYTHONPATH": str(ROOT)
}
_TOCSIN = (sys.executable, "-c", "import sys; from gateway.cli.main import main; sys.exit(main())")
_CONFIG = """[gateway]
node = "{node}"
country = "FR"
state_dir = "state"
[api]
listen = ["127.0.0.1:0"]
{store}{modems}"""


@asynccontextmanager
async def process(*arguments: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program whose errors go to `log`; asked to end when the block is left, and made to if it does not."""
    with log.open("ab") as errors:
        started = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors, cwd=ROOT,
            env=_ENVIRONMENT,
        )  # fmt: skip
    try:
        yield started
    finally:
        await _end(started)


async def _end(started: asyncio.subprocess.Process) -> None:
    if started.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            started.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await started.communicate()
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):
                started.kill()
            await started.wait()
            raise


async def line_of(started: asyncio.subprocess.Process, beginning: str, log: Path) -> str:
    """The rest of the next line, which begins so."""
    assert started.stdout is not None
    async with asyncio.timeout(_START_S):
        line = (await started.stdout.readline()).decode()
    if not line.startswith(beginning):
        raise RuntimeError(f"it did not start: {log.read_text(errors='replace')[-2000:]}")
    return line.removeprefix(beginning).strip()


@dataclass(frozen=True, slots=True)
class Daemon:
    """`tocsin serve` that is ready."""

    folder: Path
    pid: int
    url: str

    @property
    def token(self) -> str:
        """The token of its command line."""
        return (self.folder / "state" / "cli.token").read_text(encoding="utf-8").strip()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    async def modems_ready(self, count: int) -> None:
        """Wait until so many modems can send; those that are at it count."""
        header = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(headers=header) as session, asyncio.timeout(_START_S):
            while True:
                async with session.get(f"{self.url}/v1/modems", params={"limit": "1000"}) as answer:
                    items = (await answer.json())["items"]
                if sum(item["state"] in _USABLE for item in items) >= count:
                    return
                await asyncio.sleep(_LOOK_S)

    def store(self) -> sqlite3.Connection:
        """Its store, to be looked at."""
        return looked_at(self.folder / "state")


def looked_at(state: Path) -> sqlite3.Connection:
    """A connection that reads the store beside the daemon and never checkpoints it."""
    connection = sqlite3.connect(f"file:{state / 'tocsin.db'}?mode=ro", uri=True, isolation_level=None, timeout=10)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def write_config(
    folder: Path, ports: Mapping[str, str], *, url: str | None = None, node: str = NODE, rules: str | None = None
) -> Path:
    """A configuration with these modems; its state lies in `folder/state`, and its store there too without `url`.

    What is measured is the way of a message, at any hour and with one text for all: no rule holds it. With `rules`,
    more of the configuration, those that people have hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    modems = "\n".join(f'[modems.{name}]\nport = "{port}"' for name, port in ports.items())
    path = folder / "config.toml"
    text = _CONFIG.format(node=node, modems=modems, store=f'[store]\nurl = "{url}"\n' if url else "")
    path.write_text(rules_off(text) if rules is None else text + rules, encoding="utf-8")
    return path


@asynccontextmanager
async def daemon(
    folder: Path,
    ports: Mapping[str, str],
    *,
    url: str | None = None,
    node: str = NODE,
    rules: str | None = None,
    command: Sequence[str] = _TOCSIN,
) -> AsyncIterator[Daemon]:
    """A daemon with these modems on the store in `folder/state`, or at `url`; `rules` as `write_config` takes them.
    `command` is what runs `tocsin`."""
    config = write_config(folder, ports, url=url, node=node, rules=rules)
    log = folder / "daemon.log"
    async with process(*command, "serve", "--config", str(config), log=log) as started:
        url = await line_of(started, "ready ", log)
        yield Daemon(folder, started.pid, url)


@dataclass(frozen=True, slots=True)
class Modems:
    """`tocsin simulate` that is ready."""

    folder: Path
    pid: int
    ports: Sequence[Path]

    @property
    def configured(self) -> dict[str, str]:
        """Names and ports as a configuration takes them."""
        return {port.name: str(port) for port in self.ports}

    def sent(self) -> int:
        """How many parts the simulated network has accepted."""
        path = self.folder / "ledger.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def arrive(self, lines: Sequence[tuple[str, str]]) -> None:
        """Let messages (sender and text) arrive at the first modem."""
        with (self.folder / "control").open("w", encoding="utf-8") as control:
            control.writelines(f"modem0 {sender} {text}\n" for sender, text in lines)


@asynccontextmanager
async def modems(
    folder: Path, count: int, *, latency_s: float = 0.0, report_s: float = 3600.0
) -> AsyncIterator[Modems]:
    """Simulated modems in a process of their own; without `report_s` no report comes while anything is measured."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "simulate.log"
    options = ["--count", str(count), "--dir", str(folder), "--ledger", str(folder / "ledger.jsonl")]
    options += ["--latency", f"{latency_s:.3f}s", "--report-delay", f"{report_s:.3f}s"]
    async with process(*_TOCSIN, "simulate", *options, log=log) as started:
        ports = [Path(await line_of(started, "ready ", log)) for _ in range(count)]
        yield Modems(folder, started.pid, ports)


def python(module: str) -> tuple[str, ...]:
    """How a module of ours is run."""
    return (sys.executable, "-m", module)
