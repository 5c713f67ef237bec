"""`tocsin ring` and `tocsin alerts` against a running gateway."""

from __future__ import annotations

import pytest
from support.command_line import assert_failed, documents, passed
from support.waiting import eventually_sync

from gateway.cli.ring import progress
from gateway.ids import is_id

A, B = "+33639980301", "+33639980302"


def test_ring_says_at_once_whom_it_rings_and_how_long_that_takes(tocsin):
    line = passed(tocsin("ring", A, B, "Fire drill"))
    assert is_id(line.split()[0])
    assert "2 people, 2 parts through sim1: about " in line
    (rung,) = documents(tocsin("ring", A, "Fire drill, again", "--json"))
    assert (rung["recipients"], rung["parts"], rung["modems"]) == (1, 1, ["sim1"])


def test_ring_takes_every_option_and_alerts_show_what_became_of_it(tocsin, daemon):
    options = ("--expect", "OK", "--expect", "AIDE", "--escalate", f"5m:{B},0639980303", "--when", "silent")
    (rung,) = documents(tocsin("ring", A, "Come in?", *options, "--again", "10m:2", "--json"))
    (found,) = documents(tocsin("alerts", "show", rung["id"], "--json"))
    assert found["escalate"][0]["to"] == [B, "0639980303"]
    assert (found["escalate"][0]["when"], found["again"]) == ("silent", {"after": "10m", "times": 2})

    def reached() -> bool:
        return documents(tocsin("alerts", "show", rung["id"], "--json"))[0]["reached"] == 1

    eventually_sync(reached)
    daemon.receive(A, "AIDE")
    daemon.receive(A, "third floor")
    eventually_sync(lambda: "third floor" in passed(tocsin("alerts", "show", rung["id"])))
    shown = passed(tocsin("alerts", "show", rung["id"]))
    assert f"1: {A}" in shown
    assert "silent     nobody" in shown
    assert "after 5m to" in shown
    stopped = passed(tocsin("alerts", "stop", rung["id"]))
    assert "stopped" in stopped
    result = tocsin("alerts", "ring-again", rung["id"])
    assert_failed(result, 1, "tocsin: the alert was stopped: ring anew")
    assert rung["id"] in passed(tocsin("alerts"))
    assert '"created_at","id","status"' in passed(tocsin("alerts", "--csv")).splitlines()[0]


def test_ring_waits_until_everybody_was_rung_or_has_answered(tocsin):
    (alert,) = documents(tocsin("ring", A, "No answer wanted", "--wait", "--json"))
    assert (alert["reached"], alert["recipients"]) == (1, 1)
    result = tocsin("ring", A, "An answer, please", "--expect", "OK", "--wait", "--timeout", "1s")
    assert result.exit_code == 1
    assert f"silent   1: {A}" in result.stdout


def test_ring_again_rings_the_silent(tocsin):
    (alert,) = documents(tocsin("ring", A, "Twice", "--wait", "--json"))
    assert "1 person, 1 part" in passed(tocsin("alerts", "ring-again", alert["id"]))


def test_ring_says_which_text_takes_fewer_parts(tocsin):
    text = "Évacuez le bâtiment par la sortie nord, et répondez OK ou AIDE dès que vous êtes dehors, merci."
    result = tocsin("ring", A, text)
    assert result.exit_code == 0
    assert "warning: it takes 2 parts instead of 1" in result.stderr
    assert "in fewer parts: " in result.stderr


def test_ring_tells_each_in_their_own_words(tocsin, daemon):
    daemon.client.post("/v1/templates", {"name": "drill", "texts": {"": "{{ name }}: drill at {{ at }}"}})
    daemon.client.post("/v1/contacts", {"number": A, "name": "Zoe"})
    (rung,) = documents(tocsin("ring", A, "{{ name }}, come in", "--json"))
    (found,) = documents(tocsin("alerts", "show", rung["id"], "--json"))
    assert found["text"] == "{{ name }}, come in"
    assert "Zoe, come in" in passed(tocsin("messages", "--to", A))
    passed(tocsin("ring", A, "--template", "drill", "--var", "at=10:00"))
    assert "Zoe: drill at 10:00" in passed(tocsin("messages", "--to", A))
    result = tocsin("ring", A, B, "{{ name }}, come in")
    assert_failed(
        result, 1, "tocsin: variables: the text cannot be made for everybody: 1 person: the variable name has no value"
    )
    assert tocsin("ring", A, "Fire", "--var", "at=10:00").exit_code == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("--escalate", "5m"), "must be a duration and people"),
        (("--escalate", ":staff"), "must be a duration and people"),
        (("--again", "10m:x"), "must be a duration, and how often"),
        (("--timeout", "soon"), "must be a duration"),
    ],
)
def test_wrong_usage(tocsin, given, sentence):
    result = tocsin("ring", A, "Fire", *given)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_what_the_gateway_refuses_is_said_in_a_line(tocsin):
    result = tocsin("ring", "nobody-knows", "Fire")
    assert result.exit_code == 1
    assert "no segment of this name" in result.stderr
    assert tocsin("ring", "Fire").exit_code == 2


def test_progress_is_one_line():
    alert = {
        "reached": 120,
        "recipients": 400,
        "answered": {"OK": {"count": 80}, "AIDE": {"count": 3}},
        "other": [{}],
        "silent": ["x"] * 316,
        "estimate": {"seconds": 250.4},
    }
    words = "reached 120 of 400 | OK 80 | AIDE 3 | other words 1 | silent 316 | about 4 min 10 s"
    assert progress(alert) == words
