"""Files with a configuration in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.loader import Report, check, load_settings
from gateway.config.settings import Settings

SMALLEST = '[modems.sim1]\nport = "simulated:"\n'


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a configuration and says where."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def problems(write: Callable[[str], Path]) -> Callable[[str], list[str]]:
    """The problems of a text, each as `key: message`."""

    def problems(text: str) -> list[str]:
        return [str(problem) for problem in check(write(text), {}).problems]

    return problems


@pytest.fixture
def report(write: Callable[[str], Path]) -> Callable[[str], Report]:
    return lambda text: check(write(text), {})


@pytest.fixture
def load(write: Callable[[str], Path]) -> Callable[..., Settings]:
    """The settings of a text, the smallest modem table added."""
    return lambda text="", environ=None: load_settings(write(text + "\n" + SMALLEST), environ or {})
