"""How a message tells its reader to stop it: recognising such a notice, and writing a short one.

A word such as STOP alone is no notice ("STOP au gaspillage!"). It is one where it is told what to do with it: a number
behind it, a verb of answering before it, or where it ends the text behind a colon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import phonenumbers

from gateway.address import calling_code, country_of

#: Where the modem's own number is not known: answering needs none. By language, in the alphabet of the language.
SHORT_NOTICES: dict[str, str] = {
    "ar": " للإلغاء أرسل STOP",
    "de": " Abmelden: STOP antworten",
    "en": " Reply STOP to end",
    "es": " Baja: responde STOP",
    "fr": " STOP: répondez STOP",
    "it": " Per uscire rispondi STOP",
    "nl": " Afmelden: antwoord STOP",
    "pt": " Sair: responda STOP",
}
_FALLBACK = "en"


def _one_of(words: Mapping[str, str], before: str) -> str:
    """A pattern of words by their first letters, none of them with a sign of `before` in front.

    That a match begins with one of few letters is what lets a search run over a text instead of trying at each place;
    so what must not be in front is looked at behind the first letter.
    """
    rests = "|".join(rf"(?<=[{letters}])(?:{rest})" for letters, rest in words.items())
    return rf"[{''.join(words)}](?<!{before}.)(?:{rests})"


# Words by which readers of the eight languages are told to stop; in capitals, as notices write them.
_STOPPING = {
    "S": r"TOP(?:\s?(?:SMS|PUB|PROMO|ALL))?|TOPPEN|AIR",
    "A": r"RR[EÊ]T(?:ER)?|BMELDEN|FMELDEN",
    "U": r"NSUBSCRIBE",
    "O": r"PT-?OUT",
    "B": r"AJA",
    "C": r"ANCELAR|ANCELLA",
    "R": r"EMOVER",
    "D": r"ISDICI",
}
_WORD = rf"(?:{'|'.join(rf'{letter}(?:{rest})' for letter, rest in _STOPPING.items())})"
_VERBS = {
    "rR": r"[ée]pond(?:ez|re|s)|eply|ispond[iae]|ispondere|espond[ae]|esponder",
    "eE": r"nvoye[zr]|nvoie|nv[íi][ae]|nviar",
    "tT": r"apez|ext|xt",
    # re takes the long s for an s where case is ignored.
    "sSſ": r"end|ende[nt]?|chreiben?|tuur|ms",
    "aA": r"nswer|ntworten?|ntworte|ntwoord(?:en)?",
    "iIİı": r"nvia|nviare",
    "mM": r"anda",
    "أ": r"رسل",
    "ا": r"رسل",
}
# Blanks are bounded everywhere: a text of nothing else must not cost more than another.
_S, _SS = r"\s{0,3}", r"\s{1,3}"
_SIGNS = rf"{_S}[:=>-]"
_TO = (
    rf"(?:{_S}(?:au|to|an|al|a|à|aan|naar|para|ao|(?:par|by|per){_SS}SMS{_SS}(?:au|to|an)|إلى)(?:{_SIGNS}{{1,3}})?"
    rf"|{_SIGNS}{{1,3}})"
)
_DIGITS = rf"{_S}\+?\(?\d(?:[ ./()-]{{0,2}}\d)"
_WITH = r"\W{1,4}(?:(?:with|with the word|mit|par|avec|con|com|met|le mot|the word|das Wort|a|de)\W{1,4})?"

_ALONE = _one_of(_STOPPING, before=r"[\w-]")
_VERB = _one_of({letters: f"(?i:{rest})" for letters, rest in _VERBS.items()}, before=r"\w")

# Looked for first: most texts have none of the words, and the rest costs more.
_ANY_WORD = re.compile(_one_of(_STOPPING, before=r"\w"))
_DIGIT = re.compile(r"\d")
# Without a word or sign between, only what is long enough for a short code: "STOP 100 euros" names none.
_NUMBERED = re.compile(rf"{_ALONE}(?:{_TO}{_DIGITS}{{2}}|{_DIGITS}{{4}})")
_EXPLAINED = re.compile(
    rf"{_ALONE}"
    rf"(?:[\"']?\s(?:antworten|senden|schreiben|sturen|antwoorden)(?!\w)"
    rf"|{_S}[:=]?{_S}(?:https?://|www\.)"
    rf"|\s(?:to{_SS}(?:end|stop|quit|opt|cancel|unsub)|pour{_SS}(?:arr[êe]ter|se{_SS}d[ée]s)))"
)
_ANSWERED = re.compile(rf"{_VERB}{_WITH}{_WORD}(?!\w)")
_AT_THE_END = re.compile(rf"[:>=]{_S}[\"']?{_WORD}[\"']?[ .]{{0,3}}\Z")
# More than `_AT_THE_END` can take.
_END = 30


def carries_notice(text: str) -> bool:
    """Whether the text tells its reader how to stop such messages."""
    if _ANY_WORD.search(text) is None:
        return False
    return (
        (_DIGIT.search(text) is not None and _NUMBERED.search(text) is not None)
        or _EXPLAINED.search(text) is not None
        or _AT_THE_END.search(text, max(0, len(text) - _END)) is not None
        or _ANSWERED.search(text) is not None
    )


def short_notice(language: str) -> str:
    """A notice that names no number, in the language or in English."""
    return SHORT_NOTICES.get(language, SHORT_NOTICES[_FALLBACK])


@lru_cache(maxsize=1024)
def printed_for(number: str, recipient: str) -> str:
    """A modem's E.164 number as somebody at `recipient` dials it: nationally within one country, in digits alone."""
    if not _same_country(number, recipient):
        return number
    parsed = phonenumbers.parse(number, None)
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    digits = "".join(character for character in national if character.isdigit())
    return min(digits, number, key=len)


def _same_country(one: str, other: str) -> bool:
    code = calling_code(one)
    if code == one or calling_code(other) != code:
        return False
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]) == 1:
        return True
    country = country_of(one)
    return country is not None and country == country_of(other)
