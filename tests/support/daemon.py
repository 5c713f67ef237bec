"""A gateway as its users meet it: a process, a configuration file, HTTP. And the client that talks to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from support.nursery import Forked, forked
from support.waiting import eventually

from bench.rules_off import rules_off
from drivers.tpdu import SmsSubmit

#: The command as it is installed beside the interpreter.
TOCSIN = str(Path(sys.executable).with_name("tocsin"))
#: The same with places at which it can be made to fail.
FAILING = (sys.executable, "-m", "support.failing_daemon")
#: Far longer than a start takes, also on a machine that has much else to do.
START_S = 60


#: Coverage is measured in processes that were started in the usual way.
MEASURED = any(name.startswith("COVERAGE_PROCESS") for name in os.environ)
Process = subprocess.Popen[str] | Forked


@dataclass
class Client:
    """Speaks to a gateway over HTTP."""

    session: aiohttp.ClientSession
    url: str
    token: str
    #: Sent as `Idempotency-Key` with every request, if any.
    key: str = ""

    async def call(self, method: str, path: str, body: object = None, **query: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Idempotency-Key": self.key} if self.key else {}
        async with self.session.request(method, self.url + path, json=body, params=query, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def ok(self, method: str, path: str, body: object = None, **query: str) -> Any:
        status, answer = await self.call(method, path, body, **query)
        assert status < 300, (status, answer)
        return answer

    async def send(self, to: str, text: str, **fields: object) -> Any:
        return await self.ok("POST", "/v1/messages", {"to": to, "text": text, **fields})

    async def until(self, message_id: str, *words: str, timeout: float = 10) -> Any:  # noqa: ASYNC109 - passed on
        """The message once its status is one of `words`; on failure its timeline says what happened instead."""

        async def reached() -> Any:
            message = await self.ok("GET", f"/v1/messages/{message_id}")
            return message if message["status"] in words else None

        try:
            return await eventually(reached, timeout, f"message in {words}")
        except AssertionError as error:
            timeline = await self.ok("GET", f"/v1/messages/{message_id}/timeline")
            raise AssertionError(f"{error}; instead: {timeline}") from None


@asynccontextmanager
async def client_of(url: str, token: str) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, url, token)


class DaemonProcess:
    """`tocsin serve` as a process of its own. Of the rules, only those hold that its configuration writes."""

    def __init__(self, folder: Path, config: str, command: Sequence[str] = (), **environ: str) -> None:
        """`command` starts it in the usual way; `FAILING` and none are forked from a process that is ready."""
        self.folder = folder
        self._command = command
        self._environ = environ
        self.config = folder / "config.toml"
        self.config.write_text(rules_off(config), encoding="utf-8")
        self.process: Process | None = None
        self.url = ""

    async def spawn(self) -> Process:
        """Start the process, and do not wait until it can be used."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN")}
        arguments = ["serve", "--config", str(self.config)]
        with (self.folder / "stderr.log").open("a") as log:
            if tuple(self._command) in {(), FAILING} and not MEASURED:
                kind = "failing" if self._command else "plain"
                self.process = await asyncio.to_thread(forked, kind, arguments, environ | self._environ, log.fileno())
                return self.process
            self.process = await asyncio.to_thread(
                subprocess.Popen,
                [*(self._command or (TOCSIN,)), *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environ | self._environ,
            )
        return self.process

    async def halted(self) -> None:
        """Wait until the process was stopped, by itself or by a signal."""
        process = self.process
        assert process is not None
        stat = Path(f"/proc/{process.pid}/stat")
        await eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", 20, "the stopped process")

    async def start(self) -> str:
        self.process = await self.spawn()
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(asyncio.to_thread(self.process.stdout.readline), START_S)
        except TimeoutError:
            # With PYTHONFAULTHANDLER in its environment it says where it is.
            line = f"ended by signal {-await self.end(signal.SIGABRT)}"
        assert line.startswith("ready http://"), (line, (self.folder / "stderr.log").read_text()[-4000:])
        self.url = line.removeprefix("ready ").strip()
        return self.url

    @property
    def token(self) -> str:
        return (self.folder / "state" / "cli.token").read_text(encoding="utf-8").strip()

    async def end(self, number: int = signal.SIGTERM, timeout: float = 20) -> int:  # noqa: ASYNC109 - a bound
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = await asyncio.to_thread(self.process.wait, timeout)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@asynccontextmanager
async def daemon(
    folder: Path, config: str, command: Sequence[str] = (), **environ: str
) -> AsyncIterator[DaemonProcess]:
    """A daemon process that is ended in any case; not started yet."""
    made = DaemonProcess(folder, config, command, **environ)
    try:
        yield made
    finally:
        if made.process is not None:
            await made.end(signal.SIGKILL)


@asynccontextmanager
async def simulated_modems(folder: Path, *options: str) -> AsyncIterator[Path]:
    """`tocsin simulate` as a process of its own; its folder with `modem0`, `control` and `ledger.jsonl`."""
    async with simulating(folder, *options):
        yield folder


@asynccontextmanager
async def simulating(folder: Path, *options: str) -> AsyncIterator[Process]:
    """The same, for who asks about the process."""
    arguments = ["simulate", "--dir", str(folder), "--ledger", str(folder / "ledger.jsonl"), *options]
    process: Process
    if MEASURED:
        command = [TOCSIN, *arguments]
        process = await asyncio.to_thread(subprocess.Popen[str], command, stdout=subprocess.PIPE, text=True)
    else:
        process = await asyncio.to_thread(forked, "plain", arguments, os.environ, 2)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 20)
        assert line.startswith("ready "), line
        yield process
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)
        process.stdout.close()


def ledger_of(folder: Path) -> list[str]:
    """The texts of every part that left over the air, as the simulated network wrote them down."""
    path = folder / "ledger.jsonl"
    # The last line may be half written as yet: what follows the last line end is left for the next look.
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    submits = [SmsSubmit.from_bytes(bytes.fromhex(json.loads(line)["tpdu"])) for line in lines]
    return [submit.tp_ud.text or "" for submit in submits]
