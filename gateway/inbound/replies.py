"""What STOP and START mean, in the transaction that keeps the message which says so.

STOP: the opt-out, the end of everything that waits for that person in categories that can be stopped, and one
confirmation. A second STOP changes nothing and is not answered. START lifts every opt-out. Nobody is answered who
cannot have asked: no short code, no alphanumeric sender.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from drivers.tpdu import segment
from gateway.address import AddressKind
from gateway.config.settings import Settings
from gateway.ids import IdSource
from gateway.message import Encoding, Status
from gateway.rules.keywords import Keyword
from gateway.rules.routing import Lane, wanted_text
from gateway.store import messages, optouts

#: The category whose priority and life an automatic reply has.
REPLY_CATEGORY = "transactional"

_CONFIRMATIONS: Mapping[str, str] = {
    "en": "You will get no more messages from us. Reply START to get them again.",
    "fr": "Vous ne recevrez plus nos messages. Répondez START pour les recevoir à nouveau.",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A keyword that a person sent: the inbox item, the person, and the category it answers, if any."""

    inbox_id: str
    sender_id: int
    kind: AddressKind
    keyword: Keyword
    modem: str
    category: str | None
    node: str | None = None


class Replies:
    """Obeys keywords."""

    def __init__(self, settings: Settings, ids: IdSource, *, shared: bool = False) -> None:
        self._settings = settings
        self._shared = shared
        self._ids = ids
        self._stoppable = tuple(name for name, each in settings.categories.items() if each.stoppable)

    def obey(self, connection: Connection, reply: Reply, now_us: int) -> None:
        """Do what the keyword asks."""
        if reply.keyword is Keyword.STOP:
            self._stop(connection, reply, now_us)
        elif reply.keyword is Keyword.START:
            optouts.lift(connection, reply.sender_id, None, now_us, by=f"sms:{Keyword.START}", inbox_id=reply.inbox_id)

    def _stop(self, connection: Connection, reply: Reply, now_us: int) -> None:
        scope = self._scope(reply)
        added = optouts.stop(
            connection,
            reply.sender_id,
            scope,
            now_us,
            source=f"sms:{Keyword.STOP}",
            inbox_id=reply.inbox_id,
            stoppable=self._stoppable,
        )
        if not added:
            return
        if reply.kind is AddressKind.E164:
            messages.add(connection, self._confirmation(reply, now_us))

    def _scope(self, reply: Reply) -> str:
        """With `stop_scope = "category"` the category that was answered, if it can be stopped; else all ("")."""
        narrow = self._settings.stop_scope == "category" and reply.category in self._stoppable
        return reply.category or "" if narrow else ""

    def _confirmation(self, reply: Reply, now_us: int) -> messages.NewRow:
        category = self._settings.categories[REPLY_CATEGORY]
        texts = {**_CONFIRMATIONS, **self._settings.replies}
        text = texts.get(self._settings.gateway.language, texts["en"])
        found = segment(text)
        all_simulated = all(modem.simulated for modem in self._settings.modems.values())
        mine = self._settings.modems.get(reply.modem) if reply.node in {None, self._settings.gateway.node} else None
        simulated = all_simulated if mine is None else mine.simulated
        # What a simulated modem heard beside real ones is answered by it.
        test = simulated and not all_simulated
        node = reply.node if self._shared else None
        return messages.NewRow(
            id=self._ids.new(),
            recipient_id=reply.sender_id,
            reply_to_inbox_id=reply.inbox_id,
            category=category.name,
            priority=category.priority,
            stoppable=category.stoppable,
            test=test,
            lane=Lane(category.priority, category.name, None, test, wanted_text(node, reply.modem)).text(),
            text=text,
            encoding=Encoding(found.encoding),
            parts=len(found.parts),
            # Doubt about an automatic reply is never worth a second copy.
            on_uncertain="never",
            wanted_modem=reply.modem,
            wanted_node=node,
            simulated=simulated,
            status=Status.QUEUED,
            created_us=now_us,
            due_us=now_us,
            expires_us=now_us + category.expires_after_us,
        )
