"""`pause`, `resume` and `resolve`: through the gateway, and on the store where no gateway answers."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import assert_failed, documents, passed

from gateway.config.loader import load_settings
from gateway.daemon import offline_services
from gateway.message import NO_PAUSE, Pause
from gateway.store import pauses
from gateway.store.opening import StoreLock, open_store

PERSON = "+33639980701"


@pytest.fixture
def store(config: Path) -> Path:
    """A configuration whose store was used before; nobody holds it."""

    async def make() -> None:
        async with offline_services(load_settings(config, {})):
            pass

    asyncio.run(make())
    return config


def standing(config: Path) -> Pause:
    async def read() -> Pause:
        opened = open_store(config.parent / "state/tocsin.db")
        try:
            return await opened.read(pauses.standing)
        finally:
            await opened.close()

    return asyncio.run(read())


def test_through_the_gateway(tocsin):
    try:
        shown = passed(tocsin("pause", "--category", "promotional"))
        assert shown.startswith("paused since ")
        assert shown.endswith(": promotional\n")
        (held,) = documents(tocsin("send", PERSON, "x", "--category", "promotional", "--json"))
        assert (held["status"], held["hold"]["rule"]) == ("held", "paused")
        (state,) = documents(tocsin("pause", "--json"))
        assert (state["paused"], state["categories"]) == (True, None)
    finally:
        assert passed(tocsin("resume")) == "nothing is paused\n"
    (state,) = documents(tocsin("resume", "--json"))
    assert state == {"paused": False, "categories": None, "since": None}


def test_a_category_that_is_not_known(tocsin, bare, store: Path):
    for result in (tocsin("pause", "--category", "x"), bare("pause", "--category", "x", TOCSIN_CONFIG=str(store))):
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert "no such category" in result.stderr


def test_on_the_store_while_no_gateway_runs(bare, store: Path):
    assert passed(bare("pause", TOCSIN_CONFIG=str(store))).endswith(": everything\n")
    assert standing(store).everything
    passed(bare("pause", "--category", "emergency", TOCSIN_CONFIG=str(store)))
    assert passed(bare("resume", TOCSIN_CONFIG=str(store))) == "nothing is paused\n"
    assert standing(store) == NO_PAUSE


def test_on_the_store_while_a_gateway_holds_it_and_does_not_answer(bare, store: Path):
    lock = StoreLock(store.parent / "state")
    lock.acquire()
    lock.publish("http://127.0.0.1:1")
    (store.parent / "state/cli.token").write_text("secret\n")
    try:
        assert passed(bare("pause", TOCSIN_CONFIG=str(store))).endswith(": everything\n")
    finally:
        lock.release()
    assert standing(store).everything


def test_a_gateway_that_was_named_must_answer(bare, store: Path):
    result = bare("pause", "--url", "http://127.0.0.1:1", TOCSIN_CONFIG=str(store), TOCSIN_TOKEN="x")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert standing(store) == NO_PAUSE


def test_without_a_store(bare, config: Path):
    path = config.parent / "state/tocsin.db"
    assert_failed(bare("pause", TOCSIN_CONFIG=str(config)), 1, f"tocsin: there is no store at {path}")


def test_resolve(tocsin, daemon):
    (message,) = documents(tocsin("send", PERSON, "x", "--wait", "--json"))
    result = tocsin("resolve", message["id"], "--as", "sent")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "only an uncertain one" in result.stderr
    assert tocsin("resolve", message["id"], "--as", "delivered").exit_code == 2
    assert tocsin("resolve", message["id"]).exit_code == 2
    with sqlite3.connect(daemon.state / "tocsin.db", timeout=10) as raw:
        raw.execute("UPDATE message SET status = 'uncertain' WHERE id = ?", (message["id"],))
        raw.execute("UPDATE part SET state = 'uncertain' WHERE message_id = ?", (message["id"],))
    raw.close()
    assert passed(tocsin("resolve", message["id"], "--as", "failed")).split()[:2] == [message["id"], "failed"]


# A writer that begins its transaction, says so, and is stopped in it.
_STOPPED = """
import os, signal, sqlite3, sys
raw = sqlite3.connect(sys.argv[1], isolation_level=None)
raw.execute("BEGIN IMMEDIATE")
os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def stopped(store: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that was stopped in a transaction on the store, as a gateway may be."""
    process = subprocess.Popen([sys.executable, "-c", _STOPPED, store.parent / "state/tocsin.db"])
    _, how = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(how)
    yield process
    process.kill()
    process.wait(10)


def test_beside_a_gateway_that_was_stopped_in_a_transaction(bare, store: Path, stopped: subprocess.Popen[bytes]):
    lock = StoreLock(store.parent / "state")
    lock.acquire()
    (store.parent / "state/cli.token").write_text("secret\n")
    lock.publish("http://127.0.0.1:1")
    try:
        result = bare("pause", TOCSIN_CONFIG=str(store))
        assert_failed(
            result,
            1,
            f"tocsin: the store {store.parent / 'state/tocsin.db'} cannot be written: somebody is in the middle of "
            "writing to it and does not go on; nothing was changed; "
            f"process {os.getpid()} is the gateway here: let it go on (kill -CONT {os.getpid()}) "
            f"or end it (kill -KILL {os.getpid()}), ask again",
        )
        stopped.kill()
        stopped.wait(10)
        assert passed(bare("pause", TOCSIN_CONFIG=str(store))).endswith(": everything\n")
    finally:
        lock.release()
    assert standing(store).everything
