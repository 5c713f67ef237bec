"""Files and functions that fit into a reader's head."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from statistics import median

from support.tree import sources

FILE_LINES = 400
FUNCTION_LINES = 40
MEDIAN_LINES = 12
#: A migration is a schema written out, line by line, and is never changed again.
TABLES = "gateway/store/migrations/versions/"


def _functions() -> Iterator[tuple[str, int]]:
    """Each function's place and its lines without the docstring."""
    for source in sources():
        for node in source.walk():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{source.path}:{node.lineno} {node.name}", _length(node)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def test_no_file_is_longer_than_a_reader_can_hold():
    long = {str(source.path): count for source in sources() if (count := source.text.count("\n")) > FILE_LINES}
    assert long == {}


def test_functions_are_short(tell: Callable[[str], None]):
    lengths = {place: lines for place, lines in _functions() if not place.startswith(TABLES)}
    middle, longest = median(lengths.values()), max(lengths.values())
    tell(f"{len(lengths)} functions: median {middle:g} lines, longest {longest}")
    assert {place: lines for place, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert middle <= MEDIAN_LINES
