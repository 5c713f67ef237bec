"""Pages of reports in both languages: what is found stands there, told in words beside every chart."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from support.reporting import DAY_US, START_US

from gateway.campaigns.report import CategoryHours, Cell, PressureReport, TimingReport
from gateway.campaigns.report_charts import HeatCell, heat_chart
from gateway.campaigns.report_hours import best_hours
from gateway.campaigns.report_html import Paper
from gateway.campaigns.report_pages import page_of_hours, page_of_month
from gateway.campaigns.report_words import LANGUAGES

PARIS = ZoneInfo("Europe/Paris")


def hours() -> CategoryHours:
    """People answer at six in the evening."""
    cells = {(day, hour): Cell(50, 48, 0, 20 if hour == 18 else 5) for day in range(7) for hour in (9, 12, 18)}
    return CategoryHours("news", cells, best_hours(cells))


def test_each_word_is_there_in_every_language() -> None:
    assert len({frozenset(words) for words in LANGUAGES.values()}) == 1
    for key in LANGUAGES["en"]:
        named = {frozenset(re.findall("{[a-z]+}", words[key])) for words in LANGUAGES.values()}
        assert len(named) == 1, key


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "fr",
            (
                "Réponse, par heure et jour de la semaine",
                "Meilleure heure par réponse : <strong>18 h</strong>, 40,0",
                "au moins 35,",
                "10,0\u202f% à toutes les autres",
                "Par remise, aucune heure ne se détache : l’écart peut être dû au hasard.",
                "ven. 18 h : 40,0\u202f% de 50",
                "taux d’ouverture",
                "2 mars 2026, 09:00 CET",
            ),
        ),
        (
            "en",
            (
                "Reply, by hour and day of the week",
                "Best hour by reply: <strong>18:00</strong>, 40.0",
                "at least 35.",
                "10.0\u202f% at all others",
                "By delivery no hour stands out: the difference may be chance.",
                "Fri 18:00: 40.0\u202f% of 50",
                "no open rate",
                "March 2, 2026, 9:00",
            ),
        ),
    ],
)
def test_the_hours_of_a_category_and_the_best_of_them(language: str, words: tuple[str, ...]) -> None:
    report = TimingReport(START_US, START_US + DAY_US, "Europe/Paris", [hours()])
    page = page_of_hours(report, Paper(language, PARIS))
    assert page.startswith(f'<!DOCTYPE html><html lang="{language}">')
    for each in words:
        assert each in re.sub("[\u00a0 ]%", "\u202f%", page)
    assert page.count("<svg") == 2, "nobody followed a link, and there is nothing to draw of it"


@pytest.mark.parametrize(("language", "month"), [("fr", "mars 2026"), ("en", "March 2026"), ("xx", "March 2026")])
def test_how_much_people_got_in_a_month(language: str, month: str) -> None:
    page = page_of_month(PressureReport("2026-03", 0, 1, [412, 1201, 333, 18]), Paper(language, PARIS))
    assert month in page
    assert re.search("1.201", page)
    assert "> 412" not in page
    for people in ("412", "333", "18"):
        assert f"<td>{people}</td>" in page


def test_a_heat_map_says_little_of_few() -> None:
    cells = {(0, 0): HeatCell(0.1, "a", False), (0, 1): HeatCell(0.3, "b", False), (6, 23): HeatCell(1.0, "c", True)}
    chart = heat_chart("x", "X", [*"MTWTFSS"], [f"{hour:02}" for hour in range(24)], cells)
    assert "a; b; c" in chart
    assert chart.count("font-style") == 1
    # The darkest is that of the highest that is sure, and what is beyond is no darker.
    assert chart.count('fill="#144473"') == 2
    assert chart.count('fill="#eaf2fa"') == 1
    assert chart.count('fill="none"') == 7 * 24 - 3
