"""`tocsin webhooks`: where news goes, and what has still to be told there."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.errors import Failure
from gateway.cli.options import example, invocation, limit_option, query, remote, time_option
from gateway.cli.output import Document, local_time, print_document, print_table
from gateway.cli.reach import gateway

_HEADS = ("ID", "URL", "TYPES", "STATE", "LAST TAKEN", "LAST FAILURE")
_DEAD_HEADS = ("ID", "EVENT", "HAPPENED", "TRIES", "GIVEN UP", "OUTCOME")
_Types = tuple[str, ...]


@click.group(
    invoke_without_command=True,
    epilog=example("tocsin webhooks", 'tocsin webhooks add http://127.0.0.1:5678/sms --type "message.*"'),
)
@remote
@click.pass_context
def webhooks(context: click.Context) -> None:
    """List the endpoints that are told of events; or add, remove, test them, and see what they did not take."""
    if not context.invoked_subcommand:
        _list()


@webhooks.command("list", epilog=example("tocsin webhooks list --json"))
@remote
def list_all() -> None:
    """List the endpoints, newest first."""
    _list()


@webhooks.command(
    epilog=example('tocsin webhooks add https://shop.example/sms --type "message.*" --type inbound.received')
)
@click.argument("goal", metavar="URL")
@click.option("--type", "types", multiple=True, metavar="T", help='An event type or "message.*"; else all.')
@click.option("--description", metavar="TEXT", help="What it is for.")
@remote
def add(goal: str, types: _Types, description: str | None) -> None:
    """Tell URL of events from now on. Prints the secret that its signatures are checked with."""
    body: Document = {"url": goal} | ({"types": list(types)} if types else {})
    made = gateway().post(path_of("webhooks"), body | ({"description": description} if description else {}))
    _print_secret(made)


@webhooks.command(epilog=example("tocsin webhooks remove 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7"))
@click.argument("webhook_id", metavar="ID")
@remote
def remove(webhook_id: str) -> None:
    """Tell an endpoint nothing more, and forget what it was owed."""
    _print(gateway().delete(path_of("webhooks", webhook_id)), "removed")


@webhooks.command(epilog=example("tocsin webhooks enable 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7"))
@click.argument("webhook_id", metavar="ID")
@remote
def enable(webhook_id: str) -> None:
    """Tell an endpoint again that was disabled, by hand or because it answered 410."""
    _print(gateway().post(path_of("webhooks", webhook_id, "enable"), {}), "enabled")


@webhooks.command(epilog=example("tocsin webhooks test 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7"))
@click.argument("webhook_id", metavar="ID")
@remote
def test(webhook_id: str) -> None:
    """Send an endpoint an event of type webhook.test now, and say what came of it; exit 1 if it did not take it."""
    came = gateway().post(path_of("webhooks", webhook_id, "test"), {})
    said = came["status"] or came["error"]
    if invocation().json:
        print_document(came)
    elif came["ok"]:
        click.echo(f"taken: {said} after {came['seconds']} s")
    if not came["ok"]:
        raise Failure(f"not taken: {said} after {came['seconds']} s")


@webhooks.command(epilog=example("tocsin webhooks rotate 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7"))
@click.argument("webhook_id", metavar="ID")
@remote
def rotate(webhook_id: str) -> None:
    """Give an endpoint a new secret and print it; for 24 hours the old one signs too."""
    _print_secret(gateway().post(path_of("webhooks", webhook_id, "rotate"), {}))


@webhooks.command(epilog=example("tocsin webhooks secret", "tocsin webhooks secret 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7"))
@click.argument("webhook_id", metavar="[ID]", required=False)
@remote
def secret(webhook_id: str | None) -> None:
    """Print the secret of an endpoint; without ID, that of the callbacks of this token's messages."""
    path = path_of("webhooks", webhook_id, "secret") if webhook_id else path_of("webhooks", "secret")
    told = gateway().get(path)
    if invocation().json:
        print_document(told)
    else:
        click.echo(told["secret"])


@webhooks.command(epilog=example("tocsin webhooks dead 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7"))
@click.argument("webhook_id", metavar="ID")
@click.option("--waiting", is_flag=True, help="What waits to be told instead.")
@limit_option
@remote
def dead(webhook_id: str, limit: int, *, waiting: bool) -> None:
    """List what an endpoint was told in vain, newest first; kept for 30 days."""
    state = query(state="waiting" if waiting else "dead")
    found = [*gateway().items(path_of("webhooks", webhook_id, "deliveries"), state, limit)]
    if invocation().json:
        for one in found:
            print_document(one)
        return
    print_table(_DEAD_HEADS, [_dead_row(one) for one in found], "nothing waits" if waiting else "nothing was given up")


@webhooks.command(
    epilog=example("tocsin webhooks replay 01970c5e5b7c7cc2a3f1a2b3c4d5e6f7 --since 2026-11-27T08:00:00+01:00")
)
@click.argument("webhook_id", metavar="ID")
@click.option("--id", "ids", type=int, multiple=True, metavar="N", help="Only this delivery; may be repeated.")
@time_option("--since", "Of what was given up, only what happened then or later.")
@remote
def replay(webhook_id: str, ids: tuple[int, ...], since: str | None) -> None:
    """Tell an endpoint again what was given up."""
    body: Document = ({"ids": list(ids)} if ids else {}) | ({"since": since} if since else {})
    told = gateway().post(path_of("webhooks", webhook_id, "replay"), body)
    if invocation().json:
        print_document(told)
    else:
        click.echo(f"{told['replayed']} to be told again")


def _list() -> None:
    found = [*gateway().items(path_of("webhooks"))]
    if invocation().json:
        for one in found:
            print_document(one)
        return
    print_table(_HEADS, [_row(one) for one in found], "nobody is told of events")


def _row(one: Document) -> tuple[object, ...]:
    state = f"disabled: {one['disabled_reason']}" if one["disabled_at"] else "enabled"
    failure = f"{local_time(one['failed_at'])} {one['failure']}" if one["failed_at"] else None
    return one["id"], one["url"], " ".join(one["types"]), state, local_time(one["succeeded_at"]), failure


def _dead_row(one: Document) -> tuple[object, ...]:
    happened, given_up = local_time(one["timestamp"]), local_time(one["given_up_at"])
    return one["id"], one["type"], happened, one["tries"], given_up, one["outcome"]


def _print(one: Document, what: str) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['id']}  {what}")


def _print_secret(one: Document) -> None:
    if invocation().json:
        print_document(one)
    else:
        click.echo(f"{one['id']}\n{one['secret']}")
