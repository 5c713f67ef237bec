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
        ('[categories.promotional]\nquiet_hours = ["sun"]', "categories.promotional.quiet_hours"),
        ('[gateway]\nsender_name = "Clinic"', "gateway.sender_name"),
        ('[retention]\ntexts = "90d"\naudit = "3y"', "retention"),
        ("[profiles.FR]\npromotional_over_sim = false", "profiles"),
    ],
)
def test_keys_that_do_nothing_yet_are_named(report, text: str, key: str):
    assert _warnings(report, text + MODEM) == [f"{key}: is checked, but not yet in force in this version"]


def test_every_entry_of_the_table_names_something(report):
    for entry in NOT_YET_IN_FORCE:
        assert any(key == entry or key.startswith(entry + ".") for key in known_keys()), entry


@pytest.mark.parametrize(
    "key",
    ["priority", "stoppable", "on_uncertain", "resend_after", "expires_after", "max_parts", "national_tables"],
)
def test_what_is_in_force(key: str):
    assert is_in_force(f"categories.*.{key}")
    assert is_in_force("modems.*.limits.per_day")
    assert is_in_force("modems.*.self_test")
    assert is_in_force("api.allowed_countries")
    assert is_in_force("modems.*.balance.ussd")
    assert not is_in_force("categories.*.caps")


def test_a_modem_without_a_number_cannot_be_tested(report):
    assert _warnings(report, MODEM + 'self_test = "7d"') == [
        "modems.sim1.self_test: nothing is tested: the modem's own number is not known"
    ]
    assert _warnings(report, MODEM + 'self_test = "7d"\nnumber = "+33639980101"') == []


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
