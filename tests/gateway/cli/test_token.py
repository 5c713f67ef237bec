"""`token` with a running gateway and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import assert_failed, documents, passed


@pytest.fixture(params=["running", "stopped"])
def command(request: pytest.FixtureRequest, bare, tocsin, config: Path):
    """The command line where a gateway holds the store, and where none does."""
    if request.param == "running":
        return tocsin
    return lambda *arguments: bare(*arguments, TOCSIN_CONFIG=str(config))


def test_a_tokens_life(command, request: pytest.FixtureRequest):
    name = f"till-{request.node.callspec.id}"
    secret = passed(command("token", "create", name, "--scope", "send", "read", "--category", "emergency"))
    assert secret.startswith("tocsin_")
    assert len(secret.split()) == 1
    listed = [one for one in documents(command("token", "list", "--json")) if one["name"] == name]
    assert [(one["scopes"], one["categories"], one["revoked_at"]) for one in listed] == [
        (["send", "read"], ["emergency"], None)
    ]
    assert secret.strip() not in passed(command("token", "list"))
    assert_failed(
        command("token", "create", name, "--scope", "send"),
        1,
        "tocsin: there is a token of that name; revoke it first",
    )
    assert passed(command("token", "revoke", name)) == f"{name} revoked\n"
    assert_failed(command("token", "revoke", name), 1, "tocsin: there is no live token of that name")


def test_json_shows_the_token_once(command, request: pytest.FixtureRequest):
    name = f"json-{request.node.callspec.id}"
    arguments = ("create", name, "--scope", "send,read", "--default-category", "emergency", "--test", "--json")
    (made,) = documents(command("token", *arguments))
    assert made["token"].startswith("tocsin_")
    assert (made["name"], made["scopes"], made["default_category"], made["test"]) == (
        name, ["send", "read"], "emergency", True,
    )  # fmt: skip
    (revoked,) = documents(command("token", "revoke", name, "--json"))
    assert "token" not in revoked
    assert revoked["revoked_at"]


def test_its_limits_are_listed(command, request: pytest.FixtureRequest):
    name = f"bound-{request.node.callspec.id}"
    limits = ("--destination", "FR", "+32", "--rate", "60/1m", "--parts-a-day", "500", "--expires", "90d")
    passed(command("token", "create", name, "--scope", "send", *limits))
    (one,) = [each for each in documents(command("token", "list", "--json")) if each["name"] == name]
    assert (one["destinations"], one["rate"], one["parts_a_day"]) == (["FR", "+32"], "60/1m", 500)
    assert one["expires_at"] > one["created_at"]
    (line,) = [line for line in passed(command("token", "list")).splitlines() if line.startswith(name)]
    assert "FR +32 60/1m 500 parts/24h" in line
    wrong = command("token", "create", "x", "--scope", "send", "--expires", "soon")
    assert (wrong.exit_code, "--expires" in wrong.stderr) == (2, True)
    assert "rate: " in command("token", "create", "x", "--scope", "send", "--rate", "fast").stderr


def test_what_is_wrong_with_it(command):
    result = command("token", "create", "x", "--scope", "sned", "--category", "none")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'sned' is none of send, read" in result.stderr
    result = command("token", "create", "x", "--scope", "send", "--category", "none")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "categories/0: " in result.stderr
    assert command("token", "create", "x").exit_code == 2
    assert command("token", "create", "x", "y", "--scope", "send").exit_code == 2


def test_a_revoked_token_is_refused_at_once(tocsin, daemon):
    secret = passed(tocsin("token", "create", "brief", "--scope", "read")).strip()
    environ = {"TOCSIN_TOKEN": secret, "TOCSIN_URL": daemon.url}
    assert tocsin("inbox", **environ).exit_code == 0
    passed(tocsin("token", "revoke", "brief"))
    assert_failed(
        tocsin("inbox", **environ), 1, f"tocsin: the gateway at {daemon.url} refused the token of TOCSIN_TOKEN"
    )


def test_a_token_that_lacks_the_scope(tocsin):
    secret = passed(tocsin("token", "create", "reader", "--scope", "read")).strip()
    result = tocsin("send", "+33639980401", "x", TOCSIN_TOKEN=secret)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "token of" not in result.stderr


def test_through_a_named_gateway_no_configuration_is_needed(bare, daemon):
    environ = {"TOCSIN_TOKEN": daemon.token, "TOCSIN_CONFIG": "/nowhere"}
    assert "cli" in passed(bare("token", "list", "--url", daemon.url, **environ))


def test_a_store_that_cannot_be_opened(bare, config: Path):
    (config.parent / "state").mkdir()
    (config.parent / "state/tocsin.db").write_bytes(b"no database" * 1000)
    result = bare("token", "list", TOCSIN_CONFIG=str(config))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "defect" not in result.stderr
