"""How a command fails: one line on standard error and an exit status of contract section 3, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from gateway.errors import ConfigProblem

EXIT_FAILED = 1
EXIT_CONFIGURATION = 78
EXIT_INTERRUPTED = 130


class Failure(click.ClickException):
    """What was asked for was not done; the message says why."""

    exit_code = EXIT_FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """The message as one line, or more where fields are named."""
        click.echo(f"tocsin: {self.message}", file=file or sys.stderr)


class Unreachable(Failure):
    """No gateway answers. `sent` tells whether the request may have arrived all the same."""


class Rejected(Failure):
    """The gateway answered with a problem; `status` is HTTP's, `code` the problem's."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Misconfigured(Failure):
    """It cannot be done as long as the configuration stays as it is."""

    exit_code = EXIT_CONFIGURATION


class BadConfiguration(Misconfigured):
    """The configuration cannot be used: every problem on a line of its own."""

    def __init__(self, path: Path, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("\ntocsin: ".join(f"{path}: {problem}" for problem in problems))
