"""The words of a simulation's command line as values, and the whole of `python -m drivers.sim`.

`tocsin simulate` reads the same words with its own parser. ValueError says what is wrong with a word.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from drivers.at.codes import CmsError
from drivers.sim.profiles import SIM_PROFILES
from drivers.sim.settings import SimSettings
from drivers.sim.simulation import MAX_COUNT, SimulationOptions, simulate
from drivers.sim.variants import profile_named
from drivers.tpdu import Address

T = TypeVar("T")

ABOUT = """\
Simulated modems on one simulated network, for any AT client. Each prints `ready PORT` when it can be opened; SIGINT or
SIGTERM ends them all and removes what they made."""

HINTS = """\
A message from the rest of the world arrives when a line `MODEM SENDER TEXT` is written to DIR/control:

  echo 'modem0 +33612345678 Hello' > DIR/control

or when the client itself says AT^SIMSMS="+33612345678","Hello". Other lines let something else happen:
`MODEM call [NUMBER]`, `MODEM remove-sim`, `MODEM insert-sim [ICCID]`, `MODEM pdu HEX`, `MODEM restart`.

The modems have the numbers +33639981001, +33639981002 and so on; a message sent to one of them arrives there. Every
other number answers with a report."""

_UNITS = {"ms": 0.001, "s": 1, "m": 60}
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)", re.ASCII)


def seconds(text: str) -> float:
    """`200ms`, `3s`, `1.5s` or `2m` in seconds; `0` needs no unit."""
    if text == "0":
        return 0.0
    matched = _DURATION.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text!r} is no duration such as 200ms, 3s or 2m")
    return float(matched[1]) * _UNITS[matched[2]]


def address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `[HOST]:PORT`; port 0 lets the system choose."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{text!r} is no address such as 127.0.0.1:7000")
    return host.removeprefix("[").removesuffix("]"), int(port)


def refusal(text: str) -> tuple[str, CmsError]:
    """`NUMBER=CODE`: a recipient, and the +CMS ERROR of 27.005, 3.2.5 that answers for it."""
    number, _, code = text.partition("=")
    try:
        return Address.from_text(number).text, CmsError(int(code))
    except ValueError:
        raise ValueError(f"{text!r} is no refusal such as +33612345678=42") from None


def profiles(text: str) -> tuple[str, ...]:
    """`huawei,quectel`, or `all` for every family: the modems play them in turn."""
    names = tuple(SIM_PROFILES) if text == "all" else tuple(text.split(","))
    return tuple(profile_named(name).name for name in names)


def ussd(text: str) -> tuple[str, str]:
    """`CODE=TEXT`: a code such as *#100#, and what the network answers."""
    code, equals, answer = text.partition("=")
    if not (code and equals and answer and set(code) <= set("0123456789*#")):
        raise ValueError(f"{text!r} is no answer such as *#100#=12.34")
    return code, answer


def options_from(
    count: int,
    directory: Path | None,
    tcp: tuple[str, int] | None,
    ledger: Path | None,
    times: tuple[float, float],
    *,
    refused: Sequence[tuple[str, CmsError]] = (),
    silent: Sequence[str] = (),
    families: tuple[str, ...] = (),
    answers: Sequence[tuple[str, str]] = (),
) -> SimulationOptions:
    """Options that can be carried out together; `times` are latency and report delay in seconds."""
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"between 1 and {MAX_COUNT} modems can be simulated")
    if directory is None and tcp is None:
        raise ValueError("say where the modems are to be: --dir DIR or --tcp HOST:PORT")
    if directory is not None and tcp is not None:
        raise ValueError("the modems are in one place: --dir DIR or --tcp HOST:PORT, not both")
    if tcp and tcp[1] + count > 65536:
        raise ValueError("there are not so many ports above the first")
    settings = SimSettings(
        latency=times[0],
        report_delay=times[1],
        refused=dict(refused),
        silent=frozenset(silent),
        ussd=dict(answers),
    )
    return SimulationOptions(count, directory, tcp, ledger, settings, families)


def run(options: SimulationOptions) -> int:
    """Simulate until a signal ends it; the exit status. A file or address in the way is told on standard error."""
    try:
        asyncio.run(simulate(options, lambda text: print(text, flush=True), _complain))  # noqa: T201 - the product's output
    except OSError as error:
        _complain(f"the modems cannot be plugged in: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        return 1
    return 0


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - told to the person at the terminal


def _argument(convert: Callable[[str], T]) -> Callable[[str], T]:
    def parse(text: str) -> T:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drivers.sim",
        description=ABOUT,
        epilog=HINTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=1, metavar="N", help="how many modems (default 1)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="pseudo-terminals DIR/modem0… and the pipe DIR/control")
    parser.add_argument("--tcp", type=_argument(address), metavar="HOST:PORT", help="TCP ports from PORT on instead")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="append each submission as one JSON line")
    _add_behaviour(parser)
    return parser


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    """The options that say what the modems and their network do."""
    parser.add_argument("--latency", type=_argument(seconds), default=0.0, help="from Ctrl-Z to +CMGS, such as 200ms")
    parser.add_argument("--report-delay", type=_argument(seconds), default=0.05, help="from +CMGS to its report")
    parser.add_argument(
        "--refuse",
        type=_argument(refusal),
        action="append",
        default=[],
        metavar="NUMBER=CODE",
        help="answer submissions to NUMBER with +CMS ERROR: CODE; may be repeated",
    )
    parser.add_argument(
        "--silent",
        action="append",
        default=[],
        metavar="NUMBER",
        help="let submissions to NUMBER leave without answer or report; may be repeated",
    )
    parser.add_argument(
        "--profile",
        type=_argument(profiles),
        default=(),
        metavar="NAME[,NAME…]",
        help="families of modems, played in turn: " + ", ".join(SIM_PROFILES) + "; or all",
    )
    parser.add_argument(
        "--ussd",
        type=_argument(ussd),
        action="append",
        default=[],
        metavar="CODE=TEXT",
        help="answer the code with a text; may be repeated",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of `python -m drivers.sim`."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        options = options_from(
            given.count,
            given.dir,
            given.tcp,
            given.ledger,
            (given.latency, given.report_delay),
            refused=given.refuse,
            silent=given.silent,
            families=given.profile,
            answers=given.ussd,
        )
    except ValueError as error:
        parser.error(str(error))
    return run(options)
