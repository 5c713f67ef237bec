"""Options that many commands take, before or after the command's name, and the forms of their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., object])


@dataclass(slots=True)
class Invocation:
    """What was said before or after the command's name."""

    config: Path | None = None
    url: str | None = None
    json: bool = False


def invocation() -> Invocation:
    """That of the running command."""
    return click.get_current_context().find_root().ensure_object(Invocation)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """The later mention wins; an option that is not given takes nothing away."""
    if value:
        setattr(context.find_root().ensure_object(Invocation), str(parameter.name), value)


_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    expose_value=False,
    callback=_keep,
    help="Configuration; else $TOCSIN_CONFIG, else /etc/tocsin/config.toml.",
)
_URL = click.option(
    "--url",
    metavar="URL",
    expose_value=False,
    callback=_keep,
    help="Address of the running gateway; else $TOCSIN_URL, else what the configuration says.",
)
_JSON = click.option(
    "--json", is_flag=True, expose_value=False, callback=_keep, help="Print each document as JSON on one line."
)


def local(function: F) -> F:
    """Options of a command that needs the configuration alone."""
    return _CONFIG(function)


def local_records(function: F) -> F:
    """Options of a command that needs the configuration alone and prints records."""
    return _CONFIG(_JSON(function))


def remote(function: F) -> F:
    """Options of a command that talks to a running gateway and prints records."""
    return _CONFIG(_URL(_JSON(function)))


def time_option(name: str, description: str) -> Callable[[F], F]:
    """An option for a time, with a zone or in this machine's; its value is RFC 3339."""
    return click.option(name, metavar="TIME", callback=_time, help=description)


def limit_option(function: F) -> F:
    """How much of a list is shown."""
    option = click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
    return option(function)


def duration(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """A callback that reads a duration as the configuration does, in microseconds."""
    return _duration(value, None)


def duration_up_to(most_s: int) -> Callable[[click.Context, click.Parameter, str], int]:
    """The same where it may be no longer than so many seconds."""
    return lambda _context, _parameter, value: _duration(value, most_s)


def _duration(value: str, most_s: int | None) -> int:
    from gateway.config import shapes, times

    try:
        return times.duration(most_s=most_s)(value)
    except shapes.Wrong as wrong:
        raise click.BadParameter(str(wrong)) from None


def _time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        moment = None if value is None else datetime.fromisoformat(value)
        return moment and (moment if moment.tzinfo else moment.astimezone()).isoformat()
    except (ValueError, OverflowError, OSError):
        form = 'must be a time such as "2026-03-01 08:00" or "2026-03-01T08:00:00+01:00"'
        raise click.BadParameter(form) from None


def example(*lines: str) -> str:
    """The end of a command's help: how it is called."""
    return "\n".join(("\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))


def query(**values: object) -> list[tuple[str, str]]:
    """Filters as they go into a query; what was not given is left out, a list is repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        given = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        pairs += [(name.rstrip("_"), str(one)) for one in given if one is not None]
    return pairs
