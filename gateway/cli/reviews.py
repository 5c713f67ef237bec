"""`tocsin reviews`: replies that nearly are a keyword, until somebody has said what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, limit_option, remote
from gateway.cli.output import Document, clean, local_time, print_document, print_table
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.services import Reviews, Services

_HEADS = ("CAME", "FROM", "PERHAPS", "TEXT", "ID")
_WORDS = ("stop", "start", "help", "nothing")


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin reviews", "tocsin reviews settle 019b92f6bb507d72be17e7b51b8f7e5d --as stop"),
)
@limit_option
@remote
@click.pass_context
def reviews(context: click.Context, limit: int) -> None:
    """List replies that may mean STOP, START or HELP. Until they are settled, their senders get no advertising."""
    if context.invoked_subcommand:
        return
    client = running()
    found = (
        [*client.items(path_of("reviews"), (), limit)]
        if client
        else on_store(lambda services: _list_here(services.reviews, limit))
    )
    if invocation().json:
        for one in found:
            print_document(one)
        return
    print_table(_HEADS, [_row(one) for one in found], "nothing waits to be judged")


@reviews.command(epilog=example("tocsin reviews settle 019b92f6bb507d72be17e7b51b8f7e5d --as nothing"))
@click.argument("id_", metavar="ID")
@click.option("--as", "verdict", type=click.Choice(_WORDS), required=True, help="What the reply is.")
@remote
def settle(id_: str, verdict: str) -> None:
    """Say what the reply ID is; it is then obeyed as if its sender had written that word."""
    client = running()
    one = (
        client.post(path_of("reviews", id_), {"as": verdict})
        if client
        else on_store(lambda services: _settle_here(services, id_, verdict))
    )
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['id']}  settled as {one['settled_as']}")


async def _list_here(doubts: Reviews, limit: int) -> list[Document]:
    from api.models.consents import review_out

    found = await all_of(lambda most, cursor: doubts.list(ADMIN, limit=most, cursor=cursor), limit)
    return [review_out(one) for one in found]


async def _settle_here(services: Services, id_: str, verdict: str) -> Document:
    from api.models.consents import review_out

    return review_out(await services.reviews.settle(ADMIN, id_, verdict))


def _row(one: Document) -> tuple[object, ...]:
    return local_time(one["created_at"]), one["from"], one["guess"], clean(one["text"]), one["id"]
