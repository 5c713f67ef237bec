"""`tocsin optouts`: who must not be written to."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, query, remote, remote_list
from gateway.cli.output import Document, local_time, print_document
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.message import OptOut
    from gateway.services import OptOuts

_HEADS = ("SINCE", "NUMBER", "CATEGORY", "SOURCE")
_COLUMNS = ("since", "number", "category", "source")


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin optouts --number +33639980101", "tocsin optouts add +33639980101"),
)
@click.option("--number", metavar="NUMBER", help="Only of this number.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most so many."
)
@remote_list
@click.pass_context
def optouts(context: click.Context, number: str | None, limit: int) -> None:
    """List who must not be written to, newest first; or add and lift."""
    if context.invoked_subcommand:
        return
    print_list(listed(number, limit), _HEADS, _row, _COLUMNS, "nobody has opted out")


@optouts.command(epilog=example("tocsin optouts add +33639980101 --category promotional"))
@click.argument("number")
@click.option("--category", metavar="C", help="Only this category; else all stoppable ones.")
@remote
def add(number: str, category: str | None) -> None:
    """Write down that NUMBER must not be written to."""
    client = running()
    body: Document = {"number": number} | ({"category": category} if category else {})
    added = (
        client.post(path_of("optouts"), body)
        if client
        else on_store(lambda services: _shown(services.optouts.add(ADMIN, number, category)))
    )
    _print(added, "opted out")


@optouts.command(epilog=example("tocsin optouts lift +33639980101"))
@click.argument("number")
@click.option("--category", metavar="C", help="Only this category.")
@remote
def lift(number: str, category: str | None) -> None:
    """Let NUMBER be written to again. Do so only when that person asked for it."""
    client = running()
    lifted = (
        client.delete(path_of("optouts"), query(number=number, category=category))
        if client
        else on_store(lambda services: _shown(services.optouts.lift(ADMIN, number, category)))
    )
    _print(lifted, "opt-out lifted")


def listed(number: str | None, limit: int) -> list[Document]:
    """The opt-outs that stand, newest first."""
    client = running()
    if client is None:
        return on_store(lambda services: _list_here(services.optouts, number, limit))
    return [*client.items(path_of("optouts"), query(number=number), limit)]


async def _list_here(optouts: OptOuts, number: str | None, limit: int) -> list[Document]:
    from api.models.optouts import optout_out

    found = await all_of(lambda most, cursor: optouts.list(ADMIN, number=number, limit=most, cursor=cursor), limit)
    return [optout_out(one) for one in found]


async def _shown(done: Awaitable[OptOut]) -> Document:
    from api.models.optouts import optout_out

    return optout_out(await done)


def _print(one: Document, what: str) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['number']}  {what}")


def _row(one: Document) -> tuple[object, ...]:
    return local_time(one["since"]), one["number"], one["category"] or "all", one["source"]
