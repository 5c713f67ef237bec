"""`tocsin token`: make, list and revoke tokens, through the running gateway or on its store while none runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import Document, local_time, print_document, print_table
from gateway.cli.store_here import ADMIN, on_store, running
from gateway.config.durations import duration_us
from gateway.requests import MOST_PARTS_A_DAY, SCOPES, NewToken

if TYPE_CHECKING:
    from gateway.requests import TokenView
    from gateway.services import Tokens

_MANY = ("--scope", "--category", "--destination")
_ONE = ("--default-category", "--rate", "--parts-a-day", "--expires", "--config", "--url")
_HEADS = ("NAME", "SCOPES", "CATEGORIES", "DEFAULT", "TEST", "LIMITS", "CREATED", "EXPIRES", "REVOKED")


class ManyValues(click.Command):
    """`--scope send read` is `--scope send --scope read`, once the name stands in front."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each further value."""
        spread: list[str] = []
        option: str | None = None
        named, expecting = False, False
        for word in args:
            if word.startswith("-"):
                option, expecting = (word, word in (*_MANY, *_ONE))
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
        "tocsin token create shop --scope send --destination FR +32 --rate 60/1m --parts-a-day 500 --expires 90d",
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
@click.option(
    "--destination",
    "destinations",
    multiple=True,
    metavar="D",
    help="Where it may write to: the beginning of numbers (+33) or a country (FR); else anywhere. May be repeated.",
)
@click.option("--rate", metavar="N/TIME", help="Messages that it may hand in over a time, such as 60/1m.")
@click.option("--parts-a-day", type=click.IntRange(1, MOST_PARTS_A_DAY), metavar="N", help="Parts in 24 hours.")
@click.option("--expires", metavar="WHEN", help="How long it is valid (90d), or until when (2027-01-01T00:00:00Z).")
@remote
def create(
    name: str, scopes: tuple[str, ...], categories: tuple[str, ...], destinations: tuple[str, ...], **given: Any
) -> None:
    """Make the token NAME and print it alone. It is shown once and cannot be shown again."""
    for scope in _words(scopes):
        if scope not in SCOPES:
            raise click.BadParameter(f"{scope!r} is none of {', '.join(SCOPES)}", param_hint="--scope")
    wanted = NewToken(
        name=name,
        scopes=_words(scopes),
        categories=_words(categories),
        default_category=given["default_category"],
        test=given["test"],
        destinations=_words(destinations),
        rate=given["rate"],
        parts_a_day=given["parts_a_day"],
        expires_us=None if given["expires"] is None else _instant(given["expires"]),
    )
    client = running()
    made = _create_there(client, wanted) if client else on_store(lambda services: _create_here(services.tokens, wanted))
    if invocation().json:
        print_document(made)
    else:
        click.echo(made["token"])


@token.command("list", epilog=example("tocsin token list", "tocsin token list --json"))
@remote
def list_() -> None:
    """List the tokens, revoked ones too; never what they are."""
    client = running()
    found = [*client.items(path_of("tokens"))] if client else on_store(lambda services: _list_here(services.tokens))
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
    client = running()
    if client:
        gone = client.delete(path_of("tokens", name))
    else:
        gone = on_store(lambda services: _revoke_here(services.tokens, name))
    if invocation().json:
        print_document(gone)
    else:
        click.echo(f"{name} revoked")


def _instant(written: str) -> int:
    """A duration from now, or an RFC 3339 time, in microseconds UTC."""
    from api.models.fields import parse_time
    from gateway.clock import SystemClock

    span_us = duration_us(written)
    if span_us is not None:
        return SystemClock().now_us() + span_us
    try:
        return parse_time(written)
    except ValueError as error:
        raise click.BadParameter(f"no duration (90d); as a time it {error}", param_hint="--expires") from None


def _create_there(client: GatewayClient, wanted: NewToken) -> Document:
    from api.models.messages import time_out

    body: Document = {
        "name": wanted.name,
        "scopes": list(wanted.scopes),
        "categories": list(wanted.categories),
        "default_category": wanted.default_category,
        "test": wanted.test,
        "destinations": list(wanted.destinations),
        "rate": wanted.rate,
        "parts_a_day": wanted.parts_a_day,
        "expires_at": time_out(wanted.expires_us),
    }
    # A gateway of an earlier version knows no limits: it is asked for those alone that are wanted.
    return client.post(path_of("tokens"), {name: value for name, value in body.items() if value})


async def _create_here(tokens: Tokens, wanted: NewToken) -> Document:
    view, secret = await tokens.create(ADMIN, wanted)
    return {**_document(view), "token": secret}


async def _list_here(tokens: Tokens) -> list[Document]:
    return [_document(view) for view in await tokens.list(ADMIN)]


async def _revoke_here(tokens: Tokens, name: str) -> Document:
    return _document(await tokens.revoke(ADMIN, name))


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
        _limits(one),
        local_time(one["created_at"]),
        local_time(one.get("expires_at")),
        local_time(one["revoked_at"]),
    )


def _limits(one: Document) -> str | None:
    """Where it may write to, how fast, how much in 24 hours; what a gateway of an earlier version tells has none."""
    parts = one.get("parts_a_day")
    found = [*one.get("destinations", ()), one.get("rate"), None if parts is None else f"{parts} parts/24h"]
    return " ".join(each for each in found if each) or None


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    """Values given one by one or joined by commas."""
    return tuple(word for one in given for word in one.split(",") if word)
