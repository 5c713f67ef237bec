"""What becomes of messages that SMS could not bring: the first channel that leads to an address has the text.

Never of one that was suppressed or taken back: its recipient, or its sender, did not want it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection

from gateway.config.settings import ChannelSettings
from gateway.requests import MAILTO
from gateway.store import contacts, events, notices
from gateway.store.notices import FALLBACK, FALLBACK_FAILED, FALLBACK_SENT, NewNotice

#: What is known of a person (row of `recipient`): "email" to "mailto:…", "push" to "push:" and an Apprise URL.
Addresses: TypeAlias = Callable[[Connection, int], Mapping[str, str]]
_PUSH = "push:"

KINDS = tuple(f"message.{status}" for status in notices.ENDINGS)


def addresses_of(connection: Connection, recipient_id: int) -> Mapping[str, str]:
    """Those of the contact of this person."""
    row = contacts.of_person(connection, recipient_id)
    if row is None:
        return {}
    found = {"email": row.email and f"{MAILTO}{row.email}", "push": row.push and f"{_PUSH}{row.push}"}
    return {word: address for word, address in found.items() if address}


class Fallbacks:
    """Finds where a message goes that could not arrive."""

    def __init__(self, channels: ChannelSettings, addresses: Addresses = addresses_of) -> None:
        self._channels = channels
        self._addresses = addresses

    def leave(self, connection: Connection, message_ids: Sequence[str], now_us: int) -> None:
        """Leave what has to be sent of these messages, which ended badly, and say so where nothing can be."""
        found = notices.to_fall_back(connection, message_ids)
        new: list[NewNotice] = []
        for row in found:
            if row.test:
                events.record(connection, now_us, FALLBACK_SENT, message_id=row.id, detail="a test: nothing is sent")
            elif (goal := self._goal(connection, row)) is not None:
                new.append(NewNotice(FALLBACK, goal, message_id=row.id))
            else:
                sentence = "nothing that it names leads anywhere"
                events.record(connection, now_us, FALLBACK_FAILED, message_id=row.id, detail=sentence)
        notices.add(connection, new, now_us)

    def _goal(self, connection: Connection, row: Any) -> str | None:
        wanted: list[str] = json.loads(row.fallback)
        known = self._addresses(connection, row.recipient_id)
        for each in wanted:
            goal = each if each.startswith(MAILTO) else known.get(each)
            if goal is not None and (self._channels.mail is not None or not goal.startswith(MAILTO)):
                return goal
        return None
