"""The inbox: what people wrote."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.config.settings import Settings
from gateway.config.test_network import rehearsal_of
from gateway.message import InboxItem
from gateway.requests import InboxFilter, Page, Principal
from gateway.services.visibility import before_id, filter_number, only_token
from gateway.store import inbox, recipients
from gateway.store.database import Store


class Inbox:
    """Received messages."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._country = settings.gateway.country
        self._rehearsal = rehearsal_of(settings)

    async def list(
        self, principal: Principal, wanted: InboxFilter, *, limit: int, cursor: str | None
    ) -> Page[InboxItem]:
        """Received messages that fit, newest first; without `read:all` only replies to what this token sent. A token
        that only tests sees what no real modem heard."""
        before = before_id(cursor)
        token_id = only_token(principal)
        sender = None if wanted.sender is None else filter_number(wanted.sender, self._country, "from")
        lookup = None if sender is None else self._store.fingerprint(sender)

        def work(connection: Connection) -> Page[InboxItem]:
            person = None if lookup is None else recipients.find(connection, lookup)
            if lookup is not None and person is None:
                return Page([], None)
            return inbox.page(
                connection,
                wanted,
                recipient_id=person,
                token_id=token_id,
                limit=limit,
                before=before,
                rehearsal=self._rehearsal if principal.test else None,
            )

        return await self._store.read(work)
