"""`tocsin preview`: what would become of a message. Changes nothing."""

from __future__ import annotations

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, remote, time_option
from gateway.cli.output import Document, clean, local_time, print_document, print_pairs
from gateway.cli.reach import gateway
from gateway.cli.send import read_text


@click.command(
    epilog=example(
        'tocsin preview +33639980101 "Voilà 😀"',
        'tocsin preview +33639980101 "Soldes" --category promotional --at "2026-03-01 23:00"',
    )
)
@click.argument("to")
@click.argument("text")
@click.option("--category", metavar="C", help="What kind of message it is; else the token's, else transactional.")
@time_option("--at", "As if it were then; else now.")
@remote
def preview(to: str, text: str, category: str | None, at: str | None) -> None:
    """Say into how many parts TEXT to TO is cut, in which encoding, and when it would go."""
    body: Document = {"to": to, "text": read_text(text)}
    body |= {key: value for key, value in (("category", category), ("at", at)) if value}
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
            ("until", local_time(found["until"]) if found["until"] else None),
        ]
    )
    for line in found["explanation"]:
        click.echo(f"  {clean(line)}")
    for warning in found["warnings"]:
        click.echo(f"warning: {clean(warning['message'])}")
