"""`tocsin inbox`: what people wrote to us."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, query, remote, time_option
from gateway.cli.output import Document, local_time, print_document, print_table
from gateway.cli.reach import gateway

_HEADS = ("RECEIVED", "FROM", "MODEM", "KEYWORD", "TEXT")


@click.command(epilog=example("tocsin inbox --keyword stop", 'tocsin inbox --since "2026-03-01" --json'))
@click.option("--from", "from_", metavar="NUMBER", help="Only from this sender.")
@click.option("--keyword", type=click.Choice(("stop", "start", "help")), help="Only messages with this meaning.")
@time_option("--since", "Only received then or later.")
@time_option("--until", "Only received before.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most so many."
)
@remote
def inbox(limit: int, **filters: object) -> None:
    """List received messages, newest first."""
    found = gateway().items(path_of("inbox"), query(**filters), limit)
    if invocation().json:
        for item in found:
            print_document(item)
        return
    print_table(_HEADS, [_row(item) for item in found], "nothing received")


def _row(item: Document) -> tuple[object, ...]:
    return local_time(item["received_at"]), item["from"], item["modem"], item["keyword"], item["text"]
