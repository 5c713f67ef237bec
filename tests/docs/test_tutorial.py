"""The tutorial's page and its files say the same. That the whole of it works is tried in tests/journeys."""

from __future__ import annotations

import ast
import json
import shlex

from support.markdown import page
from support.tree import ROOT

FOLDER = ROOT / "docs" / "tutorial"
PAGE = page("docs/tutorial/first-campaign.md")


def _constants() -> dict[str, str]:
    """The texts of the script by their names."""
    tree = ast.parse((FOLDER / "first_campaign.py").read_text("utf-8"))
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found[ast.unparse(node.targets[0])] = str(node.value.value)
    return found


def test_the_page_shows_the_campaign_that_the_file_makes():
    (shown,) = PAGE.blocks("json")
    assert json.loads(shown) == json.loads((FOLDER / "open-on-sundays.json").read_text("utf-8"))


def test_page_and_script_have_the_same_texts():
    words = {word for block in PAGE.blocks("sh") for line in block.splitlines() for word in shlex.split(line)}
    constants = _constants()
    assert {constants["PLAIN"], constants["WARM"]} <= words


def test_every_file_is_named_on_the_page():
    unnamed = {path.name for path in FOLDER.iterdir() if path.is_file() and path.name not in PAGE.text}
    assert unnamed - {"first-campaign.md"} == set()
