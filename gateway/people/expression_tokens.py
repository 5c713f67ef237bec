"""The words of a filter: what it refers to, told without a parser.

The interpreter of the language says whether a filter is well formed, and in one list which names occur. What else must
be known (the attribute behind `attributes.`, the variable of a macro) stands in the order of the tokens.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: Macros that bind a name of the writer's own, as in `tags.exists(tag, tag == "a")`.
MACROS: Final = ("all", "exists", "exists_one", "filter", "map")

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
    |(?P<text>(?:[rR][bB]?|[bB][rR])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
        |[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<mark>&&|\|\||[<>=!]=|.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_OPENING: Final = "([{"
_CLOSING: Final = ")]}"


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `text`, `number`, `word` or `mark`; `start` and `end` are its place in the source, in characters."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that belongs to nothing before it. `member` is what is taken of it by a name that stands there, as in
    `attributes.city` or `attributes["city"]`; None where there is none, or one that is computed. `called`: a function.
    `asked`: it alone stands in `has(…)`. `at` is its place among the tokens, `end` that of the last one of the
    member."""

    name: str
    member: str | None
    called: bool
    asked: bool
    at: int
    end: int


def tokens(source: str) -> list[Token]:
    """Every token but spaces and comments; what is no token of the language is a mark of one character."""
    found = ((str(each.lastgroup), each) for each in _TOKEN.finditer(source))
    return [Token(kind, each.group(), each.start(), each.end()) for kind, each in found if kind != "space"]


def depth(words: Sequence[Token]) -> int:
    """How deep brackets are nested."""
    deepest = level = 0
    for word in words:
        if word.kind == "mark" and word.text in _OPENING:
            level += 1
            deepest = max(deepest, level)
        elif word.kind == "mark" and word.text in _CLOSING:
            level -= 1
    return deepest


def bound(words: Sequence[Token]) -> frozenset[str]:
    """The names that macros bind."""
    return frozenset(
        words[at + 2].text
        for at, word in enumerate(words[:-3])
        if word.text in MACROS
        and is_mark(words, at - 1, ".")
        and is_mark(words, at + 1, "(")
        and words[at + 2].kind == "word"
        and is_mark(words, at + 3, ",")
    )


def references(words: Sequence[Token]) -> Iterator[Reference]:
    """The names that a filter refers to, with those that macros bind, in their order."""
    for at, word in enumerate(words):
        if word.kind != "word" or word.text in ("true", "false", "null", "in") or is_mark(words, at - 1, "."):
            continue
        asked = is_mark(words, at - 1, "(") and is_mark(words, at + 1, ")") and is_word(words, at - 2, "has")
        member, end = _member(words, at)
        yield Reference(word.text, member, is_mark(words, at + 1, "("), asked, at, end)


def methods(words: Sequence[Token]) -> Iterator[str]:
    """What is called on something, as `startsWith` in `name.startsWith("A")`."""
    for at, word in enumerate(words):
        if word.kind == "word" and is_mark(words, at - 1, ".") and is_mark(words, at + 1, "("):
            yield word.text


def conditions(words: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The conditions that a filter joins with `&&`, `||` and `? :`, each of which is true or false by itself."""
    for joint in ("?", ":", "||", "&&"):
        parts = split(words, joint)
        if len(parts) > 1:
            for part in parts:
                yield from conditions(part)
            return
    negated = 1 if words and words[0].text == "!" and words[0].kind == "mark" else 0
    if _is_enclosed(words[negated:]):
        yield from conditions(words[negated + 1 : -1])
    else:
        yield words


def split(words: Sequence[Token], joint: str) -> list[Sequence[Token]]:
    """The parts between these marks, or words of the language, those within brackets left alone."""
    parts: list[Sequence[Token]] = []
    level = start = 0
    for at, word in enumerate(words):
        if word.kind == "mark":
            level += (word.text in _OPENING) - (word.text in _CLOSING)
        if level == 0 and word.text == joint:
            parts.append(words[start:at])
            start = at + 1
    return [*parts, words[start:]]


def written(source: str, words: Sequence[Token]) -> str:
    """These tokens as they stand in the source."""
    return source[words[0].start : words[-1].end] if words else ""


def _is_enclosed(words: Sequence[Token]) -> bool:
    """Whether one pair of brackets is around all of them."""
    if len(words) < 2 or words[0].text != "(" or words[-1].text != ")":
        return False
    level = 0
    for word in words[:-1]:
        if word.kind == "mark":
            level += (word.text in _OPENING) - (word.text in _CLOSING)
        if level == 0:
            return False
    return True


def _member(words: Sequence[Token], at: int) -> tuple[str | None, int]:
    """What is taken of the name at this place, and where that ends."""
    if is_mark(words, at + 1, ".") and at + 2 < len(words) and words[at + 2].kind == "word":
        return words[at + 2].text, at + 2
    if is_mark(words, at + 1, "[") and is_mark(words, at + 3, "]") and words[at + 2].kind == "text":
        return literal(words[at + 2]), at + 3
    return None, at


def literal(token: Token) -> str | None:
    """The text that this token stands for; None for one of octets."""
    try:
        value = ast.literal_eval(token.text)
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, str) else None


def is_mark(words: Sequence[Token], at: int, mark: str) -> bool:
    """Whether this mark is at this place, which there need not be."""
    return 0 <= at < len(words) and words[at].kind == "mark" and words[at].text == mark


def is_word(words: Sequence[Token], at: int, text: str) -> bool:
    """The same of a word."""
    return 0 <= at < len(words) and words[at].kind == "word" and words[at].text == text
