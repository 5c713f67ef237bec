"""What is installed is what was meant: pins, package data, scripts that can be run."""

from __future__ import annotations

import fnmatch
import os
import tomllib
from importlib.metadata import requires, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.tree import PACKAGES, ROOT, tracked_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = sorted(PROJECT["project"]["optional-dependencies"])


def _pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = [Requirement(line) for line in lines]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def _needed(name: str, extras: tuple[str, ...], seen: dict[str, str]) -> dict[str, str]:
    """Every distribution that `name` brings on this machine, with the version installed."""
    for line in requires(name) or []:
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in (extras or ("",))
        )
        key = canonicalize_name(requirement.name)
        if wanted and key not in seen:
            seen[key] = version(key)
            _needed(key, tuple(requirement.extras), seen)
    return seen


def test_every_package_is_pinned_at_the_version_that_runs_here():
    needed = _needed("tocsin", tuple(EXTRAS), {})
    pins = _pins()
    assert {name: pins.get(name) for name in needed} == needed


def test_pins_that_nothing_asks_for_are_left_out():
    assert set(_pins()) <= set(_needed("tocsin", tuple(EXTRAS), {}))


def test_every_data_file_of_the_packages_is_installed():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    data = [path for path in tracked_files() if path.parts[0] in PACKAGES and path.suffix != ".py"]
    left_out = [str(path) for path in data if not any(fnmatch.fnmatch(path.name, one) for one in patterns)]
    assert left_out == []


def test_install_and_ci_name_every_extra():
    extras = ",".join(EXTRAS)
    assert f"EXTRAS := {extras}\n" in (ROOT / "Makefile").read_text()
    assert f'".[{extras}]"' in (ROOT / "scripts/constraints.sh").read_text()


@pytest.mark.parametrize("script", [".ci/run", "scripts/install.sh"])
def test_scripts_can_be_run(script: str):
    assert os.access(ROOT / script, os.X_OK)
