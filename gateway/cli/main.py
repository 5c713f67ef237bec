"""The command `tocsin`: finds the commands when they are named, and turns every failure into one line and a status."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from typing import Any

import click

from gateway.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED
from gateway.cli.options import example, invocation, remote

_PLACES = {
    "serve": ("serve", "serve"),
    "check-config": ("check_config", "check_config"),
    "token": ("token", "token"),
    "send": ("send", "send"),
    "notify": ("notify", "notify"),
    "preview": ("preview", "preview"),
    "ring": ("ring", "ring"),
    "alerts": ("ring", "alerts"),
    "campaigns": ("campaigns", "campaigns"),
    "automations": ("automations", "automations"),
    "messages": ("messages", "messages"),
    "message": ("messages", "message"),
    "cancel": ("messages", "cancel"),
    "resolve": ("messages", "resolve"),
    "inbox": ("inbox", "inbox"),
    "events": ("events", "events"),
    "pause": ("pause", "pause"),
    "resume": ("pause", "resume"),
    "clock": ("clock", "clock"),
    "contacts": ("contacts", "contacts"),
    "optouts": ("optouts", "optouts"),
    "consents": ("consents", "consents"),
    "reviews": ("reviews", "reviews"),
    "segments": ("segments", "segments"),
    "report": ("report", "report"),
    "links": ("links", "links"),
    "codes": ("codes", "codes"),
    "webhooks": ("webhooks", "webhooks"),
    "profiles": ("profiles", "profiles"),
    "templates": ("templates", "templates"),
    "modems": ("modems", "modems"),
    "doctor": ("doctor", "doctor"),
    "simulate": ("simulate", "simulate"),
    "decode": ("tpdu_tools", "decode"),
    "encode": ("tpdu_tools", "encode"),
}


class Commands(MutableMapping[str, click.Command]):
    """The commands by name; a module is imported when its command is asked for, so that each starts quickly."""

    def __init__(self) -> None:
        self._found: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._found:
            module, attribute = _PLACES[name]
            self._found[name] = getattr(import_module(f"gateway.cli.{module}"), attribute)
        return self._found[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES.keys() | self._found.keys())

    def __len__(self) -> int:
        return len(_PLACES.keys() | self._found.keys())

    def __contains__(self, name: object) -> bool:
        return name in _PLACES or name in self._found


class Tocsin(click.Group):
    """The command itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: from the daemon to the tools."""
        del ctx
        return list(_PLACES)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """Run a command and leave with its status: 0, 1, 2, 78, or 130 when it was interrupted."""
        if not options.pop("standalone_mode", True):
            return super().main(args, *rest, standalone_mode=False, **options)
        sys.exit(self._status(args, *rest, **options))

    def _status(self, args: Sequence[str] | None, *rest: Any, **options: Any) -> int:
        try:
            status = super().main(args, *rest, standalone_mode=False, **options)
            sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except click.Abort:
            return EXIT_INTERRUPTED
        except OSError as error:
            return _of_system(error)
        except Exception as error:  # noqa: BLE001 - the last net: a person gets a line, a developer the trace
            return _of_defect(error)
        return status if isinstance(status, int) else 0


@click.group(
    cls=Tocsin,
    commands=Commands(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example('tocsin send +33639980101 "Hello" --wait', "tocsin send --help"),
)
@click.version_option(package_name="tocsin", prog_name="tocsin")
@remote
@click.pass_context
def main(context: click.Context) -> None:
    """Send and receive SMS through modems of your own.

    --config, --url and --json may stand before or after the command's name.
    """
    if invocation().json:
        # These two know no gateway and have an option of their own.
        context.default_map = {name: {"as_json": True} for name in ("decode", "encode")}


def _of_system(error: OSError) -> int:
    """A reader that went away is no failure to speak of; anything else is said in a line."""
    if error.errno == errno.EPIPE:
        # What is still buffered would break the same pipe once more while the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    where = f"{error.filename}: " if error.filename else ""
    click.echo(f"tocsin: {where}{(error.strerror or type(error).__name__).lower()}", err=True)
    return EXIT_FAILED


def _of_defect(error: Exception) -> int:
    if os.environ.get("TOCSIN_LOG", "").lower() == "debug":
        raise error
    # The message of an unforeseen exception may hold a number or a text, so it is not shown.
    click.echo(f"tocsin: a defect ({type(error).__name__}); TOCSIN_LOG=debug shows where", err=True)
    return EXIT_FAILED
