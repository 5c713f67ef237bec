"""Messages as people see them on a terminal."""

from __future__ import annotations

import click

from gateway.cli.output import Document, clean, local_time, print_pairs, print_table, short_time

HEADS = ("CREATED", "ID", "TO", "CATEGORY", "STATUS", "HOLD", "PARTS", "TEXT")
TIMELINE_HEADS = ("AT", "EVENT", "DETAIL")


def row(message: Document) -> tuple[object, ...]:
    """A line of a list."""
    return (
        local_time(message["created_at"]),
        message["id"],
        message["to"],
        message["category"],
        message["status"],
        _held_by(message["hold"]),
        message["parts"],
        message["text"],
    )


def state(message: Document) -> str:
    """Id, status word, and why it is not better."""
    return "  ".join(part for part in (message["id"], message["status"], _because(message)) if part)


def print_warnings(message: Document) -> None:
    """What the gateway wants a person to know, beside the result."""
    for warning in message["warnings"]:
        click.echo(f"warning: {clean(warning['message'])}", err=True)


def print_message(message: Document, timeline: list[Document]) -> None:
    """Everything about one message."""
    times = [(name, message.get(name)) for name in ("send_at", "expires_at", "due_at", "sent_at", "delivered_at")]
    print_pairs(
        [
            ("id", message["id"]),
            ("to", message["to"]),
            ("status", message["status"]),
            ("because", _because(message)),
            ("category", message["category"]),
            ("text", message["text"]),
            ("parts", f"{message['parts']} ({message['encoding']})"),
            ("reference", message["reference"]),
            ("modem", message["modem"]),
            ("simulated", "yes" if message["simulated"] else None),
            ("attempts", message["attempts"]),
            ("created_at", local_time(message["created_at"])),
            *[(name, local_time(value)) for name, value in times if value],
        ]
    )
    click.echo()
    print_table(
        TIMELINE_HEADS,
        [(local_time(item["at"]), item["event"], item["detail"]) for item in timeline],
        "nothing has happened to it yet",
    )


def _held_by(hold: Document | None) -> str | None:
    """The rule, and until when: shortly, for a column."""
    if hold is None:
        return None
    return f"{hold['rule']} {short_time(hold['until'])}" if hold["until"] else str(hold["rule"])


def _because(message: Document) -> str:
    """Why it waits, or why it ended badly."""
    if hold := message.get("hold"):
        until = f" until {local_time(hold['until'])}" if hold.get("until") else ""
        return clean(f"{hold['rule']}{until}: {hold['detail']}")
    if error := message.get("error"):
        return clean(f"{error['code']}: {error['message']}")
    return ""
