"""What a caller wants done when a message cannot arrive, as far as it can be judged when it is handed in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.address import is_mail
from gateway.config.settings import ChannelSettings
from gateway.message import Caution
from gateway.requests import FALLBACKS, MAILTO, MOST_FALLBACKS
from gateway.store import contacts

UNREACHABLE = Caution("fallback_unreachable", "nothing that fallback names leads anywhere now")


def wrong_fallback(fallback: Sequence[str]) -> str | None:
    """What is wrong with it; None where nothing is."""
    if len(fallback) <= MOST_FALLBACKS and all(each in FALLBACKS or _is_mailto(each) for each in fallback):
        return None
    return f'names at most {MOST_FALLBACKS} of "email", "push", or "mailto:" and an address'


def leads_nowhere(fallback: Sequence[str], channels: ChannelSettings) -> bool:
    """Whether it names no address itself; what the recipient's contact knows is `leads_to_contact`."""
    return bool(fallback) and (channels.mail is None or not any(each.startswith(MAILTO) for each in fallback))


def leads_to_contact(
    connection: Connection, fallback: Sequence[str], channels: ChannelSettings, recipient_id: int
) -> bool:
    """Whether it leads to an address of the recipient's contact."""
    wanted = {word for word in FALLBACKS if word in fallback and (word != "email" or channels.mail is not None)}
    row = contacts.of_person(connection, recipient_id) if wanted else None
    return row is not None and any(getattr(row, word) for word in wanted)


def _is_mailto(text: str) -> bool:
    return text.startswith(MAILTO) and is_mail(text.removeprefix(MAILTO))
