"""What a person is told of alerts: a table of what is known, what comes, and what becomes of it; and the words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.tpdu import TpduError, segment
from gateway.alert import Alert, AlertState
from gateway.config.hook_settings import ALERT_WORDS, USUAL_HOOKS
from gateway.rules.alert_text import clean, cut, worded
from gateway.rules.alerts import AlertRules, Fate

MINUTE, HOUR = 60_000_000, 3_600_000_000
START = 1_000 * HOUR
RULES = AlertRules(USUAL_HOOKS.repeat_after_us, USUAL_HOOKS.flapping)


class Person:
    """Hears of one alert, at minutes after its start."""

    def __init__(self, rules: AlertRules = RULES) -> None:
        self.rules = rules
        self.known: AlertState | None = None

    def hears(self, firing: bool, minute: float, starts: float | None = 0, ends: float | None = None) -> Fate:
        starts_us, ends_us = (None if at is None else START + int(at * MINUTE) for at in (starts, ends))
        alert = Alert("f", firing, starts_us, ends_us=ends_us)
        outcome = self.rules.decide(alert, self.known, START + int(minute * MINUTE))
        self.known = outcome.state
        return outcome.fate


@pytest.mark.parametrize(
    ("story", "fates"),
    [
        pytest.param([(True, 0), (True, 0.1), (True, 239)], "told joined joined", id="fires and goes on firing"),
        pytest.param([(True, 0), (True, 240), (True, 241)], "told told joined", id="once more after four hours"),
        pytest.param([(True, 0), (False, 9), (False, 9.1)], "told told untold", id="is over once"),
        pytest.param([(False, 0), (True, 1)], "untold told", id="over before anybody heard"),
        pytest.param([(True, 0), (False, 9), (True, 9.2)], "told told joined", id="the other of a pair is late"),
        pytest.param(
            [(True, 0), (False, 1, 0, 1), (True, 1.2, 0.4), (True, 1.5, 1.4), (False, 2, 1.4, 1.9)],
            "told told joined told told",
            id="what begins after the end is another one",
        ),
        pytest.param([(True, 0), (False, 9), (True, 20)], "told told told", id="the same start long after is believed"),
        pytest.param([(True, 0), (True, 30, 25)], "told told", id="another start, whose end nobody told"),
        pytest.param([(True, 0), (True, 30, 4)], "told joined", id="a start by another clock"),
        pytest.param([(True, 0, None), (True, 30, None), (False, 40, None)], "told joined told", id="no start is told"),
        pytest.param(
            [(True, 0), (False, 6), (True, 12, 12), (False, 18, 12), (True, 24, 24), (False, 30, 24), (True, 61, 61)],
            "told told told told damped damped told",
            id="comes and goes",
        ),
        pytest.param([(True, 0), (True, -100)], "told joined", id="a clock that was set back a little"),
        pytest.param([(True, 0), (True, -300)], "told told", id="a clock that was set back far silences nothing"),
    ],
)
def test_a_story(story: list[tuple[bool, float]], fates: str):
    person = Person()
    assert [person.hears(*event) for event in story] == fates.split()


def test_what_is_damped_is_told_when_the_hour_is_over():
    state = AlertState(True, START + 50 * MINUTE, START, START, changes=4)
    outcome = RULES.decide(Alert("f", firing=False), state, START + 51 * MINUTE)
    assert (outcome.fate, outcome.send_us) == (Fate.DAMPED, START + HOUR)


def test_without_a_cap_every_change_is_told():
    person = Person(AlertRules(HOUR, None))
    assert {person.hears(firing=at % 2 == 0, minute=6 * at, starts=6 * at) for at in range(20)} == {Fate.TOLD}


def _fits(most: int) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            segment(text, max_parts=most)
        except TpduError:
            return False
        return True

    return fits


def _alert(at: int = 0, *, firing: bool = True, **values: str) -> Alert:
    named = {"alertname": "DiskFull", "instance": f"db{at}", "summary": "95 % used", **values}
    return Alert(f"f{at}", firing, severity="critical", values=named)


@pytest.mark.parametrize(
    ("language", "firing", "count", "text"),
    [
        ("en", True, 1, "CRITICAL: DiskFull db0 95 % used"),
        ("en", False, 1, "RESOLVED: DiskFull db0 95 % used"),
        ("fr", True, 2, "CRITICAL : 2 alertes : DiskFull db0, DiskFull db1"),
        ("fr", False, 2, "RÉTABLI : 2 alertes : DiskFull db0, DiskFull db1"),
    ],
)
def test_the_words(language: str, firing: bool, count: int, text: str):
    alerts = [_alert(at, firing=firing) for at in range(count)]
    assert worded(alerts, ALERT_WORDS[language], _fits(1)) == text


def test_of_many_the_first_are_named_and_the_others_counted():
    text = worded([_alert(at) for at in range(200)], ALERT_WORDS["en"], _fits(1), more=50)
    assert text.startswith("CRITICAL: 250 alerts: DiskFull db0, DiskFull db1, ")
    named = text.count("DiskFull")
    assert text.endswith(f", +{250 - named}")
    assert len(text) <= 160


def test_a_long_text_is_cut_between_what_people_see_as_characters():
    family = "👨‍👩‍👧"
    text = cut(f"x{family * 40}", _fits(1))
    assert text == f"x{family * ((len(text) - 4) // len(family))}..."
    assert _fits(1)(text)


def test_what_is_not_seen_goes_and_lines_become_one():
    hidden = "\u202e\u0000\ufeff\ud800\u2066"
    assert clean(f" DB{hidden}\r\n\tdown \u2028 now 👨‍👩‍👧 ") == "DB down now 👨‍👩‍👧"
    # A label that looks like a template is no template.
    assert worded([_alert(alertname="{summary}{x}")], ALERT_WORDS["en"], _fits(1)) == (
        "CRITICAL: {summary}{x} db0 95 % used"
    )


def test_nothing_is_said_of_what_is_not_known():
    assert worded([Alert("f", firing=True)], ALERT_WORDS["en"], _fits(1)) == "ALERT:"
