"""The cases by which the promises are tested: each is on its page, and a test prints its figures under its id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.crash_cells import ID_OF
from support.markdown import page
from support.tree import ROOT

PAGE = page("docs/explanation/cases.md")
#: What nobody may drop by forgetting it.
CASES = {
    *(f"C{number:02}" for number in range(1, 24)),
    *(f"P{number:02}" for number in (1, 2, 5)),
    *(f"D{number:02}" for number in (*range(1, 19), 20)),
    *(f"T{number:02}" for number in range(1, 10)),
    *(f"F{number:02}" for number in range(1, 6)),
    *(f"S{number:02}" for number in range(1, 8)),
    *(f"M{number:02}" for number in (*range(1, 23), 25)),
    *(f"I{number:02}" for number in (1, 2, 3, 4, 5, 13, 14)),
    *(f"H{number:02}" for number in range(1, 13)),
    *(f"A{number:02}" for number in (*range(1, 9), 13, 14)),
    *(f"W{number:02}" for number in range(1, 8)),
    "L06",
}
_ROW = re.compile(r"^\| ([A-Z]\d\d) \| [^|]+ \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\]\(\.\./\.\./([^)]+)\)")
_IDS = re.compile(r"([A-Z]\d\d(?:, [A-Z]\d\d)*): ")


def _rows() -> dict[str, list[str]]:
    """The files that the page names for each id."""
    return {case: _LINK.findall(where) for case, where in _ROW.findall(PAGE.text)}


def _told_by(function: ast.AST) -> Iterator[str]:
    """The ids with which lines begin that a test, or who works for it, makes."""
    described = getattr(function, "body", [None])[0]
    docstring = described.value if isinstance(described, ast.Expr) else None
    for node in ast.walk(function):
        if node is docstring:
            continue
        head = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
        if isinstance(head, ast.Constant) and isinstance(head.value, str) and (found := _IDS.match(head.value)):
            yield from found[1].split(", ")
        elif isinstance(node, ast.JoinedStr) and isinstance(head, ast.FormattedValue):
            yield from _of_value(head.value, function)


def _of_value(value: ast.expr, function: ast.AST) -> Iterator[str]:
    """The ids that a value may have: those of the cells, or those that a test is parametrized with as `case`."""
    text = ast.unparse(value)
    if text.startswith("ID_OF["):
        for ids in ID_OF.values():
            yield from ids.split(", ")
    elif text == "case" and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        for decorator in function.decorator_list:
            for node in ast.walk(decorator):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in CASES:
                    yield node.value


def told_in(path: str) -> set[str]:
    """The ids of which a file of tests prints figures."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {case for function in functions for case in _told_by(function)}


def test_the_page_has_every_case_and_no_other() -> None:
    found = [case for case, _ in _ROW.findall(PAGE.text)]
    assert len(found) == len(set(found))
    assert set(found) == CASES


@pytest.mark.parametrize("case", sorted(CASES))
def test_each_case_is_told_where_the_page_says(case: str) -> None:
    files = _rows()[case]
    assert files
    assert {path: case in told_in(path) for path in files} == dict.fromkeys(files, True)


def test_whatever_else_tells_a_case_is_on_the_page_too() -> None:
    named = {path for files in _rows().values() for path in files}
    others = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")} - named - {_this_file()}
    assert {path: found for path in others if (found := told_in(path) & CASES)} == {}


def test_the_check_sees_what_it_looks_for() -> None:
    source = (
        "async def test_one(tell):\n"
        "    tell(f'D01: {1} host')\n"
        "@pytest.mark.parametrize('case', ['F01', 'other'])\n"
        "def test_two(tell, case):\n"
        "    tell(f'{case}: full')\n"
        "def test_three(tell):\n"
        "    '''D02: this is told of it, and nothing is told.'''\n"
        "    tell('nothing of D03: it is not at the beginning')\n"
    )
    told = [set(_told_by(function)) for function in ast.parse(source).body]
    assert told == [{"D01"}, {"F01"}, set()]


def _this_file() -> str:
    return str(Path(__file__).relative_to(ROOT))
