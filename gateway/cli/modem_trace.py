"""`tocsin modems trace`: record what passes between the gateway and a modem, and show it while it comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO

import click

from gateway.cli.client import path_of
from gateway.cli.errors import Failure
from gateway.cli.options import duration_up_to, example, invocation, remote
from gateway.cli.output import clean, local_time, print_document
from gateway.cli.reach import gateway
from gateway.requests import TRACE_MOST_S

_SECOND_US = 1_000_000
_LOOK_S = 0.1
# The gateway writes in steps; what passed in the last moment of the trace comes within so long.
_AFTER_S = 1.0
_CHUNK = 64 * 1024


@click.command(
    "trace",
    epilog=example(
        "tocsin modems trace sim1 --for 10m",
        "tocsin modems trace sim1 --for 1m --follow",
        "tocsin modems trace sim1 --for 5m --output stick.trace",
        "tocsin modems trace sim1 --stop",
    ),
)
@click.argument("name")
@click.option(
    "--for",
    "span_us",
    metavar="SPAN",
    default="10m",
    show_default=True,
    callback=duration_up_to(TRACE_MOST_S),
    help="How long, at most 1d.",
)
@click.option("--follow", is_flag=True, help="Show the lines as they come, until the time is over.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the lines into FILE too."
)
@click.option("--unredacted", is_flag=True, help="With numbers and texts; PINs are never shown. Asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--stop", is_flag=True, help="End the trace that is on.")
@remote
def trace_modem(
    name: str, *, span_us: int, follow: bool, output: Path | None, unredacted: bool, yes: bool, stop: bool
) -> None:
    """Record what passes between the gateway and the modem NAME, without numbers and texts.

    The trace is a file on the gateway's machine. With --follow or --output this command stays until the time is over,
    and has to run on that machine.
    """
    place = path_of("modems", name, "trace")
    if stop:
        gateway().delete(place)
        return
    if unredacted and not yes:
        _ask_first()
    body = {"seconds": max(span_us // _SECOND_US, 1), "unredacted": unredacted}
    trace = gateway().post(place, body)
    if not follow and output is None:
        if invocation().json:
            print_document(trace)
        else:
            click.echo(f"until {local_time(trace['until'])} in {clean(trace['file'])}")
        return
    _pass_on(Path(trace["file"]), int(trace["offset"]), _seconds_until(trace["until"]), output, follow=follow)
    if output is not None:
        click.echo(f"written to {output}", err=True)


def _ask_first() -> None:
    """Only a person who says yes goes on; where nobody can answer, it takes --yes."""
    try:
        agreed = click.confirm("The trace will hold people's numbers and texts. Go on?", err=True)
    except click.Abort as abort:
        # click tells Ctrl-C and the end of the input by the same exception.
        if not isinstance(abort.__context__, EOFError):
            raise
        click.echo(err=True)
        raise Failure("nobody answered, so nothing is traced; --yes goes on without asking") from None
    if not agreed:
        raise Failure("nothing is traced")


def _seconds_until(moment: str) -> float:
    from gateway.clock import SystemClock, from_datetime

    return max((from_datetime(datetime.fromisoformat(moment)) - SystemClock().now_us()) / _SECOND_US, 0.0)


def _pass_on(file: Path, offset: int, seconds: float, output: Path | None, *, follow: bool) -> None:
    with ExitStack() as stack:
        target = None if output is None else stack.enter_context(output.open("wb"))
        for data in _growing(file, offset, seconds + _AFTER_S):
            if target is not None:
                target.write(data)
            if follow:
                click.echo(data.decode("ascii", "replace"), nl=False)


def _growing(file: Path, offset: int, seconds: float) -> Iterator[bytes]:
    """What is appended to `file` behind `offset` for so long; it may be replaced by a new one meanwhile."""
    from gateway.clock import SystemClock

    clock, never = SystemClock(), threading.Event()
    deadline_us = clock.monotonic_us() + int(seconds * _SECOND_US)
    with ExitStack() as stack:
        opened = stack.enter_context(_opened_for_reading(file))
        opened.seek(offset)
        while True:
            over = clock.monotonic_us() >= deadline_us
            while data := opened.read(_CHUNK):
                yield data
            if over:
                return
            if not _is_same(opened, file):
                opened = stack.enter_context(_opened_for_reading(file))
            never.wait(_LOOK_S)


def _opened_for_reading(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise Failure(f"{file} cannot be read here ({reason}): it is on the gateway's machine, mode 0600") from None


def _is_same(opened: IO[bytes], file: Path) -> bool:
    from os import fstat

    try:
        return fstat(opened.fileno()).st_ino == file.stat().st_ino
    except FileNotFoundError:  # between two files
        return True
