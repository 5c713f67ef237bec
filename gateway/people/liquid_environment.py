"""Liquid with bounds: which tags and filters templates have, and how much a text may cost.

A text is made in a bounded number of steps, each of bounded size, whatever stands in the template and in the values: so
nothing here can run for long or fill the memory. There are no tags that read files or other templates, values are plain
JSON values, and nothing outlives the text of one recipient: counters, cycles and assigned names are made anew for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from functools import lru_cache, partial
from io import StringIO
from typing import Any, Final, cast

from liquid import BoundTemplate, Environment, Mode, RenderContext
from liquid.ast import Node
from liquid.builtin import illegal, output
from liquid.builtin.content import Literal
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.filters import array, math, misc, string
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    cycle_tag,
    decrement_tag,
    echo_tag,
    for_tag,
    if_tag,
    increment_tag,
    inline_comment_tag,
    liquid_tag,
    unless_tag,
)
from liquid.exceptions import LiquidError, LoopIterationLimitError, OutputStreamLimitError, UndefinedError
from liquid.expression import Expression
from liquid.static_analysis import Variable
from liquid.token import Token
from liquid.undefined import UNDEFINED, FalsyStrictUndefined, Undefined
from liquid.utils import ReadOnlyChainMap

from gateway.people.liquid_filters import READER_FILTERS, Reader
from gateway.people.liquid_values import LARGEST, MOST_ITEMS, TemplateRefusal

#: The most characters of a source and of what comes of it.
MOST_SOURCE: Final = 10_000
MOST_OUTPUT: Final = 4_000
# What filters may cost in one text: one each, and more for long texts, for lists, and for dates and money.
_MOST_STEPS: Final = 1_000
_LETTERS_A_STEP, _ITEMS_A_STEP, _OF_READER = 500, 5, 9
# Turns of all loops of one text, and how many pieces of the template they may go through together.
_MOST_TURNS, _FEWEST_TURNS, _MOST_PIECES = 500, 10, 10_000
_MOST_NAMES: Final = 50
# Characters that a value may have on the way: more than any field of a contact.
_MOST_TEXT: Final = 20_000

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_TAGS: Final = (
    Literal,
    output.Output,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    for_tag.ForTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    capture_tag.CaptureTag,
    cycle_tag.CycleTag,
    increment_tag.IncrementTag,
    decrement_tag.DecrementTag,
    echo_tag.EchoTag,
    liquid_tag.LiquidTag,
    comment_tag.CommentTag,
    inline_comment_tag.InlineCommentTag,
)
_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "abs": math.abs_,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "round": math.round_,
    "times": math.times,
    "append": string.append,
    "capitalize": string.capitalize,
    "downcase": string.downcase,
    "lstrip": string.lstrip,
    "prepend": string.prepend,
    "remove": string.remove,
    "remove_first": string.remove_first,
    "remove_last": string.remove_last,
    "replace": string.replace,
    "replace_first": string.replace_first,
    "replace_last": string.replace_last,
    "rstrip": string.rstrip,
    "slice": string.slice_,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "strip_newlines": string.strip_newlines,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
    "url_encode": string.url_encode,
    "compact": array.compact,
    "concat": array.concat,
    "first": array.first,
    "join": array.join,
    "last": array.last,
    "map": array.map_,
    "reverse": array.reverse,
    "sort": array.sort,
    "sort_natural": array.sort_natural,
    "where": array.where,
    "default": misc.default,
    "size": misc.size,
}


class Missing(FalsyStrictUndefined):
    """A variable without a value: false in a condition, replaced by `default`, and an error wherever it is used."""

    __slots__ = ()
    force_liquid_default = True


class _Context(RenderContext):
    """The state of one text."""

    __slots__ = ("_known", "_reader", "_steps", "_turns")

    def __init__(self, of: Compiled, values: Mapping[str, object], reader: Reader) -> None:
        super().__init__(of.template, globals=values)
        # Without the library's `now` and `today`, which read the clock of the machine.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self._reader = reader
        self._known = of.known
        self._steps = _MOST_STEPS
        self._turns = of.turns

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at `path`, or `Missing`, whose name stands in the template: a segment may come from a value."""
        found: object = self.scope
        for depth, segment in enumerate(path):
            try:
                found = self.scope[str(segment)] if depth == 0 else self.get_item(found, segment)
            except (KeyError, TypeError, IndexError):
                return self._missing(path[: depth + 1], token) if default is UNDEFINED else default
        return found

    def _missing(self, path: list[object], token: Token | None) -> Missing:
        names = [".".join(map(str, path)), str(path[0])]
        name = next((each for each in names if each in self._known), "")
        return Missing(name, token=token, hint=name)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """The filter, with its bounds."""
        if name in READER_FILTERS:
            function: Callable[..., object] = partial(_read, name, self._reader)
        else:
            function = super().filter(name, token)
        return partial(self._bounded, name, function)

    def _bounded(self, name: str, function: Callable[..., object], *args: object, **named: object) -> object:
        self._steps -= 1 + sum(map(_weight, args)) + _OF_READER * (name in READER_FILTERS)
        if self._steps < 0:
            raise TemplateRefusal("the template takes too many steps")
        if name != "default":
            for each in args:
                if isinstance(each, Undefined):
                    raise UndefinedError(each.name, token=each.token)
        if name.startswith("replace") and len(args) > 2:
            _check_replacement(*map(str, args[:3]))
        try:
            return _sized(function(*args, **named))
        except TypeError:
            raise TemplateRefusal(f"the filter {name} was given the wrong arguments") from None

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """All turns of all loops of a text together are bounded."""
        self._turns -= length
        if self._turns < 0:
            raise LoopIterationLimitError("too many turns", token=None)


class _Bounded(Environment):
    """The language of templates."""

    context_depth_limit = 30
    block_nesting_limit = 20
    loop_iteration_limit = _MOST_TURNS
    local_namespace_limit = 100_000
    # In octets of UTF-8, of which a character has at most four.
    output_stream_limit = 4 * _MOST_TEXT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """The tags and filters above; `extra` are none of them."""
        assert not extra, "templates have no others"
        for tag in _TAGS:
            self.add_tag(tag)
        self.filters.update(_FILTERS)
        self.filters.update(READER_FILTERS)


ENVIRONMENT: Final = _Bounded(tolerance=Mode.STRICT, undefined=Missing, strict_filters=True)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A source that was read once. `names` are the variables that it takes from outside, as dotted paths; `known` all
    names that stand in it, with what leads to them."""

    template: BoundTemplate
    names: frozenset[str]
    known: frozenset[str]
    #: Those of all its loops together, at most: the more pieces it has, the fewer.
    turns: int

    def render(self, values: Mapping[str, object], reader: Reader) -> str:
        """The text, of at most `MOST_OUTPUT` characters. Raises whatever Liquid raises."""
        context = _Context(self, values, reader)
        buffer: StringIO = context.get_buffer()
        for node in self.template.nodes:
            node.render(context, buffer)
        text = buffer.getvalue()
        if len(text) > MOST_OUTPUT:
            raise OutputStreamLimitError("too long", token=None)
        return text


@lru_cache(maxsize=64)
def compiled(source: str) -> Compiled:
    """The template of this source. Raises `LiquidError` with words for its author: syntax, unknown tags and filters,
    and ranges whose length is not known."""
    if len(source) > MOST_SOURCE:
        raise TemplateRefusal(f"a template may have at most {MOST_SOURCE} characters")
    if _CONTROLS.search(source):
        raise TemplateRefusal("a template may have no control characters but tabs and line ends")
    template = ENVIRONMENT.from_string(source)
    pieces = sum(_checked(node, template) for node in template.nodes)
    found = template.analyze()
    for name in found.filters:
        if name not in ENVIRONMENT.filters:
            raise TemplateRefusal(f"there is no filter {name}")
    if len(found.locals) > _MOST_NAMES:
        raise TemplateRefusal(f"a template may assign at most {_MOST_NAMES} names")
    return Compiled(
        template,
        frozenset(_name(each) for all_of_one in found.globals.values() for each in all_of_one),
        frozenset(path for all_of_one in found.variables.values() for each in all_of_one for path in _paths(each)),
        max(_FEWEST_TURNS, min(_MOST_TURNS, _MOST_PIECES // max(1, pieces))),
    )


def _name(variable: Variable) -> str:
    path = _paths(variable)[-1]
    parts = path.split(".")
    # `size`, `first` and `last` ask about a list or a text, unless they are the name of an attribute.
    inner = len(parts) > (2 if parts[0] == "attributes" else 1) and parts[-1] in {"size", "first", "last"}
    return ".".join(parts[:-1]) if inner else path


def _paths(variable: Variable) -> list[str]:
    """The dotted path and what leads to it, as far as they stand in the template."""
    paths: list[str] = []
    for segment in variable.segments:
        if isinstance(segment, list):
            break
        paths.append(f"{paths[-1]}.{segment}" if paths else str(segment))
    return paths or [""]


def _expressions(of: Expression) -> Iterator[Expression]:
    yield of
    for child in of.children():
        yield from _expressions(child)


def _checked(node: Node, template: BoundTemplate) -> int:
    """How many pieces this one has, itself and what stands in it. Refuses ranges whose length is not known."""
    pieces = 1
    for expression in node.expressions():
        for each in _expressions(expression):
            pieces += 1
            if isinstance(each, RangeLiteral):
                _check_range(each)
    return pieces + sum(
        _checked(child, template) for child in node.children(RenderContext(template), include_partials=False)
    )


def _check_range(found: RangeLiteral) -> None:
    start, stop = found.start, found.stop
    if not isinstance(start, IntegerLiteral) or not isinstance(stop, IntegerLiteral):
        raise TemplateRefusal("a range has two whole numbers as its ends, such as (1..3)")
    if stop.value - start.value >= MOST_ITEMS:
        raise TemplateRefusal(f"a range may have at most {MOST_ITEMS} numbers")


def _check_replacement(text: str, wanted: str, instead: str) -> None:
    times = text.count(wanted) if wanted else len(text) + 1
    if len(text) + times * len(instead) > 2 * _MOST_TEXT:
        raise TemplateRefusal("a text grows too long on the way")


# One date is often told to many; what comes of it follows from these arguments alone.
@lru_cache(maxsize=512, typed=True)
def _read(name: str, reader: Reader, *args: object) -> object:
    return READER_FILTERS[name](reader, *args)


def _weight(value: object) -> int:
    """What it costs to go through a value."""
    if isinstance(value, str):
        return len(value) // _LETTERS_A_STEP
    return len(cast("Sized", value)) // _ITEMS_A_STEP if isinstance(value, list | tuple | dict) else 0


def _sized(value: object) -> object:
    """What came of a filter, if it is small enough."""
    if _too_large(value):
        raise TemplateRefusal("a value grows too large on the way")
    return value


def _too_large(value: object) -> bool:
    if isinstance(value, int | float):
        return not abs(value) <= LARGEST
    if isinstance(value, list | tuple):
        return len(cast("Sized", value)) > MOST_ITEMS
    return isinstance(value, str) and len(value) > _MOST_TEXT


def words_of(error: LiquidError) -> str:
    """What is wrong with a source, in one line for its author; no value can be in it, for none was looked at."""
    place = error.context()
    message = " ".join(str(error.message or "it cannot be read").split())[:200]
    return f"line {place[0]}: {message}" if place else message
