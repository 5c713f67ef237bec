"""`tocsin codes`: pools of personal codes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, limit_option, remote, remote_list
from gateway.cli.output import Document, clean, local_time, print_document
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.services import Codes
    from gateway.services.codes import CodePool, CodesAdded

_HEADS: Final = ("POOL", "CODES", "TAKEN", "LEFT", "FILLED")
_COLUMNS: Final = ("pool", "total", "taken", "left", "created_at", "updated_at")
_CSV: Final = "text/csv"
# A file of the longest codes may take a while.
_PATIENCE_S: Final = 120.0
_SHOWN: Final = 20


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin codes add spring codes.csv", "tocsin codes show spring", "tocsin codes list"),
)
@limit_option
@remote_list
@click.pass_context
def codes(context: click.Context, limit: int) -> None:
    """List the pools of personal codes, newest first; fill and show them."""
    if context.invoked_subcommand is None:
        _print_all(limit)


@codes.command("list", epilog=example("tocsin codes list --json"))
@limit_option
@remote_list
def list_all(limit: int) -> None:
    """List the pools, newest first, with how many codes are left in each."""
    _print_all(limit)


@codes.command(epilog=example("tocsin codes show spring"))
@click.argument("pool")
@remote
def show(pool: str) -> None:
    """Show how many codes POOL has, how many somebody has, and how many are left."""
    client = running()
    found = (
        client.get(path_of("codes", pool)) if client else on_store(lambda services: _shown(services.codes.get(pool)))
    )
    if invocation().json:
        print_document(found)
    else:
        click.echo(_counts(found))


@codes.command(epilog=example("tocsin codes add spring codes.csv", "tocsin codes add spring - < codes.csv"))
@click.argument("pool")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@remote
def add(pool: str, file: str) -> None:
    """Put the codes of the CSV file FILE (- reads standard input) into POOL, which is made if it is new.

    A line for each code; a first line that says `code` names the column. Codes that are in it already stay as they are.
    """
    with click.open_file(file, "rb") as source:
        octets: bytes = source.read()
    client = running()
    if client is None:
        added = on_store(lambda services: _filled(services.codes, pool, octets))
    else:
        client.patience_s = _PATIENCE_S
        added = client.upload(path_of("codes", pool), [], [octets], _CSV)
    if invocation().json:
        print_document(added)
        return
    click.echo(f"{_counts(added)}\n{added['added']} new, {added['known']} known already")
    for each in added["rejected"][:_SHOWN]:
        click.echo(f"line {each['line']}: {clean(each['message'])}", err=True)
    if added["rejected_count"] > _SHOWN:
        click.echo(f"{added['rejected_count'] - _SHOWN} more lines were not taken", err=True)


def _print_all(limit: int) -> None:
    client = running()
    found = (
        on_store(lambda services: _list_here(services.codes, limit))
        if client is None
        else client.items(path_of("codes"), [], limit)
    )
    print_list(found, _HEADS, _row, _COLUMNS, "no pools")


async def _list_here(pools: Codes, limit: int) -> list[Document]:
    from api.models.tracking import pool_out

    found = await all_of(lambda most, cursor: pools.list(limit=most, cursor=cursor), limit)
    return [pool_out(one) for one in found]


async def _filled(pools: Codes, pool: str, octets: bytes) -> Document:
    from api.models.tracking import codes_out

    added: CodesAdded = await pools.add_csv(ADMIN, pool, octets)
    return codes_out(added)


async def _shown(found: Awaitable[CodePool]) -> Document:
    from api.models.tracking import pool_out

    return pool_out(await found)


def _row(one: Document) -> tuple[object, ...]:
    return one["pool"], one["total"], one["taken"], one["left"], local_time(one["updated_at"])


def _counts(one: Document) -> str:
    return f"{one['pool']}  {one['total']} codes, {one['taken']} taken, {one['left']} left"
