"""Runs troubles of all kinds for a while and writes what came of each into its page: `make troubles`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from support.crash import crash_rig
from support.tree import ROOT
from support.trouble_soak import MODEMS, Found, TroubleSoak

from drivers.sim import TROUBLES

PAGE = ROOT / "docs" / "explanation" / "troubles.md"
BEGIN, END = "<!-- troubles: make troubles -->", "<!-- end of troubles -->"
#: Two minutes in earnest; what is waited for here.
SUBMIT_S = 6.0
MINUTES = 10.0
_HEAD = ("| trouble | what happens | times | usable again after, median | longest |", "|---|---|---|---|---|")


def rows(found: Found) -> list[str]:
    """One line for each kind: how often, and how long after its end the modem was usable again, in seconds."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for recovery in found.recoveries:
        seconds[recovery.trouble].append(recovery.seconds)
    return [*_HEAD, *[_row(kind, sorted(each)) for kind, each in sorted(seconds.items())]]


def _row(kind: str, seconds: list[float]) -> str:
    about = " ".join((TROUBLES[kind].__doc__ or "").split())
    return f"| `{kind}` | {about} | {len(seconds)} | {seconds[len(seconds) // 2]:.1f} s | {seconds[-1]:.1f} s |"


def written(page: str, table: str) -> str:
    """The page with this table in place of the one between its marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}"


async def main(minutes: float, seed: int) -> None:
    """Run, print, write."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        history = str(folder / "sim" / "troubles.jsonl")
        options = ("--profile", "all", "--latency", "50ms", "--report-delay", "200ms", "--history", history)
        async with crash_rig(folder, *options, modems=MODEMS, submit_seconds=SUBMIT_S) as rig:
            await rig.gateway.start()
            soak = TroubleSoak(rig, seed)
            found = await soak.run(calm_s=40, troubled_s=minutes * 60, every_s=8, longest_s=8)
    sys.stdout.write("\n".join([str(found), *found.lost, *found.wrong, *found.duplicated, ""]))
    table = "\n".join([f"{found}.", "", *rows(found)])
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(float(os.environ.get("MINUTES", MINUTES)), int(os.environ.get("TOCSIN_SEED", "1"))))
