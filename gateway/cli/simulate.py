"""`tocsin simulate`: simulated modems for any AT client. The simulation itself is `drivers.sim`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from drivers.at.codes import CmsError
from drivers.sim import SIM_PROFILES
from drivers.sim.command_line import ABOUT, HINTS, address, options_from, pin, profiles, refusal, run, seconds, ussd
from drivers.sim.troubles import TroubleSpec, parse_trouble, trouble_table

T = TypeVar("T")


def _word(convert: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    """A click callback that reads a word as the simulation reads it."""

    def read(_context: click.Context, _parameter: click.Parameter, text: str | None) -> T | None:
        try:
            return None if text is None else convert(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


def _words(convert: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], list[T]]:
    """The same for an option that may be repeated."""

    def read(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> list[T]:
        try:
            return [convert(text) for text in texts]
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


EXAMPLE = """\b
Example:
  tocsin simulate --count 2 --dir /tmp/modems --latency 200ms
  tocsin simulate --dir /tmp/modems --trouble silence:for=20s@30s
  tocsin simulate --dir /tmp/modems --trouble random:every=20s --seed 7
"""


def _list_troubles(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(trouble_table())
        context.exit()


@click.command(help=f"{ABOUT}\n\n{EXAMPLE}", epilog="\b\n" + HINTS.replace("\n\n", "\n\n\b\n"))
@click.option("--count", type=int, default=1, show_default=True, metavar="N", help="How many modems.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Pseudo-terminals DIR/modem0… and the pipe DIR/control.",
)
@click.option("--tcp", callback=_word(address), metavar="HOST:PORT", help="TCP ports from PORT on instead.")
@click.option(
    "--latency", callback=_word(seconds), default="0", show_default=True, help="From Ctrl-Z to +CMGS: 200ms, 3s."
)
@click.option(
    "--report-delay", callback=_word(seconds), default="50ms", show_default=True, help="From +CMGS to its report."
)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append each submission as one JSON line.",
)
@click.option(
    "--refuse",
    multiple=True,
    callback=_words(refusal),
    metavar="NUMBER=CODE",
    help="Answer submissions to NUMBER with +CMS ERROR: CODE.",
)
@click.option(
    "--silent", multiple=True, metavar="NUMBER", help="Let submissions to NUMBER leave without answer or report."
)
@click.option(
    "--profile",
    "families",
    callback=_word(profiles),
    metavar="NAME[,NAME…]",
    help="Families of modems, played in turn: " + ", ".join(SIM_PROFILES) + "; or all.",
)
@click.option(
    "--ussd", "answers", multiple=True, callback=_words(ussd), metavar="CODE=TEXT", help="Answer the code with a text."
)
@click.option("--pin", "sim_pin", callback=_word(pin), metavar="PIN", help="The SIMs want this PIN: 4 to 8 digits.")
@click.option(
    "--trouble",
    "troubles",
    multiple=True,
    callback=_words(parse_trouble),
    metavar="SPEC",
    help="Let something go wrong with every modem; may be repeated.",
)
@click.option("--seed", type=int, metavar="N", help="Of troubles by lot: the same N, the same troubles.")
@click.option(
    "--history",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append what becomes of each trouble as one JSON line.",
)
@click.option(
    "--list-troubles",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_troubles,
    help="Tell every trouble with its options, and end.",
)
def simulate(
    *,
    count: int,
    directory: Path | None,
    tcp: tuple[str, int] | None,
    latency: float,
    report_delay: float,
    ledger: Path | None,
    refuse: list[tuple[str, CmsError]],
    silent: tuple[str, ...],
    families: tuple[str, ...] | None,
    answers: list[tuple[str, str]],
    sim_pin: str | None,
    troubles: list[TroubleSpec],
    seed: int | None,
    history: Path | None,
) -> None:
    try:
        options = options_from(
            count,
            directory,
            tcp,
            ledger,
            (latency, report_delay),
            refused=refuse,
            silent=silent,
            families=families or (),
            answers=answers,
            troubles=troubles,
            seed=seed,
            history=history,
            pin=sim_pin,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    status = run(options)
    if status:
        raise SystemExit(status)
