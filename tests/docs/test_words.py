"""The words of the code and those of the documentation are the same."""

from __future__ import annotations

import re

import pytest
from support.markdown import page
from support.tree import ROOT, sources

from drivers.events import ModemState
from gateway.message import PartState, Status

GLOSSARY = page("docs/glossary.md")


def _first_cells(section: str) -> set[str]:
    """The words in code font of a table's first column."""
    rows = [line for line in GLOSSARY.section(section).splitlines() if line.startswith("| ")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("Status words of a message", Status),
        ("States of a part", PartState),
        ("States of a modem", ModemState),
    ],
)
def test_the_glossary_explains_every_state_and_no_other(section: str, words: type[Status | PartState | ModemState]):
    assert _first_cells(section) == {word.value for word in words}


def test_words_in_code_font_exist_in_the_code():
    tree = "\n".join(source.text for source in sources())
    words = {word for word in GLOSSARY.code if re.fullmatch(r"[a-z][a-z0-9_]+", word)}
    assert {word for word in words if not re.search(rf"\b{word}\b", tree)} == set()


def test_rooms_that_the_architecture_names_exist():
    named = set(re.findall(r"`((?:drivers|gateway|api)[./][a-z_./]+)`", page("docs/architecture.md").prose))
    missing = set()
    for name in named:
        path = ROOT / (name if "/" in name else name.replace(".", "/"))
        if not (path.exists() or path.with_suffix(".py").exists()):
            missing.add(name)
    assert named
    assert missing == set()


def test_the_architecture_draws_the_floors_of_the_contracts():
    drawn = page("docs/architecture.md").text
    for folder in ("gateway", "drivers"):
        for room in sorted(path for path in (ROOT / folder).iterdir() if (path / "__init__.py").is_file()):
            assert re.search(rf"\b{room.name}\b", drawn), f"{folder}/{room.name} is not drawn"
