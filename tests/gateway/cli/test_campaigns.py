"""`tocsin campaigns` and `tocsin automations` against a running gateway: what each prints, and how it fails."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from support.command_line import assert_failed, documents, passed

from gateway.cli.campaigns import tell_looked_at

A, B = "+33639980921", "+33639980922"
NOWHERE = "0" * 32


def _one(result: Any) -> dict[str, Any]:
    (found,) = documents(result)
    return found


def test_a_campaign_from_its_making_to_its_end(tocsin, tmp_path: Path):
    passed(tocsin("segments", "add", "patients", '"patient" in tags'))
    for number, name in ((A, "Ada"), (B, "Bo")):
        passed(tocsin("contacts", "add", number, "--name", name, "--tag", "patient"))
    said = ("--to", "patients", "--text", "Bonjour {{ name }}, il est temps.")
    made = _one(tocsin("campaigns", "create", "Check-up", *said, "--per-minute", "6000", "--json"))
    id_ = made["id"]
    assert (made["status"], made["pace"], made["audience"]) == ("draft", {"per_minute": 6000}, "frozen")
    assert "Check-up" in passed(tocsin("campaigns"))
    assert [each["id"] for each in documents(tocsin("campaigns", "list", "--status", "draft", "--json"))] == [id_]
    shown = passed(tocsin("campaigns", "show", id_))
    assert "status    draft" in shown or "draft" in shown
    assert "0, of whom 0 queued and 0 left out" in shown
    (line,) = passed(tocsin("campaigns", "proof", id_, "--to", A)).splitlines()
    assert line.endswith(("  queued", "  sending", "  sent", "  delivered"))
    planned = passed(tocsin("campaigns", "schedule", id_, "--at", "2100-01-01T09:00:00+01:00")).splitlines()
    assert planned[0] == f"{id_}  scheduled"
    assert re.fullmatch(r"2 people, 2 parts, 1 modems: about \d+ s", planned[1])
    over = passed(tocsin("campaigns", "start", id_, "--wait", "--timeout", "1m")).splitlines()
    assert over[:2] == [f"{id_}  running", planned[1]]
    assert [line for line in over if "finished" in line]
    members = documents(tocsin("campaigns", "members", id_, "--json"))
    assert {(each["number"], each["state"]) for each in members} == {(A, "queued"), (B, "queued")}
    assert "only" in passed(tocsin("campaigns", "members", id_))
    nobody = tocsin("campaigns", "members", id_, "--state", "left_out")
    assert (nobody.exit_code, nobody.stdout, nobody.stderr) == (0, "", "nobody is in it\n")
    state = "tocsin: the campaign is finished: {} is not possible now"
    for act in ("start", "pause", "resume", "cancel"):
        assert_failed(tocsin("campaigns", act, id_), 1, state.format(act))
    late = ("--at", "2100-01-01T09:00:00+01:00")
    assert_failed(tocsin("campaigns", "schedule", id_, *late), 1, state.format("schedule"))


def test_a_campaign_of_a_file_is_stopped_and_goes_on(tocsin, tmp_path: Path):
    path = tmp_path / "two.json"
    variants = [{"name": "a", "text": "One"}, {"name": "b", "text": "Two"}]
    path.write_text(json.dumps({"to": [A, B], "variants": variants, "pace": {"per_minute": 1}}), "utf-8")
    started = _one(tocsin("campaigns", "create", "Two ways", "--file", str(path), "--start", "--json"))
    id_ = started["id"]
    assert (started["status"], [each["name"] for each in started["variants"]]) == ("running", ["a", "b"])
    assert passed(tocsin("campaigns", "pause", id_)) == f"{id_}  paused\n"
    assert passed(tocsin("campaigns", "pause", id_)) == f"{id_}  paused\n"
    assert passed(tocsin("campaigns", "resume", id_)) == f"{id_}  running\n"
    assert _one(tocsin("campaigns", "cancel", id_, "--json"))["status"] == "canceled"
    assert passed(tocsin("campaigns", "cancel", id_)) == f"{id_}  canceled\n"
    # What is followed and then paused has not finished.
    other = _one(tocsin("campaigns", "create", "Slow", "--to", A, "--text", "x", "--every", "1d", "--json"))["id"]
    passed(tocsin("campaigns", "start", other))
    passed(tocsin("campaigns", "pause", other))
    stopped = tocsin("campaigns", "start", other, "--wait")
    assert_failed(stopped, 1, "tocsin: the campaign is paused: start is not possible now")
    passed(tocsin("campaigns", "cancel", other))


def test_what_a_proof_reader_finds_is_said_and_force_starts_it(tocsin):
    said = ("--to", A, "--text", "Bonjour {prenom}")
    refused = tocsin("campaigns", "create", "Hasty", *said, "--start")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("tocsin: text: missing_field: ")
    assert refused.stderr.endswith("; force starts it all the same\n")
    started = tocsin("campaigns", "create", "Hasty", *said, "--start", "--force")
    assert (started.exit_code, "  running\n" in started.stdout) == (0, True)
    assert started.stderr.startswith("error: only: ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("show", NOWHERE), "there is no such campaign"),
        (("show", "x"), "there is no such campaign"),
        (("proof", NOWHERE), "there is no such campaign"),
        (("members", NOWHERE), "there is no such campaign"),
        (("start", NOWHERE, "--wait"), "there is no such campaign"),
        (("create", "x", "--text", "x"), "to: is required"),
        (("create", "x", "--to", "nowhere", "--text", "x"), "to/0: there is no segment of this name"),
        (("create", "x", "--to", A), "variants: are 1 to 10; one alone is said by text, texts or template, too"),
        (("create", "x", "--to", A, "--template", "none"), "template: there is no such template"),
        (("create", "x", "--to", A, "--text", "x", "--every", "never"), "every: is written as"),
        (("create", "x", "--to", A, "--text", "x", "--category", "none"), "category: there is no such category"),
        (("create", "x", "--to", A, "--text", "x", "--file", "/nowhere.json"), "/nowhere.json cannot be read"),
        (("schedule", NOWHERE, "--at", "tomorrow"), "at: must be"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_one_line(tocsin, arguments: tuple[str, ...], line: str):
    result = tocsin("campaigns", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"tocsin: {line}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("campaigns", "create"),
        ("campaigns", "create", "x", "--per-minute", "0"),
        ("campaigns", "create", "x", "--audience", "all"),
        ("campaigns", "list", "--status", "over"),
        ("campaigns", "schedule", "x"),
        ("campaigns", "members", "x", "--state", "gone"),
        ("campaigns", "start", "x", "--timeout", "soon"),
        ("campaigns", "stop", "x"),
        ("automations", "set"),
        ("automations", "set", "x", "--days-before", "-1"),
        ("automations", "trigger", "x"),
        ("automations", "trigger", "x", A, "--variable", "no equals"),
    ],
    ids=" ".join,
)
def test_wrong_usage(tocsin, arguments: tuple[str, ...]):
    result = tocsin(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr


@pytest.mark.parametrize("content", ["[]", "{", '"x"', "\udcff"])
def test_a_file_that_holds_no_campaign(tocsin, tmp_path: Path, content: str):
    path = tmp_path / "campaign.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    result = tocsin("campaigns", "create", "x", "--file", str(path))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_an_automation_from_its_making_to_its_end(tocsin):
    before = ("--days-before", "1", "--at", "18:00")
    text = "Demain a {{ hour }}, {{ name }}"
    assert passed(tocsin("automations", "set", "visit", "--text", text, *before)) == "visit  1 days before, 18:00\n"
    assert "visit" in passed(tocsin("automations"))
    shown = _one(tocsin("automations", "show", "visit"))
    assert (shown["texts"], shown["days_before"], shown["at"]) == ({"": text}, 1, "18:00")
    assert documents(tocsin("automations", "list", "--json")) == [shown]
    event = ("automations", "trigger", "visit", A, "--at", "2100-01-06T09:00:00+01:00", "--reference", "a17")
    given = ("--variable", "hour=9 h", "--variable", "name=Ada")
    refused = tocsin(*event, *given)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    soon = ("automations", "trigger", "visit", A, "--reference", "a17")
    assert_failed(tocsin(*soon, *given), 1, "tocsin: at: says when the event is: the rule counts back from it")
    passed(tocsin("automations", "set", "visit", "--text", text, "--after", "1h"))
    told = passed(tocsin(*soon, *given))
    assert told.endswith("  held\n")
    assert passed(tocsin(*soon, *given)).split()[0] == told.split()[0]
    assert passed(tocsin(*soon, "--cancel")) == "1 canceled\n"
    assert _one(tocsin(*soon, "--cancel", "--json")) == {"message": None, "canceled": 0}
    assert_failed(tocsin(*soon), 1, "tocsin: variables: the variable hour has no value")
    assert passed(tocsin("automations", "remove", "visit")) == "visit  1h after\n"
    gone = "tocsin: there is no automation of that name"
    for arguments in (("show", "visit"), ("remove", "visit"), ("trigger", "visit", A)):
        assert_failed(tocsin("automations", *arguments), 1, gone)
    assert tocsin("automations").stderr == "there are no automations\n"
    wrong = tocsin("automations", "set", "Visit", "--text", "x")
    assert_failed(wrong, 1, "tocsin: name: has 1 to 64 of a-z, 0-9, _ and -, and begins with a letter")
    assert_failed(
        tocsin("automations", "set", "visit"), 1, "tocsin: text: is said by text, texts, or the name of a template"
    )


def test_without_a_gateway_each_says_so(bare, config: Path):
    for arguments in (("campaigns",), ("campaigns", "start", NOWHERE), ("automations",)):
        result = bare(*arguments, TOCSIN_CONFIG=str(config), TOCSIN_TOKEN="x", TOCSIN_URL="http://127.0.0.1:9")
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_start_says_for_how_many_and_a_terminal_sees_how_many_were_looked_at(tocsin, daemon, capsys):
    made = daemon.client.post("/v1/campaigns", {"name": "told", "to": [A, B], "text": "Told."})
    line = passed(tocsin("campaigns", "start", made["id"], "--force"))
    assert "2 people, 2 parts" in line
    ended = threading.Event()
    ended.set()
    tell_looked_at(daemon.client, made["id"], ended)
    assert "2 people looked at" in capsys.readouterr().err
    (shown,) = documents(tocsin("campaigns", "show", made["id"], "--json"))
    assert shown["counts"]["members"] == 2
