"""Words by which people stop and start: the whole message, however it is dressed.

Case, accents, blanks, quotes and punctuation do not count (« Arrêt ! » is ARRET); a word inside a sentence does
("please stop by at 5" is no STOP). French and English families. Source of the English ones: the CTIA Short Code
Monitoring Handbook's universal keywords; of the French ones: the AF2M's charter for SMS+ (STOP) and usage (ARRET).
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    """What a keyword asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_FAMILIES: dict[Keyword, tuple[str, ...]] = {
    Keyword.STOP: (
        "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT",
        "ARRET", "ARRETER", "ARRETE", "ARRETEZ", "STOPSMS", "DESABONNER", "DESABONNEMENT",
        "DESINSCRIRE", "DESINSCRIPTION", "RESILIER", "DESACTIVER",
    ),
    Keyword.START: ("START", "UNSTOP", "OPTIN", "SUBSCRIBE", "DEBUT", "REPRENDRE", "REPRISE", "ABONNER"),
    Keyword.HELP: ("HELP", "INFO", "AIDE"),
}  # fmt: skip

_WORDS = {word: keyword for keyword, words in _FAMILIES.items() for word in words}
# However much dress there is around a keyword, a text longer than this is somebody's words.
_LONGEST_INPUT = 1000


def keyword_of(text: str | None) -> Keyword | None:
    """The keyword that this whole message is, or None."""
    if text is None or len(text) > _LONGEST_INPUT:
        return None
    return _WORDS.get(bare(text))


def bare(text: str) -> str:
    """The text undressed: compatibility forms folded (full-width), no accents, letters and digits in capitals, run
    together as if no blank, quote or sign stood between them.
    """
    folded = unicodedata.normalize("NFKD", text).casefold().upper()
    return "".join(character for character in folded if character.isalnum())
