"""`consents`, `reviews` and `optouts` with a running gateway and without; the page that proves."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path

import pytest
from support.command_line import assert_failed, documents, passed
from support.waiting import eventually_sync

from gateway.cli.consent_page import page, summary
from gateway.cli.proof_texts import PROOF_TEXTS

UNFIT = "wording: contains control characters or halves of a surrogate pair"
WORDING = 'Oui, "je veux" <b>des nouvelles</b> & des offres'


@pytest.fixture(params=["running", "stopped"])
def command(request: pytest.FixtureRequest, bare, tocsin, config: Path):
    """The command line where a gateway holds the store, and where none does."""
    if request.param == "running":
        return tocsin
    return lambda *arguments: bare(*arguments, TOCSIN_CONFIG=str(config))


def test_a_consents_life(command, tmp_path: Path):
    number = "+33639980821"
    added = command(
        "consents", "add", "06 39 98 08 21", "club", "--wording", WORDING, "--channel", "paper", "--at", "2020-01-02"
    )
    assert passed(added) == f"{number}  club  given\n"
    (gone,) = documents(command("consents", "withdraw", number, "club", "--channel", "telephone", "--json"))
    assert (gone["state"], gone["source"], gone["by"]) == ("withdrawn", "api", "cli")
    listed = documents(command("consents", "--number", number, "--json"))
    assert [(one["state"], one["channel"]) for one in listed] == [("withdrawn", "telephone"), ("given", "paper")]
    assert listed[1]["at"] < "2020-01-04"
    assert documents(command("consents", "--number", number, "--state", "given", "--json")) == listed[1:]
    assert "telephone" in passed(command("consents", "--number", number))
    passed(command("optouts", "add", number, "--category", "club"))
    (proof,) = documents(command("consents", "proof", number, "--json"))
    assert (proof["number"], proof["states"], proof["consents"]) == (number, {"club": "withdrawn"}, listed)
    assert [one["category"] for one in proof["optouts"]] == ["club"]
    out = tmp_path / "proof.html"
    assert passed(command("consents", "proof", number, "--out", str(out))) == f"2 entries in {out}\n"
    assert out.stat().st_mode & 0o777 == 0o600
    text = out.read_text("utf-8")
    assert text.count('<section class="entry">') == 2
    assert "Oui, &quot;je veux&quot; &lt;b&gt;des nouvelles&lt;/b&gt; &amp; des offres" in text
    assert passed(command("consents", "proof", number)).strip() == text.strip()
    assert passed(command("optouts", "lift", number, "--category", "club")) == f"{number}  opt-out lifted\n"
    assert documents(command("optouts", "--number", number, "--json")) == []


def test_double_opt_in_from_the_command_line(command):
    number = "+33639980822"
    (asked,) = documents(command("consents", "add", number, "club", "--double-opt-in", "--json"))
    assert asked["state"] == "asked"
    result = command("consents", "add", number, "club", "--double-opt-in")
    assert_failed(result, 1, "tocsin: this person was asked within the last day")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("12ab", "club"), "number: is not a phone number: write + and the country code, then digits only"),
        (("+33639980823", "nonsense"), "category: there is no such category in the configuration"),
        (("+33639980823", "emergency"), "category: nobody is asked for messages of this category"),
        (("+33639980823", "club", "--at", "2999-01-01"), "at: is in the future"),
        (("+33639980823", "club", "--wording", "a\x07"), UNFIT),
    ],
)  # fmt: skip
def test_wrong_entries(command, arguments: tuple[str, ...], line: str):
    assert_failed(command("consents", "add", *arguments), 1, f"tocsin: {line}")


def test_a_review_is_listed_and_settled(tocsin, daemon):
    number = "+33639980824"
    daemon.receive(number, "stpo")

    def waiting() -> list[dict]:
        return [one for one in documents(tocsin("reviews", "--json")) if one["from"] == number]

    eventually_sync(lambda: bool(waiting()))
    (review,) = waiting()
    assert "stpo" in passed(tocsin("reviews"))
    assert passed(tocsin("reviews", "settle", review["id"], "--as", "stop")) == f"{review['id']}  settled as stop\n"
    assert waiting() == []
    assert [one["category"] for one in documents(tocsin("optouts", "--number", number, "--json"))] == [None]
    assert_failed(
        tocsin("reviews", "settle", review["id"], "--as", "nothing"), 1, "tocsin: this reply was judged before"
    )


def test_reviews_without_a_gateway(bare, config: Path):
    result = bare("reviews", TOCSIN_CONFIG=str(config))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "nothing waits to be judged\n")
    gone = bare("reviews", "settle", "0" * 32, "--as", "stop", TOCSIN_CONFIG=str(config))
    assert_failed(gone, 1, "tocsin: no reply of this id waits to be judged")


class _Tags(html.parser.HTMLParser):
    """Every element, and every attribute that could fetch or act."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.acting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.acting += [name for name, _ in attrs if name in {"src", "href", "action"} or name.startswith("on")]


def test_nothing_in_the_page_can_act():
    hostile = "</bdi><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m\n$number ${x} {0}"
    entry = dict.fromkeys(("channel", "wording", "evidence", "source", "by", "category"), hostile)
    entry |= {"state": "given", "at": "2026-01-01T00:00:00.000Z", "recorded_at": hostile, "number": hostile}
    optout = {"number": hostile, "category": hostile, "since": hostile, "source": hostile}
    tags = _Tags()
    inbox = [{"id": hostile, "received_at": hostile, "text": hostile}]
    text = page(summary(hostile, [entry], [optout], inbox))
    tags.feed(text)
    assert not {"script", "img", "iframe", "form", "link"} & set(tags.seen)
    assert tags.acting == []
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "default-src 'none'" in text


def test_what_was_said_last_holds_whenever_it_was_written():
    def entry(state: str, at: str) -> dict:
        return {"number": "+33639980825", "category": "club", "state": state, "at": at}

    entries = [entry("asked", "2026-05-01"), entry("given", "2026-01-01"), entry("withdrawn", "2026-02-01")]
    assert summary("x", entries, [])["states"] == {"club": "withdrawn"}
    assert summary("x", [entry("given", "2026-02-01"), *entries], [])["states"] == {"club": "given"}
    assert "Nothing was said." in page(summary("+33639980825", [], []))


@pytest.mark.parametrize(
    ("language", "spoken", "said"),
    [
        ("fr", "fr", ["Ce qui vaut maintenant", "consentement donné", "ne s&#x27;est pas opposée", "Les mots de la"]),
        ("en", "en", ["What holds now", "consent given", "This person has not opted out.", "own words, received 2026"]),
        ("ar", "en", ["What holds now"]),
    ],
)
def test_the_page_speaks_the_gateways_language_and_quotes_the_person(language: str, spoken: str, said: list[str]):
    item = {"id": "a" * 32, "received_at": "2026-05-01T10:00:00.000Z", "text": "Oui <b>merci</b>"}
    entry = dict.fromkeys(("channel", "wording", "source", "by")) | {"number": "+33639980825", "category": "club"}
    entry |= {"state": "given", "at": item["received_at"], "recorded_at": item["received_at"], "evidence": item["id"]}
    found = summary("x", [entry], [], [item, item | {"id": "b" * 32, "text": "private"}])
    assert found["said"] == {item["id"]: {"received_at": item["received_at"], "text": item["text"]}}
    text = page(found, language)
    assert f'<html lang="{spoken}">' in text
    for each in (*said, "Oui &lt;b&gt;merci&lt;/b&gt;"):
        assert each in text
    assert len(re.findall(r"2026-05-01 \d\d:00:00 UTC[+-]\d\d:\d\d", text)) == 3
    assert "private" not in text
    # Its text is kept no longer, or it was data.
    assert "<blockquote>" not in page(summary("x", [entry], [], [item | {"text": None}]), language)
    assert "<blockquote>" not in page(summary("x", [entry], []), language)


def test_every_language_of_the_page_says_the_same():
    assert len({tuple(texts) for texts in PROOF_TEXTS.values()}) == 1


def test_the_proof_quotes_the_sms_that_said_so(tocsin, daemon):
    number = "+33639980826"
    passed(tocsin("consents", "add", number, "club"))
    daemon.receive(number, "Stop svp merci")
    eventually_sync(lambda: len(documents(tocsin("consents", "--number", number, "--json"))) == 2)
    (proof,) = documents(tocsin("consents", "proof", number, "--json"))
    assert [one["text"] for one in proof["said"].values()] == ["Stop svp merci"]
    assert "Stop svp merci" in passed(tocsin("consents", "proof", number))
