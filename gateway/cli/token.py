"""`tocsin token`: make, list and revoke tokens, through the running gateway or on its store while none runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import Failure
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, local_time, print_document, print_table
from gateway.cli.reach import gateway, said_url, settings_of
from gateway.requests import SCOPES, NewToken, Principal

if TYPE_CHECKING:
    from gateway.requests import TokenView
    from gateway.services import Tokens

T = TypeVar("T")

_MANY = ("--scope", "--category")
# Who may open the store may do everything with it.
_ADMIN = Principal(token_id=0, name="", scopes=frozenset({"admin"}))
_HEADS = ("NAME", "SCOPES", "CATEGORIES", "DEFAULT", "TEST", "CREATED", "REVOKED")


class ManyValues(click.Command):
    """`--scope send read` is `--scope send --scope read`, once the name stands in front."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each further value."""
        spread: list[str] = []
        option: str | None = None
        named, expecting = False, False
        for word in args:
            if word.startswith("-"):
                option, expecting = (word, word in (*_MANY, "--default-category", "--config", "--url"))
            elif expecting:
                expecting = False
            elif named and option in _MANY:
                spread.append(str(option))
            else:
                named = True
            spread.append(word)
        return super().parse_args(ctx, spread)


@click.group(epilog=example("tocsin token create till --scope send --category transactional", "tocsin token list"))
@remote
def token() -> None:
    """Make, list and revoke tokens. Works with a running gateway and without; takes effect at once."""


@token.command(
    cls=ManyValues,
    epilog=example(
        "tocsin token create till --scope send read --category transactional",
        "tocsin token create nagios --scope send --default-category emergency",
    ),
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="S",
    help="What it may do: send, read, read:all, contacts, campaigns, admin. May be repeated.",
)
@click.option("--category", "categories", multiple=True, metavar="C", help="A category it may use; else all.")
@click.option("--default-category", metavar="C", help="The category of messages that name none.")
@click.option("--test", is_flag=True, help="Never touches a real modem.")
@remote
def create(
    name: str, scopes: tuple[str, ...], categories: tuple[str, ...], default_category: str | None, *, test: bool
) -> None:
    """Make the token NAME and print it alone. It is shown once and cannot be shown again."""
    for scope in _words(scopes):
        if scope not in SCOPES:
            raise click.BadParameter(f"{scope!r} is none of {', '.join(SCOPES)}", param_hint="--scope")
    wanted = (name, _words(scopes), _words(categories), default_category, test)
    client = _running()
    made = _create_there(client, wanted) if client else _on_store(lambda tokens: _create_here(tokens, wanted))
    if invocation().json:
        print_document(made)
    else:
        click.echo(made["token"])


@token.command("list", epilog=example("tocsin token list", "tocsin token list --json"))
@remote
def list_() -> None:
    """List the tokens, revoked ones too; never what they are."""
    client = _running()
    found = [*client.items(path_of("tokens"))] if client else _on_store(_list_here)
    if invocation().json:
        for one in found:
            print_document(one)
        return
    print_table(_HEADS, [_row(one) for one in found], "no tokens")


@token.command(epilog=example("tocsin token revoke till"))
@click.argument("name")
@remote
def revoke(name: str) -> None:
    """Revoke the token NAME: it is refused from now on."""
    client = _running()
    gone = client.delete(path_of("tokens", name)) if client else _on_store(lambda tokens: _revoke_here(tokens, name))
    if invocation().json:
        print_document(gone)
    else:
        click.echo(f"{name} revoked")


Wanted = tuple[str, tuple[str, ...], tuple[str, ...], str | None, bool]


def _running() -> GatewayClient | None:
    """The gateway that holds the store or was named; None when the store can be opened here."""
    said = invocation()
    if said_url(said):
        return gateway()
    from gateway.store.opening import holder_of

    return gateway() if holder_of(settings_of(said).gateway.state_dir) is not None else None


def _create_there(client: GatewayClient, wanted: Wanted) -> Document:
    name, scopes, categories, default_category, test = wanted
    body: Document = {"name": name, "scopes": list(scopes), "categories": list(categories), "test": test}
    if default_category is not None:
        body["default_category"] = default_category
    return client.post(path_of("tokens"), body)


async def _create_here(tokens: Tokens, wanted: Wanted) -> Document:
    view, secret = await tokens.create(_ADMIN, NewToken(*wanted))
    return {**_document(view), "token": secret}


async def _list_here(tokens: Tokens) -> list[Document]:
    return [_document(view) for view in await tokens.list(_ADMIN)]


async def _revoke_here(tokens: Tokens, name: str) -> Document:
    return _document(await tokens.revoke(_ADMIN, name))


def _on_store(work: Callable[[Tokens], Awaitable[T]]) -> T:
    """The result of `work` on the store's tokens, with nobody else on the store meanwhile."""
    import asyncio

    from gateway.daemon import offline_services
    from gateway.errors import GatewayError, StoreInUse
    from gateway.store.opening import StoreUnusable

    settings = settings_of(invocation())

    async def run() -> T:
        async with offline_services(settings) as services:
            return await work(services.tokens)

    try:
        return asyncio.run(run())
    except GatewayError as error:
        fields = [f"{field.pointer.lstrip('/')}: {field.message}" for field in error.errors]
        raise Failure("\n  ".join(fields or [error.message])) from None
    except (StoreInUse, StoreUnusable) as error:
        raise Failure(str(error)) from None


def _document(view: TokenView) -> Document:
    """A token as the HTTP interface shows it."""
    from api.models.tokens import token_out

    return token_out(view)


def _row(one: Document) -> tuple[object, ...]:
    return (
        one["name"],
        " ".join(one["scopes"]),
        " ".join(one["categories"]) or "all",
        one["default_category"],
        "yes" if one["test"] else None,
        local_time(one["created_at"]),
        local_time(one["revoked_at"]),
    )


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    """Values given one by one or joined by commas."""
    return tuple(word for one in given for word in one.split(",") if word)
