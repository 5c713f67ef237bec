"""The report of a campaign as one page: nothing fetched, nothing run, fit to be printed, without numbers or names of
people. Charts stand beside tables that say the same."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from hashlib import sha256
from typing import Any, Final

from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent

from gateway.campaigns.report import CampaignReport, Verdict
from gateway.campaigns.report_charts import ChartRow, bar_chart, shown
from gateway.campaigns.report_tally import RatedShare, Tally
from gateway.campaigns.report_words import CAMPAIGN_WORDS, ReportWords
from gateway.clock import to_datetime
from gateway.message import Status

_STYLE: Final = (
    "body{font:15px/1.5 sans-serif;color:#222;background:#fff;max-width:60rem;margin:0 auto;padding:1rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1rem}"
    "th,td{padding:.15rem .8rem .15rem 0;border-bottom:1px solid #ccc;text-align:right;vertical-align:top}"
    "th:first-child,td:first-child{text-align:left}th{overflow-wrap:anywhere}"
    "svg{width:100%;height:auto;display:block}section{break-inside:avoid}"
    "@media print{body{max-width:none;padding:0}}@page{margin:1.5cm}"
)
#: What a browser may do with the page: show it with its own style.
PAGE_POLICY: Final = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
_COUNTS: Final[Sequence[str]] = ("members", "waiting", "left_out", "accepted", "begun")
_ANSWERS: Final[Sequence[str]] = (
    "clicked", "visited_by_bots", "replied", "converted", "responded", "unsubscribed", "conversions",
)  # fmt: skip
#: What is less than this is told so.
_LEAST_P: Final = 0.0001
_FINE: Final = "#,##0.0 %"


def page_of_report(report: CampaignReport, language: str, zone: tzinfo) -> str:
    """The page, in that language and with times of that zone."""
    return "\n".join(_Page(report, ReportWords(language), zone).lines())


class _Page:
    def __init__(self, report: CampaignReport, words: ReportWords, zone: tzinfo) -> None:
        self._report = report
        self._words = words
        self._zone = zone
        names = [each.name for each in report.campaign.wanted.variants]
        several = len(names) > 1
        #: The columns of tables: the whole, and where there are several the variants.
        self._columns: list[tuple[str, Tally]] = [(words["whole"], report.whole)]
        self._columns += list(zip(names, report.variants, strict=True)) if several else []

    def lines(self) -> Iterator[str]:
        words, campaign = self._words, self._report.campaign
        yield f'<!DOCTYPE html><html lang="{words.locale}"><head><meta charset="utf-8">'
        yield f'<meta http-equiv="Content-Security-Policy" content="{PAGE_POLICY}">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f"<title>{words['report']} – {shown(campaign.name)}</title><style>{_STYLE}</style></head><body>"
        yield f"<h1>{words['report']} – <bdi>{shown(campaign.name)}</bdi></h1>"
        if self._report.test:
            yield f"<p><strong>{words['test']}</strong></p>"
        yield from self._head()
        yield from self._people()
        yield from self._rates()
        yield from self._verdict()
        yield from self._codes("causes", self._report.whole.failures)
        yield from self._codes("reasons", self._report.whole.left_out)
        yield from self._remarks()
        yield "</body></html>"

    def _head(self) -> Iterator[str]:
        words, campaign = self._words, self._report.campaign
        status = campaign.status.value
        facts = [
            ("category", shown(campaign.category)),
            ("status", words[CAMPAIGN_WORDS.get(status, status)]),
            ("started", self._time(campaign.started_us)),
            ("finished", self._time(campaign.finished_us)),
            ("made", self._time(self._report.made_us)),
        ]
        yield "<table>"
        yield from (f'<tr><th scope="row">{words[name]}</th><td>{told}</td></tr>' for name, told in facts if told)
        yield "</table>"

    def _people(self) -> Iterator[str]:
        words = self._words
        yield f"<section><h2>{words['people']}</h2>"
        rows: list[tuple[str, Callable[[Tally], str]]] = [(name, self._counter(name)) for name in _COUNTS]
        rows += [(status.value, self._status(status)) for status in Status]
        rows += [(name, self._counter(name)) for name in _ANSWERS]
        rows += [("value", self._value), ("median", self._delay("median_s")), ("p90", self._delay("p90_s"))]
        yield from self._table([(words[name], told) for name, told in rows])
        yield "</section>"
        whole = self._report.whole
        bars = [
            ChartRow(words[status.value], whole.statuses[status], self._number(whole.statuses[status]))
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
            [(words[name], lambda tally, at=at: self._rated(tally.rates()[at])) for at, name in enumerate(names)]
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
        return ChartRow(column, rated.share.rate, self._rated(rated), low, high)

    def _verdict(self) -> Iterator[str]:
        verdict, words = self._report.verdict, self._words
        if verdict is None:
            return
        yield f"<section><h2>{words['verdict']}</h2>"
        if verdict.decision is None:
            at = self._time(verdict.at_us)
            yield f"<p>{words['pending']} {words['pending_at'].format(at=at) if at else ''}</p></section>"
            return
        yield f"<p><strong>{self._sentence(verdict)}</strong></p>"
        names = [each.name for each in self._report.campaign.wanted.variants]
        yield f'<table><tr><td></td><th scope="col">{words["tried"]}</th><th scope="col">{words["did"]}</th></tr>'
        for name, (tried, did) in zip(names, verdict.decision.counts, strict=False):
            yield f'<tr><th scope="row"><bdi>{shown(name)}</bdi></th>'
            yield f"<td>{self._number(tried)}</td><td>{self._number(did)}</td></tr>"
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
        words, p, rise = self._words, facts.get("p"), facts.get("detectable_rise")
        if p is None:
            return ""
        pair = format_decimal(facts["level_each_pair"], "0.####", locale=words.locale)
        said = [words["test_used"].format(level=self._percent(facts["level"]), pair=pair)]
        least = max(p, _LEAST_P)
        said.append(
            words["p_less" if p < least else "p"].format(p=format_decimal(least, "0.####", locale=words.locale))
        )
        if rise is not None:
            points = format_decimal(100 * rise, "0.#", locale=words.locale)
            said.append(words["found"].format(rise=points, power=self._percent(facts["power"])))
        return f"<p>{' '.join([*said, words['assumes']])}</p>"

    def _codes(self, title: str, counts: Mapping[str, int]) -> Iterator[str]:
        words = self._words
        if not any(counts.values()):
            return
        yield f"<section><h2>{words[title]}</h2><table>"
        yield f'<tr><th scope="col">{words["code"]}</th><th scope="col">{words["count"]}</th></tr>'
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            yield f"<tr><td><code>{shown(code)}</code></td><td>{self._number(count)}</td></tr>"
        yield "</table></section>"

    def _remarks(self) -> Iterator[str]:
        yield f"<section><h2>{self._words['remarks']}</h2><ul>"
        yield from (f"<li>{self._words[code]}</li>" for code in self._report.remarks)
        yield "</ul></section>"

    # --- tables and values

    def _table(self, rows: Sequence[tuple[str, Callable[[Tally], str]]]) -> Iterator[str]:
        """A row for each name, a column for each group."""
        yield "<table><tr><td></td>"
        stopped = {self._report.campaign.wanted.variants[at].name for at in self._report.campaign.stopped}
        for name, tally in self._columns:
            told = f" ({self._words['stopped']})" if name in stopped and tally is not self._report.whole else ""
            yield f'<th scope="col"><bdi>{shown(name)}</bdi>{told}</th>'
        yield "</tr>"
        for name, told in rows:
            cells = "".join(f"<td>{told(tally)}</td>" for _, tally in self._columns)
            yield f'<tr><th scope="row">{name}</th>{cells}</tr>'
        yield "</table>"

    def _counter(self, name: str) -> Callable[[Tally], str]:
        def told(tally: Tally) -> str:
            value = getattr(tally, name)
            return self._number(value if isinstance(value, int) else value.total())

        return told

    def _status(self, status: Status) -> Callable[[Tally], str]:
        return lambda tally: self._number(tally.statuses[status])

    def _value(self, tally: Tally) -> str:
        return self._number(tally.value)

    def _delay(self, name: str) -> Callable[[Tally], str]:
        def told(tally: Tally) -> str:
            time = tally.response_time()
            return "" if time is None else self._duration(getattr(time, name))

        return told

    def _rated(self, rated: RatedShare) -> str:
        if not rated.share.people:
            return "–"
        low, high = (self._percent(end) for end in rated.interval)
        return f"{self._percent(rated.share.rate)} [{low} – {high}]"

    def _number(self, value: float) -> str:
        return format_decimal(value, locale=self._words.locale)

    def _percent(self, value: float) -> str:
        return format_percent(value, _FINE, locale=self._words.locale)

    def _duration(self, seconds: float) -> str:
        for word, size in (("hours", 3600), ("minutes", 60)):
            if seconds >= 2 * size:
                return self._words[word].format(n=format_decimal(seconds / size, "0.#", locale=self._words.locale))
        return self._words["seconds"].format(n=format_decimal(seconds, "0.#", locale=self._words.locale))

    def _time(self, at_us: int | None) -> str:
        if at_us is None:
            return ""
        moment = to_datetime(at_us)
        return shown(format_datetime(moment, "long", tzinfo=self._zone, locale=self._words.locale))
