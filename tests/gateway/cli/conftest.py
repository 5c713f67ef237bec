"""A real gateway in a thread of its own, and the command line against it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bench.rules_off import rules_off
from gateway.cli.client import GatewayClient
from gateway.cli.main import main
from gateway.config.loader import load_settings
from gateway.daemon import running_gateway

#: No rule of the built-in categories: what is sent here leaves at any hour.
CONFIG = rules_off("""
[gateway]
country = "FR"
node = "desk"
[api]
listen = ["127.0.0.1:0"]
[modems.sim1]
port = "simulated:"
[categories.club]
consent = "opt_in"
""")
UNSET = dict.fromkeys(("TOCSIN_CONFIG", "TOCSIN_URL", "TOCSIN_TOKEN", "TOCSIN_LOG", "STATE_DIRECTORY"))

Tocsin = Callable[..., Result]


@dataclass(frozen=True)
class Daemon:
    """A gateway that runs."""

    config: Path
    state: Path
    url: str
    token: str

    @property
    def client(self) -> GatewayClient:
        return GatewayClient(self.url, self.token, "the test")

    def receive(self, sender: str, text: str) -> None:
        """Let a text come in at the simulated modem."""
        self.client.post("/v1/modems/sim1/simulate", {"from": sender, "text": text})


@contextmanager
def _running(config: Path, text: str) -> Iterator[Daemon]:
    """A gateway of this configuration."""
    config.write_text(text)
    settings = load_settings(config, {})
    ready, stop = threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def run() -> None:
        async with running_gateway(settings) as gateway:
            found.extend((asyncio.get_running_loop(), gateway.url, gateway.admin_token))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(10)
    loop, url, token = found
    yield Daemon(config, settings.gateway.state_dir, url, token)
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One for all tests: each uses numbers of its own."""
    with _running(tmp_path_factory.mktemp("daemon") / "config.toml", CONFIG) as running:
        yield running


@pytest.fixture
def joining(tmp_path: Path) -> Iterator[Daemon]:
    """One that joins equal texts, for one test."""
    with _running(tmp_path / "joining.toml", CONFIG.replace('identical = "0s"', 'identical = "10m"')) as running:
        yield running


@pytest.fixture
def bare() -> Tocsin:
    """Runs a command in this process, without any environment of ours but what is given."""

    def run(*arguments: str, input: str | bytes | None = None, **environ: str) -> Result:  # noqa: A002 - click's word
        return CliRunner().invoke(main, arguments, input=input, env=UNSET | environ)

    return run


@pytest.fixture
def tocsin(daemon: Daemon, bare: Tocsin) -> Tocsin:
    """Runs a command in this process against the daemon."""

    def run(*arguments: str, **options: Any) -> Result:
        return bare(*arguments, **{"TOCSIN_CONFIG": str(daemon.config)} | options)

    return run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of this test alone."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command as a process of its own; nothing of it outlives the test."""
    running: list[subprocess.Popen[str]] = []

    def spawn(*arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
        clean = {key: value for key, value in os.environ.items() if key not in UNSET}
        process = subprocess.Popen(
            [Path(sys.executable).with_name("tocsin"), *arguments],
            env=clean | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield spawn
    for process in running:
        process.kill()
        process.communicate()
