"""The kinds of work, one module each; `ROWS` in the order of the table.

A row is an async function from a plan to its figures. It starts what it needs, and ends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from bench.figures import Figure
from bench.plan import Plan
from bench.rows import (
    acceptance,
    backlog,
    campaign,
    codec,
    gate,
    hosts,
    idle,
    inbound,
    many,
    owed,
    peers,
    postgresql,
    preview,
    profile,
    quiet,
    rules,
    statements,
    stop,
    submits,
    utilisation,
    wire_latency,
)

Row: TypeAlias = Callable[[Plan], Awaitable[Sequence[Figure]]]

ROWS: Mapping[str, Row] = {
    "submits": submits.measure,
    "utilisation": utilisation.measure,
    "wire": wire_latency.measure,
    "accept": acceptance.measure,
    "batch": many.measure,
    "profile": profile.measure,
    "gate": gate.measure,
    "backlog": backlog.measure,
    "postgresql": postgresql.measure,
    "hosts": hosts.measure,
    "statements": statements.measure,
    "inbound": inbound.measure,
    "stop": stop.measure,
    "owed": owed.measure,
    "quiet": quiet.measure,
    "idle": idle.measure,
    "codec": codec.measure,
    "rules": rules.measure,
    "preview": preview.measure,
    "campaign": campaign.measure,
    "peers": peers.measure,
}
