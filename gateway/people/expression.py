"""A filter of a segment at work: whether somebody is in it.

All of this runs in the process beside the gateway (`gateway.people.aside`). Most of the time that a filter takes goes
into handing the interpreter its values. So it is given one flat map of those alone that the filter names, and answers
are kept for people of whom the same is true. What is missing in the map is an error to the interpreter: whoever lacks a
value that the filter comes to is not in the segment, and is counted by the field.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.people.expression_fields import ATTRIBUTES, NOW, TODAY
from gateway.people.expression_names import (
    Field,
    asks_day,
    asks_instant,
    columns_of,
    fields,
    rewritten,
    short_name,
    variables,
)
from gateway.people.expression_tokens import tokens
from gateway.people.expression_values import Calendar, Moment, given, instant, midnight, reader_of

_KEPT: Final = 20_000

#: One value for each of the columns that were asked for, as they stand in the store.
Row: TypeAlias = "tuple[Any, ...]"


class ValueMissing(Exception):
    """The filter came to a field that this person has no value of; `field` is how the filter names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Unjudged(Exception):
    """The filter cannot be worked out for this person: a division by zero, an index behind the end of a list."""


class Expression:
    """One filter, compiled. `types` are those of the attributes; `fields` are the values that it names, `columns` what
    it must be given of a person."""

    def __init__(self, source: str, types: Mapping[str, str]) -> None:
        import cel  # noqa: PLC0415 - it brings 29 MB along, which the gateway itself never needs

        # It writes down what functions raise; whoever lacks a value would be a line each.
        logging.getLogger("cel").disabled = True
        words = tokens(source)
        self.types = types
        self.fields = fields(words, types)
        self.columns = columns_of(source)
        self._asks_day, self._asks_instant = asks_day(words), asks_instant(words)
        self.calendar = Calendar()
        self._program: Any = cel.compile(rewritten(source, words, types))
        self._context: Any = cel.Context(functions=self.calendar.functions())
        self._readers = [self._reader(each) for each in self.fields]
        self._places = {name: at for at, name in enumerate(self.columns)}
        self._known: dict[Any, bool | str | None] = {}

    def holds(self, row: Row, moment: Moment) -> bool:
        """Whether somebody is in the segment: `row` has their values, in the order of `columns`. Raises `ValueMissing`
        or `Unjudged`."""
        if self._asks_day:
            self.calendar.go_to(row[self._places["timezone"]], moment)
        values = self._values(row)
        # The day and the zone alone are not enough: a filter may look at the hour.
        key = (values, self.calendar.today, self.calendar.zone, moment.now_us if self._asks_instant else 0)
        known = self._known
        if key not in known:
            if len(known) >= _KEPT:
                known.clear()
            known[key] = self._answer(values, moment)
        answer = known[key]
        if answer is True or answer is False:
            return answer
        raise Unjudged if answer is None else ValueMissing(answer)

    def result(self, values: Mapping[Field, Any], moment: Moment) -> Any:
        """What it comes to for somebody of whom these values are known, as the interpreter says or refuses it."""
        found = variables(values, self.fields)
        if self._asks_day:
            found |= {NOW: instant(moment.now_us), TODAY: midnight(self.calendar.today)}
        self._context.update(found)
        return self._program.execute(self._context)

    def _answer(self, values: tuple[Any, ...], moment: Moment) -> bool | str | None:
        """True or false; the field that is missing; None where nothing can be said."""
        there = {
            field: given(field, value) for field, value in zip(self.fields, values, strict=True) if value is not None
        }
        try:
            result = self.result(there, moment)
        except KeyError as missing:
            return self._missing(str(missing.args[0]))
        except Exception:  # noqa: BLE001 - whatever it is, nothing can be said; its words may tell what is in a contact
            return None
        return result if isinstance(result, bool) else None

    def _missing(self, name: str) -> str | None:
        return next((field.name for at, field in enumerate(self.fields) if short_name(at) == name), None)

    def _values(self, row: Row) -> tuple[Any, ...]:
        """One for each of the fields; None where there is none."""
        kept: Mapping[str, Any] = json.loads(row[self._places[ATTRIBUTES]]) if ATTRIBUTES in self._places else {}
        return tuple([read(row, kept) for read in self._readers])

    def _reader(self, field: Field) -> Callable[[Row, Mapping[str, Any]], Any]:
        read = reader_of(field, self.types, self.calendar)
        attribute = field.attribute
        if attribute is not None:
            return lambda _, kept: read(kept.get(attribute))
        place = self.columns.index(field.name)
        return lambda row, _: read(row[place])
