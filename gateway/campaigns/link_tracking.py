"""Links and codes of people's own in the texts of campaigns: what `gateway.campaigns.tracking` asks for.

Codes of links are drawn before the transaction that queues, and written in it: what is never queued leaves nothing
behind. A personal code is given before, and the same person of the same campaign gets the same one again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from gateway.campaign import Wanted
from gateway.campaigns.links import shorten
from gateway.campaigns.stored import wanted_of_json
from gateway.campaigns.tracking import Left, Shortened
from gateway.clock import Clock
from gateway.errors import InvalidRequest
from gateway.store import campaigns, codes, short_links

#: The variable that is a personal code.
CODE: Final = "code"


class LinkTracking:
    """Over one store. `address` is where short links begin; None: links stay as they are."""

    def __init__(self, address: str | None, clock: Clock) -> None:
        self._address = address
        self._clock = clock

    def names(self) -> frozenset[str]:
        """`code`."""
        return frozenset({CODE})

    def personal(self, connection: Connection, campaign_id: str, people: Sequence[int]) -> Sequence[Mapping[str, Any]]:
        """The code of each from the campaign's pool; nothing where there is no pool, or no code is left."""
        row = campaigns.get(connection, campaign_id)
        pool_name = None if row is None else wanted_of_json(row.wanted).codes
        pool = None if pool_name is None else codes.pool(connection, pool_name)
        if pool is None:
            return [{} for _ in people]
        has = codes.held(connection, campaign_id, people)
        without = list(dict.fromkeys(person for person in people if person not in has))
        if without:
            has |= codes.give(connection, pool.id, campaign_id, without, self._clock.now_us())
        return [{CODE: has[person]} if person in has else {} for person in people]

    def shortened(self, campaign_id: str, variant: int | None, items: Sequence[tuple[int, str]]) -> Sequence[Shortened]:
        """The texts with links of each person's own."""
        del campaign_id, variant
        if self._address is None:
            return [Shortened(text) for _, text in items]
        return [shorten(text, self._address) for _, text in items]

    def queued(
        self, connection: Connection, campaign_id: str, variant: int | None, left: Sequence[Left], now_us: int
    ) -> None:
        """Write the links down, with the messages in which they stand."""
        short_links.add_all(
            connection,
            [
                {
                    "code": code,
                    "campaign_id": campaign_id,
                    "variant": variant,
                    "recipient_id": each.recipient_id,
                    "message_id": each.message_id,
                    "url": url,
                    "created_us": now_us,
                }
                for each in left
                for code, url in each.shortened.links
            ],
        )

    def refusal(
        self, connection: Connection, wanted: Wanted, names: frozenset[str], people: int
    ) -> InvalidRequest | None:
        """A pool that is not there; texts that name a code without a pool; too few codes for so many people."""
        uses = CODE in names and CODE not in wanted.variables
        if wanted.codes is None:
            sentence = "name a code, and the campaign has no pool of codes"
            return InvalidRequest.field("template_variable_missing", "/codes", sentence) if uses else None
        pool = codes.pool(connection, wanted.codes)
        if pool is None:
            return InvalidRequest.field("codes_not_found", "/codes", "there is no pool of codes of that name")
        lacking = people - codes.left(connection, pool.id) if uses else 0
        if lacking <= 0:
            return None
        many = "1 code is" if lacking == 1 else f"{lacking} codes are"
        sentence = f"{many} missing: there are {people - lacking} for {people} people"
        return InvalidRequest.field("codes_missing", "/codes", sentence)
