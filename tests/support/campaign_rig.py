"""A daemon with slow simulated modems and a file of people: what a campaign meets that runs while things happen."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from support.daemon import Client, DaemonProcess, client_of, daemon, simulated_modems
from support.waiting import eventually

from drivers.tpdu import SmsSubmit
from gateway.cli.main import main
from gateway.clock import from_datetime

MODEMS = 2
_CONFIG = """
[gateway]
country = "FR"
[api]
listen = ["127.0.0.1:0"]
[categories.promotional]
consent = "opt_in"
[categories.low]
consent = "none"
priority = 0
"""


@dataclass(frozen=True)
class OnAir:
    """A part that a simulated modem sent: to whom, what it says, and when (microseconds UTC)."""

    to: str
    text: str
    at_us: int


@dataclass
class CampaignRig:
    """The daemon, and what it does to its modems."""

    process: DaemonProcess
    client: Client
    network: Path
    tag: str = "club"

    # --- people

    async def import_people(self, numbers: Sequence[str]) -> Any:
        """Import a file of them, by which all of them have agreed to `promotional`; the import once it is over."""
        body = "number;name\n" + "".join(f"{number};Person {at}\n" for at, number in enumerate(numbers))
        query = {"tags": self.tag, "consent_category": "promotional", "consent_source": "form"}
        headers = {"Authorization": f"Bearer {self.client.token}", "Content-Type": "text/csv"}
        url = f"{self.client.url}/v1/contacts/import"
        async with self.client.session.post(
            url, data=io.BytesIO(body.encode()), params=query, headers=headers
        ) as answer:
            assert answer.status == 202, await answer.text()
            import_id = (await answer.json())["id"]

        async def over() -> Any:
            found = await self.client.ok("GET", f"/v1/contacts/imports/{import_id}")
            return found if found["status"] != "running" else None

        return await eventually(over, 300, "the import")

    async def segment(self) -> None:
        """Everybody of the file."""
        await self.client.ok("POST", "/v1/segments", {"name": self.tag, "filter": f'"{self.tag}" in tags'})

    async def hurry(self) -> None:
        """Let the modems answer at once from now on."""
        lines = "".join(f"modem{at} trouble off\n" for at in range(MODEMS))
        await asyncio.to_thread((self.network / "control").write_text, lines)

    async def hear(self, number: str, text: str, modem: str = "modem0") -> None:
        """Let somebody's message come in, and wait until the gateway has it."""

        async def heard() -> bool:
            found = await self.client.ok("GET", "/v1/inbox", **{"from": number})
            return any(each["text"] == text for each in found["items"])

        await asyncio.to_thread((self.network / "control").write_text, f"{modem} {number} {text}\n")
        await eventually(heard, 20, "the message in the inbox")

    # --- campaigns

    async def start(self, **fields: object) -> str:
        """A campaign that runs; its id."""
        body = {"name": "c", "to": [self.tag], "category": "promotional", "start": True, "force": True, **fields}
        return (await self.client.ok("POST", "/v1/campaigns", body))["id"]

    async def act(self, campaign_id: str, act: str) -> Any:
        """Do something to one."""
        return await self.client.ok("POST", f"/v1/campaigns/{campaign_id}/{act}")

    async def until(self, campaign_id: str, seen: Callable[[Any], bool], timeout: float = 30) -> Any:  # noqa: ASYNC109 - a bound
        """One once it is so."""

        async def reached() -> Any:
            found = await self.client.ok("GET", f"/v1/campaigns/{campaign_id}")
            return found if seen(found) else None

        return await eventually(reached, timeout, "the campaign to come so far")

    async def over(self, campaign_id: str) -> Any:
        """One of which nobody waits for a message, and no message waits for its turn or for a report."""
        found = await self.until(campaign_id, lambda one: one["started_at"] and not one["counts"]["waiting"])
        wait = "SELECT 1 FROM message WHERE status IN ('queued', 'held', 'sending', 'sent') LIMIT 1"
        await eventually(lambda: not self.rows(wait), 30, "an empty queue")
        return found

    # --- what came of it

    def air(self, beginning: str = "") -> list[OnAir]:
        """What went over the air and begins so, in order."""
        path = self.network / "ledger.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        found = [_on_air(json.loads(line)) for line in lines]
        return [each for each in found if each.text.startswith(beginning)]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Of the store, read beside the process."""
        with closing(sqlite3.connect(self.process.folder / "state" / "tocsin.db", timeout=10)) as raw:
            return raw.execute(query).fetchall()

    async def command(self, *arguments: str) -> Result:
        """A command of the command line, with the daemon's configuration."""
        environ = {"TOCSIN_CONFIG": str(self.process.config), "TOCSIN_URL": None, "TOCSIN_TOKEN": None}
        return await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environ)


def _on_air(entry: dict[str, str]) -> OnAir:
    submit = SmsSubmit.from_bytes(bytes.fromhex(entry["tpdu"]))
    return OnAir(entry["to"], submit.tp_ud.text or "", from_datetime(datetime.fromisoformat(entry["at"])))


@asynccontextmanager
async def campaign_rig(folder: Path, *options: str) -> AsyncIterator[CampaignRig]:
    """One that runs; `options` are those of `tocsin simulate`."""
    (folder / "sim").mkdir()
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(simulated_modems(folder / "sim", "--count", str(MODEMS), *options))
        modems = "".join(f'[modems.m{at}]\nport = "{network}/modem{at}"\n' for at in range(MODEMS))
        process = await stack.enter_async_context(daemon(folder, _CONFIG + modems))
        await process.start()
        client = await stack.enter_async_context(client_of(process.url, process.token))
        yield CampaignRig(process, client, network)
        assert await process.end() == 0
