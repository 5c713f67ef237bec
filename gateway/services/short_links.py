"""Short links: where each leads, who followed them, and what came of those of a campaign."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from gateway.campaigns.clicks import Clicks
from gateway.campaigns.links import is_code
from gateway.clock import Clock
from gateway.config.settings import LinkSettings
from gateway.requests import Page, Principal
from gateway.rules.visitors import visitor_of
from gateway.services.campaigns import Campaigns
from gateway.services.visibility import before_row
from gateway.store import short_links
from gateway.store.database import Store
from gateway.store.short_links import LinkTotals

__all__ = ["LinkTotals", "ShortLinks"]

# Of links that were followed lately: a link leads to the same place for ever.
_REMEMBERED: Final = 4096


class ShortLinks:
    """The links of campaigns."""

    def __init__(self, settings: LinkSettings, store: Store, clock: Clock, campaigns: Campaigns) -> None:
        #: Where short links begin, and who listens to whoever follows them.
        self.settings = settings
        self._store = store
        self._campaigns = campaigns
        self._remembered: OrderedDict[str, str] = OrderedDict()
        #: Who followed them.
        self.clicks = Clicks(store, clock)

    async def follow(self, code: str, method: str, fields: Mapping[str, str]) -> str | None:
        """Where a link leads, after it was noted who asks, by the method and header fields of the request; None where
        there is no such link."""
        if not is_code(code):
            return None
        url = self._remembered.get(code)
        if url is None:
            row = await self._store.read(lambda connection: short_links.find(connection, code))
            if row is None:
                return None
            url = self._remembered[code] = row.url
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        self.clicks.note(code, visitor_of(method, fields))
        return url

    async def totals(
        self, principal: Principal, campaign_id: str, *, limit: int, cursor: str | None
    ) -> Page[LinkTotals]:
        """What came of each address in each variant of a campaign, in the order of addresses."""
        await self._campaigns.get(principal, campaign_id)
        passed_over = before_row(cursor) or 0

        def work(connection: Connection) -> Page[LinkTotals]:
            found = short_links.totals(connection, campaign_id, limit=limit + 1, passed_over=passed_over)
            following = str(passed_over + limit) if len(found) > limit else None
            return Page(found[:limit], following)

        return await self._store.read(work)
