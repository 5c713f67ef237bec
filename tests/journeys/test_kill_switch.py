"""The kill switch against modems that are sending, and a key across a kill: compared with what left over the air."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from support.daemon import Client, client_of, daemon, ledger_of, simulated_modems
from support.settings import settings_in
from support.waiting import eventually

from gateway.daemon import running_gateway

PERSON = "+33639980142"


def _numbers(count: int) -> list[str]:
    return [f"+3363998{number:04d}" for number in range(count)]


@pytest.mark.parametrize("categories", [None, ["transactional"]], ids=["everything", "one-category"])
async def test_after_the_answer_no_part_leaves_but_those_on_their_way(
    tmp_path: Path, categories: list[str] | None
) -> None:
    body = {} if categories is None else {"categories": categories}
    async with simulated_modems(tmp_path, "--count", "2", "--latency", "20ms") as modems:
        ports = {f"stick{number}": str(modems / f"modem{number}") for number in range(2)}
        settings = settings_in(tmp_path, ports=ports)
        async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
            batch = [{"to": to, "text": f"{to} {'x' * 200} {to}"} for to in _numbers(60)]
            await client.ok("POST", "/v1/messages/batch", {"messages": batch})
            await eventually(lambda: len(ledger_of(modems)) >= 10, what="parts over the air")
            await client.ok("POST", "/v1/pause", body)
            at_answer = len(ledger_of(modems))
            beside = await client.send(PERSON, "alarm", category="emergency")
            if categories is None:
                assert beside["status"] == "held"
            else:
                await client.until(beside["id"], "delivered")
            await _quiet(client)
            texts = [text for text in ledger_of(modems) if text != "alarm"]
            assert len(texts) <= at_answer + len(ports)
            assert len(texts) < 120
            held = (await client.ok("GET", "/v1/messages", status="held", limit="100"))["items"]
            assert held
            assert {item["hold"]["rule"] for item in held} == {"paused"}
            assert (await client.ok("GET", "/v1/messages", status="queued"))["items"] == []
        # It stands across a restart.
        async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
            before = len(ledger_of(modems))
            assert (await client.ok("GET", "/v1/pause"))["paused"]
            await eventually(lambda: _usable(client, 2), 10, "both modems")
            assert len(ledger_of(modems)) == before
            await client.ok("POST", "/v1/resume")
            await eventually(lambda: len(ledger_of(modems)) == 121, 20, "everything sent")
        assert len(set(ledger_of(modems))) == len(ledger_of(modems)) == 121


async def _quiet(client: Client) -> None:
    """Nothing is marked and without an outcome: every modem is at rest."""

    async def settled() -> bool:
        sending = (await client.ok("GET", "/v1/messages", status="sending", limit="100"))["items"]
        timelines = [(await client.ok("GET", f"/v1/messages/{item['id']}/timeline"))["items"] for item in sending]
        words = [[item["event"] for item in items] for items in timelines]
        return all(each.count("part.submitting") == each.count("part.sent") for each in words)

    await eventually(settled, 10, "modems at rest")


async def _usable(client: Client, count: int) -> bool:
    modems = (await client.ok("GET", "/v1/modems"))["items"]
    return [modem["state"] for modem in modems] == ["ready"] * count


async def test_a_key_across_a_kill_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    text = (
        f'[gateway]\ncountry = "FR"\n[api]\nlisten = ["127.0.0.1:0"]\n[modems.stick]\nport = "{tmp_path}/sim/modem0"\n'
    )
    async with simulated_modems(tmp_path / "sim", "--latency", "50ms") as modems, daemon(tmp_path, text) as gateway:
        answers: set[str] = set()
        for _ in range(3):
            await gateway.start()
            async with client_of(gateway.url, gateway.token) as client:
                asked = [asyncio.create_task(_keyed(client, f"k{number}")) for number in range(20)]
                answers.update(each for each in await asyncio.gather(*asked) if each)
                # Some more are on their way when it is killed; whether they arrived is not known.
                late = [asyncio.create_task(_keyed(client, f"late{number}")) for number in range(20)]
                await asyncio.sleep(0)
                await gateway.end(signal.SIGKILL)
                await asyncio.gather(*late, return_exceptions=True)
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            answers.update([await _keyed(client, f"k{number}") for number in range(20)])
            late_ids = {await _keyed(client, f"late{number}") for number in range(20)}
            assert (len(answers), len(late_ids)) == (20, 20)
            items = (await client.ok("GET", "/v1/messages", limit="100"))["items"]
            assert {item["id"] for item in items} == answers | late_ids
        assert await gateway.end() == 0
    texts = ledger_of(modems)
    assert len(texts) == len(set(texts))


async def _keyed(client: Client, key: str) -> str:
    headers = {"Authorization": f"Bearer {client.token}", "Idempotency-Key": key}
    body = {"to": PERSON, "text": f"text of {key}"}
    async with client.session.post(client.url + "/v1/messages", json=body, headers=headers) as answer:
        assert answer.status == 202
        return (await answer.json())["id"]
