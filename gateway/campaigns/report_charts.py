"""Charts as SVG for a page that fetches nothing and runs nothing: shares with their intervals, counts, and shares by
the hours of a week.

All that is told stands in the `desc` of the chart, and in a table beside it. Text is escaped here and nowhere before.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 720
_LEFT: Final = 250
_RIGHT: Final = 190
_ROW: Final = 26
_SPAN: Final = _WIDTH - _LEFT - _RIGHT
_LABEL: Final = 34
# Of the hours of a week: 24 columns, a row for each day.
_DAY_LEFT: Final = 60
_CELL_WIDTH: Final = (_WIDTH - _DAY_LEFT) / 24
_CELL_HEIGHT: Final = 26
_LIGHT, _DARK = (0xEA, 0xF2, 0xFA), (0x14, 0x44, 0x73)
_GONE: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
# Marks that turn the direction of what follows.
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@dataclass(frozen=True, slots=True)
class ChartRow:
    """A line of a chart: `value` from 0 to the chart's greatest, `low` and `high` the interval around it, and how it is
    written."""

    label: str
    value: float
    told: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class HeatCell:
    """An hour of a day: `value` from 0 to 1, and how it is told; `few` where that says little."""

    value: float
    told: str
    few: bool


def shown(text: str) -> str:
    """Text as HTML: nothing in it is markup, turns the direction of what follows, or cannot be written."""
    kept = (each for each in text if each not in _TURNS and unicodedata.category(each) not in _GONE)
    return escape("".join(kept), quote=True)


def bar_chart(name: str, title: str, rows: Sequence[ChartRow]) -> str:
    """A bar for each row, the longest as wide as there is room; with whiskers where there are intervals. `name` is an
    identifier of its own in the page."""
    greatest = max((max(row.value, row.high or 0) for row in rows), default=0) or 1
    height = _ROW * len(rows) + 8
    told = "; ".join(f"{row.label}: {row.told}" for row in rows)
    return "\n".join(
        [
            f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc"',
            'font-size="13" font-family="sans-serif">',
            f'<title id="{name}-title">{shown(title)}</title><desc id="{name}-desc">{shown(told)}</desc>',
            *(line for at, row in enumerate(rows) for line in _bar(row, 4 + at * _ROW, greatest)),
            "</svg>",
        ]
    )


def _bar(row: ChartRow, top: int, greatest: float) -> Iterator[str]:
    label = row.label if len(row.label) <= _LABEL else row.label[: _LABEL - 1] + "…"
    middle = top + _ROW / 2
    yield f'<text x="{_LEFT - 8}" y="{middle + 4:g}" text-anchor="end" fill="#222">{shown(label)}</text>'
    width = _SPAN * row.value / greatest
    yield f'<rect x="{_LEFT}" y="{top + 5}" width="{width:.2f}" height="{_ROW - 10}" fill="#3b6ea5"/>'
    end = width
    if row.low is not None and row.high is not None:
        low, end = _SPAN * row.low / greatest, max(width, _SPAN * row.high / greatest)
        path = f"M{_LEFT + low:.2f} {middle:g}H{_LEFT + end:.2f}" + "".join(
            f"M{_LEFT + place:.2f} {middle - 5:g}v10" for place in (low, end)
        )
        yield f'<path d="{path}" stroke="#222" stroke-width="1.5" fill="none"/>'
    yield f'<text x="{_LEFT + end + 6:.2f}" y="{middle + 4:g}" fill="#222">{shown(row.told)}</text>'


def heat_chart(
    name: str, title: str, days: Sequence[str], hours: Sequence[str], cells: Mapping[tuple[int, int], HeatCell]
) -> str:
    """Shares by day (from 0) and hour, in percent, between the lightest and the darkest of those that are not few."""
    sure = [cell.value for cell in cells.values() if not cell.few] or [cell.value for cell in cells.values()]
    low, high = min(sure, default=0.0), max(sure, default=1.0)
    height = 20 + _CELL_HEIGHT * len(days)
    told = "; ".join(cell.told for _, cell in sorted(cells.items()))
    return "\n".join(
        [
            f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc"',
            'font-size="11" font-family="sans-serif">',
            f'<title id="{name}-title">{shown(title)}</title><desc id="{name}-desc">{shown(told)}</desc>',
            *(
                f'<text x="{_column(hour) + _CELL_WIDTH / 2:g}" y="13" text-anchor="middle" fill="#222">'
                f"{shown(hours[hour])}</text>"
                for hour in range(24)
            ),
            *(line for day, word in enumerate(days) for line in _day(day, word, cells, low, high)),
            "</svg>",
        ]
    )


def _day(day: int, word: str, cells: Mapping[tuple[int, int], HeatCell], low: float, high: float) -> Iterator[str]:
    top = 20 + day * _CELL_HEIGHT
    yield f'<text x="{_DAY_LEFT - 8}" y="{top + 17}" text-anchor="end" fill="#222">{shown(word)}</text>'
    for hour in range(24):
        place = f'x="{_column(hour):g}" y="{top}" width="{_CELL_WIDTH - 1:g}" height="{_CELL_HEIGHT - 1}"'
        cell = cells.get((day, hour))
        if cell is None:
            yield f'<rect {place} fill="none" stroke="#ddd"/>'
            continue
        depth = min(1.0, max(0.0, (cell.value - low) / (high - low))) if high > low else 0.5
        colour = "".join(
            f"{round(light + depth * (dark - light)):02x}" for light, dark in zip(_LIGHT, _DARK, strict=True)
        )
        style = ' font-style="italic"' if cell.few else ""
        yield f'<rect {place} fill="#{colour}"><title>{shown(cell.told)}</title></rect>'
        yield (
            f'<text x="{_column(hour) + _CELL_WIDTH / 2:g}" y="{top + 17}" text-anchor="middle" '
            f'pointer-events="none" fill="{"#fff" if depth > 0.45 else "#222"}"{style}>{100 * cell.value:.0f}</text>'
        )


def _column(hour: int) -> float:
    return _DAY_LEFT + hour * _CELL_WIDTH
