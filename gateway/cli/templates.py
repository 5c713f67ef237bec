"""`tocsin templates`: texts with variables by language, and what becomes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

import click

from gateway.cli.client import path_of
from gateway.cli.errors import Rejected
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, limit_option, remote, remote_list, variables_option
from gateway.cli.output import Document, clean, local_time, print_document, print_pairs, print_table
from gateway.cli.reach import gateway
from gateway.cli.send import read_text
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.services import Templates
    from gateway.services.templates import TemplateView

_HEADS = ("NAME", "CHANGED", "LANGUAGES", "VARIABLES")
_COLUMNS = ("name", "texts", "variables", "created_at", "updated_at")
_TEXT_HEADS = ("NUMBER", "PARTS", "ENCODING", "TEXT")
# A large audience takes its time.
_PATIENCE_S = 600.0
_NO_TEMPLATE = "template_not_found"


@click.group(
    invoke_without_command=True,
    epilog=example(
        'tocsin templates set greeting "Hello {{ name }}"',
        "tocsin templates preview greeting +33639980101",
        "tocsin send +33639980101 --template greeting",
    ),
)
@limit_option
@remote_list
@click.pass_context
def templates(context: click.Context, limit: int) -> None:
    """List the templates, newest first; make, change, try and forget them."""
    if context.invoked_subcommand is None:
        _print_all(limit)


@templates.command("list", epilog=example("tocsin templates list --json"))
@limit_option
@remote_list
def list_all(limit: int) -> None:
    """List the templates, newest first."""
    _print_all(limit)


@templates.command(epilog=example("tocsin templates show greeting"))
@click.argument("name")
@remote
def show(name: str) -> None:
    """Show the texts and variables of NAME."""
    client = running()
    _print(
        client.get(path_of("templates", name))
        if client
        else on_store(lambda services: _shown(services.templates.get(name)))
    )


def _texts(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for each in given:
        tag, equals, text = each.partition("=")
        if not equals:
            raise click.BadParameter(f"{each!r} is not LANGUAGE=TEXT")
        texts[tag] = text
    return texts


@templates.command(
    "set",
    epilog=example(
        'tocsin templates set greeting "Hello {{ name }}"',
        'tocsin templates set greeting --text "fr=Bonjour {{ name }}" --text "en=Hello {{ name }}"',
        "tocsin templates set greeting - < greeting.liquid",
    ),
)
@click.argument("name")
@click.argument("text", required=False)
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="LANGUAGE=TEXT",
    callback=_texts,
    help="The text in a language; may be repeated.",
)
@remote
def change(name: str, text: str | None, texts: dict[str, str]) -> None:
    """Make the template NAME of TEXT (- reads it from standard input), or give it other texts."""
    texts = {**({} if text is None else {"": read_text(text)}), **texts}
    if not texts:
        raise click.UsageError("say TEXT, or --text LANGUAGE=TEXT")
    client = running()
    if client is None:
        _print(on_store(lambda services: _shown(_set_here(services.templates, name, texts))))
        return
    try:
        _print(client.put(path_of("templates", name), {"texts": texts}))
    except Rejected as rejected:
        if rejected.code != _NO_TEMPLATE:
            raise
        _print(client.post(path_of("templates"), {"name": name, "texts": texts}))


@templates.command(epilog=example("tocsin templates remove greeting"))
@click.argument("name")
@remote
def remove(name: str) -> None:
    """Forget the template NAME."""
    client = running()
    removed = (
        client.delete(path_of("templates", name))
        if client
        else on_store(lambda services: _shown(services.templates.remove(ADMIN, name)))
    )
    if invocation().json:
        print_document(removed)
    else:
        click.echo(f"{removed['name']}  removed")


@templates.command(
    epilog=example(
        "tocsin templates preview appointment +33639980101 --var at=2026-12-01T09:30+01:00",
        "tocsin templates preview greeting seniors --category promotional",
    )
)
@click.argument("name")
@click.argument("to", nargs=-1, required=True, metavar="NUMBER|SEGMENT...")
@variables_option
@click.option("--category", metavar="C", help="What kind of message it would be.")
@remote
def preview(name: str, to: tuple[str, ...], variables: Mapping[str, str], category: str | None) -> None:
    """Show what NAME becomes for each NUMBER, and how long its texts are for all that are named."""
    body: Document = {"to": [*to], "variables": {**variables}} | ({"category": category} if category else {})
    client = gateway()
    client.patience_s = _PATIENCE_S
    found = client.post(path_of("templates", name, "preview"), body)
    if invocation().json:
        print_document(found)
        return
    if found["items"]:
        print_table(_TEXT_HEADS, [_text_row(one) for one in found["items"]], "")
    _print_sizes(found)


async def _set_here(here: Templates, name: str, texts: Mapping[str, str]) -> TemplateView:
    from gateway.errors import NotFound

    try:
        return await here.change(ADMIN, name, texts)
    except NotFound:
        return await here.add(ADMIN, name, texts)


def _text_row(one: Document) -> tuple[object, ...]:
    said = one["error"]["message"] if one["error"] else one["text"]
    return one["number"], one["parts"] or "", one["encoding"] or "", said


def _print_sizes(found: Document) -> None:
    longest = found["longest"]
    print_pairs(
        [
            ("people", found["count"]),
            ("parts", ", ".join(f"{count} × {parts}" for parts, count in found["parts"].items())),
            ("without text", found["failed"] or None),
            ("longest", longest and f"{longest['parts']} parts, {longest['characters']} characters"),
            ("whose", longest and longest["number"]),
        ]
    )
    for warning in found["warnings"]:
        click.echo(f"warning: {clean(warning['code'])}: {clean(warning['message'])}")


def _print_all(limit: int) -> None:
    client = running()
    found = (
        on_store(lambda services: _list_here(services.templates, limit))
        if client is None
        else client.items(path_of("templates"), [], limit)
    )
    print_list(found, _HEADS, _row, _COLUMNS, "no templates")


async def _list_here(here: Templates, limit: int) -> list[Document]:
    from api.models.templates import template_out

    found = await all_of(lambda most, cursor: here.list(limit=most, cursor=cursor), limit)
    return [template_out(one) for one in found]


async def _shown(done: Awaitable[TemplateView]) -> Document:
    from api.models.templates import template_out

    return template_out(await done)


def _print(one: Document) -> None:
    if invocation().json:
        print_document(one)
        return
    click.echo(one["name"])
    for tag, text in one["texts"].items():
        click.echo(f"  {tag or 'any language'}: {clean(text)}")
    if one["variables"]:
        click.echo(f"  variables: {', '.join(map(clean, one['variables']))}")
    for warning in one["warnings"]:
        click.echo(f"warning: {clean(warning['code'])}: {clean(warning['message'])}", err=True)


def _row(one: Document) -> tuple[object, ...]:
    languages = " ".join(tag or "any" for tag in one["texts"])
    return one["name"], local_time(one["updated_at"]), languages, " ".join(one["variables"])
