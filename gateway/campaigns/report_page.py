"""The report of a campaign as one page: charts stand beside tables that say the same; no numbers or names of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from babel.numbers import format_decimal

from gateway.campaigns.report import CampaignReport, PressureReport, Verdict
from gateway.campaigns.report_charts import ChartRow, bar_chart, shown
from gateway.campaigns.report_html import Paper
from gateway.campaigns.report_sections import groups_table, hours_note, hours_of, modem_groups, pressure_of
from gateway.campaigns.report_tally import RatedShare, Tally
from gateway.campaigns.report_words import CAMPAIGN_WORDS
from gateway.message import Status

_COUNTS: Final[Sequence[str]] = ("members", "waiting", "left_out", "accepted", "begun")
_ANSWERS: Final[Sequence[str]] = (
    "clicked", "visited_by_bots", "replied", "converted", "responded", "unsubscribed", "conversions",
)  # fmt: skip


def page_of_report(report: CampaignReport, pressure: PressureReport, paper: Paper) -> str:
    """The page; `pressure` is that of the month in which it began."""
    title = paper.words["report"]
    return paper.page(title, report.campaign.name, _Page(report, pressure, paper).lines())


class _Page:
    def __init__(self, report: CampaignReport, pressure: PressureReport, paper: Paper) -> None:
        self._report = report
        self._pressure = pressure
        self._paper = paper
        self._words = words = paper.words
        names = [each.name for each in report.campaign.wanted.variants]
        several = len(names) > 1
        #: The columns of tables: the whole, and where there are several the variants.
        self._columns: list[tuple[str, Tally]] = [(words["whole"], report.whole)]
        self._columns += list(zip(names, report.variants, strict=True)) if several else []

    def lines(self) -> Iterator[str]:
        if self._report.test:
            yield f"<p><strong>{self._words['test']}</strong></p>"
        yield from self._head()
        yield from self._people()
        yield from self._rates()
        yield from self._verdict()
        yield from self._paper.counts("causes", self._report.whole.failures)
        yield from self._paper.counts("reasons", self._report.whole.left_out)
        yield from self._hours()
        yield from self._modems()
        yield from pressure_of(self._paper, self._pressure, "pressure")
        yield from self._paper.remarks(self._report.remarks)

    def _head(self) -> Iterator[str]:
        words, campaign, time = self._words, self._report.campaign, self._paper.time
        status = campaign.status.value
        yield from self._paper.facts(
            [
                ("category", shown(campaign.category)),
                ("status", words[CAMPAIGN_WORDS.get(status, status)]),
                ("started", time(campaign.started_us)),
                ("finished", time(campaign.finished_us)),
                ("made", time(self._report.made_us)),
            ]
        )

    def _people(self) -> Iterator[str]:
        words = self._words
        yield f"<section><h2>{words['people']}</h2>"
        rows: list[tuple[str, Callable[[Tally], str]]] = [(name, self._counter(name)) for name in _COUNTS]
        rows += [(status.value, self._status(status)) for status in Status]
        rows += [(name, self._counter(name)) for name in _ANSWERS]
        rows.append(("value", lambda tally: self._paper.number(tally.value)))
        rows += [("median", self._delay("median_s")), ("p90", self._delay("p90_s"))]
        yield from self._table([(words[name], told) for name, told in rows])
        yield "</section>"
        whole = self._report.whole
        bars = [
            ChartRow(words[status.value], whole.statuses[status], self._paper.number(whole.statuses[status]))
            for status in Status
            if whole.statuses[status]
        ]
        if bars:
            yield f"<section><h2>{words['statuses']}</h2>{bar_chart('statuses', words['statuses'], bars)}</section>"

    def _rates(self) -> Iterator[str]:
        words = self._words
        yield f"<section><h2>{words['rates']}</h2><p>{words['rates_of']}</p>"
        by_column = [tally.rates() for _, tally in self._columns]
        names = [rated.name for rated in by_column[0]]
        yield from self._table(
            [(words[name], lambda tally, at=at: self._paper.rated(tally.rates()[at])) for at, name in enumerate(names)]
        )
        yield "</section>"
        for at, name in enumerate(names):
            bars = [
                self._bar(column, rates[at])
                for (column, _), rates in zip(self._columns, by_column, strict=True)
                if rates[at].share.people
            ]
            if any(bar.value for bar in bars):
                title = f"{words['rate']} – {words[name]}"
                yield f"<section><h3>{words[name]}</h3>{bar_chart(f'rate-{at}', title, bars)}</section>"

    def _bar(self, column: str, rated: RatedShare) -> ChartRow:
        low, high = rated.interval
        return ChartRow(column, rated.share.rate, self._paper.rated(rated), low, high)

    def _verdict(self) -> Iterator[str]:
        verdict, words = self._report.verdict, self._words
        if verdict is None:
            return
        yield f"<section><h2>{words['verdict']}</h2>"
        if verdict.decision is None:
            at = self._paper.time(verdict.at_us)
            yield f"<p>{words['pending']} {words['pending_at'].format(at=at) if at else ''}</p></section>"
            return
        yield f"<p><strong>{self._sentence(verdict)}</strong></p>"
        names = [each.name for each in self._report.campaign.wanted.variants]
        yield f'<table><tr><td></td><th scope="col">{words["tried"]}</th><th scope="col">{words["did"]}</th></tr>'
        for name, (tried, did) in zip(names, verdict.decision.counts, strict=False):
            yield f'<tr><th scope="row"><bdi>{shown(name)}</bdi></th>'
            yield f"<td>{self._paper.number(tried)}</td><td>{self._paper.number(did)}</td></tr>"
        yield f"</table>{self._method(verdict.decision.facts)}</section>"

    def _sentence(self, verdict: Verdict) -> str:
        metric, decision = self._words[verdict.metric].lower(), verdict.decision
        if decision is None or decision.winner is None:
            facts: Mapping[str, Any] = {} if decision is None else decision.facts
            p, level = facts.get("p"), facts.get("level_each_pair")
            better = p is not None and level is not None and p <= level
            return self._words["winner_stopped" if better else "no_winner"].format(metric=metric)
        name = shown(self._report.campaign.wanted.variants[decision.winner].name)
        return self._words["winner"].format(metric=metric, name=f"<bdi>{name}</bdi>")

    def _method(self, facts: Mapping[str, Any]) -> str:
        """Which test was used, what it could have found, and what it assumes; nothing where there was none."""
        words, paper, p, rise = self._words, self._paper, facts.get("p"), facts.get("detectable_rise")
        if p is None:
            return ""
        pair = paper.fine(facts["level_each_pair"])
        said = [words["test_used"].format(level=paper.percent(facts["level"]), pair=pair), paper.p(p)]
        if rise is not None:
            points = format_decimal(100 * rise, "0.#", locale=paper.locale)
            said.append(words["found"].format(rise=points, power=paper.percent(facts["power"])))
        return f"<p>{' '.join([*said, words['assumes']])}</p>"

    def _hours(self) -> Iterator[str]:
        hours = self._report.hours
        if hours is None:
            return
        yield f"<h2>{self._words['hours']}</h2>{hours_note(self._paper)}"
        yield from hours_of(self._paper, hours, "hours")

    def _modems(self) -> Iterator[str]:
        if not self._report.modems:
            return
        words = self._words
        yield f"<section><h2>{words['modems']}</h2>"
        heads = [words[name] for name in ("modem", "node", "operator")]
        yield from groups_table(self._paper, heads, modem_groups(self._report.modems))
        yield "</section>"

    # --- tables and values

    def _table(self, rows: Sequence[tuple[str, Callable[[Tally], str]]]) -> Iterator[str]:
        """A row for each name, a column for each group."""
        stopped = {self._report.campaign.wanted.variants[at].name for at in self._report.campaign.stopped}
        heads = [""]
        for name, tally in self._columns:
            told = f" ({self._words['stopped']})" if name in stopped and tally is not self._report.whole else ""
            heads.append(f"<bdi>{shown(name)}</bdi>{told}")
        yield from self._paper.table(
            heads, ([name, *(told(tally) for _, tally in self._columns)] for name, told in rows)
        )

    def _counter(self, name: str) -> Callable[[Tally], str]:
        def told(tally: Tally) -> str:
            value = getattr(tally, name)
            return self._paper.number(value if isinstance(value, int) else value.total())

        return told

    def _status(self, status: Status) -> Callable[[Tally], str]:
        return lambda tally: self._paper.number(tally.statuses[status])

    def _delay(self, name: str) -> Callable[[Tally], str]:
        return lambda tally: self._paper.delay(tally, name)
