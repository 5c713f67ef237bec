"""Fields of a template that were not filled in, as data: how they look in a text that is about to leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Trace(NamedTuple):
    """One form of a field, and where it is written so. `sign` stands in every text that has one: looking for it first
    costs nothing. `opening`: it is looked for at the beginning of the text alone, where people are greeted."""

    sign: str
    pattern: str
    source: str
    opening: bool = False


_GREETINGS = (
    r"bonjour|bonsoir|salut|ch[eè]re?|madame|monsieur|hello|hi|dear|good morning|hallo|guten (?:tag|morgen|abend)"
    r"|lieber?|sehr geehrter?|beste|geachte|ciao|buongiorno|gentile|hola|estimad[oa]|ol[áa]|car[oa]|prezad[oa]"
)

_FIELDS = (
    "NOM|PR[EÉ]NOM|DATE|HEURE|LIEN|LIEU|VILLE|ADRESSE|MONTANT|NUM[EÉ]RO|NAME|FIRSTNAME|LASTNAME|TIME|LINK|URL|CITY|ADDRESS"
    "|AMOUNT|PLACE|VORNAME|NACHNAME|DATUM|UHRZEIT|ORT|BETRAG|NAAM|VOORNAAM|TIJD|PLAATS|NOME|COGNOME|DATA|ORA|CITT[AÀ]"
    "|NOMBRE|APELLIDO|FECHA|HORA|CIUDAD|ENLACE|CIDADE|SOBRENOME|CLIENT|PATIENT|CUSTOMER"
)

TRACES: tuple[Trace, ...] = (
    Trace("{{", r"\{\{[^{}\n]{0,40}\}\}", "Liquid, Jinja, Mustache, Handlebars"),
    Trace("{%", r"\{%[^{}\n]{0,60}%\}", "Liquid, Jinja"),
    Trace("{", r"(?<!\{)\{[^\W\d][\w. -]{0,39}\}", "Python, JavaScript, shells, .NET"),
    # Only what names a field: alerts put words such as [CRITICAL] in brackets.
    Trace(
        "[",
        rf"\[(?:[A-ZÀ-Þ]{{2,12}}[ _-]){{0,3}}(?:{_FIELDS})(?:[ _-][A-ZÀ-Þ]{{2,12}}){{0,3}}\]",
        "drafts written by hand",
    ),
    Trace("<", r"<<?[^\W\d][\w.-]{1,29}>>?", "drafts written by hand, some mail merges"),
    Trace("%", r"%(?<![\d%]%)(?<!\d %)(?:\([A-Za-z_]\w{0,29}\))?[sd](?!['’\w])", "C, Python"),
    Trace("%", r"%(?<![\d%]%)[A-Za-z_]{2,30}%", "Windows, some senders of newsletters"),
    Trace("*|", r"\*\|[A-Z_:]{2,30}\|\*", "Mailchimp"),
    Trace("XXX", r"(?<!\w)X{3,99}(?!\w)", "drafts written by hand"),
    Trace("undefined", r"(?<!\w)undefined(?!\w)", "JavaScript, where a value is missing"),
    Trace("NaN", r"(?<!\w)NaN(?!\w)", "JavaScript, where a number is missing"),
    Trace("[object", r"\[object Object\]", "JavaScript, where an object was written as a text"),
    Trace("", rf"(?<!\w)(?i:{_GREETINGS}) (?:null|None|nil)(?!\w)", "a missing value behind a greeting", opening=True),
    Trace("", rf"(?<!\w)(?i:{_GREETINGS}) {{1,3}}[,;](?!\w)", "an empty value behind a greeting", opening=True),
    Trace("orem", r"[Ll]orem ipsum", "text that fills a draft"),
)
_COMPILED = tuple((trace, re.compile(trace.pattern)) for trace in TRACES)
_OPENING = 100
_SHOWN = 40


def unfilled(text: str) -> Iterator[tuple[int, str]]:
    """Where a field seems to have been left in, and how it is written."""
    for trace, pattern in _COMPILED:
        if trace.sign not in text:
            continue
        for match in pattern.finditer(text, 0, _OPENING if trace.opening else len(text)):
            yield match.start(), match[0][:_SHOWN]
