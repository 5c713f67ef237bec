"""What is listened to in replies: frozen values, in the form that `undress` gives. No reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Families of words, by the names of their tables. YES counts only while a double opt-in is open.
FAMILIES = ("stop", "start", "help")
YES = "yes"
#: Words that are always STOP, whatever the owner narrows and whichever answers a message expects.
CORE = ("STOP", "ARRET", "STOPALL", "UNSUBSCRIBE")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordSettings:
    """The words of `[replies]`: the languages that are listened to (None for all), and the owner's own words."""

    languages: tuple[str, ...] | None = None
    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    help: tuple[str, ...] = ()


#: Every language, and no words of the owner.
EVERY_WORD = WordSettings()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that reading a reply needs to know. A sentence is a tuple of words, a word is one without dress."""

    #: Word, run together, to its family.
    words: Mapping[str, str]
    #: Words of STOP that mean it only alone: "end please" is for a person to judge.
    alone: frozenset[str]
    #: Words that are START while a double opt-in is open.
    yes: frozenset[str]
    #: Sentences that say STOP, that likely do, and that do beside the word ("not interested").
    phrases: frozenset[Words]
    near: frozenset[Words]
    reasons: frozenset[Words]
    #: Words that, in this order with any others between them, likely say STOP.
    loose: tuple[tuple[frozenset[str], ...], ...]
    #: What may stand around a keyword: courtesy, what is to stop (all of it, or some kind), words between, and a no.
    courtesy: frozenset[Words]
    objects: frozenset[Words]
    kinds: frozenset[Words]
    links: frozenset[str]
    fillers: frozenset[str]
    no: frozenset[str]
    #: Words that agree: beside "info" or "start" they make an answer of it.
    assent: frozenset[str]
    #: Ordinary words that are no slips of a keyword; verbs of which few words make a sentence ("je m'arrête"); words
    #: that show behind a keyword that it is part of a sentence.
    apart: frozenset[str]
    verbs: frozenset[str]
    after: frozenset[str]
    #: How a line begins that a phone adds, and how one ends that stands above a quotation.
    signatures: tuple[str, ...]
    quotes: tuple[str, ...]
