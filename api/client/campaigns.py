"""People and campaigns as methods: contacts, segments, templates, campaigns and what came of them."""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from api.client.errors import ApiError
from api.client.exchange import Document, Exchange, path_of
from api.client.shapes import CampaignDoc, CountDoc, ImportDoc, ReportDoc

_PIECE: Final = 1 << 16
_CSV: Final = "text/csv"
_LOOK_S: Final = 0.3


class CampaignCalls:
    """The part of `Client` that is about people and campaigns."""

    exchange: Exchange

    def import_contacts(self, file: Path, **wishes: str) -> ImportDoc:
        """Hand over a CSV file and wait until it is read. `wishes` are the query of `POST /v1/contacts/import`."""
        path = path_of("contacts", "import")
        with file.open("rb") as source:
            octets = iter(lambda: source.read(_PIECE), b"")
            found = self.exchange.upload(path, [*wishes.items()], octets, _CSV)
        while found["status"] == "running":
            self.exchange.pause(_LOOK_S)
            found = self.exchange.call("GET", path_of("contacts", "imports", found["id"]))
        return cast("ImportDoc", found)

    def set_segment(self, name: str, source: str) -> Document:
        """Let a segment be the people for whom a filter holds, whether or not there is one of this name."""
        return self._set("segments", name, {"filter": source})

    def count(self, segment: str) -> CountDoc:
        """How many are in a segment now, and who is left out for want of what."""
        return cast("CountDoc", self.exchange.call("POST", path_of("segments", segment, "count"), (), {}))

    def set_template(self, name: str, texts: Mapping[str, str]) -> Document:
        """Let a template have these texts by language (`""`: any), whether or not there is one of this name."""
        return self._set("templates", name, {"texts": dict(texts)})

    def preview_template(self, name: str, to: Sequence[str], **variables: Any) -> Document:
        """What a template becomes for numbers and segments: the longest text, parts, and who would get nothing."""
        body = {"to": [*to], "variables": variables}
        return self.exchange.call("POST", path_of("templates", name, "preview"), (), body)

    def create_campaign(self, name: str, to: Sequence[str], **fields: Any) -> CampaignDoc:
        """A draft: the fields of `POST /v1/campaigns`."""
        return cast(
            "CampaignDoc", self.exchange.call("POST", path_of("campaigns"), (), {"name": name, "to": [*to], **fields})
        )

    def start_campaign(self, campaign_id: str, *, force: bool = False) -> CampaignDoc:
        """Start it, unless something is wrong; `force` in spite of what a proof-reader finds."""
        return self._act(campaign_id, "start", {"force": force})

    def pause_campaign(self, campaign_id: str) -> CampaignDoc:
        """Let nothing more of it begin."""
        return self._act(campaign_id, "pause", {})

    def resume_campaign(self, campaign_id: str) -> CampaignDoc:
        """Let it go on where it was."""
        return self._act(campaign_id, "resume", {})

    def cancel_campaign(self, campaign_id: str) -> CampaignDoc:
        """As `pause_campaign`, for good."""
        return self._act(campaign_id, "cancel", {})

    def campaign(self, campaign_id: str) -> CampaignDoc:
        """A campaign as it stands now."""
        return cast("CampaignDoc", self.exchange.call("GET", path_of("campaigns", campaign_id)))

    def campaign_report(self, campaign_id: str) -> ReportDoc:
        """What came of a campaign, and of each of its variants."""
        return cast("ReportDoc", self.exchange.call("GET", path_of("reports", "campaign", campaign_id)))

    def convert(self, **fields: Any) -> Document:
        """Tell what somebody did: the fields of `POST /v1/conversions`. With a `reference` it counts once."""
        return self.exchange.call("POST", path_of("conversions"), (), fields)

    def _act(self, campaign_id: str, act: str, body: Document) -> CampaignDoc:
        return cast("CampaignDoc", self.exchange.call("POST", path_of("campaigns", campaign_id, act), (), body))

    def _set(self, kind: str, name: str, body: Document) -> Document:
        try:
            return self.exchange.call("PUT", path_of(kind, name), (), body)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise
        return self.exchange.call("POST", path_of(kind), (), {"name": name, **body})
