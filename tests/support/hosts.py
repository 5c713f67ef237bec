"""Several gateways on one database, each a process of its own with its folder, its node and its modems.

One simulated network serves all of them, so that one ledger tells what went over the air. Hosts are `a`, `b`, `c`…;
host number N has the modems `m0`, `m1`… on the network's next ones. `TOCSIN_LEASE_SECONDS` shortens the lease, and
`TOCSIN_PATIENCE_SECONDS` how long the marks of a silent host are waited for after it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from support.checker import Sent, Verdict, copies_in, verdicts_of
from support.daemon import FAILING, Client, DaemonProcess, client_of, daemon, ledger_of, simulated_modems
from support.postgresql import Database, rows_of
from support.tree import ROOT
from support.waiting import eventually

from gateway.store.opening import KEY_NAME

_CONFIG = """
[gateway]
country = "FR"
node = "{node}"
[api]
listen = ["127.0.0.1:0"]
[store]
url = "{url}"
[categories.emergency]
resend_after = "1s"
"""


@dataclass
class HostProcess:
    """One of several gateways; `gateway` is its process."""

    node: str
    gateway: DaemonProcess
    modems: Sequence[str]

    @property
    def failpoint(self) -> Path:
        """The file that arms a failpoint (`support.failing_daemon`)."""
        return self.gateway.folder / "failpoint"

    def arm(self, place: str) -> None:
        """Let the process die when it reaches `place` (`PLACE COUNT`, `PLACE COUNT stop`)."""
        scratch = self.failpoint.with_suffix(".new")
        scratch.write_text(place, encoding="ascii")
        scratch.rename(self.failpoint)

    async def died(self) -> None:
        """Wait until the kill came."""
        process = self.gateway.process
        assert process is not None
        assert await asyncio.to_thread(process.wait, 20) == -signal.SIGKILL
        assert process.stdout is not None
        process.stdout.close()

    def signal(self, number: int) -> None:
        """Send a signal to the process."""
        assert self.gateway.process is not None
        self.gateway.process.send_signal(number)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A client with the token that this host's command line has."""
        async with client_of(self.gateway.url, self.gateway.token) as client:
            yield client

    async def start(self) -> None:
        """Start the process, and wait until its modems can be used."""
        await self.gateway.start()
        async with self.client() as client:

            async def usable() -> bool:
                modems = [each for each in await modems_of(client) if each["node"] == self.node]
                return len(modems) == len(self.modems) and all(each["state"] == "ready" for each in modems)

            await eventually(usable, 20, f"the modems of host {self.node}")


@dataclass
class Hosts:
    """All of them, not started yet, on one database and one simulated network."""

    database: Database
    network: Path
    all: dict[str, HostProcess] = field(default_factory=dict)

    def __getitem__(self, node: str) -> HostProcess:
        return self.all[node]

    async def start(self) -> None:
        """Start every host."""
        for host in self.all.values():
            await host.start()

    async def end(self) -> None:
        """End every host that runs, as an operator does."""
        for host in self.all.values():
            process = host.gateway.process
            if process is not None and process.poll() is None:
                assert await host.gateway.end() == 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Of the database, read beside the processes."""
        return self.database.run(query)

    def texts(self) -> Counter[str]:
        """What went over the air, counted."""
        return Counter(ledger_of(self.network))

    def verdicts(self, sent: Sequence[Sent]) -> list[Verdict]:
        """What the checker says of messages whose texts differ."""
        return verdicts_of(partial(rows_of, self.database), copies_in(self.network), sent)

    async def drained(self, timeout: float = 60) -> None:  # noqa: ASYNC109 - a bound
        """Wait until nothing waits and nothing is being sent."""
        query = "SELECT count(*) FROM message WHERE status IN ('queued', 'held', 'sending') OR resend_us IS NOT NULL"
        # One connection: a new one for each look would cost more than the sending.
        with self.database.server.connect(self.database.name) as connection:
            await eventually(lambda: connection.execute(query).fetchone() == (0,), timeout, "an empty queue")


async def modems_of(client: Client) -> list[dict[str, Any]]:
    """`GET /v1/modems`."""
    return (await client.ok("GET", "/v1/modems", limit="1000"))["items"]


async def can_reach(client: Client, modem: str) -> bool:
    """Whether a message for this modem would be taken: a host is heard of a moment after it has started."""
    body = {"to": "+33639980142", "text": "there?", "modem": modem}
    return (await client.call("POST", "/v1/messages/preview", body))[0] == 200


def failing(folder: Path, **environ: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Command and environment of a gateway that can be made to fail."""
    known = {
        "TOCSIN_FAILPOINT": str(folder / "failpoint"),
        "TOCSIN_SUBMIT_SECONDS": "0.5",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
    }
    return FAILING, known | environ


@asynccontextmanager
async def hosts_on(
    folder: Path,
    database: Database,
    *options: str,
    hosts: int = 2,
    modems: int = 4,
    config: str = "",
    urls: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
) -> AsyncIterator[Hosts]:
    """So many gateways, not started yet; ended in any case.

    `options` are those of `tocsin simulate`, `config` is added to each configuration. `urls` gives a host another way
    to the database (a proxy). With `environ` they are gateways that can be made to fail, with these variables.
    """
    (folder / "sim").mkdir()
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(
            simulated_modems(folder / "sim", "--count", str(max(hosts * modems, 1)), *options)
        )
        made = Hosts(database, network)
        for number in range(hosts):
            node = chr(ord("a") + number)
            home = folder / node
            (home / "state").mkdir(mode=0o700, parents=True)
            (home / "state" / KEY_NAME).write_bytes(database.key)
            text = _CONFIG.format(node=node, url=(urls or {}).get(node, database.url)) + config
            names = [f"m{index}" for index in range(modems)]
            for index, name in enumerate(names):
                text += f'[modems.{name}]\nport = "{network}/modem{number * modems + index}"\n'
            command, variables = ((), {}) if environ is None else failing(home, **environ)
            gateway = await stack.enter_async_context(daemon(home, text, command, **variables))
            made.all[node] = HostProcess(node, gateway, names)
        yield made
