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
    csv: bool = False


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
_CSV = click.option(
    "--csv",
    is_flag=True,
    expose_value=False,
    callback=_keep,
    help="Print CSV for a spreadsheet; what begins as a formula gets an apostrophe in front.",
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


def remote_list(function: F) -> F:
    """Options of a command that prints a list, for spreadsheets too."""
    return remote(_CSV(function))


def time_option(name: str, description: str) -> Callable[[F], F]:
    """An option for a time, with a zone or in this machine's; its value is RFC 3339."""
    return click.option(name, metavar="TIME", callback=_time, help=description)


def moment_options(function: F) -> F:
    """Options of a message that say when it is wanted, what answers it, and what it takes the place of."""
    for option in reversed(_MOMENT):
        function = option(function)
    return function


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


def _time_or_best(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return value if value == "best" else _time(context, parameter, value)


def _time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        moment = None if value is None else datetime.fromisoformat(value)
        return moment and (moment if moment.tzinfo else moment.astimezone()).isoformat()
    except (ValueError, OverflowError, OSError):
        form = 'must be a time such as "2026-03-01 08:00" or "2026-03-01T08:00:00+01:00"'
        raise click.BadParameter(form) from None


_MOMENT = (
    click.option("--reference", metavar="R", help="A word of yours, kept with it."),
    click.option("--replaces", is_flag=True, help="Cancels what waits under the same reference."),
    click.option(
        "--send-at",
        metavar="TIME|best",
        callback=_time_or_best,
        help="Not before, without a zone in this machine's; best: in the next preferred hours of its category.",
    ),
    time_option("--about-at", "The event that it is about: it never leaves after it."),
    click.option(
        "--shift",
        type=click.Choice(("later", "earlier")),
        help="If --send-at is not allowed: after it, or in the last allowed minute before; earlier with --about-at.",
    ),
    time_option("--expires-at", "Not after."),
    click.option("--expect", multiple=True, metavar="WORD", help="A word that answers it; may be repeated."),
)


def template_options(function: F) -> F:
    """Options of a message whose text is made of a template."""
    for option in reversed(_TEMPLATE):
        function = option(function)
    return function


def variables_option(function: F) -> F:
    """Variables of a template; the value is an object."""
    return _TEMPLATE[1](function)


def _variables(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE")
        variables[name] = value
    return variables


_TEMPLATE = (
    click.option("--template", metavar="NAME", help="Make the text of this template instead of saying it."),
    click.option(
        "--var",
        "variables",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_variables,
        help="A variable of the template; may be repeated.",
    ),
)


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
