"""`tocsin events`: what happens, as it happens."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import click

from gateway.cli.options import example, invocation, query, remote
from gateway.cli.output import Document, clean, local_time, print_document
from gateway.cli.reach import gateway

#: What says whom or what an event is about, in this order.
_SUBJECT: Final = ("id", "to", "from", "number", "name", "modem", "category", "keyword", "source")


@click.command(epilog=example("tocsin events", "tocsin events --type message.failed --type 'modem.*' --json"))
@click.option(
    "--type", "types", multiple=True, metavar="T", help='Only of this type, or family as "message.*"; repeats.'
)
@click.option("--since", metavar="ID", help="What happened after this event first; else from now on.")
@remote
def events(types: tuple[str, ...], since: str | None) -> None:
    """Tell what happens until Ctrl-C.

    A connection that breaks is made again for about a minute, and nothing is left out.
    """
    wanted = query(types=",".join(types) or None)
    with suppress(KeyboardInterrupt):
        for event_id, document in gateway().events(wanted, since):
            if invocation().json:
                print_document({"id": event_id, **document})
            else:
                click.echo(_line(document))


def _line(document: Document) -> str:
    data = document["data"]
    told = [clean(data[name]) for name in _SUBJECT if data.get(name)]
    return "  ".join((local_time(document["timestamp"]), document["type"], *told))
