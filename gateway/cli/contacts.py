"""`tocsin contacts`: whom the owner knows."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.contact_attributes import attributes
from gateway.cli.contact_files import export, import_
from gateway.cli.errors import Failure
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, limit_option, query, remote, remote_list
from gateway.cli.output import Document, local_time, print_document, print_pairs, print_table
from gateway.cli.store_here import ADMIN, all_of, on_store, running

if TYPE_CHECKING:
    from gateway.services import Services
    from gateway.services.contacts import Contact

F = TypeVar("F", bound=Callable[..., Any])

_HEADS = ("NUMBER", "NAME", "E-MAIL", "TAGS", "LANGUAGE", "DEAD SINCE")
_FIELDS = ("name", "email", "push", "timezone", "country", "language")
_COLUMNS = ("number", *_FIELDS, "created_at", "dead.since", "dead.code")
_HYGIENE = ("dead", "never_delivered", "unsubscribed", "stale")


def _field_options(function: F) -> F:
    """What may be said of somebody."""
    options = (
        click.option("--name", metavar="TEXT", help="What they are called."),
        click.option("--email", metavar="ADDRESS", help="Where a mail reaches them."),
        click.option("--push", metavar="URL", help="An Apprise URL, such as ntfys://host/topic."),
        click.option("--timezone", metavar="ZONE", help="An IANA name, such as Europe/Paris."),
        click.option("--country", metavar="CC", help="Two letters, such as FR."),
        click.option("--language", metavar="TAG", help="Such as fr or pt-BR."),
        click.option("--tag", "tags", multiple=True, metavar="TAG", help="May be repeated."),
        click.option(
            "--attribute",
            "pairs",
            multiple=True,
            metavar="NAME=VALUE",
            help="May be repeated; an empty one is taken away.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group(
    invoke_without_command=True,
    epilog=example(
        'tocsin contacts add "06 39 98 01 05" --name "Ada Lovelace" --attribute city=Lyon --tag diabetes',
        "tocsin contacts list --tag diabetes",
        "tocsin contacts import members.csv --tag members",
    ),
)
@remote_list
@click.pass_context
def contacts(context: click.Context) -> None:
    """List whom the gateway knows; or add, change, import and export."""
    if not context.invoked_subcommand:
        _print_list(query(), sys.maxsize)


@contacts.command("list", epilog=example("tocsin contacts list --tag diabetes", "tocsin contacts list --hygiene dead"))
@click.option("--tag", metavar="TAG", help="Only those that have it.")
@click.option("--q", metavar="TEXT", help="That have it in the name or the e-mail, or whose number begins so.")
@click.option("--hygiene", type=click.Choice(_HYGIENE), help="Numbers that are of no use.")
@click.option("--days", type=click.IntRange(1, 3650), metavar="N", help="What stale means; 180 without it.")
@limit_option
@remote_list
def list_(tag: str | None, q: str | None, hygiene: str | None, days: int | None, limit: int) -> None:
    """List contacts, newest first."""
    _print_list(query(tag=tag, q=q, hygiene=hygiene, days=days), limit)


@contacts.command(epilog=example("tocsin contacts show +33639980105"))
@click.argument("number")
@remote
def show(number: str) -> None:
    """Show what is known of NUMBER."""
    _print(_one(lambda client: client.get(_path(number)), lambda services: services.contacts.get(ADMIN, number)))


@contacts.command(epilog=example('tocsin contacts add +33639980105 --name "Ada Lovelace"'))
@click.argument("number")
@_field_options
@remote
def add(number: str, tags: tuple[str, ...], pairs: tuple[str, ...], **fields: str | None) -> None:
    """Make a contact of NUMBER."""
    given = _given(fields, pairs) | ({"tags": [*tags]} if tags else {})
    _print(
        _one(
            lambda client: client.post(path_of("contacts"), {"number": number, **given}),
            lambda services: services.contacts.create(ADMIN, number, given),
        )
    )


@contacts.command("set", epilog=example("tocsin contacts set +33639980105 --attribute city=Paris --untag diabetes"))
@click.argument("number")
@_field_options
@click.option("--untag", "untags", multiple=True, metavar="TAG", help="Takes a tag away; may be repeated.")
@click.option("--alive", is_flag=True, help="The number is in use again: takes the mark of a dead one away.")
@remote
def set_(
    number: str,
    tags: tuple[str, ...],
    pairs: tuple[str, ...],
    untags: tuple[str, ...],
    *,
    alive: bool,
    **fields: str | None,
) -> None:
    """Change what is said of NUMBER; an empty value takes a field away."""
    given = _given(fields, pairs) | ({"dead": None} if alive else {})
    if tags or untags:
        known = _one(lambda client: client.get(_path(number)), lambda services: services.contacts.get(ADMIN, number))
        given["tags"] = [tag for tag in dict.fromkeys((*known["tags"], *tags)) if tag not in untags]
    if not given:
        raise click.UsageError("nothing is to be changed")
    _print(
        _one(
            lambda client: client.patch(_path(number), given),
            lambda services: services.contacts.change(ADMIN, number, given),
        )
    )


@contacts.command(epilog=example("tocsin contacts remove +33639980105"))
@click.argument("number")
@remote
def remove(number: str) -> None:
    """Forget the contact of NUMBER. Opt-outs, consents and messages stay."""
    gone = _one(lambda client: client.delete(_path(number)), lambda services: services.contacts.remove(ADMIN, number))
    _say(gone, "removed")


@contacts.command(epilog=example("tocsin contacts merge +33639980106 +33639980105"))
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="INTO")
@remote
def merge(source: str, target: str) -> None:
    """Make the contacts of two numbers one. What INTO has stays; the contact of FROM ends."""
    merged = _one(
        lambda client: client.post(path_of("contacts", "merge"), {"from": source, "into": target}),
        lambda services: services.contacts.merge(ADMIN, source, target),
    )
    _print(merged)


@contacts.command(epilog=example("tocsin contacts duplicates"))
@limit_option
@remote
def duplicates(limit: int) -> None:
    """List contacts that may be one person: of one e-mail, or of one name and birth date."""
    client = running()
    if client is None:
        found = on_store(lambda services: _alike_here(services, limit))
    else:
        found = [*client.items(path_of("contacts", "duplicates"), (), limit)]
    if invocation().json:
        for group in found:
            print_document(group)
        return
    rows = [(each["number"], each["name"], each["email"], one["because"]) for one in found for each in one["contacts"]]
    print_table(("NUMBER", "NAME", "E-MAIL", "BECAUSE"), rows, "none found")


contacts.add_command(attributes)
contacts.add_command(import_)
contacts.add_command(export)


async def _alike_here(services: Services, limit: int) -> list[Document]:
    from api.models.contacts import alike_out

    found = await all_of(lambda most, cursor: services.contacts.duplicates(ADMIN, limit=most, cursor=cursor), limit)
    return [alike_out(one) for one in found]


def _given(fields: dict[str, str | None], pairs: tuple[str, ...]) -> Document:
    """The fields that were written, as the interface takes them."""
    from gateway.cli.contact_attributes import typed

    given: Document = {name: text or None for name, text in fields.items() if name in _FIELDS and text is not None}
    return given | ({"attributes": typed(pairs)} if pairs else {})


def _one(there: Callable[[GatewayClient], Document], here: Callable[[Services], Awaitable[Contact]]) -> Document:
    """The contact that the running gateway answers with, or the store."""
    client = running()
    return there(client) if client else on_store(lambda services: _shown(here(services)))


async def _shown(done: Awaitable[Contact]) -> Document:
    from api.models.contacts import contact_out

    return contact_out(await done)


def _print_list(filters: list[tuple[str, str]], limit: int) -> None:
    client = running()
    if client is None:
        found = on_store(lambda services: _list_here(services, dict(filters), limit))
    else:
        found = [*client.items(path_of("contacts"), filters, limit)]
    print_list(found, _HEADS, _row, _COLUMNS, "no contacts")


async def _list_here(services: Services, filters: dict[str, str], limit: int) -> list[Document]:
    from pydantic import ValidationError

    from api.models.contacts import ContactsQuery, contact_out

    try:
        wanted = ContactsQuery.model_validate(filters).value()
    except ValidationError:
        raise Failure("a filter is too long") from None
    contacts = services.contacts
    found = await all_of(lambda most, cursor: contacts.list(ADMIN, wanted, limit=most, cursor=cursor), limit)
    return [contact_out(one) for one in found]


def _path(number: str) -> str:
    return path_of("contacts", number)


def _say(one: Document, what: str) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['number']}  {what}")


def _print(one: Document) -> None:
    if invocation().json:
        print_document(one)
        return
    dead = one["dead"]
    print_pairs(
        [
            ("number", one["number"]),
            *((name, one[name]) for name in _FIELDS),
            ("tags", ", ".join(one["tags"])),
            *((f"attributes.{name}", value) for name, value in one["attributes"].items()),
            ("since", local_time(one["created_at"])),
            ("dead", f"{local_time(dead['since'])} ({dead['code']})" if dead else None),
        ]
    )


def _row(one: Document) -> tuple[object, ...]:
    dead = one["dead"]
    since = local_time(dead["since"]) if dead else ""
    return one["number"], one["name"], one["email"], ", ".join(one["tags"]), one["language"], since
