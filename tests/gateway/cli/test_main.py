"""What all commands have in common: help with an example, JSON, statuses."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

import click
import pytest
from support.tree import ROOT

from gateway.cli.main import main

RECORDS = {
    "check-config", "token create", "token list", "token revoke", "send", "preview", "messages", "message", "cancel",
    "resolve", "pause", "resume", "clock", "clock confirm",
    "inbox", "modems", "modems reset", "modems pause", "modems resume", "modems unlock", "modems at", "modems ussd",
    "modems probe", "doctor", "events",
    "profiles", "optouts", "optouts add", "optouts lift", "decode", "encode",
    "consents", "consents add", "consents withdraw", "consents proof", "reviews", "reviews settle", "notify",
    "webhooks", "webhooks list", "webhooks add", "webhooks remove", "webhooks enable", "webhooks test",
    "webhooks rotate", "webhooks secret", "webhooks dead", "webhooks replay",
    "templates", "templates list", "templates show", "templates set", "templates remove", "templates preview",
    "contacts", "contacts list", "contacts show", "contacts add", "contacts set", "contacts remove",
    "contacts duplicates", "contacts merge", "contacts import", "contacts export",
    "contacts attributes", "contacts attributes set", "contacts attributes remove",
    "segments", "segments list", "segments show", "segments add", "segments set", "segments remove",
    "segments count", "segments members",
    "campaigns", "campaigns list", "campaigns show", "campaigns create", "campaigns proof", "campaigns schedule",
    "campaigns start", "campaigns pause", "campaigns resume", "campaigns cancel", "campaigns members",
    "automations", "automations list", "automations show", "automations set", "automations remove",
    "automations trigger",
    "report", "report campaign", "report messages", "report timing", "report pressure",
    "codes", "codes list", "codes show", "codes add", "links",
    "ring", "alerts", "alerts show", "alerts ring-again", "alerts stop",
}  # fmt: skip
COMMANDS = RECORDS | {"serve", "token", "simulate", "modems trace"}


def _walk(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield before + name, command
        if isinstance(command, click.Group):
            yield from _walk(command, f"{before}{name} ")


FOUND = dict(_walk(main))


def test_the_commands():
    assert set(FOUND) == COMMANDS
    assert len(main.commands) == len(list(main.commands))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_explains_with_an_example(bare, name: str):
    result = bare(*name.split(), "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(rf"Examples?:\n +(\S.* \| )?tocsin {name}\b", result.stdout) or name in {"token", "optouts"}
    assert "Example" in result.stdout


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_what_prints_records_takes_json(name: str):
    assert "--json" in {option for parameter in FOUND[name].params for option in parameter.opts}


def test_the_reference_names_every_command_and_option():
    text = (ROOT / "docs/reference/cli.md").read_text("utf-8")
    sections = dict(re.findall(r"^## `tocsin ([a-z -]+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == COMMANDS - {"token", "optouts"} | {"optouts"}
    common = {"--config", "--url", "--json", "--help"}
    for name, section in sections.items():
        options = {option for one in FOUND[name].params for option in one.opts if option.startswith("--")}
        assert set(re.findall(r"`(--[a-z-]+)", section)) - common == options - common, name


def test_the_version(bare):
    assert re.fullmatch(r"tocsin, version \d+\.\d+\.\d+\n", bare("--version").stdout)


@pytest.mark.parametrize("arguments", [("sned",), ("token", "mint"), ("--wrong",)])
def test_wrong_usage(bare, arguments: tuple[str, ...]):
    result = bare(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_json_before_the_command_reaches_the_tools(bare):
    submit = bare("encode", "+33639980801", "Hello").stdout.split()[-1]
    assert bare("--json", "decode", submit, "--from", "mobile").stdout.startswith("{")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, "tocsin: /x: no space left on device"),
        (OSError(errno.EIO, "Input/output error"), 1, "tocsin: input/output error"),
        (KeyError("+33639980802"), 1, "tocsin: a defect (KeyError); TOCSIN_LOG=debug shows where"),
    ],
)
def test_no_failure_ends_in_a_traceback(
    bare, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, line: str
):
    def fail() -> None:
        raise error

    monkeypatch.setitem(main.commands, "serve", click.Command("serve", callback=fail))
    result = bare("serve")
    assert (result.exit_code, result.stdout, result.stderr) == (status, "", line + "\n")
    if isinstance(error, KeyError):
        assert bare("serve", TOCSIN_LOG="debug").exception is error


def test_an_interruption(bare, monkeypatch: pytest.MonkeyPatch):
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(main.commands, "serve", click.Command("serve", callback=interrupt))
    result = bare("serve")
    assert (result.exit_code, result.stdout, result.stderr.strip()) == (130, "", "")
