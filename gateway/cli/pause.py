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
    from gateway.config.settings import Settings
    from gateway.message import Pause

_BY = "the command line"
# Whoever reaches for this cannot wait for a gateway that hangs.
_PATIENCE_S = 5.0


@click.command(epilog=example("tocsin pause", "tocsin pause --category promotional"))
@click.option("--category", "categories", multiple=True, metavar="C", help="Only this category; may be repeated.")
@remote
def pause(categories: tuple[str, ...]) -> None:
    """Stop sending: from the answer on no further part is handed to a modem. Works with a running gateway and without.

    Of each modem one part that was on its way may still leave.
    """
    body: Document = {"categories": list(categories)} if categories else {}

    def here(settings: Settings, now_us: int) -> Pause:
        from gateway.services.queue import pause_beside

        return pause_beside(settings, categories or None, now_us, by=_BY)

    _print(_done(lambda client: client.post(path_of("pause"), body), here))


@click.command(epilog=example("tocsin resume"))
@remote
def resume() -> None:
    """Send again, everything that was paused. Works with a running gateway and without."""

    def here(settings: Settings, now_us: int) -> Pause:
        from gateway.services.queue import resume_beside

        return resume_beside(settings, now_us, by=_BY)

    _print(_done(lambda client: client.post(path_of("resume"), {}), here))


def _done(there: Callable[[GatewayClient], Document], here: Callable[[Settings, int], Pause]) -> Document:
    """What the gateway answers; what the store says where none answers and none was named."""
    try:
        client = gateway()
        client.patience_s = _PATIENCE_S
        return there(client)
    except Rejected:
        raise
    except Failure:
        if said_url(invocation()):
            raise
    return _on_store(here)


def _on_store(change: Callable[[Settings, int], Pause]) -> Document:
    from api.models.queue import pause_out
    from gateway.clock import SystemClock
    from gateway.errors import InvalidRequest
    from gateway.store.opening import StoreUnusable

    try:
        return pause_out(change(settings_of(invocation()), SystemClock().now_us()))
    except InvalidRequest as error:
        raise Failure(error.errors[0].message) from None
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
