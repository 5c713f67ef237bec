"""Links between the pages lead somewhere, and every page can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.markdown import Page, page, pages
from support.tree import ROOT


def _goal(source: Page, link: str) -> tuple[Path, str]:
    """File, relative to the top, and anchor of a link within the tree."""
    path, _, anchor = link.partition("#")
    file = (ROOT / source.path.parent / path).resolve() if path else ROOT / source.path
    return file.relative_to(ROOT), anchor


def _inner(source: Page) -> list[str]:
    return [link for link in source.links if "://" not in link and not link.startswith("mailto:")]


@pytest.mark.parametrize("source", pages(), ids=lambda one: str(one.path))
def test_links_lead_somewhere(source: Page):
    for link in _inner(source):
        file, anchor = _goal(source, link)
        assert (ROOT / file).exists(), link
        if anchor:
            assert anchor in page(str(file)).anchors, link


def test_every_page_of_the_documentation_can_be_reached_from_the_readme():
    reached: set[Path] = set()
    waiting = [Path("README.md")]
    while waiting:
        current = waiting.pop()
        if current in reached or current.suffix != ".md":
            continue
        reached.add(current)
        source = page(str(current))
        waiting += [_goal(source, link)[0] for link in _inner(source)]
    assert {one.path for one in pages() if one.path.parts[0] == "docs"} <= reached


def test_decisions_are_numbered_without_gap_and_dated():
    decisions = [one for one in pages() if one.path.parent == Path("docs/decisions")]
    assert [int(one.path.name[:4]) for one in decisions] == list(range(1, len(decisions) + 1))
    for one in decisions:
        assert one.text.startswith(f"# {int(one.path.name[:4])}. "), one.path
        assert "\nStatus: " in one.text, one.path
