"""`tocsin links`: the links in the messages of a campaign, and who followed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, limit_option, remote_list
from gateway.cli.output import Document
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.services import ShortLinks

_HEADS: Final = ("VARIANT", "SENT", "PEOPLE", "CLICKS", "PROGRAMS", "ADDRESS")
_COLUMNS: Final = ("variant", "sent", "unique", "clicks", "bots", "url")


@click.command(epilog=example("tocsin links 0198c1d2e3f4a5b60718293a4b5c6d7e"))
@click.argument("campaign")
@limit_option
@remote_list
def links(campaign: str, limit: int) -> None:
    """Show who followed the links of CAMPAIGN, by address and variant: people, clicks, and programs apart.

    Variants are counted from 0, as the campaign has them.
    """
    client = running()
    found = (
        on_store(lambda services: _list_here(services.short_links, campaign, limit))
        if client is None
        else client.items(path_of("links"), [("campaign", campaign)], limit)
    )
    print_list(found, _HEADS, _row, _COLUMNS, "no links")


async def _list_here(found: ShortLinks, campaign: str, limit: int) -> list[Document]:
    from api.models.tracking import link_out

    shown = await all_of(lambda most, cursor: found.totals(ADMIN, campaign, limit=most, cursor=cursor), limit)
    return [link_out(one) for one in shown]


def _row(one: Document) -> tuple[object, ...]:
    return one["variant"], one["sent"], one["unique"], one["clicks"], one["bots"], one["url"]
