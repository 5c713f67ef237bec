"""`send`, `preview` and `cancel` against a running gateway."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from support.command_line import assert_failed, documents, passed

from gateway.ids import is_id

# In the zone of the machine, and written without it.
TOMORROW = datetime.now().astimezone().replace(microsecond=0, tzinfo=None) + timedelta(days=1)


def test_send_prints_id_and_status(tocsin):
    message_id, status = passed(tocsin("send", "+33639980201", "Hello")).split()[:2]
    assert is_id(message_id)
    assert status in {"queued", "sending", "sent", "delivered"}


@pytest.mark.parametrize(("text", "parts"), [("x" * 161, 2), ("😀" + "x" * 70, 2), ("Déjà vu", 1)])
def test_send_waits_until_delivered(tocsin, text: str, parts: int):
    (message,) = documents(tocsin("send", "0639980202", text, "--wait", "--json"))
    assert (message["status"], message["parts"], message["to"]) == ("delivered", parts, "+33639980202")


def test_send_takes_every_field(tocsin):
    fields = (
        "--category",
        "emergency",
        "--reference",
        "r-203",
        "--modem",
        "sim1",
        "--flash",
        "--on-uncertain",
        "never",
    )
    expires = f"{TOMORROW + timedelta(days=1):%Y-%m-%d}T00:00:00+01:00"
    (message,) = documents(tocsin("send", "+33639980203", "Now", *fields, "--expires-at", expires, "--json"))
    assert (message["category"], message["reference"]) == ("emergency", "r-203")
    assert message["expires_at"] == f"{TOMORROW:%Y-%m-%d}T23:00:00.000Z"


@pytest.mark.parametrize(("given", "text"), [("two\nlines\n", "two\nlines"), ("one\r\n", "one"), ("à", "à")])
def test_send_reads_standard_input(tocsin, given: str, text: str):
    (message,) = documents(tocsin("send", "+33639980204", "-", "--json", input=given))
    assert message["text"] == text


def test_a_scheduled_message_is_held_and_can_be_cancelled(tocsin):
    result = tocsin("send", "+33639980205", "Later", "--send-at", str(TOMORROW), "--wait", "--timeout", "1s")
    assert result.exit_code == 1
    message_id, status, why = result.stdout.split(maxsplit=2)
    assert (status, why.startswith(f"scheduled until {TOMORROW}: ")) == ("held", True)
    assert passed(tocsin("cancel", message_id)).split() == [message_id, "canceled"]
    result = tocsin("cancel", message_id)
    assert result.exit_code == 1
    assert result.stderr.startswith("tocsin: ")


def test_waiting_for_one_that_ends_badly_fails(tocsin):
    passed(tocsin("optouts", "add", "+33639980206"))
    result = tocsin("send", "+33639980206", "Hello", "--wait")
    assert result.exit_code == 1
    assert result.stdout.split()[1:3] == ["suppressed", "opt_out:"]
    assert tocsin("send", "+33639980206", "Hello").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("12ab", "x"), r"tocsin: to: is not a phone number.*"),
        (("+33899123456", "x"), r"tocsin: to: is a premium-rate number"),
        (("+33639980207", ""), r"tocsin: text: .*empty.*"),
        (("+33639980207", "x" * 10_000), r"tocsin: .*parts.*"),
        (("+33639980207", "x", "--category", "emergancy"), r"tocsin: category: .*"),
        (("+33639980207", "x", "--modem", "sim9"), r"tocsin: modem: .*"),
    ],
)
def test_what_the_gateway_refuses_is_one_line(tocsin, arguments: tuple[str, ...], line: str):
    result = tocsin("send", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(line, result.stderr.rstrip("\n")), result.stderr


def test_a_preview_refuses_in_the_same_words(tocsin):
    sent, shown = [tocsin(command, "+33899123456", "x") for command in ("send", "preview")]
    assert (shown.exit_code, shown.stdout, shown.stderr) == (1, "", sent.stderr)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Missing argument 'TO'"),
        (("+33639980208",), "Missing argument 'TEXT'"),
        (("+33639980208", "x", "--send-at", "tomorrow"), "must be a time such as"),
        (("+33639980208", "x", "--send-at", "0001-01-01"), "must be a time such as"),
        (("+33639980208", "x", "--timeout", "5"), "must be a duration such as"),
        (("+33639980208", "x", "--on-uncertain", "maybe"), "is not one of"),
        (("+33639980208", "x", "--wiat"), "No such option"),
    ],
)
def test_wrong_usage(tocsin, arguments: tuple[str, ...], complaint: str):
    result = tocsin("send", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


def test_preview(tocsin):
    shown = dict(
        line.split(maxsplit=1)
        for line in tocsin("preview", "+33639980209", "Hi 😀").stdout.splitlines()
        if line[0] != " "
    )
    assert (shown["parts"], shown["encoding"], shown["forced_ucs2_by"], shown["decision"]) == (
        "1",
        "ucs2",
        "😀",
        "send",
    )


def test_preview_at_a_time(tocsin):
    arguments = (
        "preview",
        "+33639980209",
        "Hi",
        "--category",
        "emergency",
        "--at",
        str(TOMORROW - timedelta(hours=23)),
        "--json",
    )
    (shown,) = documents(tocsin(*arguments))
    assert (shown["encoding"], shown["parts"], shown["decision"]) == ("gsm7", 1, "send")


def test_cancel_of_nothing(tocsin):
    result = tocsin("cancel", "0" * 32)
    assert (result.exit_code, result.stdout) == (1, "")
    assert_failed(tocsin("cancel", "../tokens"), 1, result.stderr.rstrip("\n"))
