"""Several gateways on one database: each message once, whichever host takes it, and whichever of them dies."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.daemon import Client
from support.hosts import can_reach, hosts_on, modems_of
from support.long_run import hours_asked_for
from support.postgresql import Database
from support.waiting import eventually

PERSON = "+33639980142"
BUILT_IN = '[modems.sim1]\nport = "simulated:"\n'


def numbers(count: int) -> list[str]:
    """So many people."""
    return [f"+3363998{(1000 + each) % 10_000:04}" for each in range(count)]


async def accept(client: Client, texts: list[str]) -> None:
    """Hand in a message for each text, each to somebody else, in batches."""
    people = numbers(len(texts))
    for start in range(0, len(texts), 500):
        batch = [
            {"to": to, "text": text}
            for to, text in zip(people[start : start + 500], texts[start : start + 500], strict=True)
        ]
        await client.ok("POST", "/v1/messages/batch", {"messages": batch})


async def test_two_hosts_share_the_work_and_each_shows_the_whole(tmp_path: Path, postgresql_database: Database) -> None:
    async with hosts_on(tmp_path, postgresql_database, modems=2) as hosts:
        await hosts.start()
        async with hosts["a"].client() as a, hosts["b"].client() as b:
            texts = [f"message {each}" for each in range(200)]
            await accept(a, texts)
            await hosts.drained()
            assert hosts.texts() == Counter(texts)
            nodes = Counter(node for (node,) in hosts.rows("SELECT node FROM message"))
            assert set(nodes) == {"a", "b"}
            for client in (a, b):
                shown = await eventually(partial(_all_ready, client), what="four modems")
                assert [(each["node"], each["name"]) for each in shown] == [
                    ("a", "m0"), ("b", "m0"), ("a", "m1"), ("b", "m1"),
                ]  # fmt: skip
        await hosts.end()


async def test_a_command_goes_to_the_host_that_has_the_modem_and_a_stop_heard_there_counts_everywhere(
    tmp_path: Path, postgresql_database: Database
) -> None:
    async with hosts_on(tmp_path, postgresql_database, modems=0, config=BUILT_IN) as hosts:
        for node in "ab":
            await hosts[node].gateway.start()
        async with hosts["a"].client() as a, hosts["b"].client() as b:
            await eventually(partial(_listed, a, 2), what="the modems of both")
            sent = await a.send(PERSON, "Tomorrow at nine?", modem="b:sim1")
            done = await b.until(sent["id"], "delivered")
            assert (done["node"], done["modem"]) == ("b", "sim1")
            await a.ok("POST", "/v1/modems/b:sim1/simulate", {"from": PERSON, "text": "STOP"})
            await eventually(partial(_items, b, "/v1/optouts"), what="the opt-out")
            assert (await a.send(PERSON, "again"))["status"] == "suppressed"
            (heard,) = await _items(a, "/v1/inbox")
            assert (heard["in_reply_to"], heard["modem"]) == (sent["id"], "sim1")
            # The confirmation leaves through the SIM that was told.
            (reply,) = await eventually(partial(_begun_beside, a, sent["id"]), what="the confirmation")
            assert (reply["node"], reply["modem"]) == ("b", "sim1")
            status, answer = await a.call("POST", "/v1/modems/b:sim1/simulate", {"from": "", "text": "x"})
            assert (status, answer["code"]) == (422, "simulate_invalid"), answer
            status, answer = await a.call("POST", "/v1/modems/c:sim1/simulate", {"from": PERSON, "text": "x"})
            assert (status, answer["code"]) == (404, "modem_not_found")
            assert await hosts["b"].gateway.end() == 0
            status, answer = await a.call("POST", "/v1/modems/b:sim1/simulate", {"from": PERSON, "text": "x"})
            assert (status, answer["code"]) == (503, "host_silent")
            shown = {each["node"]: (each["state"], each["reason"]) for each in await modems_of(a)}
            assert shown["b"] == ("absent", "its host b is stopped")
        await hosts.end()


async def test_a_test_token_touches_no_real_modem_of_another_host(
    tmp_path: Path, postgresql_database: Database
) -> None:
    async with hosts_on(tmp_path, postgresql_database, modems=1, config=BUILT_IN) as hosts:
        for node in "ab":
            await hosts[node].gateway.start()
        async with hosts["a"].client() as a:
            await eventually(partial(_listed, a, 4), what="the modems of both")
            admin = a.token
            token = {"name": "trial", "scopes": ["admin"], "test": True}
            a.token = (await a.ok("POST", "/v1/tokens", token))["token"]
            for path, body in (("reset", {}), ("pause", {}), ("at", {"command": "AT"}), ("ussd", {"code": "#123#"})):
                status, answer = await a.call("POST", f"/v1/modems/b:m0/{path}", body)
                assert (status, answer["code"]) == (403, "real_modem_refused"), path
            lines = (await a.ok("POST", "/v1/modems/b:sim1/at", {"command": "AT"}))["lines"]
            assert lines == ["OK"]
            a.token = admin
            shown = {(each["node"], each["name"]): each["state"] for each in await modems_of(a)}
            assert shown["b", "m0"] == "ready"
        await hosts.end()


async def _listed(client: Client, count: int) -> bool:
    modems = await modems_of(client)
    return len(modems) == count and all(each["state"] == "ready" for each in modems)


async def _begun_beside(client: Client, message_id: str) -> list[dict[str, Any]]:
    """Messages besides this one that have begun to leave."""
    return [each for each in await _items(client, "/v1/messages") if each["id"] != message_id and each["node"]]


async def _items(client: Client, path: str) -> list[dict[str, Any]]:
    return (await client.ok("GET", path))["items"]


async def test_a_thousand_repeats_over_two_hosts_are_one_message(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    async with hosts_on(tmp_path, postgresql_database, modems=1) as hosts:
        await hosts.start()
        async with hosts["a"].client() as a, hosts["b"].client() as b:
            ids: Counter[str] = Counter()

            async def repeat(client: Client) -> None:
                for _ in range(25):
                    headers = {"Authorization": f"Bearer {client.token}", "Idempotency-Key": "one"}
                    body = {"to": PERSON, "text": "once"}
                    async with client.session.post(f"{client.url}/v1/messages", json=body, headers=headers) as answer:
                        assert answer.status == 202, await answer.text()
                        ids[(await answer.json())["id"]] += 1

            # One token for both: a key counts within its token.
            b.token = a.token
            await eventually(partial(_knows, b), what="the token of the other host")
            await asyncio.gather(*(repeat(client) for client in (a, b) for _ in range(20)))
        await hosts.drained()
        assert (len(ids), ids.total(), hosts.texts()) == (1, 1000, Counter(["once"]))
        await hosts.end()


async def _knows(client: Client) -> bool:
    return (await client.call("GET", "/v1/messages"))[0] == 200


async def test_what_a_killed_host_had_not_marked_goes_out_elsewhere_and_its_mark_is_told(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    environ = {"TOCSIN_LEASE_SECONDS": "3", "TOCSIN_PATIENCE_SECONDS": "3"}
    async with hosts_on(tmp_path, postgresql_database, "--latency", "100ms", modems=2, environ=environ) as hosts:
        await hosts.start()
        texts = [f"message {each}" for each in range(60)]
        async with hosts["a"].client() as a, hosts["b"].client() as b:
            hosts["a"].arm("ended 8")
            await accept(a, texts)
            await hosts["a"].died()
            killed = asyncio.get_running_loop().time()
            waiting = hosts.rows("SELECT count(*) FROM message WHERE status IN ('queued', 'held')")[0][0]
            await eventually(
                lambda: hosts.rows("SELECT 1 FROM message WHERE status IN ('queued', 'held')") == [],
                20,
                "an empty queue",
            )
            elapsed = asyncio.get_running_loop().time() - killed
            tell(f"D10: {waiting} messages of a killed host went out elsewhere within {elapsed:.1f} s (lease 3 s)")
            await hosts.drained()
            doubtful = hosts.rows("SELECT id, text FROM message WHERE status = 'uncertain'")
            assert 1 <= len(doubtful) <= 2
            shown = {each["node"]: each["state"] for each in await modems_of(b)}
            assert shown == {"a": "absent", "b": "ready"}
            assert max(hosts.texts().values()) == 1
            assert set(texts) - set(hosts.texts()) <= {text for _, text in doubtful}
            # The host returns, and believes its journal: what is known by now is evidence, and nothing leaves again.
            await hosts["a"].start()
            await accept(b, ["after"])
            await hosts.drained()
            assert hosts.texts() == hosts.texts() & Counter([*texts, "after"])
        await hosts.end()


async def test_what_one_host_accepts_another_sends_at_once(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    async with hosts_on(tmp_path, postgresql_database, modems=1) as hosts:
        await hosts.start()
        async with hosts["a"].client() as a:
            await eventually(lambda: can_reach(a, "b:m0"), 30, "a modem of the other host")
            for number in range(20):
                sent = await a.send(PERSON, f"number {number}", modem="b:m0")
                await a.until(sent["id"], "delivered")
        # Both hosts have one clock here: from the acceptance to the mark, which AT+CMGS follows.
        waits = sorted(
            us / 1000
            for (us,) in hosts.rows(
                "SELECT marked_us - created_us FROM attempt JOIN message ON message.id = message_id"
            )
        )
        tell(
            f"accepted here, marked there, idle: median {waits[10]:.1f} ms, longest {waits[-1]:.1f} ms of {len(waits)}"
        )
        assert len(waits) == 20
        await hosts.end()


async def test_d02_a_host_that_was_stopped_past_its_lease_marks_nothing_by_it(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    environ = {"TOCSIN_LEASE_SECONDS": "2", "TOCSIN_PATIENCE_SECONDS": "600"}
    async with hosts_on(tmp_path, postgresql_database, modems=1, environ=environ) as hosts:
        await hosts.start()
        async with hosts["b"].client() as b:
            # Stopped in the middle of its transaction, after it chose and before it marked.
            hosts["a"].arm("claimed 1 stop")
            texts = [f"message {each}" for each in range(20)]
            await b.send(PERSON, "for a alone", modem="a:m0")
            await accept(b, texts)
            await eventually(
                lambda: hosts.rows("SELECT 1 FROM host WHERE node = 'a' AND session IS NULL"),
                30,
                "a host that was ended",
            )
            hosts["a"].signal(signal.SIGCONT)
            await hosts.drained()
        ((marks,),) = hosts.rows("SELECT count(*) FROM attempt")
        await hosts.end()
    copies = hosts.texts()
    tell(
        f"D02: stopped before its mark, past its lease: {len(copies)} messages, {copies.total()} copies, "
        f"{marks - len(copies)} stale marks"
    )
    assert copies == Counter([*texts, "for a alone"])
    assert marks == 21


async def _each_once(folder: Path, database: Database, *, hosts: int, messages: int, kill: bool) -> str:
    """Each message once over several hosts, of which one may be killed in the middle."""
    environ = {"TOCSIN_PATIENCE_SECONDS": "5"} if kill else None
    async with hosts_on(folder, database, "--latency", "20ms", hosts=hosts, modems=4, environ=environ) as made:
        await made.start()
        texts = [f"message {each}" for each in range(messages)]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with made["a"].client() as a:
            await accept(a, texts)
        if kill:
            await eventually(lambda: made.texts().total() > messages // 4, 600, "a quarter of the messages")
            made["b"].signal(signal.SIGKILL)
            await made["b"].died()
        await made.drained(1800)
        took = loop.time() - begun
        copies = made.texts()
        doubtful = {text for (text,) in made.rows("SELECT text FROM message WHERE status = 'uncertain'")}
        assert max(copies.values()) == 1
        assert set(texts) - set(copies) <= doubtful
        assert len(doubtful) <= (4 if kill else 0)
        shares = Counter(node for (node,) in made.rows("SELECT node FROM attempt"))
        assert len(shares) == hosts
        await made.end()
        what = f", one killed, {len(doubtful)} uncertain" if kill else ""
        speed = f"{messages / took:.0f}/s, {dict(shares)}"
        return f"D01: {hosts} hosts x 4 modems{what}: {messages} messages, each once, {speed}"


@pytest.mark.long
@pytest.mark.parametrize(("hosts", "kill"), [(2, False), (3, False), (2, True), (3, True)])
async def test_each_message_once(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], hosts: int, kill: bool
) -> None:
    messages = 10_000 if hours_asked_for() else 600
    tell(await _each_once(tmp_path, postgresql_database, hosts=hosts, messages=messages, kill=kill))


async def _all_ready(client: Client) -> list[dict[str, object]]:
    modems = await modems_of(client)
    return modems if len(modems) == 4 and all(each["state"] in {"ready", "busy"} for each in modems) else []
