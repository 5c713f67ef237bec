"""`tocsin optouts`: who must not be written to."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, query, remote
from gateway.cli.output import Document, local_time, print_document, print_table
from gateway.cli.reach import gateway

_HEADS = ("SINCE", "NUMBER", "CATEGORY", "SOURCE")


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin optouts --number +33639980101", "tocsin optouts add +33639980101"),
)
@click.option("--number", metavar="NUMBER", help="Only of this number.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most so many."
)
@remote
@click.pass_context
def optouts(context: click.Context, number: str | None, limit: int) -> None:
    """List who must not be written to, newest first; or add and lift."""
    if context.invoked_subcommand:
        return
    found = gateway().items(path_of("optouts"), query(number=number), limit)
    if invocation().json:
        for one in found:
            print_document(one)
        return
    print_table(_HEADS, [_row(one) for one in found], "nobody has opted out")


@optouts.command(epilog=example("tocsin optouts add +33639980101 --category promotional"))
@click.argument("number")
@click.option("--category", metavar="C", help="Only this category; else all stoppable ones.")
@remote
def add(number: str, category: str | None) -> None:
    """Write down that NUMBER must not be written to."""
    body: Document = {"number": number} | ({"category": category} if category else {})
    _print(gateway().post(path_of("optouts"), body), "opted out")


@optouts.command(epilog=example("tocsin optouts lift +33639980101"))
@click.argument("number")
@click.option("--category", metavar="C", help="Only this category.")
@remote
def lift(number: str, category: str | None) -> None:
    """Let NUMBER be written to again. Do so only when that person asked for it."""
    _print(gateway().delete(path_of("optouts"), query(number=number, category=category)), "opt-out lifted")


def _print(one: Document, what: str) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['number']}  {what}")


def _row(one: Document) -> tuple[object, ...]:
    return local_time(one["since"]), one["number"], one["category"] or "all", one["source"]
