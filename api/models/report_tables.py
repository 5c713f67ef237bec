"""Reports as tables: CSV of which no cell is run by a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.people.exporting_cells import guarded_cell

# Without it Excel takes UTF-8 for the code page of the machine.
_BOM = "\ufeff"
_COUNTS = (
    "accepted", "begun", "clicked", "visited_by_bots", "replied", "converted", "responded", "conversions",
    "conversions_value", "unsubscribed",
)  # fmt: skip


_TIMED = ("delivery", "click", "reply")
_OF_BEST = ("hour", "rate", "low", "rest", "p", "level", "reason")
_BEST = tuple(f"best_{name}_{word}" for name in _TIMED for word in _OF_BEST)


def campaign_table(document: Mapping[str, Any]) -> str:
    """A line for the whole, then one for each variant."""
    groups = [("all", "", document["figures"])]
    groups += [("variant", each["name"], each) for each in document["variants"]]
    return _table([{"group": group, "name": name, **_figures(each, people=True)} for group, name, each in groups])


def messages_table(document: Mapping[str, Any]) -> str:
    """A line for each group, or for the whole where there is none."""
    groups: Sequence[Mapping[str, Any]] = document["groups"] or [{"key": {}, "figures": document["figures"]}]
    return _table([{**each["key"], **_figures(each["figures"], people=False)} for each in groups])


def timing_table(document: Mapping[str, Any]) -> str:
    """A line for each hour of a day of the week, by category; each says the best hours of its category."""
    rows = [{**_best(each), **cell} for each in document["categories"] for cell in each["cells"]]
    return _table(rows, ("category", "weekday", "hour", "begun", "delivered", "clicked", "replied", *_BEST))


def pressure_table(document: Mapping[str, Any]) -> str:
    """A line for each class."""
    return _table([{"month": document["month"], **each} for each in document["classes"]])


def _best(hours: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"category": hours["category"]}
    return found | {f"best_{name}_{word}": hours["best"][name][word] for name in _TIMED for word in _OF_BEST}


def _figures(figures: Mapping[str, Any], *, people: bool) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if people:
        row |= {"members": figures["members"], "waiting": figures["waiting"]}
        row["left_out"] = sum(figures["left_out"].values())
    row |= {name: figures[name] for name in _COUNTS} | figures["statuses"]
    time = figures["response_time"] or {"median_s": None, "p90_s": None}
    row |= {"response_median_s": time["median_s"], "response_p90_s": time["p90_s"]}
    for rate in figures["rates"]:
        named = f"{rate['name']}_rate_of_{rate['of']}"
        row |= {named: rate["rate"], f"{named}_low": rate["low"], f"{named}_high": rate["high"]}
    row["failures"] = _counted(figures["failures"])
    if people:
        row["left_out_because"] = _counted(figures["left_out"])
    return row


def _counted(counts: Mapping[str, int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in counts.items())


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """RFC 4180 under the names of the first row's columns."""
    names = columns or tuple(rows[0])
    out = io.StringIO(_BOM)
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    return "" if value is None else guarded_cell(str(value)) if isinstance(value, str) else str(value)
