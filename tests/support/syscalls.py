"""The order of a process's system calls, as strace tells it: what was flushed before what was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Everything by which a gateway writes: files, the line to a modem, answers to clients.
CALLS = "write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync"
_LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)$")
#: A page of the log, as a write's length among its arguments.
_PAGE = ", 4096, "
_ON = re.compile(r"\d+<([^>]*)>(?:, )?(.*)")


def command(trace: Path) -> tuple[str, ...]:
    """What to put before a command so that its calls are written to `trace`; its process stays a child of ours."""
    return ("strace", "-D", "-f", "-y", "-s", "48", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace))


@dataclass(frozen=True)
class Call:
    """A system call on a file or socket. A write counts when it begins, a flush when it is done."""

    name: str
    path: str
    rest: str

    @property
    def is_flush(self) -> bool:
        return self.name in {"fsync", "fdatasync"}


def calls(lines: Iterable[str]) -> Iterator[Call]:
    """The calls in their order."""
    open_flushes: dict[str, str] = {}
    for line in lines:
        if (found := _LINE.match(line)) is None:
            continue
        thread, name, begun, rest = found.groups()
        is_flush = name in {"fsync", "fdatasync"}
        if begun != "(":
            if is_flush and rest.rstrip().endswith("= 0"):
                yield Call(name, open_flushes.pop(thread), "")
        elif (on := _ON.match(rest)) is not None:
            if not is_flush:
                yield Call(name, on[1], on[2])
            elif rest.rstrip().endswith("<unfinished ...>"):
                open_flushes[thread] = on[1]
            elif rest.rstrip().endswith("= 0"):
                yield Call(name, on[1], "")


@dataclass
class Order:
    """What the checker of the order counted."""

    said: int = 0
    flushes: int = 0
    violations: int = 0


def checked(trace: Iterable[Call], log: str, *, says: str, to: str) -> Order:
    """Look at each write that contains `says` on something whose path contains `to`.

    Before it, and after the one before it, the file that ends in `log` must have been written and then flushed; and
    nothing may be written to it that is not flushed yet. What is said is only that when nobody else writes meanwhile,
    except a single page: that is a host that tells that it lives. A message is in a table and in its indexes, which are
    pages of their own.
    """
    order = Order()
    written, flushed = False, False
    for call, pages in _with_commits(trace, log):
        if call.path.endswith(log):
            order.flushes += call.is_flush
            if pages != 1:
                written = not call.is_flush
                flushed = flushed or call.is_flush
        elif says in call.rest and to in call.path:
            order.said += 1
            order.violations += written or not flushed
            flushed = False
    return order


def _with_commits(trace: Iterable[Call], log: str) -> Iterator[tuple[Call, int]]:
    """Each call, and how many pages the next flush of the log, or this one, makes durable; 0 where none comes."""
    since: list[Call] = []
    for call in trace:
        since.append(call)
        if call.is_flush and call.path.endswith(log):
            pages = sum(_PAGE in each.rest for each in since if each.path.endswith(log))
            yield from ((each, pages) for each in since)
            since = []
    yield from ((each, 0) for each in since)
