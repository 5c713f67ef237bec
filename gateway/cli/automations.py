"""`tocsin automations`: rules by which events become messages, and events."""

from __future__ import annotations

import json
from typing import Final

import click

from gateway.cli.client import path_of
from gateway.cli.lists import print_list
from gateway.cli.options import example, invocation, limit_option, remote, remote_list
from gateway.cli.output import Document, clean, print_document
from gateway.cli.reach import gateway

_HEADS: Final = ("NAME", "WHEN", "CATEGORY", "TEXT")
_COLUMNS: Final = ("name", "after", "before", "days_before", "at", "category", "template", "updated_at")


@click.group(
    invoke_without_command=True,
    epilog=example(
        'tocsin automations set reminder --text "See you tomorrow at {{ hour }}." --days-before 1 --at 18:00',
        "tocsin automations trigger reminder +33639980101 --at 2030-01-06T09:00:00+01:00 --reference a17 "
        "--variable hour=9:00",
    ),
)
@limit_option
@remote_list
@click.pass_context
def automations(context: click.Context, limit: int) -> None:
    """List the rules by which events become messages; set and forget them, and tell of events."""
    if context.invoked_subcommand is None:
        _print_all(limit)


@automations.command("list", epilog=example("tocsin automations list --json"))
@limit_option
@remote_list
def list_all(limit: int) -> None:
    """List the rules."""
    _print_all(limit)


@automations.command(epilog=example("tocsin automations show reminder"))
@click.argument("name")
@remote
def show(name: str) -> None:
    """Show the rule NAME."""
    print_document(gateway().get(path_of("automations", name)))


@automations.command(
    "set", epilog=example('tocsin automations set shipped --text "Your parcel {{ parcel }} has left." --after 5m')
)
@click.argument("name")
@click.option("--text", metavar="TEXT", help="What it says, in Liquid.")
@click.option("--template", metavar="NAME", help="The template that says it.")
@click.option("--category", metavar="C", help="What kind of message it is.")
@click.option("--after", metavar="D", help="So long after the event.")
@click.option("--before", metavar="D", help="So long before the event.")
@click.option("--days-before", type=click.IntRange(0, 365), metavar="N", help="So many days before, with --at.")
@click.option("--at", metavar="HH:MM", help="The time of day, where the recipient is.")
@remote
def change(name: str, *, days_before: int | None, **given: object) -> None:
    """Make the rule NAME, or give it another text and moment."""
    body: Document = {key: value for key, value in given.items() if value}
    if days_before is not None:
        body["days_before"] = days_before
    _print(gateway().put(path_of("automations", name), body))


@automations.command(epilog=example("tocsin automations remove reminder"))
@click.argument("name")
@remote
def remove(name: str) -> None:
    """Forget the rule NAME; what it has queued stays."""
    _print(gateway().delete(path_of("automations", name)))


@automations.command(
    epilog=example(
        "tocsin automations trigger shipped +33639980101 --variable parcel=42",
        "tocsin automations trigger reminder +33639980101 --reference a17 --cancel",
    )
)
@click.argument("name")
@click.argument("to", metavar="NUMBER")
@click.option("--at", metavar="TIME", help="When the event is, with a zone; without it now.")
@click.option("--reference", metavar="WORD", help="What you call the event: told of again it changes nothing.")
@click.option("--variable", "pairs", multiple=True, metavar="NAME=VALUE", help="Of this event; may be repeated.")
@click.option("--cancel", is_flag=True, help="The event does not take place.")
@remote
def trigger(name: str, to: str, *, pairs: tuple[str, ...], **given: object) -> None:
    """Tell of an event that is about NUMBER."""
    body: Document = {"to": to, **{key: value for key, value in given.items() if value}}
    if pairs:
        body["variables"] = dict(_pair(each) for each in pairs)
    told = gateway().post(path_of("automations", name, "trigger"), body)
    message = told["message"]
    if invocation().json:
        print_document(told)
    elif message is None:
        click.echo(f"{told['canceled']} canceled")
    else:
        click.echo(f"{message['id']}  {message['status']}")


def _pair(written: str) -> tuple[str, object]:
    """`NAME=VALUE`; a value that is JSON is what it says, any other a text."""
    name, found, value = written.partition("=")
    if not found:
        raise click.BadParameter("is written as NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _print_all(limit: int) -> None:
    print_list(gateway().items(path_of("automations"), (), limit), _HEADS, _row, _COLUMNS, "there are no automations")


def _row(one: Document) -> list[object]:
    text = one["template"] or next(iter(one["texts"].values()), "")
    return [one["name"], _moment(one), one["category"] or "", clean(text)]


def _moment(one: Document) -> str:
    if one["days_before"] is not None:
        return f"{one['days_before']} days before, {one['at']}"
    if one["before"] is not None:
        return f"{one['before']} before"
    return f"{one['after']} after" if one["after"] is not None else "at once"


def _print(one: Document) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['name']}  {_moment(one)}")
