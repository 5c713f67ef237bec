"""`python -m bench`: measures the rows that are asked for, prints the table, writes the document.

It ends with 0 when everything could be measured, whatever the figures; with 1 when a row could not be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from bench import machine, report
from bench.figures import Figure
from bench.plan import Plan, tiny
from bench.rows import ROWS

_ROW_S = 150.0
# A store of millions takes minutes to make.
_PER_MESSAGE_S = 0.002


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status."""
    options = _parser().parse_args(arguments)
    folder = Path(options.dir or _disk()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=folder, ignore_cleanup_errors=True) as scratch:
        plan = _plan(options, Path(scratch))
        known = machine.description(plan.folder)
        print(report.of_machine(known), flush=True)
        if known["file_system"] == "tmpfs":
            print("tmpfs keeps nothing, so flushes cost nothing: name a folder on a disk with --dir")
        began = time.monotonic()
        figures, failures = asyncio.run(_measure(plan, options.rows or list(ROWS)))
        seconds = time.monotonic() - began
    print(f"\n{report.table(figures)}\n\n{report.named_statements(figures)}".rstrip())
    print(f"\n{len(figures)} figures in {seconds:.0f} s")
    for row, why in failures.items():
        print(f"not measured: {row}: {why}", file=sys.stderr)
    if options.json:
        document = report.document(figures, known, failures, seconds)
        Path(options.json).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if failures else 0


def _disk() -> str:
    """Where flushes cost what they cost: temporary files, unless those lie in memory."""
    return "." if machine.file_system(Path(gettempdir())) == "tmpfs" else gettempdir()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which work: {', '.join(ROWS)} (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write everything as one JSON document")
    parser.add_argument("--dir", help="a folder on the disk to be measured (default: temporary files, or here)")
    parser.add_argument("--backlog", type=int, metavar="N", help="so many queued and as many finished in a full store")
    parser.add_argument("--idle-seconds", type=float, metavar="S", help="how long the idle daemons are watched")
    parser.add_argument("--peers", action="store_true", help="gammu-smsd and smstools beside it, where installed")
    parser.add_argument("--tiny", action="store_true", help="only show that everything runs")
    return parser


def _plan(options: argparse.Namespace, folder: Path) -> Plan:
    unknown = sorted(set(options.rows) - set(ROWS))
    if unknown:
        raise SystemExit(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    plan = tiny(folder) if options.tiny else Plan(folder)
    return replace(
        plan,
        backlog=options.backlog or plan.backlog,
        idle_s=options.idle_seconds or plan.idle_s,
        peers=options.peers or "peers" in options.rows,
    )


async def _measure(plan: Plan, rows: list[str]) -> tuple[list[Figure], dict[str, str]]:
    """Row by row, each within its time; one that fails does not keep the others from being measured."""
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    for row in rows:
        began = time.monotonic()
        try:
            async with asyncio.timeout(_ROW_S + plan.idle_s + plan.backlog * _PER_MESSAGE_S):
                found = await ROWS[row](plan)
        except Exception as error:  # noqa: BLE001 - told at the end, with the others' figures
            failures[row] = f"{type(error).__name__}: {error}"
            print(f"{row}: failed", flush=True)
            continue
        figures += found
        print(f"{row}: {time.monotonic() - began:.0f} s", flush=True)
    return figures, failures


if __name__ == "__main__":
    sys.exit(main())
