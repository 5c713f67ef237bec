"""`tocsin send`: hand over one message and, if asked, follow it to its end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import EXIT_FAILED, Failure, Unreachable
from gateway.cli.message_view import print_warnings, state
from gateway.cli.options import duration, example, invocation, moment_options, remote, template_options
from gateway.cli.output import Document, print_document
from gateway.cli.reach import gateway

_GOOD = ("sent", "delivered")
#: Words after which waiting is over. After `sent` the report may still come.
_ENDS = ("delivered", "undelivered", "failed", "uncertain", "expired", "canceled", "suppressed")
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0
_SLOWER = 1.3


@click.command(
    epilog=example(
        'tocsin send +33639980101 "The water is drinkable again." --wait',
        "tocsin send +33639980101 - --category emergency < alarm.txt",
        "# a reminder for 21:30 that leaves before the quiet hours rather than after them",
        'tocsin send +33639980101 "Take your pills" --send-at "2026-12-05 21:30" --shift earlier',
        'tocsin send +33639980101 "Do you come?" --expect yes --expect no --reference visit --replaces',
        "tocsin send +33639980101 --template appointment --var at=2026-12-01T09:30+01:00",
    )
)
@click.argument("to")
@click.argument("text", required=False)
@template_options
@click.option("--category", metavar="C", help="What kind of message it is; else the token's, else transactional.")
@moment_options
@click.option("--modem", metavar="NAME", help="Through this modem and no other.")
@click.option("--flash", is_flag=True, help="Shown at once and not kept by the phone (class 0).")
@click.option("--on-uncertain", type=click.Choice(("resend", "hold", "never")), help="If it may have gone out.")
@click.option("--wait", is_flag=True, help="Follow it until delivered or another final word.")
@click.option(
    "--timeout", callback=duration, metavar="D", default="5m", show_default=True, help="How long --wait waits."
)
@remote
def send(to: str, text: str | None, *, wait: bool, timeout: int, **given: object) -> int:
    """Send TEXT (- reads it from standard input), or the text of a template, to the number TO.

    Prints the message's id and status. With --wait it ends with 0 only for sent or delivered; of one that was joined to
    another it follows that one.
    """
    body: Document = {"to": to} | worded(text, given) | {key: value for key, value in given.items() if value}
    client = gateway()
    message = client.post(path_of("messages"), body)
    if not invocation().json:
        print_warnings(message)
    if wait:
        message = _follow(client, message, timeout)
    _print(message)
    return 0 if not wait or message["status"] in _GOOD else EXIT_FAILED


def worded(text: str | None, given: Mapping[str, object]) -> Document:
    """The text of a message as it was said, or nothing where a template is named instead."""
    if (text is None) == (given["template"] is None):
        raise click.UsageError("say either TEXT or --template NAME")
    if text is not None and given["variables"]:
        raise click.UsageError("--var belongs to a template")
    return {} if text is None else {"text": read_text(text)}


def read_text(text: str) -> str:
    """The text itself, or standard input without its last line break when the text is `-`."""
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        # Guessed characters would reach somebody's phone.
        raise Failure(f"the text on standard input is not UTF-8 (byte {error.start})") from None


def _follow(client: GatewayClient, message: Document, timeout_us: int) -> Document:
    """The message at its end, or as it was last seen: the one that it was joined to, if it was. A gateway that is being
    restarted is waited for."""
    from gateway.clock import SECOND_US, SystemClock

    clock, never = SystemClock(), threading.Event()
    deadline = clock.monotonic_us() + timeout_us
    pause_s = _FIRST_PAUSE_S
    message = _told({"status": message["status"]}, message)
    # What was joined to another is over, and ends as that one does.
    while message["joined_to"] or message["status"] not in _ENDS:
        left_s = (deadline - clock.monotonic_us()) / SECOND_US
        if left_s <= 0:
            break
        never.wait(min(pause_s, left_s))
        pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)
        try:
            message = _told(message, client.get(path_of("messages", message["joined_to"] or message["id"])))
        except Unreachable:
            continue
    return message


def _told(before: Document, now: Document) -> Document:
    """The new state, shown to whoever watches a terminal; and what holds it, to anybody who waits."""
    if invocation().json:
        return now
    if now["joined_to"]:
        click.echo(state(now), err=True)
    elif now["status"] == "held":
        if before.get("hold") != now["hold"]:
            click.echo(state(now).partition("  ")[2], err=True)
    elif now["status"] != before["status"] and sys.stderr.isatty():
        click.echo(f"{now['status']} …", err=True)
    return now


def _print(message: Document) -> None:
    if invocation().json:
        print_document(message)
    else:
        click.echo(state(message))
