"""POST /v1/messages/batch: many messages with each request, as a JSON batch and as lines.

Batches come from two clients, since one that waits for its answer leaves the gateway idle between two; lines from one,
whose groups are checked while the ones before are committed. Every message has its own number and text.
"""

from __future__ import annotations

import json
import shutil

from bench.figures import Figure, at_least
from bench.many_load import BATCH, LINES
from bench.plan import Plan
from bench.processes import daemon, modems, process, python

_GOAL = 5000
_CLIENTS = {"batch": 2, "ndjson": 1}
_NAMES = {"batch": f"batches of {BATCH}, 2 clients", "ndjson": f"NDJSON, {LINES} lines a request, 1 client"}


async def measure(plan: Plan) -> list[Figure]:
    """One figure each, in messages."""
    return [await _measured(plan, kind) for kind in _CLIENTS]


async def _measured(plan: Plan, kind: str) -> Figure:
    place = plan.folder / "many" / kind
    async with modems(place / "modems", 1, latency_s=1.0) as simulated, daemon(place, simulated.configured) as gateway:
        host, port = gateway.address
        words = (host, str(port), gateway.token, kind, str(_CLIENTS[kind]), str(plan.accept_s))
        log = place / "client.log"
        async with process(*python("bench.many_load"), *words, log=log) as client:
            said, _ = await client.communicate()
            if client.returncode:
                raise RuntimeError(f"the client failed: {log.read_text(errors='replace')[-500:]}")
    shutil.rmtree(place / "state")
    told = json.loads(said)
    note = f"{told['refused']:g} refused" if told["refused"] else "each its own number and text"
    return Figure(f"messages accepted, {_NAMES[kind]}", "1/s", told["per_s"], goals=[at_least(_GOAL)], note=note)
