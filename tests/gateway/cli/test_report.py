"""`report` with a running gateway and without."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from support.command_line import assert_failed, documents, passed

_CAMPAIGN = {
    "name": "Spring & co",
    "to": ["+33639980841"],
    "variants": [{"name": "short", "text": "Open!"}, {"name": "polite", "text": "We are open."}],
}


@pytest.fixture(params=["running", "stopped"])
def command(request: pytest.FixtureRequest, bare, tocsin, config: Path):
    """The command line where a gateway holds the store, and where none does."""
    if request.param == "running":
        return tocsin
    return lambda *arguments: bare(*arguments, TOCSIN_CONFIG=str(config))


@pytest.fixture(scope="module")
def campaign(daemon) -> str:
    return daemon.client.post("/v1/campaigns", _CAMPAIGN)["id"]


def test_messages_hours_and_months(command):
    (messages,) = documents(command("report", "messages", "--by", "modem", "--since", "2026-01-01", "--json"))
    assert messages["by"] == "modem"
    (month,) = documents(command("report", "pressure", "--month", "2020-02", "--json"))
    assert [each["most"] for each in month["classes"]] == [0, 2, 10, None]
    assert "over 10" in passed(command("report", "pressure"))
    (hours,) = documents(command("report", "timing", "--category", "club", "--json"))
    assert hours["timezone"] == "Etc/UTC"
    rows = list(csv.reader(io.StringIO(command("report", "messages", "--csv").stdout_bytes.decode("utf-8-sig"))))
    assert "delivery_rate_of_begun_low" in rows[0]
    for name in ("messages", "timing", "pressure"):
        assert passed(command("report", name, "--html", "-")).rstrip().endswith("</html>")
    assert_failed(command("report", "pressure", "--month", "soon"), 1, "tocsin: month: must be a month such as 2026-03")


def test_a_campaign(tocsin, campaign: str, tmp_path: Path):
    told = passed(tocsin("report", "campaign", campaign))
    assert "Spring & co" in told
    assert "short" in told
    assert "note: an SMS tells nobody that it was opened or read" in told
    (document,) = documents(tocsin("report", "campaign", campaign, "--json"))
    assert (document["status"], document["figures"]["members"], document["verdict"]) == ("draft", 0, None)
    file = tmp_path / "spring.html"
    assert passed(tocsin("report", "campaign", campaign, "--html", str(file))) == f"{file}  written\n"
    assert file.read_text("utf-8").startswith('<!DOCTYPE html><html lang="en">')
    assert passed(tocsin("report", "campaign", campaign, "--html", "-")).endswith("</html>")
    rows = list(
        csv.DictReader(io.StringIO(tocsin("report", "campaign", campaign, "--csv").stdout_bytes.decode("utf-8-sig")))
    )
    assert [row["name"] for row in rows] == ["", "short", "polite"]


def test_there_is_no_such_campaign(command):
    assert_failed(command("report", "campaign", "0" * 32), 1, "tocsin: there is no such campaign")
    assert_failed(command("report", "campaign", "0" * 32, "--html", "-"), 1, "tocsin: there is no such campaign")
