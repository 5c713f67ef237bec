"""The pages on events and metrics name what there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.campaign import CampaignStatus
from gateway.message import Status
from gateway.notify.event_types import complaint
from gateway.notify.kinds import KINDS, matches

ROOT = Path(__file__).parents[2]
_FAMILIES = "|".join(sorted({kind.partition(".")[0] for kind in KINDS}))


def _page(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


def test_every_type_of_event_that_the_code_writes_is_told() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| ", _page("events.md"), re.MULTILINE)
    assert [(kind, when) for kind, when in rows if "." in kind] == list(KINDS.items())
    # A foreign key is written like a type, and so is a key of the configuration; a test is sent, and never written.
    written = {f"message.{status}" for status in Status} | {f"campaign.{status}" for status in CampaignStatus}
    for path in (ROOT / "gateway").rglob("*.py"):
        if path.name != "kinds.py":
            written |= set(re.findall(rf'"((?:{_FAMILIES})\.[a-z_]+)"', path.read_text(encoding="utf-8")))
    assert {f"consent.{word}" for word in ("given", "withdrawn", "asked")} <= set(KINDS)
    written -= {"campaign.id", "link.code", "message.id", "traffic.caps", "webhook.test"}
    assert written - set(KINDS) == set()
    # Consents are named from their state.
    assert {kind for kind in KINDS if not kind.startswith("consent.")} == written


def test_patterns_pick_what_they_say() -> None:
    early = ("link.clicked", "campaign.finished", "campaign.*", "alert.progress", "conversion.recorded")
    assert not any(complaint(each) for each in ("*", "message.*", "inbound.received", *early))
    assert complaint("message.delivred") == "is no event type; did you mean message.delivered?"
    assert all(complaint(each) for each in ("", "message", "nobody.*", "message.nonsense", "message.**"))
    assert matches(("message.*",), "message.sent")
    assert not matches(("message.*",), "modem.up")
    assert matches((), "modem.up")


def test_every_metric_is_told() -> None:
    named = set(re.findall(r"^\| `(tocsin_[a-z_]+)", _page("metrics.md"), re.MULTILINE))
    source = (ROOT / "api" / "routes" / "metrics.py").read_text(encoding="utf-8")
    counters = set(re.findall(r'_counter\("(tocsin_[a-z_]+)"', source))
    told = {f"{name}_total" if name in counters else name for name in re.findall(r'"(tocsin_[a-z_]+)"', source)}
    assert named == told
