"""Gateways as many clients meet them at one moment: one on SQLite, or two on one PostgreSQL; four modems in all."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from support.daemon import Client, client_of, daemon, ledger_of, simulated_modems
from support.hosts import hosts_on
from support.postgresql import Database
from support.waiting import eventually


@dataclass
class Fronts:
    """Clients of every host, all with one token; what is in the store, and what went over the air."""

    clients: Sequence[Client]
    rows: Callable[[str], list[tuple[Any, ...]]]
    network: Path

    def texts(self) -> list[str]:
        """Over the air, in order."""
        return ledger_of(self.network)

    async def drained(self, waiting: str = "'queued', 'held', 'sending'") -> None:
        """Wait until no message has a status of these any more."""
        query = f"SELECT count(*) FROM message WHERE status IN ({waiting})"
        await eventually(lambda: self.rows(query) == [(0,)], 30, "an empty queue")


def _rows_in(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=10)) as raw:
        return raw.execute(query).fetchall()


@asynccontextmanager
async def one_front(folder: Path, config: str) -> AsyncIterator[Fronts]:
    """One host; `config` is added to its configuration."""
    (folder / "sim").mkdir()
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(simulated_modems(folder / "sim", "--count", "4"))
        modems = "".join(f'[modems.m{at}]\nport = "{network}/modem{at}"\n' for at in range(4))
        text = f'[gateway]\ncountry = "FR"\n[api]\nlisten = ["127.0.0.1:0"]\n{config}{modems}'
        gateway = await stack.enter_async_context(daemon(folder, text))
        await gateway.start()
        client = await stack.enter_async_context(client_of(gateway.url, gateway.token))
        yield Fronts([client], partial(_rows_in, folder / "state" / "tocsin.db"), network)
        assert await gateway.end() == 0


@asynccontextmanager
async def two_fronts(folder: Path, database: Database, config: str) -> AsyncIterator[Fronts]:
    """Two hosts; `config` is added to the configuration of both."""
    async with hosts_on(folder, database, modems=2, config=config) as hosts, AsyncExitStack() as stack:
        await hosts.start()
        clients = [await stack.enter_async_context(hosts[node].client()) for node in "ab"]
        for client in clients[1:]:
            client.token = clients[0].token
        yield Fronts(clients, database.run, hosts.network)
        await hosts.end()
