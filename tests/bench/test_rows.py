"""Each row of the benchmarks runs, in its smallest form, and gives figures that can be printed and kept."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.figures import Figure, at_least, at_most, number, percentile, spread
from bench.plan import tiny
from bench.report import document, named_statements, table
from bench.rows import ROWS
from bench.statement_names import describe

#: How many figures each row gives with the plan `tiny`.
FIGURES = {
    "submits": 3,
    "utilisation": 1,
    "wire": 2,
    "accept": 2,
    "batch": 2,
    "profile": 14,
    "gate": 6,
    "backlog": 3,
    "postgresql": 6,
    "hosts": 3,
    "statements": 12,
    "inbound": 1,
    "stop": 2,
    "owed": 12,
    "quiet": 4,
    "idle": 6,
    "codec": 3,
    "rules": 3,
    "preview": 5,
    "campaign": 4,
    "peers": 4,
}
#: Several daemons, or a server and a daemon: a long time of starting, for what `make test` knows from other rows.
LONG = {"hosts", "postgresql", "batch", "accept"}
# A process may take less than one tick while nothing happens.
MAY_BE_NOTHING = ("idle, 2 modems: processor", "idle, 2 modems in the daemon's process: processor")


def _check(figure: Figure) -> None:
    assert figure.work
    assert math.isfinite(figure.value)
    assert figure.value > 0 or figure.work in MAY_BE_NOTHING
    assert (figure.p50 is None) == (figure.p99 is None)
    assert figure.p50 is None or figure.p99 is None or figure.p50 <= figure.p99
    assert (figure.limit is None) == (figure.limit_is == "")
    assert figure.limit is None or (figure.ratio is not None and figure.ratio > 0)
    assert all(goal.met(figure) in {True, False} for goal in figure.goals)


async def _figures(row: str, folder: Path) -> list[Figure]:
    """The figures of a row, after what holds for each row."""
    figures = list(await ROWS[row](tiny(folder)))
    by_wrk = [figure for figure in figures if figure.work.endswith("wrk")]
    assert len(figures) - len(by_wrk) == FIGURES[row]
    assert len({figure.work for figure in figures}) == len(figures)
    for figure in figures:
        _check(figure)
        assert "refused" not in figure.note
        assert "too many" not in figure.note
    assert json.loads(json.dumps(document(figures, {}, {}, 1.0)))["figures"][0]["work"] == figures[0].work
    assert len(table(figures).splitlines()) == len(figures) + 2
    return figures


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=pytest.mark.long if row in LONG else ())
        for row in ROWS
        if row not in {"peers", "statements"}
    ],
)
async def test_a_row_gives_figures(row: str, tmp_path: Path):
    assert await _figures(row, tmp_path)


@pytest.mark.peer("gammu-smsd", "smsd")
async def test_peers_give_figures(tmp_path: Path):
    figures = list(await ROWS["peers"](replace(tiny(tmp_path), peers=True)))
    assert len(figures) == FIGURES["peers"]
    for figure in figures:
        _check(figure)


async def test_peers_rest_unless_they_are_asked_for(tmp_path: Path):
    assert list(await ROWS["peers"](tiny(tmp_path))) == []


async def test_every_statement_is_named(tmp_path: Path):
    figures = await _figures("statements", tmp_path)
    named = {purpose for figure in figures for purpose in figure.details.get("each", {})}
    assert named
    assert [one for one in named if one.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))] == []
    assert "the durable mark" in named_statements(figures)


def test_the_command_prints_a_table_and_writes_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "figures.json"
    assert main(["codec", "--tiny", "--dir", str(tmp_path), "--json", str(file)]) == 0
    told = json.loads(file.read_text(encoding="utf-8"))
    assert [figure["work"] for figure in told["figures"]][:2] == ["TPDU decode", "TPDU encode"]
    assert told["failures"] == {}
    assert told["machine"]["flush_ms"]["p50"] > 0
    printed = capsys.readouterr().out
    assert "TPDU decode" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_a_row_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(SystemExit, match="no row nonsense"):
        main(["nonsense", "--dir", str(tmp_path)])


def test_goals_speak_of_the_value_or_of_its_spread():
    figure = spread("work", "ms", range(1, 101), goals=[at_most(50, "p50"), at_most(98, "p99"), at_least(200)])
    assert (figure.value, figure.p50, figure.p99) == (50.5, 50.5, 99)
    assert [goal.met(figure) for goal in figure.goals] == [False, False, False]
    assert at_most(1, "p99").met(Figure("work", "s", 1.0)) is None
    assert percentile([1.0], 99) == 1.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0"), (1234.5, "1 234"), (0.0123456, "0.0123"), (99.96, "100"), (1_000_000, "1 000 000")],
)
def test_numbers_have_the_figures_that_count(value: float | None, text: str):
    assert number(value) == text


def test_values_are_no_part_of_a_statement():
    assert describe("INSERT  INTO attempt (a) VALUES ('it''s', 5, x'00ff', NULL)") == "the durable mark"
    assert describe("SELECT 5, 'x' FROM nowhere") == "SELECT ?, ? FROM nowhere"
