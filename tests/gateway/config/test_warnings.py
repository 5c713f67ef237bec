"""What a check says of a file that is right: what is not in force yet, and what a person should know."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.in_force import NOT_YET_IN_FORCE, is_in_force
from gateway.config.loader import known_keys

MODEM = '\n[modems.sim1]\nport = "simulated:"\n'


def _warnings(report, text: str) -> list[str]:
    found = report(text)
    assert found.problems == ()
    return [str(warning) for warning in found.warnings]


def test_the_smallest_file_needs_no_warning(report):
    assert _warnings(report, MODEM) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[retention]\ntexts = "90d"\naudit = "3y"', "retention"),
    ],
)
def test_keys_that_do_nothing_yet_are_named(report, text: str, key: str):
    assert _warnings(report, text + MODEM) == [f"{key}: is checked, but not yet in force in this version"]


def test_every_entry_of_the_table_names_something(report):
    for entry in NOT_YET_IN_FORCE:
        assert any(key == entry or key.startswith(entry + ".") for key in known_keys()), entry


@pytest.mark.parametrize(
    "key",
    [
        "priority",
        "stoppable",
        "on_uncertain",
        "resend_after",
        "expires_after",
        "max_parts",
        "national_tables",
        "windows",
        "caps",
        "consent",
        "smart_encoding",
        "sender_prefix",
        "stop_notice",
        "stop_notice_when",
    ],
)
def test_what_is_in_force(key: str):
    assert is_in_force(f"categories.*.{key}")
    assert is_in_force("modems.*.limits.per_day")
    assert is_in_force("modems.*.self_test")
    assert is_in_force("api.allowed_countries")
    assert is_in_force("modems.*.balance.ussd")
    assert is_in_force("gateway.sender_name")
    assert is_in_force("webhooks.allow")
    assert not is_in_force("categories.*.keep_text")


def test_a_modem_without_a_number_cannot_be_tested(report):
    assert _warnings(report, MODEM + 'self_test = "7d"') == [
        "modems.sim1.self_test: nothing is tested: the modem's own number is not known"
    ]
    assert _warnings(report, MODEM + 'self_test = "7d"\nnumber = "+33639980101"') == []


STICK = '\n[modems.stick]\nport = "socket://127.0.0.1:7000"\nlimits = { per_day = 9 }\n'
CLUB = '[categories.club]\nstop_notice = " STOP {modem_number}"\nstop_notice_when = "first"\n'


def _notice(name: str) -> str:
    return (
        f"modems.stick: its number is not written, and the stop_notice of {name} names it: "
        "a notice without a number is sent instead"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (STICK, []),
        (CLUB + STICK, [_notice("club")]),
        (CLUB + STICK + 'number = "+33639980101"', []),
        (CLUB + STICK + 'categories = ["emergency"]', []),
        (CLUB + MODEM, []),
        (CLUB.replace("{modem_number}", "36111") + STICK, []),
        (CLUB.replace("first", "never") + STICK, []),
        (CLUB + "stoppable = false" + STICK, []),
        (STICK + 'categories = ["promotional"]', [_notice("promotional")]),
        (
            '[categories.club]\nstop_notice_when = "always"' + STICK,
            ["categories.club.stop_notice_when: nothing is added: the category has no stop_notice"],
        ),
    ],
)
def test_a_notice_that_cannot_name_its_number(report, text: str, told: list[str]):
    assert _warnings(report, text) == told


def test_a_real_sim_without_limits(report):
    assert _warnings(report, '[modems.stick]\nport = "socket://127.0.0.1:7000"') == [
        "modems.stick: a real SIM without limits: whatever is queued is sent"
    ]


def test_a_pin_file_that_others_read(report, tmp_path: Path):
    (tmp_path / "pin").write_text("4711")
    (tmp_path / "pin").chmod(0o644)
    text = MODEM + 'pin_file = "pin"'
    assert _warnings(report, text) == ["modems.sim1.pin_file: can be read by others: chmod 600 it"]
    (tmp_path / "pin").chmod(0o600)
    assert _warnings(report, text) == []


def test_plain_http_beyond_this_machine(report):
    assert _warnings(report, '[api]\nlisten = ["0.0.0.0:7672"]\ninsecure = true' + MODEM) == [
        "api.listen: tokens, numbers and texts cross the network without TLS"
    ]


def test_advertising_that_is_let_through_a_sim(report):
    """The reason stands beside it; what a profile does not warn of, and what is refused, needs no word."""
    (told,) = _warnings(report, "[profiles.FR]\npromotional_over_sim = true" + MODEM)
    assert told.startswith(
        "profiles.FR.promotional_over_sim: advertising leaves through SIMs; France: 06 and 07 numbers"
    )
    assert _warnings(report, "[profiles.FR]\npromotional_over_sim = false\nprudence = false" + MODEM) == []
    assert _warnings(report, "[profiles.LU]\npromotional_over_sim = true" + MODEM) == []


HOLDS = "holds it too, whatever sim_limits says: what must leave at any hour would wait"
HOLDS_NOT = 'never holds it: with sim_limits = "ignore" caps are counted and told alone'
EXPIRES = 'a message that waits for room under its caps expires before: raise expires_after, or "refuse"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[categories.emergency]\nquiet_hours = ["21:00-08:00"]', [("emergency.quiet_hours", HOLDS)]),
        ('[categories.emergency]\nwindows = ["08:00-20:00"]\ncaps = []', [("emergency.windows", HOLDS)]),
        ('[categories.watch]\nsim_limits = "ignore"\ncaps = ["1/1h"]', [("watch.caps", HOLDS_NOT)]),
        ('[categories.own]\nquiet_hours = ["21:00-08:00"]\ncaps = ["3/24h"]', []),
        ('[categories.own]\ncaps = ["3/30d"]', [("own.on_cap", EXPIRES)]),
        ('[categories.own]\ncaps = ["3/30d", "1/5m"]', []),
        ('[categories.own]\ncaps = ["3/30d"]\nexpires_after = "10d"', []),
        ('[categories.own]\ncaps = ["3/30d"]\non_cap = "refuse"', []),
    ],
)
def test_rules_that_do_something_else_than_one_may_think(report, text: str, expected: list[tuple[str, str]]):
    assert _warnings(report, text + MODEM) == [f"categories.{key}: {message}" for key, message in expected]
