"""`tocsin segments`: names for whoever a filter holds for, and who that is."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, limit_option, remote, remote_list
from gateway.cli.output import Document, clean, local_time, print_document
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.services import Segments
    from gateway.services.segments import Segment

_HEADS = ("NAME", "CHANGED", "FILTER")
_COLUMNS = ("name", "filter", "created_at", "updated_at")
_MEMBER_HEADS = ("NUMBER", "NAME", "LANGUAGE", "TAGS")
_MEMBER_COLUMNS = ("number", "name", "email", "language", "timezone", "country", "tags")
_FILTER = "'attributes.city == \"Lyon\" && age(attributes.birth_date) >= 60'"


@click.group(
    invoke_without_command=True,
    epilog=example(f"tocsin segments add seniors {_FILTER}", "tocsin segments count seniors", "tocsin segments list"),
)
@limit_option
@remote_list
@click.pass_context
def segments(context: click.Context, limit: int) -> None:
    """List the segments, newest first; make, change, count and forget them."""
    if context.invoked_subcommand is None:
        _print_all(limit)


@segments.command("list", epilog=example("tocsin segments list --json"))
@limit_option
@remote_list
def list_all(limit: int) -> None:
    """List the segments, newest first."""
    _print_all(limit)


@segments.command(epilog=example("tocsin segments show seniors"))
@click.argument("name")
@remote
def show(name: str) -> None:
    """Show the filter of NAME."""
    client = running()
    _print(
        client.get(path_of("segments", name))
        if client
        else on_store(lambda services: _shown(services.segments.get(name)))
    )


@segments.command(epilog=example(f"tocsin segments add seniors {_FILTER}"))
@click.argument("name")
@click.argument("filter_", metavar="FILTER")
@remote
def add(name: str, filter_: str) -> None:
    """Make a segment of whoever FILTER holds for; the filter is checked first."""
    client = running()
    _print(
        client.post(path_of("segments"), {"name": name, "filter": filter_})
        if client
        else on_store(lambda services: _shown(services.segments.add(ADMIN, name, filter_)))
    )


@segments.command("set", epilog=example("tocsin segments set seniors 'age(attributes.birth_date) >= 65'"))
@click.argument("name")
@click.argument("filter_", metavar="FILTER")
@remote
def change(name: str, filter_: str) -> None:
    """Give the segment NAME another filter."""
    client = running()
    _print(
        client.put(path_of("segments", name), {"filter": filter_})
        if client
        else on_store(lambda services: _shown(services.segments.change(ADMIN, name, filter_)))
    )


@segments.command(epilog=example("tocsin segments remove seniors"))
@click.argument("name")
@remote
def remove(name: str) -> None:
    """Forget the segment NAME; its people stay."""
    client = running()
    removed = (
        client.delete(path_of("segments", name))
        if client
        else on_store(lambda services: _shown(services.segments.remove(ADMIN, name)))
    )
    if invocation().json:
        print_document(removed)
    else:
        click.echo(f"{removed['name']}  removed")


@segments.command(
    epilog=example(
        "tocsin segments count seniors",
        "tocsin segments count seniors neighbours +33639980101",
        "tocsin segments count --filter 'has(email)'",
    )
)
@click.argument("to", nargs=-1, metavar="[NAME|NUMBER]...")
@click.option("--filter", "filter_", metavar="FILTER", help="Whoever this holds for, instead of a segment.")
@remote
def count(to: tuple[str, ...], filter_: str | None) -> None:
    """Count who is in the segment NAME now, and who is left out for want of a value.

    Of several segments and numbers each person is counted once.
    """
    if bool(to) == (filter_ is not None):
        raise click.UsageError("say either NAME or --filter FILTER")
    client = running()
    if client is None:
        counted = on_store(lambda services: _counted(services.segments, to, filter_))
    elif filter_ is not None:
        counted = client.post(path_of("segments", "count"), {"filter": filter_})
    else:
        counted = client.post(path_of("segments", "count"), {"to": [*to]})
    if invocation().json:
        print_document(counted)
    else:
        click.echo("\n".join(_sentences(counted)))


async def _counted(segments: Segments, to: Sequence[str], filter_: str | None) -> Document:
    from api.models.segments import count_out

    if filter_ is not None:
        return count_out(await segments.count(ADMIN, filter_))
    return count_out(await segments.count_all(ADMIN, to))


@segments.command(epilog=example("tocsin segments members seniors --csv"))
@click.argument("name")
@limit_option
@remote_list
def members(name: str, limit: int) -> None:
    """List who is in the segment NAME now, those who were added last first."""
    client = running()
    found = (
        on_store(lambda services: _members_here(services.segments, name, limit))
        if client is None
        else client.items(path_of("segments", name, "contacts"), [], limit)
    )
    print_list(found, _MEMBER_HEADS, _member_row, _MEMBER_COLUMNS, "nobody is in it")


async def _members_here(segments: Segments, name: str, limit: int) -> list[Document]:
    from api.models.contacts import contact_out

    found = await all_of(lambda most, cursor: segments.members(ADMIN, name, limit=most, cursor=cursor), limit)
    return [contact_out(one) for one in found]


def _member_row(one: Document) -> tuple[object, ...]:
    return one["number"], one["name"] or "", one["language"] or "", ", ".join(one["tags"])


def _sentences(counted: Document) -> Sequence[str]:
    left_out = counted["left_out"]
    lines = [f"{counted['count']} in it"]
    lines += [f"{number} left out: no {clean(field)}" for field, number in left_out["missing"].items()]
    if left_out["failed"]:
        lines.append(f"{left_out['failed']} left out: the filter cannot be worked out for them")
    if left_out["dead"]:
        lines.append(f"{left_out['dead']} left out: nothing reaches their number")
    return lines


def _print_all(limit: int) -> None:
    client = running()
    found = (
        on_store(lambda services: _list_here(services.segments, limit))
        if client is None
        else client.items(path_of("segments"), [], limit)
    )
    print_list(found, _HEADS, _row, _COLUMNS, "no segments")


async def _list_here(segments: Segments, limit: int) -> list[Document]:
    from api.models.segments import segment_out

    found = await all_of(lambda most, cursor: segments.list(limit=most, cursor=cursor), limit)
    return [segment_out(one) for one in found]


async def _shown(done: Awaitable[Segment]) -> Document:
    from api.models.segments import segment_out

    return segment_out(await done)


def _print(one: Document) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['name']}  {clean(one['filter'])}")


def _row(one: Document) -> tuple[object, ...]:
    return one["name"], local_time(one["updated_at"]), one["filter"]
