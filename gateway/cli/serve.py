"""`tocsin serve`: the daemon in the foreground."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.errors import EXIT_FAILED, Failure, Misconfigured
from gateway.cli.options import example, invocation, local
from gateway.cli.reach import TOKEN_FILE, config_path, settings_of

if TYPE_CHECKING:
    from gateway.config.settings import Settings

# A number kept for fiction in France; a simulated modem delivers to it.
_EXAMPLE_NUMBER = "+33639980101"


@click.command(epilog=example("tocsin serve --config config.example.toml"))
@local
@click.option(
    "--log-level",
    envvar="TOCSIN_LOG",
    show_envvar=True,
    type=click.Choice(("debug", "info", "warning", "error"), case_sensitive=False),
    default="info",
    show_default=True,
    help="From which level on to log, on standard error.",
)
def serve(log_level: str) -> int:
    """Run the gateway until SIGTERM or Ctrl-C; it then finishes what is being sent.

    Prints "ready http://HOST:PORT" (or https://, or unix:PATH) when it can be used.
    """
    from gateway.config.tls import check_tls
    from gateway.outbound.right_moment import check_hours

    settings = settings_of(invocation(), check_hours, check_tls)
    return _run(settings, log_level)


def _run(settings: Settings, log_level: str) -> int:
    # Everything heavy is imported after the configuration proved right.
    import asyncio

    from gateway import daemon
    from gateway.errors import NodeTaken, StoreInUse, Unavailable
    from gateway.listening import AddressInUse
    from gateway.logs import set_up
    from gateway.store.opening import StoreUnusable

    set_up(log_level)
    try:
        orderly = asyncio.run(daemon.serve(settings, ready=partial(_ready, settings)))
    except AddressInUse as error:
        raise Misconfigured(str(error)) from None
    except NodeTaken as error:
        raise Failure(f"the gateway cannot start: {error}") from None
    except StoreInUse as error:
        raise Failure(f"a gateway runs on {settings.gateway.state_dir} already ({error})") from None
    except StoreUnusable as error:
        raise Failure(str(error)) from None
    except Unavailable as error:
        # What a crash left has to be settled before anything is sent; on a full disk that cannot be written.
        raise Failure(f"the gateway cannot start: {error.message}") from None
    return 0 if orderly else EXIT_FAILED


def _ready(settings: Settings, url: str) -> None:
    """Help for a person on standard error, then the line that programs wait for."""
    click.echo(f"token  {settings.gateway.state_dir / TOKEN_FILE}", err=True)
    # Of this category, so that it leaves at once also for somebody who tries it at night.
    line = f'{_call()} send {_EXAMPLE_NUMBER} "Hello from Tocsin" --category emergency --wait'
    click.echo(f"try    {line}", err=True)
    click.echo(f"ready {url}")
    sys.stdout.flush()


def _call() -> str:
    """How this program was called, with its configuration, as a shell takes it."""
    program, here = Path(sys.argv[0]).resolve(), Path.cwd()
    inside = here != Path(here.root) and program.is_relative_to(here)
    name = str(program.relative_to(here)) if inside else str(program)
    return f"{shlex.quote(name)} --config {shlex.quote(str(config_path(invocation())))}"
