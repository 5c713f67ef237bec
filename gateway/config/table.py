"""Reading one table of the file key by key, keeping every finding with its key path instead of stopping at the first.

A key is known because somebody takes it: there is no second list to keep in step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from gateway.config.shapes import Shape, Wrong
from gateway.errors import ConfigProblem

T = TypeVar("T")
D = TypeVar("D")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 60


@dataclass(slots=True)
class Findings:
    """What reading one file found. Patterns are key paths with `*` for a name that the user chooses."""

    problems: list[ConfigProblem] = field(default_factory=list[ConfigProblem])
    warnings: list[ConfigProblem] = field(default_factory=list[ConfigProblem])
    #: Every key that was asked for.
    known: set[str] = field(default_factory=set[str])
    #: Path and pattern of every known key that is written.
    written: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    #: Path and pattern of every key that nobody asked for.
    unknown: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def problem(self, path: str, message: str) -> None:
        """Note something that prevents the start."""
        self.problems.append(ConfigProblem(path, message))

    def warning(self, path: str, message: str) -> None:
        """Note something that a person should know."""
        self.warnings.append(ConfigProblem(path, message))


class Table:
    """One table, at `path` of the file. Use as a context manager: at the end the keys that nobody took are unknown."""

    def __init__(self, values: Mapping[str, object], findings: Findings, path: str = "", pattern: str = "") -> None:
        self.findings = findings
        self.path = path
        self._values = values
        self._pattern = pattern
        self._taken: set[str] = set()

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        for key in self._values.keys() - self._taken:
            self.findings.unknown.append((self.path_of(key), join(self._pattern, key)))

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def path_of(self, key: str) -> str:
        """The full path of a key of this table, as it is shown to people."""
        return join(self.path, key)

    def problem(self, key: str, message: str) -> None:
        """Note a problem of one key."""
        self.findings.problem(self.path_of(key), message)

    def take(self, key: str, shape: Shape[T], default: D) -> T | D:
        """The checked value of a key, its default when it is not written or wrong."""
        if self._asked(key):
            try:
                return shape(self._values[key])
            except Wrong as wrong:
                for within, message in wrong.details:
                    self.findings.problem(self.path_of(key) + within, message)
        return default

    def require(self, key: str, shape: Shape[T], default: D) -> T | D:
        """As `take`, and a problem when the key is not written."""
        if key not in self._values:
            self.problem(key, "is missing")
        return self.take(key, shape, default)

    def table(self, key: str) -> Table:
        """The table within this one, empty when it is not written."""
        return self._within(key, key, self._values.get(key, {}) if self._asked(key) else {})

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of the list `[[this.key]]`, none when it is not written."""
        found = self._values.get(key) if self._asked(key) else ()
        if not isinstance(found, list | tuple):
            self.problem(key, f"must be a list of tables: [[{self.path_of(key)}]]")
            return
        for place, value in enumerate(cast("Sequence[object]", found)):
            yield self._at(f"{self.path_of(key)}[{place}]", key, value)

    def each(self, name: Shape[str]) -> Iterator[tuple[str, Table]]:
        """The tables `[this.NAME]` under the keys that nobody took, with their names; `name` is a name's shape."""
        for chosen in [key for key in self._values if key not in self._taken]:
            self._taken.add(chosen)
            try:
                name(chosen)
            except Wrong as wrong:
                self.problem(chosen, f"the name {wrong}")
            yield chosen, self._within(chosen, "*", self._values[chosen])

    def entries(self, name: Shape[str], shape: Shape[T]) -> dict[str, T]:
        """The values under the keys that nobody took; `name` is a key's shape."""
        found: dict[str, T] = {}
        self.findings.known.add(join(self._pattern, "*"))
        for chosen in [key for key in self._values if key not in self._taken]:
            self._taken.add(chosen)
            self.findings.written.append((self.path_of(chosen), join(self._pattern, "*")))
            for kind, value in ((name, chosen), (shape, self._values[chosen])):
                try:
                    read = kind(value)
                except Wrong as wrong:
                    for within, message in wrong.details:
                        self.findings.problem(self.path_of(chosen) + within, message)
                    break
            else:
                found[chosen] = cast("T", read)
        return found

    def _within(self, key: str, word: str, value: object) -> Table:
        return self._at(self.path_of(key), word, value)

    def _at(self, path: str, word: str, value: object) -> Table:
        if not isinstance(value, dict):
            self.findings.problem(path, f"must be a table: [{path}]")
            value = {}
        return Table(cast("Mapping[str, object]", value), self.findings, path, join(self._pattern, word))

    def _asked(self, key: str) -> bool:
        pattern = join(self._pattern, key)
        self.findings.known.add(pattern)
        self._taken.add(key)
        if key in self._values:
            self.findings.written.append((self.path_of(key), pattern))
        return key in self._values


def join(path: str, key: str) -> str:
    """A dotted path with one more key; a key that is not bare is quoted and escaped, as in TOML."""
    short = key if len(key) <= _SHOWN else key[:_SHOWN] + "…"
    bare = (
        short if _BARE_KEY.fullmatch(short) or key == "*" else json.dumps(short, ensure_ascii=not short.isprintable())
    )
    return f"{path}.{bare}" if path else bare
