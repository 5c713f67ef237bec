"""When messages began and what came of them, added up by hours and days of the week."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.campaigns.report import TIMED, CategoryHours, Cell
from gateway.rules.best_hour import BestHour, best_hour
from gateway.rules.proportions import Share
from gateway.store import report_figures
from gateway.store.database import Store
from gateway.store.report_figures import QUARTER_US, Span
from gateway.store.schema import AnyRow

_QUARTER_S: Final = QUARTER_US // 1_000_000
_Cells = dict[tuple[int, int], Cell]


class HourCounter:
    """Over one store. `zone` is the gateway's."""

    def __init__(self, store: Store, zone: str) -> None:
        self._store = store
        self._zone = zone

    async def of(self, span: Span, category: str | None) -> Sequence[CategoryHours]:
        """By category, in the order of their names."""
        cells: dict[str, _Cells] = {}
        after: str | None = ""
        while after is not None:
            found = await self._store.read(
                lambda connection, after=after: report_figures.quarters(connection, span, category, after)
            )
            for row in found.rows:
                self._add_quarter(cells.setdefault(row.category, {}), row)
            after = found.last
        # Exact tests of a million messages take a second: requests are answered meanwhile.
        return await asyncio.to_thread(
            lambda: [CategoryHours(name, cells[name], best_hours(cells[name])) for name in sorted(cells)]
        )

    def _add_quarter(self, cells: _Cells, row: AnyRow) -> None:
        moment = datetime.fromtimestamp(row.quarter * _QUARTER_S, UTC).astimezone(self._zone_of(row.timezone))
        cell = cells.setdefault((moment.weekday(), moment.hour), Cell())
        cell.begun += row.messages
        cell.delivery += row.delivery
        cell.click += row.click
        cell.reply += row.reply

    def _zone_of(self, name: str | None) -> ZoneInfo:
        try:
            return ZoneInfo(name or self._zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(self._zone)


def best_hours(cells: Mapping[tuple[int, int], Cell]) -> Mapping[str, BestHour]:
    """The best hour of the day by each of `TIMED`."""
    found: dict[str, BestHour] = {}
    for name in TIMED:
        sums: dict[int, tuple[int, int]] = {}
        for (_, hour), cell in cells.items():
            hits, people = sums.get(hour, (0, 0))
            sums[hour] = (hits + getattr(cell, name), people + cell.begun)
        found[name] = best_hour({hour: Share(hits, people) for hour, (hits, people) in sums.items()})
    return found
