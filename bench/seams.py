"""The daemon with a stopwatch at each step of accepting: `python -m bench.seams FILE serve --config …`.

Each step's processor time in its own thread, without that of the steps inside it, is written to FILE at the end as one
JSON document. A stopwatch costs about a microsecond; figures of speed are measured without.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import reduce, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.cli.main import main

#: In the order of a request: what a step is called here; where its function is looked up, and by which name.
STEPS: tuple[tuple[str, str, str], ...] = (
    ("Host and origin", "api.hosts", "Hosts.check"),
    ("Host and origin", "api.hosts", "Hosts.check_origin"),
    ("token and scope", "api.endpoint", "principal_of"),
    ("body: JSON", "api.body", "object_of"),
    ("body: shape", "api.endpoint", "validated"),
    ("body: to a value", "api.models.messages", "MessageIn.value"),
    ("door: number, text, lane", "gateway.outbound.door", "Door.check"),
    ("handing over, waking", "gateway.store.waiting", "Waiting.put"),
    ("handing over, waking", "gateway.outbound.dispatcher", "Dispatcher.nudge"),
    ("writer: rules and rows", "gateway.outbound.intake", "Intake._waiting"),
    ("writer: statements", "gateway.store.file", "File.ask"),
    ("writer: statements", "gateway.store.file", "File.later"),
    ("writer: statements", "gateway.store.file", "File.many"),
    ("writer: statements", "gateway.store.file", "File.later_many"),
    ("writer: begin, commit, flush", "gateway.store.database", "_commit_once"),
    ("answer: document", "api.routes.messages", "message_out"),
    ("answer: JSON and fields", "api.routes.messages", "answer"),
)
#: The step that each request takes once.
ONCE = "body: JSON"


class Stopwatches:
    """What each step has taken so far, in nanoseconds."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._here = threading.local()
        self._requests = 0
        # Of the whole process, from the first request to the last.
        self._first_ns = self._last_ns = 0

    def install(self) -> None:
        """Put one at each step."""
        for step, module, path in STEPS:
            *outer, name = path.split(".")
            owner: Any = reduce(getattr, outer, import_module(module))
            setattr(owner, name, self._timed(step, getattr(owner, name)))

    def document(self) -> dict[str, Any]:
        """Requests, processor time of the process, and of each step."""
        return {
            "requests": self._requests,
            "process_ns": self._last_ns - self._first_ns,
            "steps_ns": {step: self._spent[step] for step, _, _ in STEPS},
        }

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*given: Any, **named: Any) -> Any:
            if step == ONCE:
                self._count()
            outside = getattr(self._here, "inside_ns", 0)
            self._here.inside_ns = 0
            began_ns = time.thread_time_ns()
            try:
                return function(*given, **named)
            finally:
                took_ns = time.thread_time_ns() - began_ns
                self._spent[step] += took_ns - self._here.inside_ns
                self._here.inside_ns = outside + took_ns

        return timed

    def _count(self) -> None:
        self._requests += 1
        self._last_ns = time.process_time_ns()
        self._first_ns = self._first_ns or self._last_ns


def _run(file: Path, arguments: list[str]) -> int:
    watches = Stopwatches()
    watches.install()
    sys.argv = ["tocsin", *arguments]
    try:
        return main()
    finally:
        file.write_text(json.dumps(watches.document()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(_run(Path(sys.argv[1]), sys.argv[2:]))
