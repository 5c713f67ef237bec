"""The main job on PostgreSQL: whole, across a restart, and while somebody keeps cutting the daemon off its database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from support.daemon import TOCSIN, Client, client_of, daemon, ledger_of, simulated_modems
from support.postgresql import Database
from support.settings import settings_in
from support.waiting import eventually

from gateway.config.settings import Settings, StoreSettings
from gateway.daemon import running_gateway
from gateway.store.opening import KEY_NAME

PERSON = "+33639980142"
#: The outage that one cut may make, at most.
OUTAGE_S = 10


@pytest.fixture
def settings(tmp_path: Path, postgresql_database: Database) -> Settings:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return replace(settings_in(tmp_path), store=StoreSettings(postgresql_database.url))


async def _ready(client: Client) -> bool:
    status, _ = await client.call("GET", "/readyz")
    return status == 200


async def test_the_main_job_and_a_second_start(settings: Settings) -> None:
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        await eventually(lambda: _ready(client), what="a usable modem")
        sent = await client.send(PERSON, "Rendez-vous demain ? " * 12)
        done = await client.until(sent["id"], "delivered")
        assert (done["parts"], done["modem"], done["simulated"]) == (2, "sim1", True)
        await client.ok("POST", "/v1/modems/sim1/simulate", {"from": PERSON, "text": "STOP"})
        out = await eventually(lambda: _items(client, "/v1/optouts"), what="the opt-out")
        assert out[0]["number"] == PERSON
        stopped = await client.send(PERSON, "again")
        assert stopped["status"] == "suppressed"
        timeline = await _items(client, f"/v1/messages/{sent['id']}/timeline")
        assert [item["event"] for item in timeline].count("part.delivered") == 2
        token = gateway.admin_token
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        assert gateway.admin_token == token
        kept = {item["id"]: item["status"] for item in await _items(client, "/v1/messages")}
        assert (kept[sent["id"]], kept[stopped["id"]]) == ("delivered", "suppressed")
        (heard,) = await _items(client, "/v1/inbox")
        assert (heard["keyword"], heard["in_reply_to"]) == ("stop", sent["id"])


async def _items(client: Client, path: str) -> list[dict[str, object]]:
    return (await client.ok("GET", path))["items"]


async def test_cut_off_again_and_again_nothing_is_lost_and_nothing_leaves_twice(
    tmp_path: Path, postgresql_database: Database, tell
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / KEY_NAME).write_bytes(postgresql_database.key)
    (tmp_path / "sim").mkdir()
    text = (
        '[gateway]\ncountry = "FR"\n[api]\nlisten = ["127.0.0.1:0"]\n'
        f'[store]\nurl = "{postgresql_database.url}"\n[modems.stick]\nport = "{tmp_path}/sim/modem0"\n'
    )
    async with simulated_modems(tmp_path / "sim", "--latency", "10ms") as modems, daemon(tmp_path, text) as gateway:
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            cutting = asyncio.create_task(_cut(postgresql_database, client))
            accepted: list[dict[str, str]] = []
            while not cutting.done():
                accepted.append(await _send(client, f"number {len(accepted)}"))
            outages = await cutting
            for each in accepted:
                await client.until(each["id"], "delivered", timeout=20)
        assert await gateway.end() == 0
    texts = ledger_of(modems)
    tell(
        f"D12: {len(outages)} cuts, {len(texts)} parts of {len(accepted)} messages, longest outage {max(outages):.2f} s"
    )
    assert sorted(texts) == sorted(each["text"] for each in accepted)
    assert max(outages) <= OUTAGE_S


async def _send(client: Client, text: str) -> dict[str, str]:
    """Send, and again when the answer says that nothing was stored."""
    while True:
        status, answer = await client.call("POST", "/v1/messages", {"to": PERSON, "text": text, "reference": text})
        if status == 202:
            return answer
        assert (status, answer["code"]) == (503, "store_unreachable"), answer


async def _cut(database: Database, client: Client, times: int = 12) -> list[float]:
    """End all of the daemon's sessions so many times; how long each time until it accepts again, in seconds."""
    outages: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(times):
        await asyncio.to_thread(_end_sessions, database)
        begun = loop.time()
        await eventually(lambda: _ready(client), timeout=OUTAGE_S, what="a store that can be written")
        outages.append(loop.time() - begun)
        await asyncio.sleep(0.05)
    return outages


def _end_sessions(database: Database) -> None:
    database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'tocsin%' AND datname = current_database()"
    )


async def test_a_second_daemon_of_the_same_node_is_told_which_name_is_taken(
    tmp_path: Path, postgresql_database: Database
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        (folder / "state").mkdir(parents=True, mode=0o700)
        (folder / "state" / KEY_NAME).write_bytes(postgresql_database.key)
    text = (
        '[gateway]\nnode = "desk"\n[api]\nlisten = ["127.0.0.1:0"]\n'
        f'[store]\nurl = "{postgresql_database.url}"\n[modems.sim1]\nport = "simulated:"\n'
    )
    async with daemon(folders[0], text) as first, daemon(folders[1], text) as second:
        await first.start()
        process = await second.spawn()
        assert await asyncio.to_thread(process.wait, 20) == 1
        assert process.stdout is not None
        process.stdout.close()
        said = (folders[1] / "stderr.log").read_text().splitlines()[-1]
        assert said.startswith("tocsin: the gateway cannot start: another daemon of node desk works on ")
        assert said.endswith(": stop that one, or give this host a name of its own ([gateway] node)")
        assert await first.end() == 0


async def test_settings_that_would_lose_messages_keep_the_daemon_from_starting(
    tmp_path: Path, postgresql_database: Database
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[store]\nurl = "{postgresql_database.url}"\n[modems.sim1]\nport = "simulated:"\n')
    with postgresql_database.server.set_to("fsync", "off"):
        process = await asyncio.create_subprocess_exec(
            TOCSIN, "serve", "--config", str(config), stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
    assert process.returncode == 1
    assert "fsync = off" in said.decode()
