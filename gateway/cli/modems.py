"""`tocsin modems`: the modems and how they are; and what can be done to one of them."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.modem_acts import pause_modem, reset_modem, resume_modem, unlock_modem
from gateway.cli.modem_talk import ask_modem, ask_network
from gateway.cli.modem_trace import trace_modem
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, print_document, print_table
from gateway.cli.probe import probe
from gateway.cli.reach import gateway

_HEADS = ("NAME", "NODE", "STATE", "REASON", "OPERATOR", "SIGNAL", "SENT TODAY", "MODEL", "PORT")


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin modems", "tocsin modems --json", "tocsin modems reset stick"),
)
@remote
@click.pass_context
def modems(context: click.Context) -> None:
    """List the modems and how they are; or do something to one of them.

    A modem is NAME, or NODE:NAME where several hosts have one of that name.
    """
    if context.invoked_subcommand:
        return
    found = [*gateway().items(path_of("modems"))]
    if invocation().json:
        for modem in found:
            print_document(modem)
        return
    print_table(_HEADS, [_row(modem) for modem in found], "no modems")


for _command in (reset_modem, pause_modem, resume_modem, unlock_modem, ask_modem, ask_network, trace_modem, probe):
    modems.add_command(_command)


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
