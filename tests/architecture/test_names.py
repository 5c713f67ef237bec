"""One name at the top of a module is one thing: a second definition would answer for both."""

from __future__ import annotations

import ast
from collections import Counter

from support.tree import ROOT, tracked_files


def _is_overload(node: ast.stmt) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(each).split(".")[-1] == "overload" for each in decorators)


def twice(text: str) -> set[str]:
    """The functions and classes that the top of a module defines more than once.

    Alternatives, of which one is taken, stand in an `if` or a `try`, and so not at the top; overloads are declarations.
    """
    names = Counter(
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not _is_overload(node)
    )
    return {name for name, count in names.items() if count > 1}


def test_no_module_defines_a_name_twice() -> None:
    modules = [path for path in tracked_files() if path.suffix == ".py"]
    assert modules
    found = {str(path): names for path in modules if (names := twice((ROOT / path).read_text(encoding="utf-8")))}
    assert found == {}


def test_the_check_sees_what_it_looks_for() -> None:
    allowed = (
        "try:\n    def one(): ...\nexcept ImportError:\n    def one(): ...\n"
        "@overload\ndef two(a: int) -> int: ...\n@typing.overload\ndef two(a: str) -> str: ...\ndef two(a): ...\n"
    )
    assert twice(allowed) == set()
    assert twice("def one(): ...\nasync def one(): ...\nclass Two: ...\nclass Two: ...\n") == {"one", "Two"}
