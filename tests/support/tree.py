"""The repository as the tests of its own shape see it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "drivers", "gateway")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that is or would be committed, relative to the top."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return tuple(sorted({Path(name) for name in listing.split("\0") if name and (ROOT / name).is_file()}))


@dataclass(frozen=True)
class Source:
    """One Python file of the three packages."""

    path: Path
    text: str

    @property
    def module(self) -> str:
        """Its dotted name."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def walk(self) -> Iterator[ast.AST]:
        """Every node of its syntax tree."""
        return ast.walk(ast.parse(self.text, str(self.path)))


@cache
def sources() -> tuple[Source, ...]:
    """The Python files of the three packages."""
    paths = [path for path in tracked_files() if path.parts[0] in PACKAGES and path.suffix == ".py"]
    return tuple(Source(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths)
