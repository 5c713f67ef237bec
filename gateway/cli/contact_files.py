"""`tocsin contacts import` and `export`."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import Failure
from gateway.cli.options import example, invocation, query, remote, time_option
from gateway.cli.output import Document, clean, print_document, print_table
from gateway.cli.store_here import ADMIN, on_store, running

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from gateway.services import Services

#: Told how far it is, and of how much there is.
_Tell: TypeAlias = Callable[[int, "int | None"], None]

_PIECE = 64 * 1024
_CSV = "text/csv"
_LOOK_S = 0.3
_SHOWN = 20
_PRIVATE = 0o600


@click.command(
    "import",
    epilog=example(
        "tocsin contacts import members.csv --tag members",
        "tocsin contacts import clients.csv --column 'Portable 2:number' --column 'Remarques:-' --type code:text",
        "tocsin contacts import signed.csv --consent promotional --consent-at 2026-03-01 --consent-source 'form 2026'",
        "zcat members.csv.gz | tocsin contacts import -",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Of everybody in the file; may be repeated.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEAD:FIELD",
    help="What a column is: number, name, email, …, tags, attributes.NAME, or - for nothing.",
)
@click.option("--type", "types", multiple=True, metavar="NAME:TYPE", help="Of an attribute: number, bool, date, text.")
@click.option("--delimiter", metavar="C", help="What parts the cells; else it is found out.")
@click.option("--charset", metavar="NAME", help="Such as windows-1252; else it is found out.")
@click.option("--consent", metavar="CATEGORY", help="What everybody in the file agreed to.")
@click.option("--consent-state", type=click.Choice(("given", "withdrawn")), help="given without it.")
@time_option("--consent-at", "When they said so.")
@click.option("--consent-source", metavar="TEXT", help="Where that is written down.")
@click.option("--consent-wording", metavar="TEXT", help="What they were shown, word by word.")
@remote
def import_(file: str, **said: Any) -> None:
    """Import contacts from the CSV FILE; - reads standard input.

    The first line names the columns, one of which is the number. Rows that are not taken are told with their line and
    the reason. The same file goes on where it was broken off.
    """
    wanted = _query(said)
    client = running()
    with _opened(file) as source:
        size = _size(source)
        if client is None:
            done, rejections = on_store(lambda services: _import_here(services, source, dict(wanted)))
        else:
            done, rejections = _import_there(client, source, size, wanted)
    _print(done, rejections)
    if done["status"] != "finished":
        raise Failure(f"the import ended badly: {clean(done['problem'])}")


@click.command(
    epilog=example("tocsin contacts export --out contacts.csv", "tocsin contacts export --tag members > members.csv")
)
@click.option("--tag", metavar="TAG", help="Only those that have it.")
@click.option("--types", is_flag=True, help="The heads of attributes say their types, for another gateway.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where it goes; else printed."
)
@remote
def export(tag: str | None, *, types: bool, out: Path | None) -> None:
    """Export contacts as CSV for a spreadsheet, which runs nothing of it; import takes it back as it was."""
    client = running()
    with _target(out) as target:
        if client is None:
            on_store(lambda services: _export_here(services, tag, target, types=types))
        else:
            for piece in client.download(
                path_of("contacts", "export"), query(tag=tag, types="true" if types else None)
            ):
                target.write(piece)
        target.flush()
    if out is not None:
        click.echo(f"contacts in {out}")


# --- import


def _query(said: dict[str, Any]) -> list[tuple[str, str]]:
    """What was said, as the interface takes it."""
    joined = {name: ",".join(said[name]) or None for name in ("tags", "columns", "types")}
    return query(
        **joined,
        delimiter="tab" if said["delimiter"] == "\t" else said["delimiter"],
        charset=said["charset"],
        consent_category=said["consent"],
        consent_state=said["consent_state"],
        consent_at=said["consent_at"],
        consent_source=said["consent_source"],
        consent_wording=said["consent_wording"],
    )


def _import_there(
    client: GatewayClient, source: IO[bytes], size: int | None, wanted: list[tuple[str, str]]
) -> tuple[Document, list[Document]]:
    """Hand the file over, and look how far it is until it is read."""
    with _bar("sending", size) as tell:
        found = client.upload(path_of("contacts", "import"), wanted, _told(source, tell), _CSV)
    _announce(found)
    path = path_of("contacts", "imports", found["id"])
    with _bar("reading", None) as tell:
        while found["status"] == "running":
            threading.Event().wait(_LOOK_S)
            found = client.get(path)
            tell(found["lines"], found["total"])
    rejected = client.items(f"{path}/rejections") if found["rejected"] else iter(())
    return found, [*rejected] if invocation().json else [one for one, _ in zip(rejected, range(_SHOWN), strict=False)]


async def _import_here(
    services: Services, source: IO[bytes], wanted: dict[str, str]
) -> tuple[Document, list[Document]]:
    from pydantic import ValidationError

    from api.models.contact_files import ImportQuery, import_out, rejection_out

    try:
        asked = ImportQuery.model_validate(wanted).value()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Failure(f"{first['loc'][0] if first['loc'] else ''}: {first['msg']}") from None
    imports = services.contacts.imports
    try:
        found, _ = await imports.receive(ADMIN, _pieces(source), asked)
        _announce(import_out(found))
        with _bar("reading", None) as tell:
            reading = asyncio.ensure_future(imports.work_off())
            while not reading.done():
                await asyncio.wait([reading], timeout=_LOOK_S)
                found = await imports.get(ADMIN, found.id)
                tell(found.lines, found.total)
            await reading
    finally:
        await imports.close()
    done = await imports.get(ADMIN, found.id)
    page = await imports.rejections(ADMIN, found.id, limit=1000 if invocation().json else _SHOWN, cursor=None)
    return import_out(done), [rejection_out(one) for one in page.items]


async def _pieces(source: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(source.read, _PIECE):
        yield piece


def _told(source: IO[bytes], tell: _Tell) -> Iterator[bytes]:
    """The octets, and how many of them are gone."""
    gone = 0
    while piece := source.read(_PIECE):
        yield piece
        gone += len(piece)
        tell(gone, None)


def _announce(found: Document) -> None:
    """What the columns are taken for, before they are."""
    if invocation().json:
        return
    for each in found["columns"]:
        kind = f" ({each['type']})" if each["type"] else ""
        click.echo(f"{clean(each['column'])} → {each['field'] if each['field'] != '-' else 'left out'}{kind}")


def _print(done: Document, rejections: list[Document]) -> None:
    if invocation().json:
        print_document(done | {"rejections": rejections})
        return
    if rejections:
        rows = [(each["line"], each["code"], each["reason"]) for each in rejections]
        print_table(("LINE", "CODE", "REASON"), rows, "")
        if done["rejected"] > len(rejections):
            click.echo(
                f"… and {done['rejected'] - len(rejections)} more: GET /v1/contacts/imports/{done['id']}/rejections"
            )
    counts = [f"{done['added']} added", f"{done['changed']} changed", f"{done['rejected']} rejected"]
    if done["consent"]:
        counts += [f"{done['consents']} consents", f"{done['withheld']} withheld, since they have said no"]
    click.echo(", ".join(counts))


@contextmanager
def _bar(label: str, size: int | None) -> Generator[_Tell]:
    """A progress bar on a terminal, and nothing elsewhere: a function of how far it is, and of how much there is."""
    if invocation().json or not sys.stderr.isatty():
        yield _say_nothing
        return
    shown: ProgressBar[int] = click.progressbar(length=size or 0, label=f"{label:8}", file=sys.stderr, show_pos=True)
    with shown as bar:

        def tell(done: int, whole: int | None) -> None:
            bar.length = whole or bar.length or done
            bar.update(max(done - bar.pos, 0))

        yield tell


def _say_nothing(_done: int, _whole: int | None) -> None:
    return


@contextmanager
def _opened(file: str) -> Generator[IO[bytes]]:
    if file == "-":
        yield cast("IO[bytes]", sys.stdin.buffer)
        return
    with Path(file).open("rb") as source:
        yield source


def _size(source: IO[bytes]) -> int | None:
    try:
        return os.fstat(source.fileno()).st_size or None
    except (OSError, ValueError):
        return None


# --- export


async def _export_here(services: Services, tag: str | None, target: IO[bytes], *, types: bool) -> None:
    async for piece in services.contacts.imports.export(ADMIN, tag, typed=types):
        target.write(piece)


@contextmanager
def _target(out: Path | None) -> Generator[IO[bytes]]:
    if out is None:
        yield cast("IO[bytes]", sys.stdout.buffer)
        return
    # It tells of people: nobody else on this machine need read it.
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "wb") as file:
        yield file
