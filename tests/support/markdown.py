"""The documentation as its tests read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.tree import ROOT, tracked_files

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Page:
    """One Markdown file; `path` is relative to the top."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """Its text without fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def anchors(self) -> set[str]:
        """What a link may name after `#`: headings as forges turn them into anchors."""
        headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(self.prose))
        return {heading.strip().replace(" ", "-") for heading in headings}

    @property
    def links(self) -> list[str]:
        """The goals of its links."""
        return _LINK.findall(self.prose)

    @property
    def code(self) -> set[str]:
        """What stands between single backquotes."""
        return set(_CODE.findall(self.prose))

    def blocks(self, language: str) -> Iterator[str]:
        """Its fenced blocks of one language."""
        return (body for kind, body in _FENCE.findall(self.text) if kind == language)

    def section(self, heading: str) -> str:
        """The text from a heading to the next one; AssertionError where there is none."""
        match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert match, f"{self.path} has no heading {heading}"
        return match[1]


@cache
def page(path: str) -> Page:
    """One page by its path from the top."""
    return Page(Path(path), (ROOT / path).read_text(encoding="utf-8"))


def pages() -> list[Page]:
    """Every Markdown file of the tree."""
    return [page(str(path)) for path in tracked_files() if path.suffix == ".md"]
