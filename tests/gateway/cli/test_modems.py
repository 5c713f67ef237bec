"""`modems reset`, `pause`, `resume`, `unlock`, `at` and `ussd` against a running gateway."""

from __future__ import annotations

import json

import pytest
from support.command_line import assert_failed, documents, passed
from support.waiting import eventually_sync


@pytest.fixture(autouse=True)
def ready(tocsin):
    """The modem can send, before a test and after it."""

    def is_ready() -> bool:
        return documents(tocsin("modems", "--json"))[0]["state"] == "ready"

    eventually_sync(is_ready, 20)
    yield
    tocsin("modems", "resume", "sim1")
    eventually_sync(is_ready, 20)


def test_the_list_is_the_default(tocsin):
    assert passed(tocsin("modems")).splitlines()[1].startswith("sim1  desk")


def test_pause_and_resume(tocsin):
    assert passed(tocsin("modems", "pause", "sim1")) == "sim1  paused (paused by an operator)\n"
    (modem,) = documents(tocsin("modems", "pause", "desk:sim1", "--json"))
    assert modem["state"] == "paused"
    assert passed(tocsin("modems", "resume", "sim1")) == "sim1  ready\n"


def test_reset(tocsin):
    (modem,) = documents(tocsin("--json", "modems", "reset", "sim1"))
    assert modem["name"] == "sim1"


def test_unlock_where_nothing_is_locked(tocsin):
    result = tocsin("modems", "unlock", "sim1")
    assert_failed(result, 1, "tocsin: no PIN of this modem waits for somebody's leave; it is ready")


def test_no_such_modem(tocsin):
    for verb in ("reset", "pause", "resume", "unlock"):
        assert_failed(tocsin("modems", verb, "sim9"), 1, "tocsin: there is no such modem")


def test_a_line_by_hand(tocsin):
    lines = passed(tocsin("modems", "at", "sim1", "AT+CSQ")).splitlines()
    assert lines[0].startswith("+CSQ: ")
    assert lines[-1] == "OK"
    result = tocsin("modems", "at", "sim1", "AT+NOSUCH", "--json")
    assert (result.exit_code, json.loads(result.stdout)["lines"][-1] != "OK") == (1, True)
    refused = tocsin("modems", "at", "sim1", 'AT+CPIN="1234"')
    assert refused.exit_code == 1
    assert "PIN" in refused.stderr
    assert "1234" not in refused.stderr


def test_a_code_that_is_none(tocsin):
    result = tocsin("modems", "ussd", "sim1", "hello")
    assert_failed(result, 1, 'tocsin: code: must be a code such as "#123#": digits, * and #')
