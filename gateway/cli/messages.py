"""`tocsin messages`, `message`, `cancel` and `resolve`: what was accepted, and what became of it."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.message_view import HEADS, print_message, row, state
from gateway.cli.options import example, invocation, limit_option, query, remote, remote_list, time_option
from gateway.cli.output import print_document
from gateway.cli.reach import gateway
from gateway.message import Status

_COLUMNS = (
    *("created_at", "id", "to", "category", "status", "hold.rule", "hold.until", "error.code", "parts", "encoding"),
    *("modem", "node", "sent_at", "delivered_at", "reference", "text"),
)


@click.command(
    epilog=example(
        "tocsin messages --status failed --status uncertain",
        'tocsin messages --to +33639980101 --since "2026-03-01" --json',
    )
)
@click.option(
    "--status",
    multiple=True,
    type=click.Choice([word.value for word in Status]),
    metavar="WORD",
    help="Only of this status; may be repeated.",
)
@click.option("--to", metavar="NUMBER", help="Only to this number.")
@click.option("--category", metavar="C", help="Only of this category.")
@click.option("--reference", metavar="R", help="Only with this reference.")
@click.option("--modem", metavar="NAME", help="Only through this modem.")
@time_option("--since", "Only accepted then or later.")
@time_option("--until", "Only accepted before.")
@limit_option
@remote_list
def messages(limit: int, **filters: object) -> None:
    """List messages, newest first."""
    found = gateway().items(path_of("messages"), query(**filters), limit)
    print_list(found, HEADS, row, _COLUMNS, "no messages")


@click.command(epilog=example("tocsin message 0190a3c1d2e37f00a1b2c3d4e5f60718"))
@click.argument("message_id", metavar="ID")
@remote
def message(message_id: str) -> None:
    """Show one message and its timeline."""
    client = gateway()
    found = client.get(path_of("messages", message_id))
    timeline = client.get(path_of("messages", message_id, "timeline"))["items"]
    if invocation().json:
        print_document({**found, "timeline": timeline})
    else:
        print_message(found, timeline)


@click.command(epilog=example("tocsin cancel 0190a3c1d2e37f00a1b2c3d4e5f60718"))
@click.argument("message_id", metavar="ID")
@remote
def cancel(message_id: str) -> None:
    """Cancel a message that is still waiting."""
    canceled = gateway().post(path_of("messages", message_id, "cancel"), {})
    if invocation().json:
        print_document(canceled)
    else:
        click.echo(state(canceled))


@click.command(epilog=example("tocsin resolve 0190a3c1d2e37f00a1b2c3d4e5f60718 --as sent"))
@click.argument("message_id", metavar="ID")
@click.option(
    "--as",
    "settlement",
    type=click.Choice(("sent", "failed", "resend")),
    required=True,
    help="What is known of it: that it left, that it did not; or send one more copy.",
)
@remote
def resolve(message_id: str, settlement: str) -> None:
    """Settle a message that may have gone and whose outcome is uncertain."""
    resolved = gateway().post(path_of("messages", message_id, "resolve"), {"as": settlement})
    if invocation().json:
        print_document(resolved)
    else:
        click.echo(state(resolved))
