"""The reports of messages, of hours and of a month as pages, each one file; no numbers or names of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.campaigns.report import MessagesReport, PressureReport, TimingReport
from gateway.campaigns.report_charts import ChartRow, bar_chart, shown
from gateway.campaigns.report_html import Paper
from gateway.campaigns.report_sections import groups_table, hours_note, hours_of, pressure_of
from gateway.campaigns.report_tally import Group

#: So many groups have a bar in each chart.
_DRAWN: Final = 20
#: What the kinds of messages are called, where the same word means another thing.
_KINDS: Final = {"campaign": "of_campaign", "alert": "alert", "automatic": "automatic", "single": "single"}


def page_of_messages(report: MessagesReport, paper: Paper) -> str:
    """In groups: their figures, their rates."""
    return paper.page(paper.words["messages_report"], "", _messages(report, paper))


def page_of_hours(report: TimingReport, paper: Paper) -> str:
    """Of each category: when messages began, what came of them, and the best hour."""
    return paper.page(paper.words["timing_report"], "", _hours(report, paper))


def page_of_month(report: PressureReport, paper: Paper) -> str:
    """How many people got how much."""
    body = pressure_of(paper, report, "pressure")
    return paper.page(paper.words["pressure_report"], "", body)


def _messages(report: MessagesReport, paper: Paper) -> Iterator[str]:
    words = paper.words
    yield from paper.facts([("since", paper.time(report.since_us)), ("until", paper.time(report.until_us))])
    if not report.groups:
        yield f"<p>{words['nothing']}</p>"
    names = list(report.groups[0].key) if report.groups else []
    # An id tells nobody anything where there is a name.
    names = [name for name in names if not (name == "campaign" and "name" in names)]
    groups = [(_called(paper, group, names), group.tally) for group in report.groups]
    whole = [words["whole"], *("" for _ in names[1:])]
    if names:
        yield f"<section><h2>{words['groups']}</h2>"
        yield from groups_table(paper, [words[name] for name in names], [(whole, report.whole), *groups])
        yield "</section>"
    yield f"<section><h2>{words['rates']}</h2><p>{words['rates_of']}</p>"
    if len(groups) > _DRAWN:
        yield f"<p>{words['more'].format(n=_DRAWN)}</p>"
    yield "</section>"
    yield from _rates(report, paper, names)
    yield from paper.counts("causes", report.whole.failures)
    yield from paper.remarks(report.remarks)


def _rates(report: MessagesReport, paper: Paper, names: list[str]) -> Iterator[str]:
    words = paper.words
    tallies = [(words["whole"], report.whole)]
    tallies += [(_label(paper, group, names), group.tally) for group in report.groups[:_DRAWN]]
    rated = [(label, tally.rates()) for label, tally in tallies if tally.begun]
    for at, rate in enumerate(report.whole.rates()):
        bars = [
            ChartRow(label, rates[at].share.rate, paper.rated(rates[at]), *rates[at].interval) for label, rates in rated
        ]
        if any(bar.value for bar in bars):
            title = f"{words['rate']} – {words[rate.name]}"
            yield f"<section><h3>{words[rate.name]}</h3>{bar_chart(f'rate-{at}', title, bars)}</section>"


def _called(paper: Paper, group: Group, names: list[str]) -> list[str]:
    return [f"<bdi>{shown(_word(paper, name, group.key[name]))}</bdi>" for name in names]


def _label(paper: Paper, group: Group, names: list[str]) -> str:
    return " · ".join(_word(paper, name, group.key[name]) for name in names)


def _word(paper: Paper, name: str, value: str | int | None) -> str:
    if value is None:
        return paper.words["no_group"]
    return paper.words[_KINDS[str(value)]] if name == "kind" and value in _KINDS else str(value)


def _hours(report: TimingReport, paper: Paper) -> Iterator[str]:
    yield from paper.facts([("since", paper.time(report.since_us)), ("until", paper.time(report.until_us))])
    if not report.categories:
        yield f"<p>{paper.words['nothing']}</p>"
    else:
        yield hours_note(paper)
    for at, hours in enumerate(report.categories):
        yield f"<h2><bdi>{shown(hours.category)}</bdi></h2>"
        yield from hours_of(paper, hours, f"hours-{at}")
    yield from paper.remarks(report.remarks)
