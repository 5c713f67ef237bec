"""`tocsin campaigns`: make, start, stop and follow campaigns."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import EXIT_FAILED, Failure, Unreachable
from gateway.cli.lists import print_list
from gateway.cli.options import duration, example, invocation, limit_option, remote, remote_list
from gateway.cli.output import Document, clean, local_time, print_document, print_pairs
from gateway.cli.reach import gateway

_PAUSE_S: Final = 1.0
_HEADS: Final = ("CREATED", "ID", "STATUS", "QUEUED", "LEFT OUT", "NAME")
_COLUMNS: Final = ("created_at", "id", "status", "category", "counts.queued", "counts.left_out", "name")
_MEMBER_HEADS: Final = ("NUMBER", "VARIANT", "STATE", "REASON", "MESSAGE")
_MEMBER_COLUMNS: Final = ("number", "variant", "state", "reason", "message_id")
_OVER: Final = ("finished", "canceled")
_STATUSES: Final = ("draft", "scheduled", "running", "paused", "finished", "canceled")


@click.group(
    invoke_without_command=True,
    epilog=example(
        'tocsin campaigns create "Check-up" --to patients --text "It is time for your check-up."',
        "tocsin campaigns start ID --wait",
        "tocsin campaigns",
    ),
)
@limit_option
@remote_list
@click.pass_context
def campaigns(context: click.Context, limit: int) -> None:
    """List the campaigns, newest first; make, start, stop and follow them."""
    if context.invoked_subcommand is None:
        _print_all((), limit)


@campaigns.command("list", epilog=example("tocsin campaigns list --status running"))
@click.option("--status", multiple=True, type=click.Choice(_STATUSES), help="Only these; may be repeated.")
@limit_option
@remote_list
def list_all(status: tuple[str, ...], limit: int) -> None:
    """List the campaigns, newest first."""
    _print_all(status, limit)


@campaigns.command(epilog=example("tocsin campaigns show ID"))
@click.argument("id_", metavar="ID")
@remote
def show(id_: str) -> None:
    """Show how a campaign stands."""
    _print(gateway().get(path_of("campaigns", id_)))


@campaigns.command(
    epilog=example(
        'tocsin campaigns create "Check-up" --to patients --text "It is time for your check-up."',
        "tocsin campaigns create Spring --to patients --template spring --per-minute 60",
        "tocsin campaigns create Spring --file spring.json --start",
    )
)
@click.argument("name")
@click.option("--to", multiple=True, metavar="SEGMENT|NUMBER", help="Who gets it; may be repeated.")
@click.option("--text", metavar="TEXT", help="What it says, in Liquid.")
@click.option("--template", metavar="NAME", help="The template that says it.")
@click.option("--category", metavar="C", help="What kind of message it is; else the token's, or transactional.")
@click.option(
    "--audience", type=click.Choice(("frozen", "live")), help="Who is in it: when it starts, or while it runs."
)
@click.option("--per-minute", type=click.IntRange(1), metavar="N", help="At most so many a minute.")
@click.option("--every", metavar="WHEN", help='Again and again: "1d", "2w", or "mon-fri 09:00".')
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="All of it, variants too, as JSON; other options go before.",
)
@click.option("--start", is_flag=True, help="Start it at once.")
@click.option("--force", is_flag=True, help="Start it in spite of what a proof-reader finds.")
@remote
def create(name: str, to: tuple[str, ...], *, path: Path | None, per_minute: int | None, **given: object) -> None:
    """Make a draft called NAME."""
    body: Document = {} if path is None else _document(path)
    body |= {"name": name, **({"to": list(to)} if to else {})} | {key: value for key, value in given.items() if value}
    if per_minute is not None:
        body["pace"] = {"per_minute": per_minute}
    _print_launch(gateway().post(path_of("campaigns"), body))


@campaigns.command(epilog=example("tocsin campaigns proof ID --to +33639980101"))
@click.argument("id_", metavar="ID")
@click.option("--to", metavar="NUMBER", help="Where it goes; else where the campaign says.")
@remote
def proof(id_: str, to: str | None) -> None:
    """Send every variant of a campaign to one person, as ordinary messages."""
    sent = gateway().post(path_of("campaigns", id_, "proof"), {"to": to} if to else {})
    if invocation().json:
        print_document(sent)
        return
    for item in sent["items"]:
        click.echo(f"{item['id']}  {item['status']}")


@campaigns.command(epilog=example("tocsin campaigns schedule ID --at 2030-01-06T09:00:00+01:00"))
@click.argument("id_", metavar="ID")
@click.option("--at", required=True, metavar="TIME", help="When it starts, with a zone.")
@click.option("--force", is_flag=True, help="In spite of what a proof-reader finds.")
@remote
def schedule(id_: str, at: str, *, force: bool) -> None:
    """Let a campaign start at a moment."""
    _print_launch(_launched(id_, "schedule", {"at": at, "force": force}))


@campaigns.command(epilog=example("tocsin campaigns start ID", "tocsin campaigns start ID --wait"))
@click.argument("id_", metavar="ID")
@click.option("--force", is_flag=True, help="In spite of what a proof-reader finds.")
@click.option("--wait", is_flag=True, help="Follow it until it is over, or paused.")
@click.option(
    "--timeout", callback=duration, metavar="D", default="24h", show_default=True, help="How long --wait waits."
)
@remote
def start(id_: str, *, force: bool, wait: bool, timeout: int) -> int:
    """Start a campaign now; prints how long it will take. With --wait it ends with 0 only if it finishes."""
    started = _launched(id_, "start", {"force": force})
    if not wait:
        _print_launch(started)
        return 0
    if not invocation().json:
        _print_launch(started)
    over = _follow(id_, timeout)
    _print(over)
    return 0 if over["status"] == "finished" else EXIT_FAILED


@campaigns.command(epilog=example("tocsin campaigns pause ID"))
@click.argument("id_", metavar="ID")
@remote
def pause(id_: str) -> None:
    """Let nothing more of a campaign begin."""
    _act(id_, "pause")


@campaigns.command(epilog=example("tocsin campaigns resume ID"))
@click.argument("id_", metavar="ID")
@remote
def resume(id_: str) -> None:
    """Let a paused campaign go on."""
    _act(id_, "resume")


@campaigns.command(epilog=example("tocsin campaigns cancel ID"))
@click.argument("id_", metavar="ID")
@remote
def cancel(id_: str) -> None:
    """Let nothing more of a campaign begin, for good; what waits of it is canceled."""
    _act(id_, "cancel")


@campaigns.command(epilog=example("tocsin campaigns members ID --state left_out"))
@click.argument("id_", metavar="ID")
@click.option("--state", type=click.Choice(("waiting", "queued", "left_out")), help="Only those.")
@limit_option
@remote_list
def members(id_: str, state: str | None, limit: int) -> None:
    """List who is in a campaign, and what became of each."""
    query = [("state", state)] if state else []
    found = gateway().items(path_of("campaigns", id_, "members"), query, limit)
    print_list(found, _MEMBER_HEADS, _member_row, _MEMBER_COLUMNS, "nobody is in it")


def _member_row(one: Document) -> list[object]:
    return [one["number"] or "erased", one["variant"], one["state"], one["reason"] or "", one["message_id"] or ""]


def _print_all(statuses: tuple[str, ...], limit: int) -> None:
    query = [("status", ",".join(statuses))] if statuses else []
    print_list(gateway().items(path_of("campaigns"), query, limit), _HEADS, _row, _COLUMNS, "there are no campaigns")


def _row(one: Document) -> list[object]:
    counts = one["counts"]
    return [
        local_time(one["created_at"]),
        one["id"],
        one["status"],
        f"{counts['queued']}/{counts['members']}",
        counts["left_out"],
        clean(one["name"]),
    ]


def _act(campaign_id: str, act: str) -> None:
    done = gateway().post(path_of("campaigns", campaign_id, act), {})
    if invocation().json:
        print_document(done)
    else:
        click.echo(f"{done['id']}  {done['status']}")


def _launched(campaign_id: str, act: str, body: Document) -> Document:
    """The answer to `start` or `schedule`. Everybody is looked at before it comes, of a hundred thousand for some
    seconds: a terminal is told how far that is."""
    client, beside, ended = gateway(), gateway(), threading.Event()
    client.patience_s = max(client.patience_s, 600.0)
    teller = threading.Thread(target=tell_looked_at, args=(beside, campaign_id, ended), daemon=True)
    if sys.stderr.isatty() and not invocation().json:
        teller.start()
    try:
        return client.post(path_of("campaigns", campaign_id, act), body)
    finally:
        ended.set()
        if teller.is_alive():
            teller.join(_PAUSE_S)


def tell_looked_at(client: GatewayClient, campaign_id: str, ended: threading.Event) -> None:
    """Tell how many people of a frozen campaign are written down, again and again until it has `ended`."""
    over = False
    while not over:
        with suppress(Failure):
            if members := client.get(path_of("campaigns", campaign_id))["counts"]["members"]:
                click.echo(f"\r\x1b[K{members} people looked at", nl=False, err=True)
        over = ended.wait(_PAUSE_S / 2)
    click.echo("\r\x1b[K", nl=False, err=True)


def _print_launch(launched: Document) -> None:
    if invocation().json:
        print_document(launched)
        return
    click.echo(f"{launched['id']}  {launched['status']}")
    estimate = launched["estimate"]
    if estimate is not None:
        took = "no modem can send" if estimate["seconds"] is None else f"about {estimate['seconds']:.0f} s"
        click.echo(f"{estimate['recipients']} people, {estimate['parts']} parts, {estimate['modems']} modems: {took}")
    for finding in launched["findings"]:
        kind = "error" if finding["error"] else "warning"
        click.echo(f"{kind}: {clean(finding['variant'])}: {clean(finding['message'])}", err=True)


def _print(one: Document) -> None:
    if invocation().json:
        print_document(one)
        return
    counts = one["counts"]
    pairs = [
        ("id", one["id"]),
        ("name", clean(one["name"])),
        ("status", one["status"]),
        ("category", one["category"]),
        ("people", f"{counts['members']}, of whom {counts['queued']} queued and {counts['left_out']} left out"),
    ]
    pairs += [(each, one[each]) for each in ("reason", "winner", "every") if one[each] is not None]
    pairs += [(each, local_time(one[f"{each}_at"])) for each in ("started", "finished") if one[f"{each}_at"]]
    print_pairs(pairs)


def _follow(campaign_id: str, timeout: int) -> Document:
    """The campaign once it is over or paused; meanwhile a terminal is told how far it is."""
    client, told = gateway(), sys.stderr.isatty()
    ended = threading.Event()
    for _ in range(max(1, int(timeout / 1_000_000 / _PAUSE_S))):
        try:
            one = client.get(path_of("campaigns", campaign_id))
        except Unreachable:
            one = None
        if one is not None and (one["status"] in _OVER or one["status"] == "paused"):
            if told:
                click.echo("", err=True)
            return one
        if one is not None and told:
            counts = one["counts"]
            click.echo(f"\r{counts['queued']} of {counts['members']} queued", nl=False, err=True)
        ended.wait(_PAUSE_S)
    raise Failure("it is not over yet; tocsin campaigns show tells how it stands")


def _document(path: Path) -> Document:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Failure(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Failure(f"{path} holds no JSON object")
    return found  # pyright: ignore[reportUnknownVariableType] - its fields are the interface's to judge
