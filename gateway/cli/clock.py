"""`tocsin clock`: how the clock stands, through the running gateway, else on the store itself; and `clock confirm`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import Failure, Rejected
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, local_time, print_document
from gateway.cli.reach import gateway, said_url, settings_of

if TYPE_CHECKING:
    from gateway.requests import ClockState
    from gateway.services import Clocks


@click.group(invoke_without_command=True, epilog=example("tocsin clock", "tocsin clock confirm"))
@remote
@click.pass_context
def clock(context: click.Context) -> None:
    """Show whether rules go by the clock, and if not, why. Works with a running gateway and without."""
    if context.invoked_subcommand is None:
        _print(_done(lambda client: client.get(path_of("clock")), lambda clocks: clocks.state(None)))


@clock.command(epilog=example("tocsin clock confirm"))
@remote
def confirm() -> None:
    """Say that the clock is right as it is now: look at it first. What waited for that leaves then."""
    _print(_done(lambda client: client.post(path_of("clock", "confirm"), {}), lambda clocks: clocks.confirm(None)))


def _done(there: Callable[[GatewayClient], Document], here: Callable[[Clocks], Awaitable[ClockState]]) -> Document:
    """What the gateway answers; what the store says where none answers and none was named."""
    try:
        return there(gateway())
    except Rejected:
        raise
    except Failure:
        if said_url(invocation()):
            raise
    return _on_store(here)


def _on_store(work: Callable[[Clocks], Awaitable[ClockState]]) -> Document:
    import asyncio

    from api.models.clock import clock_out
    from gateway.daemon import offline_services
    from gateway.errors import GatewayError, StoreInUse
    from gateway.store.opening import StoreUnusable

    settings = settings_of(invocation())

    async def run() -> ClockState:
        async with offline_services(settings) as services:
            return await work(services.clock)

    try:
        return clock_out(asyncio.run(run()))
    except GatewayError as error:
        raise Failure(error.message) from None
    except (StoreInUse, StoreUnusable) as error:
        raise Failure(str(error)) from None


def _print(state: Document) -> None:
    if invocation().json:
        print_document(state)
        return
    words = {True: "synchronized", False: "not synchronized", None: "synchronized or not, the kernel does not say"}
    click.echo(f"{local_time(state['wall'])}  {words[state['synchronized']]}")
    if state["trusted"]:
        click.echo("the clock is trusted")
        return
    click.echo(f"{state['detail']}, since {local_time(state['since'])}")
    click.echo(f"the gateway goes by {local_time(state['now'])}; what depends on the hour waits")
    click.echo("synchronize it (timedatectl set-ntp true), set it right, or say that it is: tocsin clock confirm")
