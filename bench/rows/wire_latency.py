"""From the answer 202 to AT+CMGS on the wire, with nothing else to do.

The modem is simulated in this process, so that the instant at which it reads AT+CMGS and the instant at which the
client has its answer are of one clock. The limit is what cannot be left out: one flush, one round trip to the modem.
"""

from __future__ import annotations

import asyncio
import json
import time

from bench.figures import Figure, at_most, spread
from bench.machine import commits
from bench.plan import Plan
from bench.processes import Daemon, daemon
from bench.tapped import TappedModem, tapped_modem
from bench.waiting import until
from bench.wire import TEXT

_REST_S = 0.03
# So many samples before it counts.
_WARM = 3


async def measure(plan: Plan) -> list[Figure]:
    """From the answer, and from the request."""
    folder = plan.folder / "wire"
    async with tapped_modem(folder / "modems") as (modem, port), daemon(folder, {"modem0": str(port)}) as gateway:
        pairs = await samples(gateway, modem, plan.wire_samples)
    flush = commits(plan.folder, 0.3)
    return [
        spread(
            "accepted (202) to AT+CMGS, idle", "ms", [after * 1000 for _, after in pairs],
            goals=[at_most(5, "p50"), at_most(15, "p99")], limit=flush.p50, limit_is="one flush of one row",
        ),
        spread(
            "POST to AT+CMGS, idle", "ms", [before * 1000 for before, _ in pairs],
            limit=2 * flush.value, limit_is="two flushes of one row",
        ),
    ]  # fmt: skip


async def samples(gateway: Daemon, tapped: TappedModem, count: int, **fields: str) -> list[tuple[float, float]]:
    """For so many messages the seconds from the request, and from its answer, to the wire; `fields` are of each."""
    reader, writer = await asyncio.open_connection(*gateway.address)
    try:
        body = [{"to": f"+336{10_000_000 + number}", "text": TEXT, **fields} for number in range(count + _WARM)]
        return [await _sample(reader, writer, gateway.token, tapped, json.dumps(each).encode()) for each in body][
            _WARM:
        ]
    finally:
        writer.close()


async def _sample(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, modem: TappedModem, body: bytes
) -> tuple[float, float]:
    sent = modem.ledger.count
    head = f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    submit = asyncio.ensure_future(modem.submit())
    await asyncio.sleep(0)
    asked = time.monotonic()
    writer.write(head.encode() + body)
    status = await reader.readuntil(b"\r\n\r\n")
    answered = time.monotonic()
    if not status.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(status.split(b"\r\n")[0].decode())
    length = int(status.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    wired = await submit
    await until(lambda: modem.ledger.count > sent, step_s=0.001)
    # What follows the result (its flush, the look for the next) is over before the next sample.
    await asyncio.sleep(_REST_S)
    return wired - asked, wired - answered
