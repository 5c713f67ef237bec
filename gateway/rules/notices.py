"""How a message tells its reader to stop it: recognising such a notice, and writing a short one.

A word such as STOP alone is no notice ("STOP au gaspillage!"). It is one where it is told what to do with it: a number
behind it, a verb of answering before it, or where it ends the text behind a colon.
"""

from __future__ import annotations

import re
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

# Words by which readers of the eight languages are told to stop; in capitals, as notices write them.
_WORDS = (
    r"(?:STOP(?:\s?(?:SMS|PUB|PROMO|ALL))?|STOPPEN|ARR[EÊ]T(?:ER)?|UNSUBSCRIBE|OPT-?OUT|ABMELDEN|AFMELDEN|BAJA|CANCELAR"
    r"|SAIR|REMOVER|DISDICI|CANCELLA)"
)
# Blanks are bounded everywhere: a text of nothing else must not cost more than another.
_S, _SS = r"\s{0,3}", r"\s{1,3}"
_SIGNS = rf"{_S}[:=>-]"
_TO = (
    rf"(?:{_S}(?:au|to|an|al|a|à|aan|naar|para|ao|(?:par|by|per){_SS}SMS{_SS}(?:au|to|an)|إلى)(?:{_SIGNS}{{1,3}})?"
    rf"|{_SIGNS}{{1,3}})"
)
_DIGITS = rf"{_S}\+?\(?\d(?:[ ./()-]{{0,2}}\d)"
_VERBS = (
    r"(?:r[ée]pond(?:ez|re|s)|envoye[zr]|envoie|tapez|reply|text|txt|send|answer|antworten?|antworte|sende[nt]?"
    r"|schreiben?|rispond[iae]|rispondere|invia|inviare|manda|respond[ae]|responder|env[íi][ae]|enviar|antwoord(?:en)?"
    r"|stuur|sms|أرسل|ارسل)"
)
_WITH = r"\W{1,4}(?:(?:with|with the word|mit|par|avec|con|com|met|le mot|the word|das Wort|a|de)\W{1,4})?"
_ALONE = r"(?<![\w-])"
# Looked for first: most texts have none of the words, and the rest costs more.
_ANY_WORD = re.compile(_WORDS)
_NOTICE = re.compile(
    # Without a word or sign between, only what is long enough for a short code: "STOP 100 euros" names none.
    rf"{_ALONE}{_WORDS}(?:{_TO}{_DIGITS}{{2}}|{_DIGITS}{{4}})"
    rf"|(?<!\w)(?i:{_VERBS}){_WITH}{_WORDS}(?!\w)"
    rf"|{_ALONE}{_WORDS}[\"']?\s(?:antworten|senden|schreiben|sturen|antwoorden)(?!\w)"
    rf"|[:>=]{_S}[\"']?{_WORDS}[\"']?[ .]{{0,3}}\Z"
    rf"|{_ALONE}{_WORDS}{_S}[:=]?{_S}(?:https?://|www\.)"
    rf"|{_ALONE}{_WORDS}\s(?:to{_SS}(?:end|stop|quit|opt|cancel|unsub)|pour{_SS}(?:arr[êe]ter|se{_SS}d[ée]s))"
)


def carries_notice(text: str) -> bool:
    """Whether the text tells its reader how to stop such messages."""
    return _ANY_WORD.search(text) is not None and _NOTICE.search(text) is not None


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
