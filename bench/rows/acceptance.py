"""POST /v1/messages with keep-alive clients: how many a second, each answered after its flush.

The client is a process of our own, and `wrk` beside it where it is installed. One modem is there and busy (its network
takes 1 s), so that sending takes next to nothing of what is measured. Limits: for one client a server that does nothing
and one flush, for several the server alone.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from bench.figures import Figure, Goal, at_least
from bench.machine import commits
from bench.plan import Plan
from bench.processes import Daemon, daemon, line_of, modems, process, python
from bench.wire import TEXT

_GOALS = {1: at_least(1000), 32: at_least(4000)}
_NOTHING_S = 1.5


async def measure(plan: Plan) -> list[Figure]:
    """One figure for each number of clients, and one more each by wrk."""
    folder = plan.folder / "accept"
    limits = await _limits(plan, folder)
    found: list[Figure] = []
    for clients in plan.accept_clients:
        # A fresh store for each: what one run left is not the next one's burden.
        place = folder / f"clients{clients}"
        async with modems(place / "modems", 1, latency_s=1.0) as simulated, daemon(place, simulated.configured) as gw:
            found.append(await _ours(plan, gw, clients, limits[clients]))
            if shutil.which("wrk"):
                found.append(await _wrk(plan, gw, clients))
        shutil.rmtree(place / "state")
    return found


async def _limits(plan: Plan, folder: Path) -> dict[int, float]:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "bare.log"
    seconds = min(plan.accept_s, _NOTHING_S)
    flush_s = commits(plan.folder, 0.3).value / 1000
    limits: dict[int, float] = {}
    async with process(*python("bench.bare_http"), log=log) as bare:
        address = (await line_of(bare, "ready http://", log)).partition(":")
        for clients in plan.accept_clients:
            told = await post_load(folder, address[0], address[2], "none", clients, seconds)
            limits[clients] = 1 / (1 / told["per_s"] + flush_s) if clients == 1 else told["per_s"]
    return limits


async def _ours(plan: Plan, gateway: Daemon, clients: int, limit: float) -> Figure:
    host, port = gateway.address
    told = await post_load(gateway.folder, host, str(port), gateway.token, clients, plan.accept_s)
    return Figure(
        f"POST /v1/messages, {_clients(clients)}", "1/s", told["per_s"], p50=told["p50"], p99=told["p99"],
        goals=_goals(clients), limit=limit,
        limit_is="a server that does nothing" + (", and one flush" if clients == 1 else ""),
        note=f"{told['refused']:g} refused" if told["refused"] else "p50 and p99 in ms; client of our own",
    )  # fmt: skip


async def post_load(folder: Path, *arguments: object) -> dict[str, float]:
    """What the client process says."""
    log = folder / "client.log"
    async with process(*python("bench.http_load"), *map(str, arguments), log=log) as client:
        said, _ = await client.communicate()
        if client.returncode:
            raise RuntimeError(f"the client failed: {log.read_text(errors='replace')[-500:]}")
    return json.loads(said)


async def _wrk(plan: Plan, gateway: Daemon, clients: int) -> Figure:
    script = gateway.folder / "post.lua"
    script.write_text(_LUA % {"token": gateway.token, "text": TEXT}, encoding="utf-8")
    command = ["wrk", "-t1", f"-c{clients}", f"-d{max(round(plan.accept_s), 1)}s", "--latency", "-s", str(script)]
    async with process(*command, f"{gateway.url}/v1/messages", log=gateway.folder / "wrk.log") as client:
        said = (await client.communicate())[0].decode()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    spread = [re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said) for percent in (50, 99)]
    p50, p99 = [float(one[1]) * {"us": 0.001, "ms": 1, "s": 1000}[one[2]] if one else None for one in spread]
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Figure(
        f"POST /v1/messages, {_clients(clients)}, wrk", "1/s", float(rate[1]) if rate else 0.0, p50=p50, p99=p99,
        goals=_goals(clients), note=refused[0] if refused else "p50 and p99 in ms",
    )  # fmt: skip


def _clients(count: int) -> str:
    return f"{count} client{'s' * (count > 1)}"


def _goals(clients: int) -> list[Goal]:
    return [_GOALS[clients]] if clients in _GOALS else []


_LUA = """\
local number = 33620000000
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer %(token)s"
wrk.headers["Content-Type"] = "application/json"
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, '{"to":"+' .. string.format("%%.0f", number) .. '","text":"%(text)s"}')
end
"""
