"""A gateway that is killed in the middle of an import: what was committed stays, the rest is read after the start."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import DaemonProcess, daemon
from support.waiting import eventually

CONFIG = """
[gateway]
country = "FR"
[api]
listen = ["127.0.0.1:0"]
[modems.sim1]
port = "simulated:"
[categories.club]
consent = "opt_in"
"""
ROWS = 6000
#: Every tenth row is one that nobody takes, every hundredth a number for the second time.
FILE = "numéro;nom;étage\n" + "".join(
    f"{'12' if at % 10 == 3 else f'06{12_000_000 + (at if at % 100 else 0):08d}'};Nom {at};{at % 7}\n"
    for at in range(ROWS)
)
REJECTED = [at + 2 for at in range(ROWS) if at % 10 == 3 or (at % 100 == 0 and at)]


class Caller:
    """Speaks to one gateway after the other."""

    def __init__(self, session: aiohttp.ClientSession, run: DaemonProcess) -> None:
        self.session = session
        self.run = run

    async def ask(self, method: str, path: str, **given: Any) -> Any:
        fields = {"Authorization": f"Bearer {self.run.token}", **given.pop("headers", {})}
        async with self.session.request(method, self.run.url + path, headers=fields, **given) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def hand_in(self) -> Any:
        return await self.ask(
            "POST",
            "/v1/contacts/import?consent_category=club&consent_at=2026-01-01T00:00:00Z",
            data=FILE.encode("latin-1"),
            headers={"Content-Type": "text/csv"},
        )

    async def until(self, import_id: str, condition: Any) -> Any:
        async def held() -> Any:
            found = await self.ask("GET", f"/v1/contacts/imports/{import_id}")
            return found if condition(found) else None

        return await eventually(held, 120)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session, daemon(tmp_path, CONFIG) as run:
        await run.start()
        yield Caller(session, run)


async def test_a_killed_import_goes_on_with_nothing_lost_and_nothing_twice(caller: Caller):
    begun = await caller.hand_in()
    # Twice, at places that nobody chose.
    for least in (200, 2500):
        await caller.until(begun["id"], lambda found, least=least: found["lines"] >= least)
        await caller.run.end(signal.SIGKILL)
        await caller.run.start()
    again = await caller.hand_in()
    assert again["id"] == begun["id"]
    done = await caller.until(begun["id"], lambda found: found["status"] != "running")
    good = ROWS - len(REJECTED)
    assert (done["status"], done["lines"], done["added"], done["changed"]) == ("finished", ROWS + 1, good, 0)
    assert (done["rejected"], done["consents"]) == (len(REJECTED), good)
    path, told, cursor = f"/v1/contacts/imports/{begun['id']}/rejections?limit=1000", [], ""
    while cursor is not None:
        page = await caller.ask("GET", path + (f"&cursor={cursor}" if cursor else ""))
        told += [one["line"] for one in page["items"]]
        cursor = page["next"]
    assert told == REJECTED
    assert [*(caller.run.folder / "state" / "imports").iterdir()] == []
