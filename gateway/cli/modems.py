"""`tocsin modems`: the modems and how they are; and what can be done to one of them."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.modem_trace import trace_modem
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, print_document, print_table
from gateway.cli.reach import gateway

_HEADS = ("NAME", "NODE", "STATE", "REASON", "OPERATOR", "SIGNAL", "SENT TODAY", "MODEL", "PORT")


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin modems", "tocsin modems --json", "tocsin modems trace stick"),
)
@remote
@click.pass_context
def modems(context: click.Context) -> None:
    """List the modems and how they are; or do something to one of them."""
    if context.invoked_subcommand:
        return
    found = [*gateway().items(path_of("modems"))]
    if invocation().json:
        for modem in found:
            print_document(modem)
        return
    print_table(_HEADS, [_row(modem) for modem in found], "no modems")


modems.add_command(trace_modem)


def _row(modem: Document) -> tuple[object, ...]:
    signal = modem["signal_dbm"]
    return (
        modem["name"],
        modem["node"],
        modem["state"],
        modem["reason"],
        modem["operator"],
        None if signal is None else f"{signal} dBm",
        modem["sent_today"],
        modem["model"],
        modem["port"],
    )
