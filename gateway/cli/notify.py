"""`tocsin notify`: what stands on standard input, to everybody who must hear it; for Nagios, Icinga and scripts.

It is called at the worst moment by programs that do not come back: a gateway that is being restarted is waited for, a
text that is too long is cut, octets that are no UTF-8 are read all the same, and one wrong number keeps nothing from
the others. Each message has a key, so that asking again never sends it twice.
"""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import EXIT_FAILED, Failure, Rejected, Unreachable
from gateway.cli.message_view import state
from gateway.cli.options import duration, example, invocation, remote
from gateway.cli.output import Document, print_document
from gateway.cli.reach import gateway

if TYPE_CHECKING:
    from gateway.clock import SystemClock

#: What monitoring systems say when somebody must get up; anything else is of the token's default category.
_EMERGENCIES = frozenset({"critical", "down", "unreachable", "disaster", "emergency"})
_AGAIN = frozenset({429, 503, 507})
_PAUSE_S = 1.0
_MOST_OCTETS = 1 << 20
#: Of a text of so many characters a part it is clear that it fits: 67 do in UCS-2, and a name in front is shorter.
_SHORT = 30


@click.command(
    epilog=example(
        "printf 'db1 is down' | tocsin notify +33639980101 --severity critical",
        "df -h / | tocsin notify +33639980101 +33639980102 --category emergency",
    )
)
@click.argument("to", nargs=-1, required=True)
@click.option("--category", metavar="C", help="What kind of message it is; else the token's, else transactional.")
@click.option("--severity", metavar="WORD", help="critical, down, unreachable, disaster: the category emergency.")
@click.option("--max-parts", type=click.IntRange(1, 10), default=2, show_default=True, help="A longer text is cut.")
@click.option(
    "--wait-for", callback=duration, metavar="D", default="30s", show_default=True, help="While no gateway answers."
)
@remote
def notify(to: Sequence[str], *, category: str | None, severity: str | None, max_parts: int, wait_for: int) -> int:
    """Send standard input to every number TO.

    Prints id and status of each message. Ends with 0 if all were accepted, with 1 if one was not.
    """
    text = _trimmed(_read(), max_parts)
    client, wanted = gateway(), category
    if wanted is None and severity is not None and severity.strip().lower() in _EMERGENCIES:
        wanted = "emergency"
    from gateway.clock import SystemClock

    clock = SystemClock()
    until_us = clock.monotonic_us() + wait_for
    status, numbers = 0, list(dict.fromkeys(to))
    for at, number in enumerate(numbers, 1):
        body: Document = {"to": number, "text": text} | ({"category": wanted} if wanted else {})
        try:
            body = _within(client, body, max_parts)
            _print(_sent(client, body, clock, until_us, may_step_down=category is None))
        except Failure as failure:
            # Which one without the number: what is said here ends in the log of a monitoring system.
            which = f"recipient {at} of {len(numbers)}: " if numbers[1:] else ""
            click.echo(f"tocsin: {which}{failure.message}", err=True)
            status = EXIT_FAILED
    return status


def _sent(client: GatewayClient, body: Document, clock: SystemClock, until_us: int, *, may_step_down: bool) -> Document:
    """The accepted message; asked again while no gateway answers, or it has no room."""
    key, never = secrets.token_hex(16), threading.Event()
    while True:
        try:
            return client.post(path_of("messages"), body, key)
        except Rejected as refusal:
            if refusal.code == "category_not_allowed" and may_step_down and "category" in body:
                click.echo("tocsin: this token may not send emergency: its default category is used", err=True)
                body = {name: value for name, value in body.items() if name != "category"}
                key = secrets.token_hex(16)
                continue
            if refusal.status not in _AGAIN or clock.monotonic_us() >= until_us:
                raise
        except Unreachable:
            if clock.monotonic_us() >= until_us:
                raise
        never.wait(_PAUSE_S)


def _within(client: GatewayClient, body: Document, most: int) -> Document:
    """The body with a text that takes no more parts with what the gateway puts around it: a name, or a way to opt out.

    A gateway that does not say is not asked twice: a message of one part more is better than none.
    """
    from gateway.rules.alert_text import cut

    text = str(body["text"])
    if len(text) <= _SHORT * most:
        return body
    try:
        found = client.post(path_of("messages", "preview"), body)
    except Failure:
        return body
    composed = str(found["text"])
    before, own, after = composed.partition(text)
    if not own:
        before, after = " " * max(0, len(composed) - len(text)), ""
    return (
        body if found["parts"] <= most else {**body, "text": cut(text, lambda part: _fits(before + part + after, most))}
    )


def _read() -> str:
    """Standard input. What is no UTF-8 is what most machines wrote before it."""
    octets = sys.stdin.buffer.read(_MOST_OCTETS)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _trimmed(text: str, most: int) -> str:
    """The lines without anything that is not seen, in so many parts at most."""
    from gateway.rules.alert_text import clean, cut

    lines = [line for line in map(clean, text.splitlines()) if line]
    if not lines:
        raise Failure("there is no text on standard input")
    return cut("\n".join(lines), lambda part: _fits(part, most))


def _fits(text: str, most: int) -> bool:
    from drivers.tpdu import TpduError, segment

    try:
        segment(text, max_parts=most)
    except TpduError:
        return False
    return True


def _print(message: Document) -> None:
    if invocation().json:
        print_document(message)
    else:
        click.echo(state(message))
