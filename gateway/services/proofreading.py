"""What only a dictionary or a look at the internet can tell of a text; asked for previews, never for a message."""

from __future__ import annotations

from gateway.config.settings import Settings
from gateway.message import Caution
from gateway.rules.lint import typo_cautions
from gateway.services.links import LinkCheck
from gateway.services.spelling import Speller


class Proofreader:
    """Reads texts that are previewed."""

    def __init__(self, settings: Settings) -> None:
        self._language = settings.gateway.language
        self._names = (settings.gateway.sender_name,) if settings.gateway.sender_name else ()
        self._speller = Speller()
        self._links = LinkCheck(settings.webhook_networks)

    async def read(self, text: str, *, check_links: bool, check_spelling: bool = True) -> list[Caution]:
        """Likely typos, and the links at which nobody answers, as far as they are asked for."""
        cautions: list[Caution] = []
        if check_spelling:
            cautions += typo_cautions(await self._speller.typos(text, self._language, self._names))
        if check_links:
            cautions += await self._links.check(text)
        return cautions

    async def close(self) -> None:
        """End what runs beside the gateway for it."""
        await self._speller.close()
