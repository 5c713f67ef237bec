"""The daemon as a process, on a modem that is a process of its own: killed, stopped, started twice, misconfigured."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest
from support.daemon import TOCSIN, client_of, daemon, ledger_of, simulated_modems
from support.waiting import eventually

PERSON = "+33639980142"


def config(port: str, listen: str = "127.0.0.1:0") -> str:
    return f'[gateway]\ncountry = "FR"\n[api]\nlisten = ["{listen}"]\n[modems.stick]\nport = "{port}"\n'


@pytest.mark.parametrize("policy", ["hold", "resend", "never"])
async def test_killed_while_the_network_is_silent_the_message_is_uncertain_and_its_policy_decides(
    tmp_path: Path, policy: str
) -> None:
    (tmp_path / "sim").mkdir()
    text = config(str(tmp_path / "sim" / "modem0")) + '[categories.emergency]\nresend_after = "1s"\n'
    async with simulated_modems(tmp_path / "sim", "--latency", "2s") as modems, daemon(tmp_path, text) as gateway:
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            fields = {"category": "emergency", "on_uncertain": policy}
            sent = await client.send(PERSON, "fire in hall 2", **fields)
            behind = await client.send(PERSON, "second", category="emergency")
            await client.until(sent["id"], "sending")
            await eventually(lambda: _ctrl_z_is_next(gateway.folder), what="the part on its way")
        await gateway.end(signal.SIGKILL)
        assert _mark(gateway.folder) == "submitting"
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            word = {"hold": "uncertain", "never": "uncertain", "resend": "delivered"}[policy]
            ended = await client.until(sent["id"], word, timeout=20)
            if policy != "resend":
                assert ended["error"]["code"] == "restart"
            await client.until(behind["id"], "delivered", timeout=20)
            timeline = await client.ok("GET", f"/v1/messages/{sent['id']}/timeline")
            words = [item["event"] for item in timeline["items"]]
            assert "message.uncertain" in words
        assert await gateway.end() == 0
    # The kill came when Ctrl-Z was next: the first copy may have left, or not.
    assert ledger_of(modems).count("fire in hall 2") in ({1, 2} if policy == "resend" else {0, 1})


def _ctrl_z_is_next(folder: Path) -> bool:
    journal = folder / "state" / "journal" / "stick.wire"
    return _submitted(folder) and b'"ctrl-z"' in journal.read_bytes()


def _submitted(folder: Path) -> bool:
    return _mark(folder) == "submitting"


def _mark(folder: Path) -> str | None:
    raw = sqlite3.connect(folder / "state" / "tocsin.db")
    try:
        row = raw.execute("SELECT state FROM attempt ORDER BY id LIMIT 1").fetchone()
    finally:
        raw.close()
    return row[0] if row else None


async def test_sigterm_lets_a_submit_in_flight_finish_and_the_rest_is_sent_after_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    text = config(str(tmp_path / "sim" / "modem0"))
    async with simulated_modems(tmp_path / "sim", "--latency", "700ms") as modems, daemon(tmp_path, text) as gateway:
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            ids = [(await client.send(f"+3363998015{number}", f"message {number}"))["id"] for number in range(3)]
            await client.until(ids[0], "sending")
            await eventually(lambda: _submitted(gateway.folder), what="the part on its way")
        assert await gateway.end() == 0
        raw = sqlite3.connect(gateway.folder / "state" / "tocsin.db")
        states = [row[0] for row in raw.execute("SELECT state FROM attempt")]
        raw.close()
        assert "submitting" not in states
        assert "uncertain" not in states
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            # The report of the first one came while nobody listened.
            await client.until(ids[0], "sent", "delivered")
            for each in ids[1:]:
                await client.until(each, "delivered", timeout=20)
        assert await gateway.end(signal.SIGINT) == 0
    assert sorted(ledger_of(modems)) == [f"message {number}" for number in range(3)]


async def test_a_pty_modem_sends_receives_and_is_named_in_the_list(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    text = config(str(tmp_path / "sim" / "modem0"))
    async with simulated_modems(tmp_path / "sim") as modems, daemon(tmp_path, text) as gateway:
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            sent = await client.send(PERSON, "é" * 200)
            assert (await client.until(sent["id"], "delivered"))["simulated"] is False
            await asyncio.to_thread((modems / "control").write_text, f"modem0 {PERSON} STOP\n")
            later = await eventually(lambda: _suppressed(client), what="the opt-out")
            assert later["error"]["code"] == "opt_out"
            (modem,) = (await client.ok("GET", "/v1/modems"))["items"]
            assert (modem["name"], modem["state"] in {"ready", "busy"}) == ("stick", True)
            assert modem["sent_today"] >= 2
            assert modem["imei"]
            status, problem = await client.call("POST", "/v1/modems/stick/simulate", {"from": PERSON, "text": "STOP"})
            assert (status, problem["code"]) == (409, "not_simulated")
        assert await gateway.end() == 0


async def _suppressed(client) -> object:  # type: ignore[no-untyped-def]
    message = await client.send(PERSON, "still there?")
    return message if message["status"] == "suppressed" else None


async def test_an_absent_modem_keeps_messages_waiting_until_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    text = config(str(tmp_path / "sim" / "modem0"))
    async with daemon(tmp_path, text) as gateway:
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            assert (await client.call("GET", "/healthz"))[0] == 200
            assert (await client.call("GET", "/readyz"))[0] == 503
            sent = await client.send(PERSON, "Hello")
            assert sent["status"] == "queued"
            async with simulated_modems(tmp_path / "sim"):
                await client.until(sent["id"], "delivered", timeout=30)
        assert await gateway.end() == 0


async def test_the_same_state_directory_is_served_once(tmp_path: Path) -> None:
    async with daemon(tmp_path, config("simulated:")) as gateway:
        await gateway.start()
        second = await asyncio.to_thread(_serve_again, gateway.config)
        assert second.returncode == 1
        assert "Traceback" not in second.stderr
        assert "runs" in second.stderr or "holds" in second.stderr
        assert await gateway.end() == 0


async def test_an_occupied_address_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        path = tmp_path / "config.toml"
        path.write_text(config("simulated:", listen), encoding="utf-8")
        done = await asyncio.to_thread(_serve_again, path)
    assert done.returncode == 78
    assert not (tmp_path / "state").exists()
    assert listen in done.stderr
    assert "Traceback" not in done.stderr
    assert "ready" not in done.stdout


async def test_a_hangup_does_not_end_the_gateway(tmp_path: Path) -> None:
    async with daemon(tmp_path, config("simulated:")) as gateway:
        await gateway.start()
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGHUP)
        async with client_of(gateway.url, gateway.token) as client:
            sent = await client.send(PERSON, "still here")
            await client.until(sent["id"], "delivered")
        assert await gateway.end() == 0


async def test_what_was_refused_for_the_moment_is_tried_again_by_itself(tmp_path: Path) -> None:
    """Nothing else happens at the gateway meanwhile: only its own clock brings the further copy."""
    (tmp_path / "sim").mkdir()
    text = config(str(tmp_path / "sim" / "modem0")) + '[categories.emergency]\nresend_after = "1s"\n'
    async with daemon(tmp_path, text) as gateway:
        async with simulated_modems(tmp_path / "sim", "--latency", "30s"):
            await gateway.start()
            async with client_of(gateway.url, gateway.token) as client:
                sent = await client.send(PERSON, "fire", category="emergency")
                await eventually(lambda: _submitted(gateway.folder), what="the part on its way")
        # The modem vanished after Ctrl-Z.
        async with simulated_modems(tmp_path / "sim"), client_of(gateway.url, gateway.token) as client:
            ended = await client.until(sent["id"], "delivered", timeout=30)
            timeline = await client.ok("GET", f"/v1/messages/{sent['id']}/timeline")
            # On a slow machine the modem may have vanished before Ctrl-Z; then nothing was spent.
            lost = "message.uncertain" in [item["event"] for item in timeline["items"]]
            assert ended["attempts"] == (2 if lost else 1)
        assert await gateway.end() == 0


def _serve_again(path: Path) -> subprocess.CompletedProcess[str]:
    command = [TOCSIN, "serve", "--config", str(path)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN")}
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environ)
