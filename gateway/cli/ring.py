"""`tocsin ring`: ring a group and, if asked, follow it; `tocsin alerts`: how alerts stand."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

import click

from gateway.cli.client import GatewayClient, path_of
from gateway.cli.errors import EXIT_FAILED, Unreachable
from gateway.cli.lists import print_list
from gateway.cli.message_view import print_warnings
from gateway.cli.options import (
    duration,
    example,
    invocation,
    limit_option,
    remote,
    remote_list,
    template_options,
)
from gateway.cli.output import Document, clean, local_time, print_document, print_pairs, print_table
from gateway.cli.reach import gateway
from gateway.cli.send import read_text

_PAUSE_S = 1.0
_HEADS = ("BEGAN", "ID", "STATUS", "CATEGORY", "PEOPLE", "TEXT")
_COLUMNS = ("created_at", "id", "status", "category", "recipients", "text")
#: What Liquid begins with.
_MARKS = ("{{", "{%")
_STILL = ("held", "queued", "sending")


def _steps(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> list[Document]:
    """`5m:staff,+33…` as the interface takes it."""
    return [_step(each) for each in given]


def _step(written: str) -> Document:
    after, _, who = written.partition(":")
    people = [each for each in who.split(",") if each]
    if not after or not people:
        raise click.BadParameter('must be a duration and people, such as "5m:on-call" or "5m:+33639980101,night"')
    return {"after": after, "to": people}


def _again(_context: click.Context, _parameter: click.Parameter, given: str | None) -> Document | None:
    """`10m` or `10m:2` as the interface takes it."""
    if given is None:
        return None
    after, _, times = given.partition(":")
    if times and not times.isdecimal():
        raise click.BadParameter('must be a duration, and how often, such as "10m" or "10m:2"')
    return {"after": after} | ({"times": int(times)} if times else {})


@click.command(
    epilog=example(
        'tocsin ring staff "Fire drill at 10:00"',
        'tocsin ring +33639980101 +33639980102 "Come in?" --expect OK --expect AIDE --wait',
        'tocsin ring on-call "The server room is hot" --expect OK --again 2m --escalate 5m:managers',
        "tocsin ring everybody - < evacuation.txt",
        'tocsin ring staff "{{ name }}, can you come in at {{ at }}?" --var at=18:00 --expect OUI',
    )
)
@click.argument("words", nargs=-1, required=True, metavar="SEGMENT|NUMBER... TEXT")
@template_options
@click.option("--category", metavar="C", help="What kind of message it is; else emergency.")
@click.option(
    "--expect", multiple=True, metavar="WORD", help="A word that answers it; the first says that all is well."
)
@click.option(
    "--escalate",
    multiple=True,
    callback=_steps,
    metavar="AFTER:WHO[,WHO...]",
    help="Ring further people after a while; may be repeated.",
)
@click.option(
    "--when",
    type=click.Choice(("nobody", "silent")),
    help="Escalate while nobody gave the first expected word (without this), or while somebody is silent.",
)
@click.option("--again", callback=_again, metavar="AFTER[:TIMES]", help="Ring the silent again after a while.")
@click.option(
    "--wait", is_flag=True, help="Follow it until everybody has answered, or was rung if nobody is to answer."
)
@click.option(
    "--timeout", callback=duration, metavar="D", default="1h", show_default=True, help="How long --wait waits."
)
@remote
def ring(
    words: tuple[str, ...],
    *,
    template: str | None,
    variables: dict[str, str],
    escalate: list[Document],
    when: str | None,
    wait: bool,
    timeout: int,
    **given: object,
) -> int:
    """Ring everybody of segments and numbers with TEXT (- reads it from standard input), or with a template.

    A TEXT with {{ name }} or another variable is made for each of them; where anybody lacks one, nobody is rung.
    Prints the alert's id, its people, parts, modems and how long it takes. With --wait it ends with 0 only if everybody
    was reached and, where answers are expected, has answered.
    """
    steps = [each | ({"when": when} if when else {}) for each in escalate]
    body = _told(words, template, variables) | {name: value for name, value in given.items() if value}
    client = gateway()
    rung = client.post(path_of("alerts"), body | ({"escalate": steps} if steps else {}))
    if not invocation().json:
        _print_rung(rung)
    elif not wait:
        print_document(rung)
    if not wait:
        return 0
    alert = _follow(client, rung["id"], timeout)
    if invocation().json:
        print_document(alert)
    else:
        _print(alert)
    return 0 if _is_well(alert) else EXIT_FAILED


def _told(words: tuple[str, ...], template: str | None, variables: dict[str, str]) -> Document:
    """Whom and what, as the interface takes it: the last word is the text, where no template is named."""
    filled: Document = {"variables": variables} if variables else {}
    if template is not None:
        return {"to": list(words), "template": template} | filled
    *to, last = words
    if not to:
        raise click.UsageError("say whom, then TEXT or --template NAME")
    text = read_text(last)
    if any(mark in text for mark in _MARKS):
        return {"to": to, "texts": {"": text}} | filled
    if filled:
        raise click.UsageError("--var belongs to a template, or to a TEXT with {{ … }}")
    return {"to": to, "text": text}


@click.group(invoke_without_command=True, epilog=example("tocsin alerts", "tocsin alerts show ID"))
@limit_option
@remote_list
@click.pass_context
def alerts(context: click.Context, limit: int) -> None:
    """List alerts, newest first; or show, ring again or stop one."""
    if context.invoked_subcommand:
        return
    found = list(gateway().items(path_of("alerts"), limit=limit))
    print_list(found, _HEADS, _row, _COLUMNS, "nobody was rung yet")


@alerts.command(epilog=example("tocsin alerts show 0198c2a0d1e47b3c9a5f00112233445"))
@click.argument("alert")
@remote
def show(alert: str) -> None:
    """Show who was reached, who answered what, and who is silent."""
    _show(gateway().get(path_of("alerts", alert)))


@alerts.command("ring-again", epilog=example("tocsin alerts ring-again 0198c2a0d1e47b3c9a5f00112233445"))
@click.argument("alert")
@remote
def ring_again(alert: str) -> None:
    """Ring the silent once more, but those whose message is still under way."""
    rung = gateway().post(path_of("alerts", alert, "ring-again"), {})
    if invocation().json:
        print_document(rung)
    else:
        _print_rung(rung)


@alerts.command(epilog=example("tocsin alerts stop 0198c2a0d1e47b3c9a5f00112233445"))
@click.argument("alert")
@remote
def stop(alert: str) -> None:
    """Ring nobody any more, and cancel what waits."""
    _show(gateway().post(path_of("alerts", alert, "stop"), {}))


def _row(alert: Document) -> tuple[object, ...]:
    return (local_time(alert["created_at"]), *(alert[name] for name in _COLUMNS[1:]))


def _show(alert: Document) -> None:
    if invocation().json:
        print_document(alert)
    else:
        _print(alert)


def _print_rung(rung: Document) -> None:
    """What is known at once."""
    print_warnings(rung)
    if rung["gsm7_text"] is not None:
        click.echo(f"in fewer parts: {clean(rung['gsm7_text'])}", err=True)
    modems = rung["modems"]
    through = f" through {', '.join(map(clean, modems))}" if modems else ""
    people = _many(rung["recipients"], "person", "people")
    click.echo(
        f"{rung['id']}  {people}, {_many(rung['parts'], 'part', 'parts')}{through}: {_duration(rung['estimate'])}"
    )


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _duration(estimate: Document) -> str:
    seconds = estimate["seconds"]
    if seconds is None:
        return "no modem can send it now"
    minutes, rest = divmod(round(seconds), 60)
    return f"about {minutes} min {rest:02} s" if minutes else f"about {rest} s"


def _follow(client: GatewayClient, ring_id: str, timeout_us: int) -> Document:
    """The alert at its end, or as it was last seen. A gateway that is being restarted is waited for."""
    from gateway.clock import SystemClock

    clock, never, path = SystemClock(), threading.Event(), path_of("alerts", ring_id)
    deadline = clock.monotonic_us() + timeout_us
    live = sys.stderr.isatty() and not invocation().json
    alert = client.get(path)
    while not _is_over(alert) and clock.monotonic_us() < deadline:
        if live:
            click.echo(f"\r\x1b[K{progress(alert)}", err=True, nl=False)
        never.wait(_PAUSE_S)
        try:
            alert = client.get(path)
        except Unreachable:
            continue
    if live:
        click.echo("\r\x1b[K", err=True, nl=False)
    return alert


def progress(alert: Document) -> str:
    """How far it has come, in a line."""
    words = [f"{word} {found['count']}" for word, found in alert["answered"].items()]
    if alert["other"]:
        words.append(f"other words {len(alert['other'])}")
    left = alert["estimate"]
    soon = "" if left["seconds"] == 0 else f" | {_duration(left)}"
    return clean(
        " | ".join([f"reached {alert['reached']} of {alert['recipients']}", *words, f"silent {len(alert['silent'])}"])
        + soon
    )


def _is_over(alert: Document) -> bool:
    if alert["status"] != "ringing":
        return True
    if alert["expect"]:
        return not alert["silent"]
    waits = any(alert["counts"].get(word) for word in _STILL) or alert["again"] is not None
    return not waits and all(step["done_at"] for step in alert["escalate"])


def _is_well(alert: Document) -> bool:
    """Whether everybody was reached and, where that is expected, has answered."""
    return alert["reached"] == alert["recipients"] and not (alert["expect"] and alert["silent"])


def _print(alert: Document) -> None:
    """Everything about one alert."""
    print_pairs(
        [
            ("id", alert["id"]),
            ("status", alert["status"]),
            ("began", local_time(alert["created_at"])),
            ("text", alert["text"]),
            ("people", f"{alert['recipients']} ({alert['parts']} parts)"),
            ("reached", alert["reached"]),
            ("leaves", None if alert["estimate"]["seconds"] == 0 else _duration(alert["estimate"])),
            *((clean(word), _named(found["people"])) for word, found in alert["answered"].items()),
            ("silent", f"{len(alert['silent'])}: {', '.join(alert['silent'])}" if alert["silent"] else "nobody"),
            *(("escalates", _escalation(each)) for each in alert["escalate"]),
        ]
    )
    _print_rest(alert)


def _print_rest(alert: Document) -> None:
    if alert["other"]:
        click.echo()
        rows = [(local_time(each["at"]), each["number"], each["text"]) for each in alert["other"]]
        print_table(("AT", "FROM", "OTHER WORDS"), rows, "")
    if alert["unreached"]:
        click.echo()
        rows = [(each["number"], each["status"] or "refused", each["code"]) for each in alert["unreached"]]
        print_table(("NOT REACHED", "STATUS", "BECAUSE"), rows, "")


def _named(people: Sequence[Document]) -> str:
    if not people:
        return "nobody"
    each = (
        f"{one['number']}"
        + (f" (before: {', '.join(was['answer'] for was in one['earlier'])})" if one["earlier"] else "")
        for one in people
    )
    return f"{len(people)}: {', '.join(each)}"


def _escalation(step: Document) -> str:
    what = step["outcome"] or f"at {local_time(step['due_at'])}"
    return f"after {step['after']} to {', '.join(step['to'])}: {what}"
