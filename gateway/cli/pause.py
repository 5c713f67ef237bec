"""`tocsin pause` and `resume`: the kill switch, through the running gateway, else on the store itself.

It must work when little else does. So where no gateway answers the store is written to, even while a process that does
not answer holds it: what that process marks next asks the store first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import Failure, Rejected
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, local_time, print_document
from gateway.cli.reach import gateway, said_url, settings_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.config.settings import Settings
    from gateway.message import Pause

_BY = "the command line"


@click.command(epilog=example("tocsin pause", "tocsin pause --category promotional"))
@click.option("--category", "categories", multiple=True, metavar="C", help="Only this category; may be repeated.")
@remote
def pause(categories: tuple[str, ...]) -> None:
    """Stop sending: from the answer on no further part is handed to a modem. Works with a running gateway and without.

    Of each modem one part that was on its way may still leave.
    """
    body: Document = {"categories": list(categories)} if categories else {}
    _print(
        _done(lambda client: client.post(path_of("pause"), body), lambda settings: _pause_here(settings, categories))
    )


@click.command(epilog=example("tocsin resume"))
@remote
def resume() -> None:
    """Send again, everything that was paused. Works with a running gateway and without."""
    _print(_done(lambda client: client.post(path_of("resume"), {}), _resume_here))


def _done(there: Callable[[GatewayClient], Document], here: Callable[[Settings], Document]) -> Document:
    """What the gateway answers; what the store says where none answers and none was named."""
    try:
        return there(gateway())
    except Rejected:
        raise
    except Failure:
        if said_url(invocation()):
            raise
    return here(settings_of(invocation()))


def _pause_here(settings: Settings, categories: tuple[str, ...]) -> Document:
    from gateway.errors import InvalidRequest
    from gateway.services.queue import known_categories
    from gateway.store import pauses

    try:
        wanted = known_categories(categories or None, settings.categories)
    except InvalidRequest as error:
        raise Failure(error.errors[0].message) from None
    return _on_store(settings, lambda connection, now_us: pauses.add(connection, wanted, now_us, by=_BY))


def _resume_here(settings: Settings) -> Document:
    from gateway.store import pauses

    return _on_store(settings, lambda connection, now_us: pauses.lift(connection, now_us, by=_BY))


def _on_store(settings: Settings, change: Callable[[Connection, int], Pause]) -> Document:
    from api.models.queue import pause_out
    from gateway.clock import SystemClock
    from gateway.store.beside import write_beside
    from gateway.store.opening import StoreUnusable

    now_us = SystemClock().now_us()
    try:
        return pause_out(write_beside(settings.store.path, lambda connection: change(connection, now_us)))
    except StoreUnusable as error:
        raise Failure(str(error)) from None


def _print(state: Document) -> None:
    if invocation().json:
        print_document(state)
    elif state["paused"]:
        what = ", ".join(state["categories"] or ["everything"])
        click.echo(f"paused since {local_time(state['since'])}: {what}")
    else:
        click.echo("nothing is paused")
