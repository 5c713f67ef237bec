"""`tocsin consents`: who agreed to what, and the proof of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli.client import path_of
from gateway.cli.errors import Failure
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, limit_option, query, remote, remote_list, time_option
from gateway.cli.output import Document, clean, local_time, print_document
from gateway.cli.proof_texts import ENGLISH
from gateway.cli.reach import settings_of
from gateway.cli.store_here import ADMIN, all_of, on_store, running
from gateway.requests import ConsentFilter, ConsentIn, InboxFilter

if TYPE_CHECKING:
    from gateway.services import Consents, Services

F = TypeVar("F", bound=Callable[..., Any])

_HEADS = ("AT", "NUMBER", "CATEGORY", "STATE", "CHANNEL", "SOURCE", "BY")
_COLUMNS = (
    *("at", "number", "category", "state", "channel", "wording", "evidence", "source", "by"),
    "recorded_at",
)
_STATES = ("given", "withdrawn", "asked")
_PRIVATE = 0o600


def _entry_options(function: F) -> F:
    """What an entry may say besides whom and what it is about."""
    options = (
        click.option("--wording", metavar="TEXT", help="What the person was shown, word by word."),
        click.option("--channel", metavar="WORD", help='How they said so: "web form", "paper", …'),
        click.option("--evidence", metavar="TEXT", help="Where the proof lies, such as a form's number."),
        click.option("--source", metavar="NAME", help="Where the entry comes from, such as an import's name."),
        time_option("--at", "When they said so; else now."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group(
    invoke_without_command=True,
    epilog=example(
        "tocsin consents --number +33639980101",
        'tocsin consents add +33639980101 promotional --channel paper --wording "I want news by SMS"',
        "tocsin consents proof +33639980101 --out proof.html",
    ),
)
@click.option("--number", metavar="NUMBER", help="Only of this number.")
@click.option("--category", metavar="C", help="Only of this category.")
@click.option("--state", type=click.Choice(_STATES), help="Only entries that say so.")
@limit_option
@remote_list
@click.pass_context
def consents(context: click.Context, number: str | None, category: str | None, state: str | None, limit: int) -> None:
    """List the consent ledger, what was written last first; add to it; print the proof."""
    if context.invoked_subcommand:
        return
    found = _entries(ConsentFilter(number=number, category=category, state=state), limit)
    print_list(found, _HEADS, _row, _COLUMNS, "no entries")


@consents.command(
    epilog=example('tocsin consents add +33639980101 promotional --channel paper --wording "I want news by SMS"')
)
@click.argument("number")
@click.argument("category")
@_entry_options
@click.option("--double-opt-in", is_flag=True, help="Ask the person by SMS; it counts when they answer yes.")
@remote
def add(number: str, category: str, *, double_opt_in: bool, at: str | None, **texts: str | None) -> None:
    """Write down that NUMBER agreed to messages of CATEGORY."""
    _enter({"number": number, "category": category, "state": "given"}, at, texts, double_opt_in=double_opt_in)


@consents.command(epilog=example("tocsin consents withdraw +33639980101 promotional --channel telephone"))
@click.argument("number")
@click.argument("category")
@_entry_options
@remote
def withdraw(number: str, category: str, *, at: str | None, **texts: str | None) -> None:
    """Write down that NUMBER no longer agrees to messages of CATEGORY; what waits ends."""
    _enter({"number": number, "category": category, "state": "withdrawn"}, at, texts)


@consents.command(epilog=example("tocsin consents proof +33639980101 --out proof.html"))
@click.argument("number")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where the page goes; else printed."
)
@remote
def proof(number: str, out: Path | None) -> None:
    """Make the proof of NUMBER: a page to print, with every entry, the wording shown, and what holds now."""
    from gateway.cli.consent_page import page, summary

    entries, optouts = _entries(ConsentFilter(number=number), sys.maxsize), _optouts(number)
    found = summary(number, entries, optouts, _inbox(number) if any(one["evidence"] for one in entries) else ())
    if invocation().json:
        print_document(found)
        return
    text = page(found, _language())
    if out is None:
        click.echo(text)
    else:
        # It tells of a person: nobody else on this machine need read it.
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w", encoding="utf-8") as file:
            file.write(text)
        click.echo(f"{len(entries)} entries in {out}")


def _enter(body: Document, at: str | None, texts: dict[str, str | None], *, double_opt_in: bool = False) -> None:
    body |= {name: text for name, text in texts.items() if text is not None}
    body |= ({"at": at} if at else {}) | ({"double_opt_in": True} if double_opt_in else {})
    client = running()
    one = client.post(path_of("consents"), body) if client else on_store(lambda services: _enter_here(services, body))
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['number']}  {one['category']}  {one['state']}")


async def _enter_here(services: Services, body: Document) -> Document:
    from api.models.consents import consent_out
    from api.models.fields import parse_time

    try:
        at_us = parse_time(body["at"]) if "at" in body else None
    except ValueError as error:
        raise Failure(f"at: {error}") from None
    wanted = ConsentIn(**{name: value for name, value in body.items() if name != "at"}, at_us=at_us)
    return consent_out(await services.consents.add(ADMIN, wanted))


def _entries(wanted: ConsentFilter, limit: int) -> list[Document]:
    client = running()
    if client is None:
        return on_store(lambda services: _list_here(services.consents, wanted, limit))
    filters = query(number=wanted.number, category=wanted.category, state=wanted.state)
    return [*client.items(path_of("consents"), filters, limit)]


async def _list_here(ledger: Consents, wanted: ConsentFilter, limit: int) -> list[Document]:
    from api.models.consents import consent_out

    found = await all_of(lambda most, cursor: ledger.list(ADMIN, wanted, limit=most, cursor=cursor), limit)
    return [consent_out(one) for one in found]


def _optouts(number: str) -> list[Document]:
    from gateway.cli.optouts import listed

    return listed(number, sys.maxsize)


def _inbox(number: str) -> list[Document]:
    """What this person wrote, as far as it is kept."""
    client = running()
    if client is None:
        return on_store(lambda services: _inbox_here(services, InboxFilter(sender=number)))
    return [*client.items(path_of("inbox"), query(from_=number), sys.maxsize)]


async def _inbox_here(services: Services, wanted: InboxFilter) -> list[Document]:
    from api.models.inbox import inbox_item_out

    inbox = services.inbox
    found = await all_of(lambda most, cursor: inbox.list(ADMIN, wanted, limit=most, cursor=cursor), sys.maxsize)
    return [inbox_item_out(one) for one in found]


def _language() -> str:
    """That of the gateway; English where its configuration is not at hand."""
    try:
        return settings_of(invocation()).gateway.language
    except Failure:
        return ENGLISH


def _row(one: Document) -> tuple[object, ...]:
    return (
        local_time(one["at"]),
        one["number"],
        one["category"],
        one["state"],
        clean(one["channel"]),
        clean(one["source"]),
        clean(one["by"]),
    )
