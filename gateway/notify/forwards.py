"""Replies and missed calls that go on to somebody: all but keywords, and what automata say.

No circle can come of it: what a target writes does not go back to it, what our own modems and our own automatic texts
say goes nowhere, and what goes to one target has a rate (`gateway.notify.messenger`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from gateway.clock import to_datetime
from gateway.config.settings import Settings
from gateway.inbound.own_words import OwnWords
from gateway.message import InboxItem
from gateway.notify import happenings
from gateway.notify.channel_words import ChannelWords
from gateway.notify.happenings import Happening
from gateway.store import calls
from gateway.store.notices import FORWARD, NewNotice

RECEIVED = "inbound.received"
KINDS = (RECEIVED, calls.MISSED)
_SMS = "sms:"


class Forwards:
    """Finds what goes on to whom, and words it."""

    def __init__(self, settings: Settings, words: ChannelWords) -> None:
        self._goals = settings.inbound.forward
        self._own_numbers = {each.number for each in settings.modems.values() if each.number is not None}
        self._built_in = {each.name for each in settings.modems.values() if each.built_in}
        self._own_words = OwnWords(settings)
        self._words = words
        self._zone = ZoneInfo(settings.gateway.timezone)

    @property
    def kinds(self) -> Sequence[str]:
        """The events that it has to hear of."""
        return KINDS if self._goals else ()

    def of(self, connection: Connection, event_ids: Sequence[int]) -> list[NewNotice]:
        """What these events leave to be forwarded."""
        found = happenings.these(connection, event_ids) if event_ids and self._goals else []
        return [
            NewNotice(FORWARD, goal, event_id=each.id)
            for each in found
            if self._is_for_people(each)
            for goal in self._goals
            if goal != f"{_SMS}{_sender_of(each)}"
        ]

    def worded(self, connection: Connection, event_ids: Sequence[int]) -> list[str]:
        """What is told of these events; of somebody who was erased nothing."""
        said = [self._said(each) for each in happenings.these(connection, event_ids)]
        return [each for each in said if each is not None]

    def _is_for_people(self, happening: Happening) -> bool:
        item = happening.subject
        if isinstance(item, InboxItem) and (item.keyword is not None or self._own_words.are_in(item.text)):
            return False
        return (
            item is not None
            and _modem_of(happening) not in self._built_in
            and _sender_of(happening) not in self._own_numbers
        )

    def _said(self, happening: Happening) -> str | None:
        item = happening.subject
        at = self._local(happening.at_us)
        if isinstance(item, InboxItem):
            return self._words.text_from(at, item.sender, item.text)
        if isinstance(item, Mapping) and happening.type == calls.MISSED:
            caller = item.get("from")
            return self._words.call_from(at, caller if isinstance(caller, str) else None)
        return None

    def _local(self, at_us: int) -> str:
        moment: datetime = to_datetime(at_us).astimezone(self._zone)
        return moment.strftime("%Y-%m-%d %H:%M")


def _sender_of(happening: Happening) -> str | None:
    item = happening.subject
    if isinstance(item, InboxItem):
        return item.sender
    caller = item.get("from") if isinstance(item, Mapping) else None
    return caller if isinstance(caller, str) else None


def _modem_of(happening: Happening) -> object:
    item = happening.subject
    if isinstance(item, InboxItem):
        return item.modem
    return item.get("modem") if isinstance(item, Mapping) else None
