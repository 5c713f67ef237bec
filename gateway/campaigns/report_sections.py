"""Parts that several pages of reports have: hours, what people got, groups of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from babel.dates import format_date, get_day_names

from gateway.campaigns.report import PRESSURES, TIMED, CategoryHours, Cell, PressureReport
from gateway.campaigns.report_charts import ChartRow, HeatCell, bar_chart, heat_chart, shown
from gateway.campaigns.report_html import Paper
from gateway.campaigns.report_tally import CONFIDENCE, Group, Tally
from gateway.message import Status
from gateway.rules.best_hour import LEAST, BestHour
from gateway.rules.proportions import Share

_DAYS = 7


def hours_of(paper: Paper, hours: CategoryHours, name: str, level: str = "h3") -> Iterator[str]:
    """Of one category: a heat map and the best hour of each thing that happened at all, and the hours of all days
    together. `name` is an identifier of its own in the page."""
    words = paper.words
    days = [get_day_names("abbreviated", locale=paper.locale)[day] for day in range(_DAYS)]
    clock = [words["clock_hour"].format(h=f"{hour:02}") for hour in range(24)]
    happened = [each for each in TIMED if any(getattr(cell, each) for cell in hours.cells.values())]
    for metric in happened:
        title = words["heat"].format(metric=words[metric])
        cells = {
            (day, hour): _cell(paper, f"{days[day]} {clock[hour]}", Share(getattr(cell, metric), cell.begun))
            for (day, hour), cell in hours.cells.items()
        }
        digits = [f"{hour:02}" for hour in range(24)]
        yield f"<section><{level}>{title}</{level}>"
        yield heat_chart(f"{name}-{metric}", title, days, digits, cells)
        yield f"<p>{_best(paper, metric, hours.best[metric], clock)}</p></section>"
    yield f"<section><{level}>{words['by_hour']}</{level}>"
    yield from _by_hour(paper, hours.cells, happened, clock)
    yield "</section>"


def hours_note(paper: Paper) -> str:
    """What is counted in these."""
    return f"<p>{paper.words['hours_of'].format(least=LEAST)}</p>"


def pressure_of(paper: Paper, report: PressureReport, name: str) -> Iterator[str]:
    """How many people got how much."""
    words, year, month = paper.words, *map(int, report.month.split("-"))
    title = words["pressure"].format(month=format_date(date(year, month, 1), "MMMM yyyy", locale=paper.locale))
    told = [_class(paper, least, most) for (least, most) in PRESSURES]
    bars = [ChartRow(label, people, paper.number(people)) for label, people in zip(told, report.people, strict=True)]
    yield f"<section><h2>{title}</h2><p>{words['pressure_of']}</p>"
    yield bar_chart(name, title, bars)
    rows = [(label, paper.number(people)) for label, people in zip(told, report.people, strict=True)]
    yield from paper.table((words["got"], words["got_by"]), rows)
    yield "</section>"


def groups_table(paper: Paper, heads: Sequence[str], groups: Sequence[tuple[Sequence[str], Tally]]) -> Iterator[str]:
    """A line for each group; what it is called is HTML in as many cells as there are heads."""
    words = paper.words
    counted = ("accepted", "begun", "sent_in_all", "delivered", "undelivered", "failed", "clicked", "replied")
    counted += ("converted", "unsubscribed", "median", "p90")
    yield from paper.table(
        [*heads, *(words[f"short_{name}"] for name in counted)],
        ([*called, *_line(paper, tally)] for called, tally in groups),
    )


def modem_groups(groups: Sequence[Group]) -> list[tuple[Sequence[str], Tally]]:
    """Called by host, modem and operator."""
    return [
        ([shown(str(group.key[key] or "–")) for key in ("modem", "node", "operator")], group.tally) for group in groups
    ]


def _line(paper: Paper, tally: Tally) -> list[str]:
    statuses = tally.statuses
    arrived = statuses[Status.SENT] + statuses[Status.DELIVERED] + statuses[Status.UNDELIVERED]
    numbers = (
        tally.accepted, tally.begun, arrived, statuses[Status.DELIVERED], statuses[Status.UNDELIVERED],
        statuses[Status.FAILED], tally.clicked, tally.replied, tally.converted, tally.unsubscribed,
    )  # fmt: skip
    return [*map(paper.number, numbers), paper.delay(tally, "median_s"), paper.delay(tally, "p90_s")]


def _cell(paper: Paper, when: str, share: Share) -> HeatCell:
    told = paper.words["heat_cell"].format(when=when, rate=paper.percent(share.rate), n=paper.number(share.people))
    return HeatCell(share.rate, told, share.people < LEAST)


def _best(paper: Paper, metric: str, best: BestHour, clock: Sequence[str]) -> str:
    words, named = paper.words, paper.words[metric].lower()
    if best.hour is None or best.share is None or best.rest is None or best.p is None or best.level is None:
        return words[best.reason or "not_enough_data"].format(metric=named)
    told = words["best"].format(
        metric=named,
        hour=f"<strong>{clock[best.hour]}</strong>",
        rate=paper.percent(best.share.rate),
        low=paper.percent(best.share.interval(CONFIDENCE)[0]),
        rest=paper.percent(best.rest.rate),
        p=paper.p(best.p),
    )
    return f"{told} {words['best_level'].format(level=paper.fine(best.level))}"


def _by_hour(
    paper: Paper, cells: Mapping[tuple[int, int], Cell], happened: Sequence[str], clock: Sequence[str]
) -> Iterator[str]:
    sums: dict[int, Cell] = {}
    for (_, hour), cell in cells.items():
        found = sums.setdefault(hour, Cell())
        found.begun += cell.begun
        for metric in TIMED:
            setattr(found, metric, getattr(found, metric) + getattr(cell, metric))
    heads = (paper.words["hour"], paper.words["begun"], *(paper.words[metric] for metric in happened))
    yield from paper.table(
        heads,
        (
            (clock[hour], paper.number(cell.begun), *(_interval(paper, cell, metric) for metric in happened))
            for hour, cell in sorted(sums.items())
        ),
    )


def _interval(paper: Paper, cell: Cell, metric: str) -> str:
    share = Share(getattr(cell, metric), cell.begun)
    low, high = (paper.percent(end) for end in share.interval(CONFIDENCE))
    return f"{paper.percent(share.rate)} [{low} – {high}]"


def _class(paper: Paper, least: int, most: int | None) -> str:
    if most is None:
        return paper.words["got_over"].format(most=least - 1)
    return paper.words["got_exact" if least == most else "got_some"].format(least=least, most=most)
