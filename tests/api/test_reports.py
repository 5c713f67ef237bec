"""Reports over HTTP: as JSON, CSV and a page; to whom, and of what."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from support.http import Api
from support.reporting import SECOND_US, START_US, Fate, Ledger

from gateway.clock import rfc3339
from gateway.daemon import Gateway
from gateway.ids import first_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "=cmd|' /C calc'!A0<script>alert(1)</script>\"&\u202e"
CAMPAIGN = first_id(START_US + 77 * SECOND_US)
PATH = f"/v1/reports/campaign/{CAMPAIGN}"


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module", autouse=True)
def _made() -> list[bool]:
    return []


@pytest.fixture
async def campaign(gateway: Gateway, _made: list[bool]) -> str:
    """A campaign whose names are hostile."""
    if not _made:
        _made.append(True)
        store = gateway.services.segments._store
        ledger = Ledger(store, 1, CAMPAIGN)
        ledger._made = 5000
        await ledger.begin(HOSTILE, "polite", name=HOSTILE, metric="reply", to=("+33655512345",))
        await ledger.write(
            *[Fate(replies=(60,), people=(5,)) for _ in range(12)],
            *[Fate(variant=1, status="failed", error="unknown_subscriber") for _ in range(30)],
            person=None,
        )
    return CAMPAIGN


async def told(api: Api, path: str, accept: str = "*/*") -> tuple[dict[str, str], str]:
    fields = {"Authorization": f"Bearer {api.token}", "Accept": accept}
    async with api.session.get(api.url + path, headers=fields) as response:
        assert response.status == 200
        return {name.lower(): value for name, value in response.headers.items()}, await response.text("utf-8-sig")


async def test_the_report_of_a_campaign(api: Api, campaign: str) -> None:
    report = (await api.get(PATH)).document
    assert report["figures"]["members"] == 42
    assert report["figures"]["failures"] == {"unknown_subscriber": 30}
    assert [(each["name"], each["replied"], each["clicked"]) for each in report["variants"]] == [
        (HOSTILE, 12, 12),
        ("polite", 0, 0),
    ]
    assert report["figures"]["response_time"] == {"replies": 12, "median_s": 60.0, "p90_s": 60.0}
    reply = next(rate for rate in report["variants"][0]["rates"] if rate["name"] == "reply")
    assert (reply["of"], reply["rate"], reply["low"], reply["high"]) == ("begun", 1.0, 0.757506, 1.0)
    verdict = report["verdict"]
    assert (verdict["status"], verdict["winner"], verdict["facts"]["test"]) == (
        "current",
        HOSTILE,
        "fisher_exact_two_sided",
    )
    assert verdict["facts"]["p"] < verdict["facts"]["level_each_pair"] == 0.05
    assert [remark["code"] for remark in report["remarks"]] == ["no_open"]


async def test_csv_is_safe_for_spreadsheets(api: Api, campaign: str) -> None:
    for path, accept in ((f"{PATH}?format=csv", "*/*"), (PATH, "text/csv")):
        fields, text = await told(api, path, accept)
        assert fields["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["members"] for row in rows] == ["42", "12", "30"]
        assert rows[1]["name"].startswith("'=cmd|")
        assert "+336" not in text


def assert_harmless(text: str) -> Page:
    """Nothing is fetched, nothing runs, nobody is named; every chart says in words what it draws."""
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "a", "object"} & set(page.tags)
    assert not {name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert "://" not in text
    assert "\u202e" not in text
    assert not re.search(r"\+?33[67]", text)
    assert text.count("<svg") == text.count("<title id=") == text.count("<desc id=") >= 1
    assert text.startswith('<!DOCTYPE html><html lang="fr">')
    return page


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml;q=0.9"])
async def test_the_page_is_alone_and_harmless(api: Api, campaign: str, accept: str) -> None:
    fields, text = await told(api, PATH if "html" in accept else f"{PATH}?format=html", accept)
    assert fields["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in fields["content-security-policy"]
    page = assert_harmless(text)
    assert "<script>alert(1)</script>" in page.text
    assert "Rapport de campagne" in page.text
    assert "100,0\u202f%" in page.text or "100,0\u00a0%" in page.text or "100,0 %" in page.text
    assert "taux d’ouverture" in page.text
    assert "Réponse, par heure et jour de la semaine" in page.text
    assert "lun. 09 h" in page.text
    assert "il n’y a pas assez de données" in page.text
    assert "Combien de messages les gens ont reçus en mars 2026" in page.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("messages?by=variant", (HOSTILE.replace("\u202e", ""), "Taux", "Causes des échecs", "unknown_subscriber")),
        ("messages?by=kind", ("d’une campagne", "taux d’ouverture")),
        ("timing?category=news", ("news", "Remise, par heure et jour de la semaine", "taux d’ouverture")),
        ("pressure?month=2026-03", ("plus de 10", "mars 2026")),
    ],
)
async def test_other_reports_are_pages_too(api: Api, campaign: str, path: str, words: tuple[str, ...]) -> None:
    time = {"since": rfc3339(START_US - SECOND_US), "until": rfc3339(START_US + SECOND_US)}
    period = "" if path.startswith("pressure") else "&" + "&".join(f"{name}={value}" for name, value in time.items())
    fields, text = await told(api, f"/v1/reports/{path}{period}", "text/html")
    assert fields["content-type"] == "text/html; charset=utf-8"
    page = assert_harmless(text)
    for each in words:
        assert each in page.text


async def test_messages_hours_and_months(api: Api, campaign: str) -> None:
    since, until = rfc3339(START_US - SECOND_US), rfc3339(START_US + SECOND_US)
    time = {"params": {"since": since, "until": until}}
    for by in ("category", "kind", "campaign", "variant", "segment", "modem", "operator"):
        report = (await api.get("/v1/reports/messages", params={"since": since, "until": until, "by": by})).document
        assert report["figures"]["accepted"] == 42
        assert sum(group["figures"]["accepted"] for group in report["groups"]) == 42
    assert {group["key"]["variant"] for group in (await api.get(
        "/v1/reports/messages", params={"since": since, "until": until, "by": "variant"})
    ).document["groups"]} == {HOSTILE, "polite"}  # fmt: skip
    hours = (await api.get("/v1/reports/timing", **time)).document
    assert hours["categories"][0]["cells"] == [
        {"weekday": 1, "hour": 9, "begun": 42, "delivered": 12, "clicked": 12, "replied": 12}
    ]
    assert hours["categories"][0]["best"]["reply"]["reason"] == "not_enough_data"
    of_campaign = (await api.get(PATH)).document
    assert of_campaign["hours"] == hours["categories"][0]
    assert [(each["key"]["modem"], each["figures"]["accepted"]) for each in of_campaign["modems"]] == [("sim1", 42)]
    _, table = await told(api, f"/v1/reports/timing?format=csv&since={since}&until={until}")
    (row,) = csv.DictReader(io.StringIO(table))
    assert (row["hour"], row["replied"], row["best_reply_hour"], row["best_reply_reason"]) == (
        "9",
        "12",
        "",
        "not_enough_data",
    )
    month = (await api.get("/v1/reports/pressure?month=2026-03")).document
    assert [each["people"] for each in month["classes"]][1:] == [12, 0, 0]
    for path in ("/v1/reports/messages", "/v1/reports/timing", "/v1/reports/pressure"):
        fields, text = await told(api, f"{path}?format=csv")
        assert fields["content-type"].startswith("text/csv")
        assert text.count("\r\n") >= 1


async def test_who_may_not_ask(api: Api, holder, campaign: str) -> None:
    few = await holder("campaigns", "send")
    assert (await few.get(PATH)).status == 200
    for path in ("/v1/reports/messages", "/v1/reports/timing", "/v1/reports/pressure"):
        assert (await few.get(path)).code == "scope_missing"
    reader = await holder("read:all")
    assert (await reader.get(PATH)).code == "scope_missing"
    tests = await holder("campaigns", "read:all", test=True)
    assert (await tests.get(PATH)).code == "campaign_not_found"
    period = {"since": rfc3339(START_US - SECOND_US), "until": rfc3339(START_US + SECOND_US)}
    assert (await tests.get("/v1/reports/messages", params=period)).document["figures"]["accepted"] == 0


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/reports/pressure?month=2026-13", "month"),
        ("/v1/reports/pressure?month=March", "month"),
        ("/v1/reports/messages?by=number", "by"),
        ("/v1/reports/messages?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "since"),
        ("/v1/reports/timing?since=yesterday", "since"),
        ("/v1/reports/timing?format=pdf", "format"),
    ],
)
async def test_what_cannot_be_asked(api: Api, path: str, pointer: str) -> None:
    refused = await api.get(path)
    assert (refused.status, refused.code, refused.pointers) == (422, "invalid_request", [pointer])


async def test_there_is_no_such_campaign(api: Api) -> None:
    for name in ("0" * 32, "x"):
        assert (await api.get(f"/v1/reports/campaign/{name}")).code == "campaign_not_found"
