"""What pages of reports have in common: nothing fetched, nothing run, fit to be printed, in one language."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from hashlib import sha256
from typing import Final

from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent

from gateway.campaigns.report_charts import shown
from gateway.campaigns.report_tally import RatedShare, Tally
from gateway.campaigns.report_words import ReportWords
from gateway.clock import to_datetime

_STYLE: Final = (
    "body{font:15px/1.5 sans-serif;color:#222;background:#fff;max-width:60rem;margin:0 auto;padding:1rem}"
    "h2{margin:1.6rem 0 .4rem;border-bottom:2px solid #3b6ea5}h3{margin:1rem 0 .3rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1rem}"
    "th,td{padding:.15rem .8rem .15rem 0;border-bottom:1px solid #ccc;text-align:right;vertical-align:top}"
    "th:first-child,td:first-child{text-align:left}th{font-weight:600}thead th{vertical-align:bottom}"
    "tbody th{font-weight:400}.facts td{text-align:left}.wide{overflow-x:auto}"
    "svg{width:100%;height:auto;display:block}svg,tr,h2,h3{break-inside:avoid}h2,h3{break-after:avoid}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "@media print{body{max-width:none;padding:0;font-size:12px}.wide{overflow:visible}}@page{margin:1.5cm}"
)
#: What a browser may do with a page: show it with its own style.
PAGE_POLICY: Final = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
#: What is less than this is told so.
_LEAST_P: Final = 0.0001
_FINE: Final = "#,##0.0 %"


class Paper:
    """Writes in one language, with times of one zone."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.words = ReportWords(language)
        self.locale = self.words.locale
        self._zone = zone

    def page(self, title: str, name: str, body: Iterable[str]) -> str:
        """The whole page; `name` is what it is about, if anything, and is no markup."""
        told = f"{title} – {shown(name)}" if name else title
        heading = f"{title} – <bdi>{shown(name)}</bdi>" if name else title
        return "\n".join(
            [
                f'<!DOCTYPE html><html lang="{self.locale}"><head><meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{PAGE_POLICY}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{told}</title><style>{_STYLE}</style></head><body>",
                f"<h1>{heading}</h1>",
                *body,
                "</body></html>",
            ]
        )

    def facts(self, facts: Sequence[tuple[str, str]]) -> Iterator[str]:
        """A word and what is told of it, a line each; what is empty is left out."""
        yield '<table class="facts">'
        yield from (f'<tr><th scope="row">{self.words[name]}</th><td>{told}</td></tr>' for name, told in facts if told)
        yield "</table>"

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
        """Cells are HTML; the first of each row is what it is about."""
        yield '<div class="wide"><table><thead><tr>'
        yield "".join(f'<th scope="col">{head}</th>' if head else "<td></td>" for head in heads)
        yield "</tr></thead><tbody>"
        for first, *rest in rows:
            yield f'<tr><th scope="row">{first}</th>{"".join(f"<td>{each}</td>" for each in rest)}</tr>'
        yield "</tbody></table></div>"

    def counts(self, title: str, counts: Mapping[str, int]) -> Iterator[str]:
        """Codes, each with its number, the greatest first; nothing where there are none."""
        if not any(counts.values()):
            return
        yield f"<section><h2>{self.words[title]}</h2>"
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rows = [(f"<code>{shown(code)}</code>", self.number(count)) for code, count in ordered]
        yield from self.table((self.words["code"], self.words["count"]), rows)
        yield "</section>"

    def remarks(self, codes: Sequence[str]) -> Iterator[str]:
        """What the figures do not say."""
        yield f"<section><h2>{self.words['remarks']}</h2><ul>"
        yield from (f"<li>{self.words[code]}</li>" for code in dict.fromkeys(codes))
        yield "</ul></section>"

    # --- values

    def number(self, value: float) -> str:
        """As it is written."""
        return format_decimal(value, locale=self.locale)

    def percent(self, value: float) -> str:
        """Of 1, with one digit after the comma."""
        return format_percent(value, _FINE, locale=self.locale)

    def fine(self, value: float) -> str:
        """With four digits after the comma."""
        return format_decimal(value, "0.####", locale=self.locale)

    def p(self, p: float) -> str:
        """What a test comes to, as a sentence."""
        least = max(p, _LEAST_P)
        return self.words["p_less" if p < least else "p"].format(p=self.fine(least))

    def rated(self, rated: RatedShare) -> str:
        """A rate with its interval; a dash where there is nobody."""
        if not rated.share.people:
            return "–"
        low, high = (self.percent(end) for end in rated.interval)
        return f"{self.percent(rated.share.rate)} [{low} – {high}]"

    def delay(self, tally: Tally, name: str) -> str:
        """A response time: its `median_s` or `p90_s`; nothing where nobody answered."""
        time = tally.response_time()
        return "" if time is None else self.duration(getattr(time, name))

    def duration(self, seconds: float) -> str:
        """In the greatest unit of which there are two."""
        for word, size in (("hours_long", 3600), ("minutes", 60)):
            if seconds >= 2 * size:
                return self.words[word].format(n=format_decimal(seconds / size, "0.#", locale=self.locale))
        return self.words["seconds"].format(n=format_decimal(seconds, "0.#", locale=self.locale))

    def time(self, at_us: int | None) -> str:
        """An instant; nothing for none."""
        if at_us is None:
            return ""
        moment = to_datetime(at_us).astimezone(self._zone)
        day = format_date(moment.date(), "long", locale=self.locale)
        return shown(f"{day}, {format_time(moment.time(), 'short', locale=self.locale)} {moment.tzname()}")
