"""`messages`, `message`, `inbox`, `optouts` and `modems` against a running gateway."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime, timedelta
from zlib import crc32

import pytest
from support.command_line import documents, passed
from support.waiting import eventually_sync


def _send(tocsin, to: str, text: str, *options: str) -> dict:
    (message,) = documents(tocsin("send", to, text, "--wait", "--json", *options))
    return message


def test_messages_are_listed_newest_first(tocsin):
    sent = [_send(tocsin, "+33639980301", text) for text in ("one", "two", "three")]
    listed = documents(tocsin("messages", "--to", "+33639980301", "--json"))
    assert [one["id"] for one in listed] == [one["id"] for one in reversed(sent)]
    lines = passed(tocsin("messages", "--to", "+33639980301", "--limit", "2")).splitlines()
    assert lines[0].split() == ["CREATED", "ID", "TO", "CATEGORY", "STATUS", "HOLD", "PARTS", "TEXT"]
    assert [line.split()[-1] for line in lines[1:]] == ["three", "two"]


def test_what_is_held_shows_by_what_and_until_when(tocsin):
    at = datetime.now().astimezone().replace(hour=8, minute=30, second=0, microsecond=0) + timedelta(days=2)
    passed(tocsin("send", "+33639980304", "Later", "--send-at", at.isoformat()))
    passed(tocsin("send", "+33639980304", "Now"))
    now, later = passed(tocsin("messages", "--to", "+33639980304")).splitlines()[1:]
    assert re.search(rf"  held +scheduled {at.day} {at:%b} 08:30 +1 ", later)
    assert re.search(r"  (queued|sending|sent|delivered) +- +1 ", now)
    (shown,) = documents(tocsin("messages", "--to", "+33639980304", "--status", "held", "--json"))
    assert shown["hold"]["rule"] == "scheduled"


@pytest.mark.parametrize(
    ("filters", "texts"),
    [
        (("--status", "delivered", "--status", "failed"), ["b", "a"]),
        (("--status", "failed"), []),
        (("--category", "emergency"), ["b"]),
        (("--reference", "r-302"), ["a"]),
        (("--modem", "sim1"), ["b", "a"]),
        (("--since", "2098-01-01"), []),
        (("--until", "2098-01-01"), ["b", "a"]),
    ],
)
def test_filters(tocsin, filters: tuple[str, ...], texts: list[str]):
    number = f"+3363998{4000 + crc32(repr(filters).encode()) % 5000:04}"
    _send(tocsin, number, "a", "--reference", "r-302")
    _send(tocsin, number, "b", "--category", "emergency")
    assert [one["text"] for one in documents(tocsin("messages", "--to", number, "--json", *filters))] == texts


def test_an_unknown_status_is_refused(tocsin):
    result = tocsin("messages", "--status", "lost")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "status" in result.stderr


def test_an_empty_list_says_so_to_people_alone(tocsin):
    result = tocsin("messages", "--reference", "none")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no messages\n")
    assert documents(tocsin("messages", "--reference", "none", "--json")) == []


def test_a_message_with_its_timeline(tocsin):
    sent = _send(tocsin, "+33639980303", "Hello", "--reference", "r-303")
    shown = passed(tocsin("message", sent["id"]))
    pairs = dict(line.split(maxsplit=1) for line in shown.split("\n\n")[0].splitlines())
    assert (pairs["to"], pairs["status"], pairs["reference"]) == ("+33639980303", "delivered", "r-303")
    assert pairs["parts"] == "1 (gsm7)"
    (document,) = documents(tocsin("message", sent["id"], "--json"))
    assert document["id"] == sent["id"]
    assert [item["event"] for item in document["timeline"]]
    assert len(shown.split("\n\n")[1].splitlines()) == 1 + len(document["timeline"])


def test_a_message_that_nobody_knows(tocsin):
    result = tocsin("message", "0" * 32)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_the_inbox_cannot_steer_the_terminal(tocsin, daemon):
    daemon.receive("+33639980304", "red\u001b\nnext \u202egnp")
    shown = eventually_sync(lambda: tocsin("inbox", "--from", "+33639980304").stdout)
    assert "red" in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    assert len(shown.splitlines()) == 2
    (item,) = documents(tocsin("inbox", "--from", "+33639980304", "--json"))
    assert item["text"] == "red\u001b\nnext \u202egnp"


def test_keywords_and_opt_outs(tocsin, daemon):
    daemon.receive("+33639980305", "STOP")
    eventually_sync(lambda: documents(tocsin("inbox", "--from", "+33639980305", "--keyword", "stop", "--json")))
    (optout,) = documents(tocsin("optouts", "--number", "+33639980305", "--json"))
    assert (optout["number"], optout["category"]) == ("+33639980305", None)
    assert passed(tocsin("optouts", "--number", "+33639980305")).splitlines()[1].split()[2:4] == ["+33639980305", "all"]
    assert passed(tocsin("optouts", "lift", "+33639980305")) == "+33639980305  opt-out lifted\n"
    assert documents(tocsin("optouts", "--number", "+33639980305", "--json")) == []
    assert tocsin("optouts", "lift", "+33639980305").exit_code == 1


def test_opt_outs_are_added_by_category(tocsin):
    (added,) = documents(tocsin("optouts", "add", "+33639980306", "--category", "promotional", "--json"))
    assert (added["number"], added["category"]) == ("+33639980306", "promotional")


def test_modems(tocsin):
    (modem,) = documents(tocsin("modems", "--json"))
    assert (modem["name"], modem["state"], modem["port"]) == ("sim1", "ready", "simulated:")
    assert passed(tocsin("modems")).splitlines()[1].split()[:3] == ["sim1", "desk", "ready"]


def test_a_reader_that_goes_away_is_no_failure_to_speak_of(spawn, daemon, tocsin):
    for place in range(3):
        _send(tocsin, "+33639980307", f"{place} " + "x" * 300)
    process: subprocess.Popen[str] = spawn("messages", "--json", "--limit", "1000", TOCSIN_CONFIG=str(daemon.config))
    process.stdout.close()
    assert process.wait(20) == 1
    assert process.stderr.read() == ""
