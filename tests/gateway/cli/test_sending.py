"""`send`, `preview` and `cancel` against a running gateway."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta

import pytest
from support.command_line import assert_failed, documents, passed
from support.waiting import eventually_sync

from gateway.cli.message_view import state
from gateway.cli.send import _ENDS
from gateway.clock import rfc3339
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


def test_send_and_preview_take_every_word_about_the_moment(tocsin):
    number, later = "+33639980214", str(TOMORROW + timedelta(hours=1))
    fields = ("--about-at", later, "--shift", "later", "--expect", "yes", "--expect", "no", "--reference", "r-214")
    first, second = (
        documents(tocsin("send", number, "Do you come?", "--send-at", str(TOMORROW), *fields, *more, "--json"))[0]
        for more in ((), ("--replaces",))
    )
    assert (second["status"], second["hold"]["rule"], second["reference"]) == ("held", "scheduled", "r-214")
    assert second["expires_at"] == rfc3339(int((TOMORROW + timedelta(hours=1)).timestamp()) * 10**6)
    assert documents(tocsin("message", first["id"], "--json"))[0]["status"] == "canceled"
    (shown,) = documents(tocsin("preview", number, "Hi", "--send-at", str(TOMORROW), *fields, "--replaces", "--json"))
    assert (shown["decision"], shown["rule"], shown["until"]) == ("hold", "scheduled", second["send_at"])


def test_send_at_the_best_moment(tocsin):
    (message,) = documents(tocsin("send", "+33639980215", "Hi", "--send-at", "best", "--json"))
    assert message["send_at"] is None
    (shown,) = documents(tocsin("preview", "+33639980215", "Hi", "--send-at", "best", "--json"))
    assert shown["decision"] == "send"


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
        (("+33639980208",), "say either TEXT or --template NAME"),
        (("+33639980208", "x", "--template", "t"), "say either TEXT or --template NAME"),
        (("+33639980208", "x", "--var", "a=b"), "--var belongs to a template"),
        (("+33639980208", "--template", "t", "--var", "a"), "is not NAME=VALUE"),
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


def test_preview_tells_what_to_change_and_until_when(tocsin):
    text = "See http://127.0.0.1:1/x , Hello {nom}"
    shown = tocsin("preview", "+33639980209", text, "--check-links").stdout
    assert "warning: missing_field: “{nom}” at character 34 looks like a field that was not filled in" in shown
    assert "warning: broken_link: link 1 is not looked at: it leads to an address that is not public" in shown
    (told,) = documents(tocsin("preview", "+33639980209", text, "--json"))
    assert [(caution["code"], "not looked at" in caution["message"]) for caution in told["warnings"]] == [
        ("missing_field", False),
        ("broken_link", False),
    ]


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


def test_waiting_says_once_what_holds_a_message(tocsin):
    result = tocsin("send", "+33639980212", "Later", "--send-at", str(TOMORROW), "--wait", "--timeout", "1s")
    assert result.exit_code == 1
    assert result.stderr.count(f"held  scheduled until {TOMORROW}: ") == 1
    quiet = tocsin("send", "+33639980212", "Later", "--send-at", str(TOMORROW), "--wait", "--timeout", "1s", "--json")
    assert quiet.stderr == ""


def test_one_that_was_joined_to_another_ends_as_that_does(bare, joining):
    there = {"TOCSIN_CONFIG": str(joining.config)}
    told = ("send", "+33639980213", "Pump 3 is off")
    passed(bare("pause", **there))
    first = passed(bare(*told, **there)).split()[0]
    joined = bare(*told, **there)
    assert (joined.exit_code, joined.stdout.split()[1:3]) == (0, ["canceled", "storm:"])
    assert joined.stdout.rstrip().endswith(f"joined to message {first}")
    waiting = bare(*told, "--wait", "--timeout", "1s", **there)
    assert (waiting.exit_code, waiting.stdout.split()[:3]) == (1, [first, "held", "paused:"])
    assert waiting.stderr.splitlines()[0].endswith(f"joined to message {first}")

    def resume() -> None:
        # Not before the third was joined: whoever comes after it has left is a follow-up.
        eventually_sync(lambda: joining.client.get(f"/v1/messages/{first}")["repeats"] == 3)
        joining.client.post("/v1/resume", {})

    later = threading.Thread(target=resume)
    later.start()
    (ended,) = documents(bare(*told, "--wait", "--json", **there))
    later.join()
    assert (ended["id"], ended["status"], ended["joined_to"]) == (first, "delivered", None)


def test_one_that_was_joined_to_another_ends_with_its_sentence():
    joined = {
        "id": "0" * 32,
        "status": "canceled",
        "hold": None,
        "error": {"code": "storm", "message": "joined to a message that says the same"},
    }
    assert state(joined) == f"{'0' * 32}  canceled  storm: joined to a message that says the same"
    assert joined["status"] in _ENDS
