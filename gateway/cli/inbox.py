"""`tocsin inbox`: what people wrote to us."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, query, remote_list, time_option
from gateway.cli.output import Document, local_time
from gateway.cli.reach import gateway

_HEADS = ("RECEIVED", "FROM", "MODEM", "KEYWORD", "TEXT")
_COLUMNS = ("received_at", "id", "from", "modem", "keyword", "parts", "in_reply_to", "reference", "text")


@click.command(epilog=example("tocsin inbox --keyword stop", 'tocsin inbox --since "2026-03-01" --json'))
@click.option("--from", "from_", metavar="NUMBER", help="Only from this sender.")
@click.option("--keyword", type=click.Choice(("stop", "start", "help")), help="Only messages with this meaning.")
@time_option("--since", "Only received then or later.")
@time_option("--until", "Only received before.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most so many."
)
@remote_list
def inbox(limit: int, **filters: object) -> None:
    """List received messages, newest first."""
    found = gateway().items(path_of("inbox"), query(**filters), limit)
    print_list(found, _HEADS, _row, _COLUMNS, "nothing received")


def _row(item: Document) -> tuple[object, ...]:
    return local_time(item["received_at"]), item["from"], item["modem"], item["keyword"], item["text"]
