"""A configuration whose rules are off holds nothing, and keeps what it writes itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.settings import settings_in

from bench.rules_off import rules_off
from gateway.config.loader import load_settings
from gateway.config.settings import Settings

SMALLEST = '[modems.sim1]\nport = "simulated:"\n'


def _loaded(folder: Path, config: str) -> Settings:
    path = folder / "config.toml"
    path.write_text(rules_off(config), "utf-8")
    return load_settings(path, {})


def test_files_and_settings_of_tests_have_the_same_rules(tmp_path: Path):
    loaded, made = _loaded(tmp_path, SMALLEST), settings_in(tmp_path)
    assert (loaded.categories, loaded.storms, loaded.recipients) == (made.categories, made.storms, made.recipients)


def test_what_is_written_stays(tmp_path: Path):
    written = '[categories.promotional]  # by day\ncaps = ["1/24h"]\nresend_after = "1s"\n[storms]\nburst = "3/1m"\n'
    loaded = _loaded(tmp_path, written + SMALLEST)
    promotional = loaded.categories["promotional"]
    assert (promotional.caps, promotional.resend_after_us, promotional.quiet_hours) == (("1/24h",), 1_000_000, ())
    assert (loaded.storms.burst, loaded.storms.identical_us) == ("3/1m", None)


def test_off_is_off_also_the_second_time():
    assert rules_off(rules_off(SMALLEST)) == rules_off(SMALLEST)


def test_a_table_that_cannot_be_added_to_is_said():
    with pytest.raises(ValueError, match="storms"):
        rules_off('storms = { burst = "3/1m" }\n' + SMALLEST)
