"""The text as it leaves, by this configuration: as it is likely at the door, as it is at the gate."""

from __future__ import annotations

from functools import partial

from gateway.config.settings import Category, ModemConfig, Settings
from gateway.rules.composition import Composed, compose, compose_longest, touches


class Wording:
    """Composes with the names and numbers of a configuration."""

    def __init__(self, settings: Settings) -> None:
        gateway = settings.gateway
        self._modems = settings.modems
        self._any_real = any(not modem.simulated for modem in settings.modems.values())
        self._one = partial(compose, sender_name=gateway.sender_name, language=gateway.language)
        self._longest = partial(compose_longest, sender_name=gateway.sender_name, language=gateway.language)

    def likely(
        self, text: str, category: Category, recipient: str, *, wanted: str | None, test: bool, first: bool = True
    ) -> Composed:
        """The longest text as which it may leave: by the `wanted` modem, or any that may take it; what the door counts.

        `first`: this person had nothing of the category before. Where that is not known, True counts the longer text.
        """
        if not touches(category):
            return Composed(text)
        numbers = [
            modem.number
            for modem in self._modems.values()
            if (modem.name == wanted if wanted is not None else self._may_take(modem, category, recipient, test=test))
        ]
        return self._longest(text, category, numbers, first_in_category=first, recipient=recipient)

    def final(self, text: str, category: Category, recipient: str, *, modem: str, first: bool = True) -> Composed:
        """The text as it leaves by this modem: what the gate sends."""
        config = self._modems.get(modem)
        number = None if config is None else config.number
        return self._one(text, category, modem_number=number, first_in_category=first, recipient=recipient)

    def _may_take(self, modem: ModemConfig, category: Category, recipient: str, *, test: bool) -> bool:
        """As far as the configuration says; a simulated modem beside a real one takes only tests."""
        if modem.simulated != test and (test or self._any_real):
            return False
        if modem.categories and category.name not in modem.categories:
            return False
        return not modem.prefixes or recipient.startswith(modem.prefixes)
