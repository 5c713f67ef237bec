"""`tocsin modems at` and `ussd`: a question to a modem, or through it to the network."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.errors import EXIT_FAILED
from gateway.cli.options import duration_up_to, example, invocation, remote
from gateway.cli.output import clean, print_document
from gateway.cli.reach import gateway
from gateway.requests import AT_MOST_S

_US_PER_S = 1_000_000
# What a gateway takes to answer besides: its modem may have a part under way.
_BESIDES_S = 150.0
_USSD_S = 60.0


@click.command("at", epilog=example("tocsin modems at stick AT+CSQ", 'tocsin modems at stick "AT+COPS=?" --timeout 2m'))
@click.argument("name")
@click.argument("command")
@click.option(
    "--timeout",
    callback=duration_up_to(AT_MOST_S),
    metavar="D",
    default="30s",
    show_default=True,
    help="How long the modem may take, at most 2m.",
)
@remote
def ask_modem(name: str, command: str, timeout: int) -> int:
    """Put the AT line COMMAND to the modem NAME and print its answer.

    Ends with 0 when the modem answered OK. Lines that could lock the SIM, send or dial are refused.
    """
    client = gateway()
    client.patience_s = timeout / _US_PER_S + _BESIDES_S
    body = {"command": command, "seconds": timeout / _US_PER_S}
    answer = client.post(path_of("modems", name, "at"), body)
    lines = answer["lines"]
    if invocation().json:
        print_document(answer)
    else:
        for line in lines:
            click.echo(clean(line))
    return 0 if lines and lines[-1] == "OK" else EXIT_FAILED


@click.command("ussd", epilog=example('tocsin modems ussd stick "#123#"'))
@click.argument("name")
@click.argument("code")
@remote
def ask_network(name: str, code: str) -> None:
    """Send the USSD code CODE through the modem NAME and print what the network says."""
    client = gateway()
    client.patience_s = _USSD_S + _BESIDES_S
    answer = client.post(path_of("modems", name, "ussd"), {"code": code})
    if invocation().json:
        print_document(answer)
        return
    for line in str(answer["text"]).splitlines():
        click.echo(clean(line))
