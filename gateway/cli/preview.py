"""`tocsin preview`: what would become of a message. Changes nothing."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, moment_options, remote, template_options, time_option
from gateway.cli.output import Document, clean, local_time, print_document, print_pairs
from gateway.cli.reach import gateway
from gateway.cli.send import worded


@click.command(
    epilog=example(
        'tocsin preview +33639980101 "Voilà 😀"',
        'tocsin preview +33639980101 "Soldes" --category promotional --at "2026-03-01 23:00"',
        "# a reminder for 21:30 that leaves before the quiet hours rather than after them",
        'tocsin preview +33639980101 "Take your pills" --send-at "2026-12-05 21:30" --shift earlier',
        'tocsin preview +33639980101 "Résultats : https://example.org/r" --check-links',
    )
)
@click.argument("to")
@click.argument("text", required=False)
@template_options
@click.option("--category", metavar="C", help="What kind of message it is; else the token's, else transactional.")
@moment_options
@time_option("--at", "As if it were then; else now.")
@click.option("--check-links", is_flag=True, help="Ask whether somebody answers at its links.")
@remote
def preview(to: str, text: str | None, **given: object) -> None:
    """Say into how many parts TEXT, or that of a template, to TO is cut, in which encoding, when it would go, and what
    may be amiss in it."""
    body: Document = {"to": to} | worded(text, given) | {key: value for key, value in given.items() if value}
    found = gateway().post(path_of("messages", "preview"), body)
    if invocation().json:
        print_document(found)
        return
    _print(found)


def _print(found: Document) -> None:
    print_pairs(
        [
            ("parts", found["parts"]),
            ("encoding", found["encoding"]),
            ("characters", found["characters"]),
            ("remaining", found["remaining"]),
            ("forced_ucs2_by", " ".join(found["forced_ucs2_by"])),
            ("gsm7_text", found["gsm7_text"]),
            ("text", found["text"]),
            ("decision", found["decision"]),
            ("rule", found["rule"]),
            ("until", _until(found["until"])),
        ]
    )
    for line in found["explanation"]:
        click.echo(f"  {clean(line)}")
    for warning in found["warnings"]:
        click.echo(f"warning: {clean(warning['code'])}: {clean(warning['message'])}")


def _until(time: str | None) -> str | None:
    """In this machine's zone, and as the interface says it."""
    return None if time is None else f"{local_time(time)} ({clean(time)})"
