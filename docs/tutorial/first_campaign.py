"""The steps of first-campaign.md in one go: import, segment, templates, previews, an A/B campaign, and its report.

    python first_campaign.py

The gateway is the one of TOCSIN_URL and TOCSIN_TOKEN, else the tutorial's.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path

from api.client.campaigns import CampaignCalls
from api.client.client import Client
from api.client.errors import ApiError
from api.client.shapes import CampaignDoc, ReportDoc

SEGMENT, FILTER = "adults", "age(attributes.birth_date) >= 18"
PLAIN = "The bakery is open on Sundays from now on: {{ link }}"
WARM = "{{ attributes.first_name }}, warm croissants on Sundays from 7! How many shall we keep for you? {{ link }}"
TEMPLATES = {"plain": PLAIN, "warm": WARM}
COLUMNS = ("sent", "delivered", "clicked", "replied", "converted", "unsubscribed")


def bring_in(client: CampaignCalls, contacts: Path) -> None:
    """1. The people, with what they agreed to."""
    source = {"consent_source": "card at the till", "consent_wording": "Yes, I want news of the bakery by SMS"}
    found = client.import_contacts(contacts, consent_category="news", **source)
    print(f"imported: {found['added']} new, {found['changed']} changed, {found['rejected']} rejected")


def choose(client: CampaignCalls) -> None:
    """2. Whom it is for."""
    client.set_segment(SEGMENT, FILTER)
    counted = client.count(SEGMENT)
    print(f"segment: {counted['count']} {SEGMENT}; left out for want of {counted['left_out']['missing']}")


def word(client: CampaignCalls, link: str) -> None:
    """3. What it says, and how long that is for everybody."""
    for name, text in TEMPLATES.items():
        client.set_template(f"sunday-{name}", {"": text})
        seen = client.preview_template(f"sunday-{name}", [SEGMENT], link=link)
        print(f"template {name}: parts {seen['parts']}, {seen['failed']} without text")
        print(f"  the longest: {seen['longest']['text']}")
        for warning in seen["warnings"]:
            print(f"  {warning['message']}")


def launch(client: CampaignCalls, wanted: argparse.Namespace) -> str:
    """4. The campaign: two variants, tried on a share of the people, and the better one for the others."""
    made = client.create_campaign(
        "Open on Sundays",
        [SEGMENT],
        category="news",
        variants=[{"name": name, "template": f"sunday-{name}"} for name in TEMPLATES],
        variables={"link": wanted.link},
        test_share=wanted.test_share,
        metric="click",
        decide_after=wanted.decide_after,
        seed=wanted.seed,
    )
    try:
        client.start_campaign(made["id"], force=wanted.force)
    except ApiError as error:
        raise SystemExit(
            "\n".join([f"{error.code}: {error.message}", *(each.message for each in error.errors)])
        ) from None
    print(f"campaign {made['id']} runs")
    return made["id"]


def follow(client: CampaignCalls, campaign_id: str) -> CampaignDoc:
    """5. Until it is over: first those on whom it is tried, after the decision the others."""
    told = ""
    while True:
        one = client.campaign(campaign_id)
        line = f"{one['status']}: {one['counts']['queued']} of {one['counts']['members']} queued"
        if line != told:
            print(line, flush=True)
            told = line
        if one["status"] in ("finished", "canceled"):
            return one
        time.sleep(0.5)


def figures(report: ReportDoc) -> dict[str, dict[str, int]]:
    """Of each variant, what came of it."""
    return {
        each["name"]: {
            "sent": each["begun"],
            "delivered": each["statuses"]["delivered"],
            **{column: each[column] for column in COLUMNS[2:]},
        }
        for each in report["variants"]
    }


def tell(report: ReportDoc) -> None:
    """6. What came of it."""
    print(f"{'':8}" + "".join(f"{column:>14}" for column in COLUMNS))
    for name, counts in figures(report).items():
        print(f"{name:8}" + "".join(f"{counts[column]:14}" for column in COLUMNS))
    verdict: Mapping[str, object] = report["verdict"] or {}
    print(f"winner: {verdict.get('winner')}; {verdict.get('reason')}")


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description="The steps of first-campaign.md in one go.")
    parser.add_argument("--contacts", type=Path, default=Path("contacts.csv"), help="who there is")
    parser.add_argument("--link", default="https://example.org/", help="where the message leads")
    parser.add_argument("--test-share", type=float, default=0.4, help="on whom the variants are tried")
    parser.add_argument("--decide-after", default="1m", help="how long the answers of those are waited for")
    parser.add_argument("--seed", type=int, default=1, help="who gets which variant")
    parser.add_argument("--force", action="store_true", help="start it in spite of what a proof-reader finds")
    wanted = parser.parse_args()
    client = Client(os.environ.get("TOCSIN_URL", "http://127.0.0.1:7672"), token())
    bring_in(client, wanted.contacts)
    choose(client)
    word(client, wanted.link)
    campaign_id = launch(client, wanted)
    follow(client, campaign_id)
    input("Everybody has the message. Press Enter when the answers are in. ")
    print()
    tell(client.campaign_report(campaign_id))


def token() -> str:
    """The one of the environment, else the one that the gateway wrote for the command line."""
    kept = Path("state/cli.token")
    if "TOCSIN_TOKEN" not in os.environ and not kept.exists():
        raise SystemExit("start the gateway first, in this folder: it writes the token")
    return os.environ.get("TOCSIN_TOKEN") or kept.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    main()
