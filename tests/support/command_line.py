"""What tests ask of a command's result."""

from __future__ import annotations

import json
from typing import Any

from click.testing import Result


def documents(result: Result) -> list[dict[str, Any]]:
    """The JSON documents of an output, one a line."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def passed(result: Result) -> str:
    """What it printed; it ended well and complained of nothing."""
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def assert_failed(result: Result, status: int, *lines: str) -> None:
    """It ended with that status and said exactly these lines, on standard error alone."""
    assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (status, "", list(lines))
