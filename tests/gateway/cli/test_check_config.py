"""`check-config`, and how every command speaks of a wrong configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command_line import assert_failed, passed

WRONG = '[gateway]\ncontry = "FR"\n[modems.a]\nport = "simulated:"\nnumber = "06"\n'


def test_a_right_one(bare, config: Path):
    config.write_text('[modems.a]\nport = "simulated:"\n')
    assert passed(bare("check-config", "--config", str(config))) == f"{config}: ok\n"
    assert passed(bare("check-config", "--json", TOCSIN_CONFIG=str(config))) == ""


def test_every_problem_with_its_key_path(bare, config: Path):
    config.write_text(WRONG)
    result = bare("check-config", "--config", str(config))
    assert (result.exit_code, result.stderr) == (78, "")
    assert result.stdout.splitlines() == [
        f'{config}: error: modems.a.number: must be written as + and digits only, such as "+33612345678"',
        f'{config}: error: gateway.contry: unknown key; did you mean "country"?',
    ]


def test_problems_as_documents(bare, config: Path):
    config.write_text('[gateway]\ncontry = "FR"\n[retention]\ntexts = "90d"\n[modems.a]\nport = "simulated:"\n')
    result = bare("--json", "check-config", "--config", str(config))
    assert result.exit_code == 78
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"severity": "error", "key": "gateway.contry", "message": 'unknown key; did you mean "country"?'},
        {
            "severity": "warning",
            "key": "retention",
            "message": "is checked, but not yet in force in this version",
        },
    ]


def test_warnings_are_no_failure(bare, config: Path):
    config.write_text('[retention]\ntexts = "90d"\n[modems.a]\nport = "simulated:"\n')
    assert passed(bare("check-config", "--config", str(config))).splitlines() == [
        f"{config}: warning: retention: is checked, but not yet in force in this version",
        f"{config}: ok",
    ]


@pytest.mark.parametrize("arguments", [("serve",), ("inbox",), ("token", "list"), ("send", "+33639980601", "x")])
def test_every_command_lists_the_problems(bare, config: Path, arguments: tuple[str, ...]):
    config.write_text(WRONG)
    assert_failed(
        bare(*arguments, "--config", str(config)),
        78,
        f'tocsin: {config}: modems.a.number: must be written as + and digits only, such as "+33612345678"',
        f'tocsin: {config}: gateway.contry: unknown key; did you mean "country"?',
    )


def test_no_configuration(bare, tmp_path: Path):
    assert_failed(bare("inbox", "--config", str(tmp_path / "no")), 78, f"tocsin: {tmp_path / 'no'}: does not exist")
    result = bare("check-config", "--config", str(tmp_path))
    assert (result.exit_code, result.stdout) == (78, f"{tmp_path}: error: is a folder, not a file\n")


NEVER = '[categories.own]\nwindows = ["sun"]\nquiet_hours = ["sun"]\n[modems.a]\nport = "simulated:"\n'


def test_hours_that_allow_nothing_prevent_the_start(bare, config: Path):
    config.write_text(NEVER)
    problem = "categories.own.windows: allows nothing within 400 days outside the quiet hours"
    result = bare("check-config", "--config", str(config))
    assert (result.exit_code, result.stdout) == (78, f"{config}: error: {problem}\n")
    assert_failed(bare("serve", "--config", str(config)), 78, f"tocsin: {config}: {problem}")


def test_hours_that_a_profile_closes_prevent_the_start(bare, config: Path):
    config.write_text(
        '[gateway]\ncountry = "FR"\n[categories.own]\nprofile = "FR"\nwindows = ["sun"]\n'
        '[modems.a]\nport = "simulated:"\n'
    )
    result = bare("check-config", "--config", str(config))
    problem = "categories.own.profile: allows nothing within 400 days together with the category's hours"
    assert result.exit_code == 78
    assert f"{config}: error: {problem}" in result.stdout.splitlines()


def test_preferred_hours_that_never_come_are_told(bare, config: Path):
    config.write_text(
        '[gateway]\ncountry = "FR"\n[categories.promotional]\npreferred = ["sun 12:00-14:00"]\n'
        '[modems.a]\nport = "simulated:"\n'
    )
    assert passed(bare("check-config", "--config", str(config))).splitlines() == [
        f"{config}: warning: categories.promotional.preferred: has no minute that is allowed, within 400 days",
        f"{config}: ok",
    ]


def test_a_country_without_known_holidays(bare, config: Path):
    config.write_text('[gateway]\ncountry = "AC"\n[modems.a]\nport = "simulated:"\n')
    assert passed(bare("check-config", "--config", str(config))).splitlines() == [
        f"{config}: warning: categories.promotional.quiet_hours: no public holidays of AC are known: it has none",
        f"{config}: ok",
    ]
