"""`tocsin profiles`, and what `doctor` and `check-config` say of country profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.command_line import documents, passed

from gateway.cli.doctor_profiles import ProfileFact, of_profiles
from gateway.config.country import ProfileSettings
from gateway.config.country_files import country_profiles

KNOWN = country_profiles()
SWITCHED = {"FR": ProfileSettings(promotional_over_sim=True)}
SIMULATED = '[gateway]\ncountry = "FR"\n[modems.sim1]\nport = "simulated:"\n'
REAL = '\n[modems.stick]\nport = "socket://127.0.0.1:9"\nlimits = { per_day = 1 }\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The built-in categories as they are shipped."""
    path = tmp_path / "config.toml"
    path.write_text(SIMULATED)
    return path


def _lines(fact: ProfileFact, owner: Mapping[str, ProfileSettings] | None = None) -> list[tuple[str, str]]:
    return [(one.level.value, one.message) for one in of_profiles(fact, KNOWN, owner or {})]


def _fact(country: str | None, *, real: bool = True, profile: str = "{country}") -> ProfileFact:
    return ProfileFact(country, {"promotional": profile}, ("transactional",), real_sim=real)


@pytest.mark.parametrize(
    ("fact", "owner", "levels", "words"),
    [
        (_fact("FR"), {}, ["warning", "warning"], ["refused in France", "06 and 07", "2022-1583", "09 37"]),
        (_fact("FR"), SWITCHED, ["warning", "warning"], ["[profiles.FR] lets", "06 and 07", "transactional SMS too"]),
        (_fact("FR", real=False), {}, ["ok", "ok"], ["refused in France"]),
        (_fact("FR", real=False), SWITCHED, ["ok", "ok"], ["[profiles.FR] lets"]),
        (_fact("RE"), {}, ["warning", "warning"], ["refused in France"]),
        (_fact("BE"), {}, ["warning", "warning"], ["profile BE holds (7 rules", "8xxx", "BIPT"]),
        (_fact("DE"), {}, ["ok", "ok"], ["profile DE holds", "operator's contract decides"]),
        (_fact("US"), {}, ["warning", "warning"], ["10DLC"]),
        (_fact("US", profile="US-TX"), {}, ["warning", "ok", "warning"], ["profile US holds", "profile US-TX holds"]),
        (_fact("DE", profile="FR"), {}, ["warning", "ok"], ["refused in France"]),
        (_fact("AT"), {}, ["warning"], ["AT has no profile", "only your own keys hold"]),
        (_fact(None), {}, ["ok"], ["each recipient's country", "BE, CA-QC"]),
        (ProfileFact("FR", {}, (), real_sim=True), {}, [], []),
    ],
)
def test_a_line_for_each_category_with_a_profile(
    fact: ProfileFact, owner: Mapping[str, ProfileSettings], levels: list[str], words: list[str]
) -> None:
    found = _lines(fact, owner)
    assert [level for level, _ in found] == levels
    told = "\n".join(message for _, message in found)
    assert [word for word in words if word not in told] == []


def test_doctor_warns_of_a_real_sim_in_france(bare, config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + REAL)
    result = bare("doctor", "--json", "--config", str(config), TOCSIN_SYSFS=str(tmp_path))
    assert result.exit_code == 1, "nobody listens at the stick's port"
    found = [one for one in map(json.loads, result.stdout.splitlines()) if one["check"] == "profile"]
    assert [one["level"] for one in found] == ["warning", "warning"]
    assert found[0]["message"].startswith("promotional: advertising over a SIM is refused in France")
    assert found[0]["mend"].startswith("docs/how-to/promotional-in-france.md")
    assert found[1]["message"].startswith("in large numbers (transactional), France: ")


def test_doctor_is_content_with_a_simulated_modem(bare, config: Path, tmp_path: Path) -> None:
    found = documents(bare("doctor", "--json", "--config", str(config), TOCSIN_SYSFS=str(tmp_path)))
    assert {one["level"] for one in found if one["check"] == "profile"} == {"ok"}


def test_check_config_warns_where_it_is_switched_on(bare, config: Path) -> None:
    config.write_text(config.read_text() + "[profiles.FR]\npromotional_over_sim = true\n")
    (line, end) = passed(bare("check-config", "--config", str(config))).splitlines()
    assert line.startswith(
        f"{config}: warning: profiles.FR.promotional_over_sim: advertising leaves through SIMs; France"
    )
    assert "2022-1583" in line
    assert end == f"{config}: ok"


def test_the_list(bare, config: Path) -> None:
    lines = passed(bare("profiles", "--config", str(config))).splitlines()
    assert lines[0].split() == ["KEY", "NAME", "RULES", "CHECKED", "OVER", "SIM", "CATEGORIES"]
    assert [line.split()[0] for line in lines[1:]] == list(KNOWN)
    assert {line.split()[-1] for line in lines[1:]} == {"promotional"}


def test_one_with_its_sources(bare, config: Path) -> None:
    shown = passed(bare("profiles", "FR", "--config", str(config)))
    for rule in KNOWN["FR"].rules:
        for word in (rule.said.text, rule.said.source, rule.said.date, rule.said.checked):
            assert word in shown
    assert "windows: 08:00-21:30" in shown
    assert "over a SIM: 06 and 07 numbers" in shown
    assert "from memory: to be verified" in shown


def test_as_documents(bare, config: Path) -> None:
    config.write_text(
        config.read_text()
        + '[categories.promotional]\nprofile = "US-FL"\n'
        + "[profiles.US-FL]\npromotional_over_sim = false\nprudence = false\n"
    )
    found = {one["key"]: one for one in documents(bare("profiles", "--json", "--config", str(config)))}
    assert list(found) == list(KNOWN)
    assert {key for key, one in found.items() if one["categories"]} == {"US", "US-FL"}
    assert (found["US-FL"]["over_sim"], found["US-FL"]["prudence"]) == ("refused", False)
    assert (found["FR"]["over_sim"], found["FR"]["prudence"]) == ("refused", True)
    assert found["US-FL"]["rules"][1]["caps"] == ["3/24h"]
    assert "305" in found["US-FL"]["area_codes"]
    (alone,) = documents(bare("profiles", "FR", "--json", "--config", str(config)))
    assert alone == found["FR"]


def test_one_that_there_is_not(bare, config: Path) -> None:
    result = bare("profiles", "UK", "--config", str(config))
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'did you mean "GB"?' in result.stderr
