"""`serve` as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.command_line import assert_failed, passed
from support.waiting import eventually_sync

Spawn = Callable[..., subprocess.Popen[str]]


def _wait_ready(process: subprocess.Popen[str]) -> str:
    """The address of its `ready` line, which is the first line of its standard output."""
    word, url = process.stdout.readline().split()
    assert word == "ready"
    return url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_from_ready_to_the_end(spawn: Spawn, bare, config: Path, number: signal.Signals):
    process = spawn("serve", "--config", config)
    url = _wait_ready(process)
    token = config.parent / "state/cli.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert "delivered" in passed(bare("send", "+33639980701", "Hello", "--wait", TOCSIN_CONFIG=str(config)))
    assert_failed(
        bare("serve", TOCSIN_CONFIG=str(config)),
        1,
        f"tocsin: a gateway runs on {config.parent}/state already "
        f"(another process holds {config.parent}/state/tocsin.lock)",
    )
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert err.startswith(f"token  {token}\ntry    ") or f"\ntoken  {token}\ntry    " in err
    assert "+33639980701" not in err
    assert "Traceback" not in err
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(tuple(url.removeprefix("http://").split(":")), timeout=5)


def test_logs_are_objects_where_nobody_watches(spawn: Spawn, config: Path):
    process = spawn("serve", "--config", config, "--log-level", "info")
    _wait_ready(process)
    process.terminate()
    _, err = process.communicate(timeout=20)
    logged = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert "stopping" in [line.get("action") for line in logged]
    assert len(err.splitlines()) == len(logged) + 2


def test_what_was_sent_outlives_a_restart(spawn: Spawn, bare, config: Path):
    for expected in (0, 1):
        process = spawn("serve", "--config", config, TOCSIN_LOG="error")
        _wait_ready(process)
        listed = passed(bare("messages", "--json", TOCSIN_CONFIG=str(config)))
        assert len(listed.splitlines()) == expected
        passed(bare("send", "+33639980702", "Hello", "--wait", TOCSIN_CONFIG=str(config)))
        process.terminate()
        assert process.wait(20) == 0


def test_an_address_that_is_taken(bare, config: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        config.write_text(config.read_text().replace("127.0.0.1:0", address))
        result = bare("serve", "--config", str(config))
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines()[-1].startswith(f"tocsin: cannot listen on {address}: ")
    assert "in use" in result.stderr.lower()
    assert not (config.parent / "state").exists()


@pytest.mark.parametrize("address", ["192.0.2.1:7672", "no-such-host.invalid:7672"])
def test_an_address_that_is_not_this_machines(bare, config: Path, address: str):
    config.write_text(config.read_text().replace('"127.0.0.1:0"]', f'"{address}"]\ninsecure = true'))
    result = bare("serve", "--config", str(config))
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines()[-1].startswith(f"tocsin: cannot listen on {address}: ")


def test_a_state_directory_that_cannot_be_made(bare, config: Path):
    (config.parent / "state").symlink_to("/proc/nowhere")
    result = bare("serve", "--config", str(config))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert "defect" not in result.stderr


def test_wrong_usage(bare, config: Path):
    assert bare("serve", "--log-level", "loud", "--config", str(config)).exit_code == 2
    assert bare("serve", "--config", str(config), TOCSIN_LOG="loud").exit_code == 2


def test_an_interrupted_command_says_nothing(spawn: Spawn, bare, config: Path):
    process = spawn("serve", "--config", config)
    _wait_ready(process)
    tomorrow = str(datetime.now().astimezone() + timedelta(days=1))
    waiting = spawn("send", "+33639980703", "x", "--send-at", tomorrow, "--wait", TOCSIN_CONFIG=str(config))
    # Once the gateway lists it, all that is left to the command is to wait.
    eventually_sync(lambda: bare("messages", "--json", TOCSIN_CONFIG=str(config)).stdout, timeout=10)
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=20)
    # What holds it may have been told when it began to wait.
    others = [line for line in err.splitlines() if line and not line.startswith("held  scheduled until ")]
    assert (waiting.returncode, out, others) == (130, "", [])


def test_a_gateway_that_stops_is_waited_for(spawn: Spawn, bare, config: Path):
    process = spawn("serve", "--config", config)
    _wait_ready(process)
    tomorrow = str(datetime.now().astimezone() + timedelta(days=1))
    later = ("+33639980704", "x", "--send-at", tomorrow, "--wait", "--timeout", "3s", "--json")
    waiting = spawn("send", *later, TOCSIN_CONFIG=str(config))
    eventually_sync(lambda: bare("messages", "--json", TOCSIN_CONFIG=str(config)).stdout, timeout=10)
    process.terminate()
    assert process.wait(20) == 0
    out, err = waiting.communicate(timeout=20)
    assert (waiting.returncode, json.loads(out)["status"], err) == (1, "held", "")
