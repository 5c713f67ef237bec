"""`tocsin contacts attributes`, and attributes as they are written on the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, print_document
from gateway.cli.store_here import ADMIN, on_store, running

if TYPE_CHECKING:
    from gateway.services import Services

_KINDS = ("number", "bool", "date", "text")


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin contacts attributes", "tocsin contacts attributes set postcode text"),
)
@remote
@click.pass_context
def attributes(context: click.Context) -> None:
    """List the attributes of contacts with their types; or declare and forget one."""
    if not context.invoked_subcommand:
        print_list(_every(), ("NAME", "TYPE", "DECLARED"), _row, (), "no attributes")


@attributes.command("set", epilog=example("tocsin contacts attributes set postcode text"))
@click.argument("name")
@click.argument("kind", metavar="TYPE", type=click.Choice(_KINDS))
@remote
def set_(name: str, kind: str) -> None:
    """Say that NAME is a number, bool, date or text. Its values are converted, or none is where one cannot be."""
    client = running()
    if client is None:
        told = on_store(lambda services: _put_here(services, name, kind))
    else:
        told = client.put(path_of("contacts", "attributes", name), {"type": kind})
    _say(told, told["type"])


@attributes.command(epilog=example("tocsin contacts attributes remove postcode"))
@click.argument("name")
@remote
def remove(name: str) -> None:
    """Forget NAME and every value of it."""
    client = running()
    if client is None:
        gone = on_store(lambda services: _remove_here(services, name))
    else:
        gone = client.delete(path_of("contacts", "attributes", name))
    _say(gone, "removed")


def typed(pairs: Sequence[str]) -> Document:
    """NAME=VALUE as the interface takes them: of the type that the attribute has, else of that which fits."""
    from gateway.people.attributes_values import Guess, as_kept, read
    from gateway.people.contacts_fields import FieldRefused

    types = {each["name"]: each["type"] for each in _every()}
    given: Document = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter("must be NAME=VALUE", param_hint="--attribute")
        guess = Guess()
        guess.look([value])
        try:
            given[name] = as_kept(read(types.get(name) or guess.kind or "text", value)) if value else None
        except FieldRefused as refused:
            raise click.BadParameter(f"{name} {refused.sentence}", param_hint="--attribute") from None
    return given


def _every() -> list[Document]:
    client = running()
    if client is None:
        return on_store(_every_here)
    return [*client.items(path_of("contacts", "attributes"), (), sys.maxsize)]


async def _every_here(services: Services) -> list[Document]:
    from api.models.contacts import attribute_out

    return [attribute_out(one) for one in await services.contacts.attributes.list(ADMIN)]


async def _put_here(services: Services, name: str, kind: str) -> Document:
    from api.models.contacts import attribute_out

    return attribute_out((await services.contacts.attributes.put(ADMIN, name, kind))[0])


async def _remove_here(services: Services, name: str) -> Document:
    from api.models.contacts import attribute_out

    return attribute_out(await services.contacts.attributes.remove(ADMIN, name))


def _say(one: Document, what: str) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['name']}  {what}")


def _row(one: Document) -> tuple[object, ...]:
    return one["name"], one["type"], "yes" if one["declared"] else "no"
