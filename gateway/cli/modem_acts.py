"""`tocsin modems reset`, `pause`, `resume` and `unlock`: what an operator does to one modem."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, clean, print_document
from gateway.cli.reach import gateway

# The host waits for a part that is under way, and another host may have to be asked.
_PATIENCE_S = 90.0


@click.command("reset", epilog=example("tocsin modems reset stick", "tocsin modems reset clinic-2:stick"))
@click.argument("name")
@remote
def reset_modem(name: str) -> None:
    """Restart the modem NAME and begin anew with it, also when it is parked or rests.

    A part that is being handed over is waited for.
    """
    _act(name, "reset")


@click.command("pause", epilog=example("tocsin modems pause stick"))
@click.argument("name")
@remote
def pause_modem(name: str) -> None:
    """Send nothing more through the modem NAME; it goes on receiving. Survives restarts.

    One part that was on its way may still leave. Other modems take what is not meant for this one alone.
    """
    _act(name, "pause")


@click.command("resume", epilog=example("tocsin modems resume stick"))
@click.argument("name")
@remote
def resume_modem(name: str) -> None:
    """Send through the modem NAME again."""
    _act(name, "resume")


@click.command("unlock", epilog=example("tocsin modems unlock stick"))
@click.argument("name")
@remote
def unlock_modem(name: str) -> None:
    """Let the modem NAME try its PIN once more.

    Check the PIN first: a SIM takes three wrong ones, then it wants its PUK. The last try is never taken.
    """
    modem = _done(name, "unlock")
    if invocation().json:
        print_document(modem)
        return
    left = modem.get("pin_tries_left")
    tries = "" if left is None else f"; {left} of its tries were left"
    click.echo(f"{_line(modem)}: the PIN is tried once more{tries}")


def _act(name: str, verb: str) -> None:
    modem = _done(name, verb)
    if invocation().json:
        print_document(modem)
    else:
        click.echo(_line(modem))


def _done(name: str, verb: str) -> Document:
    client = gateway()
    client.patience_s = _PATIENCE_S
    return client.post(path_of("modems", name, verb), {})


def _line(modem: Document) -> str:
    reason = f" ({clean(modem['reason'])})" if modem["reason"] else ""
    return f"{clean(modem['name'])}  {clean(modem['state'])}{reason}"
