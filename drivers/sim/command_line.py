"""The words of a simulation's command line as values, and the whole of `python -m drivers.sim`.

`tocsin simulate` reads the same words with its own parser. ValueError says what is wrong with a word.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from drivers.at.codes import CmsError
from drivers.sim.durations import seconds
from drivers.sim.modem import SimulatedModem
from drivers.sim.profiles import SIM_PROFILES
from drivers.sim.settings import SimSettings
from drivers.sim.simulation import MAX_COUNT, SimulationOptions, simulate
from drivers.sim.troubles import TroubleSpec, make_trouble, parse_trouble, trouble_lines, trouble_table
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
other number answers with a report.

A trouble is NAME[:KEY=VALUE,…][@WHEN], such as silence:for=20s@30s. Lines of DIR/control can begin and end them too:
`MODEM trouble SPEC`, `MODEM trouble off`, `MODEM unplug [SECONDS]`, `MODEM plug [NAME]`. What becomes of them is told
on standard error. --list-troubles tells their options. There are:

""" + "\n".join(f"  {line}" for line in trouble_lines())


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


def pin(text: str) -> str:
    """4 to 8 digits (27.007, 8.3). A wrong one is not repeated: it may be somebody's."""
    if not (text.isascii() and text.isdigit() and 4 <= len(text) <= 8):
        raise ValueError("a PIN has 4 to 8 digits")
    return text


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
    troubles: Sequence[TroubleSpec] = (),
    seed: int | None = None,
    history: Path | None = None,
    pin: str | None = None,
) -> SimulationOptions:
    """Options that can be carried out together; `times` are latency and report delay in seconds.

    `seed` is that of every trouble that draws lots and has none of its own.
    """
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
        pin=pin,
    )
    for spec in troubles:
        make_trouble(spec.name, spec.options).check(SimulatedModem(settings))
    seeded = tuple(spec if seed is None else spec.seeded(seed) for spec in troubles)
    return SimulationOptions(count, directory, tcp, ledger, settings, families, seeded, history)


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
    _add_troubles(parser)
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
    parser.add_argument("--pin", type=_argument(pin), metavar="PIN", help="the SIMs want this PIN: 4 to 8 digits")


def _add_troubles(parser: argparse.ArgumentParser) -> None:
    """The options that let something go wrong."""
    parser.add_argument(
        "--trouble",
        type=_argument(parse_trouble),
        action="append",
        default=[],
        metavar="SPEC",
        help="let something go wrong with every modem; may be repeated",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of troubles by lot: the same N, the same troubles")
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="append what becomes of each trouble as one JSON line"
    )
    parser.add_argument("--list-troubles", action="store_true", help="tell every trouble with its options, and end")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of `python -m drivers.sim`."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.list_troubles:
        print(trouble_table())  # noqa: T201 - the product's output
        return 0
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
            troubles=given.trouble,
            seed=given.seed,
            history=given.history,
            pin=given.pin,
        )
    except ValueError as error:
        parser.error(str(error))
    return run(options)
