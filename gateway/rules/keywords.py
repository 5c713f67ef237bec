"""What a reply asks for: STOP, START, HELP, or a listed answer; however it is dressed, and in eight languages.

A keyword is the whole message: with courtesy, with what is to stop ("stop les pubs svp"), or as a sentence that can
mean nothing else. In a sentence of other words it is none ("please stop by at 5"). What likely asks to stop and could
mean something else is `near`, for a person to judge. The words are data (`gateway.config.vocabulary`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from gateway.config.undress import bare, words_of
from gateway.config.vocabulary import CORE, Vocabulary, Words
from gateway.rules.slips import Slips
from gateway.rules.wording import Around, clauses, spoken

_MOST_WORDS = 40  # a message of more is somebody's letter
_MOST_SHORT = 5  # so many words can stand around a keyword and leave it plain
_MOST_NAMED = 4  # "STOP", and a name of three words
_MOST_LOOSE = 12  # words among which a few are looked for
_MOST_SPLIT = 2  # into so many a slip may break a word
_MOST_CLAUSES = 8
_SURE = 8  # a word of STOP with so many letters stands in no ordinary sentence by chance
_LEAST_DIGITS = 4  # a short code, not the hour or the number of a stop
_DRAWN = re.compile(r"(\D)\1{2,}")
_REPEATED = re.compile(r"(.)\1+")
_LETTERS = re.compile(r"[^\W\d_]+")
_SIGN = "\N{OCTAGONAL SIGN}"
_SKIN = range(0x1F3FB, 0x1F400)


class Keyword(StrEnum):
    """What a keyword asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply asks for: `keyword`, for one `category` or for all; or `near` it; or the listed `answer`."""

    keyword: Keyword | None = None
    category: str | None = None
    near: Keyword | None = None
    answer: str | None = None


NOTHING = Reading()
_STOP = Reading(Keyword.STOP)
_NEAR = Reading(near=Keyword.STOP)
_CORE = frozenset(bare(word) for word in CORE)


class Reader:
    """Reads replies with one vocabulary. Making one takes milliseconds, a reading microseconds."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._around = Around(words.courtesy)
        self._strong = frozenset(word for word, name in words.words.items() if name == Keyword.STOP) - words.alone
        self._drawn = {_REPEATED.sub(r"\1", word): word for word in self._strong}
        self._phrases = frozenset(map(self._around.core, words.phrases))
        self._likely = frozenset(map(self._around.core, words.near))
        self._reasons = frozenset(map(self._around.core, words.reasons)) | self._phrases | self._likely
        self._loose: dict[str, list[tuple[frozenset[str], ...]]] = {}
        for parts in words.loose:
            for word in parts[-1]:
                self._loose.setdefault(word, []).append(parts)
        whole = words.objects | words.kinds
        self._things = whole | words.courtesy
        self._glued = frozenset("".join(each) for each in self._things)
        self._whole = frozenset("".join(each) for each in words.objects)
        family = {word for word in words.words if word not in words.alone}
        self._sure = frozenset(word for word in self._strong - words.verbs if len(word) >= _SURE)
        self._plain = (
            words.no | words.fillers | words.links | words.yes | family | set(chain.from_iterable(self._things))
        )
        others = words.words.keys() - self._strong | words.yes | words.apart | self._plain - self._strong
        self._slips = Slips({word for word in self._strong if len(word) > 4 or word in _CORE}, others)

    def read(
        self,
        text: str | None,
        *,
        categories: Collection[str] = (),
        optin_open: bool = False,
        expected: Sequence[str] = (),
    ) -> Reading:
        """What `text` asks for. `categories` are names that a STOP or START may name, `expected` the answers that the
        last message listed, `optin_open` whether a double opt-in waits for its yes. Never raises; takes well under
        5 ms whatever the text is.
        """
        said = spoken(text, self._words.signatures, self._words.quotes)
        if said is None:
            return NOTHING
        words = tuple(self._undrawn(word) for word in words_of(said.head))
        if not words:
            return self._sign(said.head, expected)
        if len(words) > _MOST_WORDS or said.long:
            return _NEAR if self._begins_or_ends(said.head, said.long) else NOTHING
        found = self._meaning(words, categories)
        if found.keyword is Keyword.STOP and (not _CORE.isdisjoint(words) or "".join(words) in _CORE):
            return found
        if expected and (answer := self._answer(words, expected)) is not None:
            return Reading(answer=answer)
        if optin_open and self._is_yes(words):
            return Reading(Keyword.START)
        return found if found != NOTHING else self._nearly(said.head, words, categories)

    def _undrawn(self, word: str) -> str:
        """The keyword that somebody drew out ("STOOOOP"), or the word."""
        if _DRAWN.search(word) is None:
            return word
        return self._drawn.get(_REPEATED.sub(r"\1", word), word)

    def _sign(self, text: str, expected: Sequence[str]) -> Reading:
        """The meaning of a text without a word: a listed sign, or the sign for STOP."""
        key = _bare_sign(text)
        for each in expected:
            if key and not bare(each) and _bare_sign(each) == key:
                return Reading(answer=each)
        return _NEAR if _SIGN in text else NOTHING

    def _answer(self, words: Words, expected: Sequence[str]) -> str | None:
        """The listed answer that the message is, with courtesy or without; the longest."""
        listed = {key: each for each in reversed(expected) if (key := bare(each))}
        ways = [way for way in self._around.ways(words) if way in listed]
        return listed[max(ways, key=len)] if ways else None

    def _is_yes(self, words: Words) -> bool:
        kernel = _once(self._around.kernel(words))
        return "".join(kernel) in self._words.yes

    def _meaning(self, words: Words, categories: Collection[str]) -> Reading:
        """What the whole message asks for beyond doubt."""
        whole = self._words.words.get("".join(words))
        if whole is not None:
            return Reading(Keyword(whole))
        kernel = self._around.kernel(words)
        key = "".join(_once(kernel))
        if key in self._words.words and key not in self._words.alone:
            name = Keyword(self._words.words[key])
            return Reading(name) if name is Keyword.STOP or self._words.assent.isdisjoint(words) else NOTHING
        if self._around.core(words) in self._phrases:
            return _STOP
        found = self._with_more(kernel, categories)
        return _STOP if found == NOTHING and self._is_sure(kernel) else found

    def _with_more(self, kernel: Words, categories: Collection[str]) -> Reading:
        """A word of a family first or last, and beside it what it is about."""
        for size in range(min(3, len(kernel) - 1), 0, -1):
            for word, rest in ((kernel[:size], kernel[size:]), (kernel[-size:], kernel[:-size])):
                name = self._words.words.get("".join(word))
                if name is None or "".join(word) in self._words.alone:
                    continue
                category = self._category(rest, categories)
                if category is not None:
                    return Reading(Keyword(name), category)
                if name == Keyword.STOP and self._is_about_all(rest):
                    return _STOP
        return _STOP if len(kernel) == 1 and self._is_glued(kernel[0]) else NOTHING

    def _is_sure(self, kernel: Words) -> bool:
        """A word that stands in no ordinary sentence, among words that say nothing else: "I want to unsubscribe"."""
        if self._sure.isdisjoint(kernel) or not self._words.no.isdisjoint(kernel):
            return False
        return all(word in self._plain for word in kernel)

    def _category(self, rest: Words, categories: Collection[str]) -> str | None:
        """The category that is named; a word for everything names none."""
        named = "".join(_without(self._around.kernel(rest), self._words.links))
        if not categories or named in self._whole:
            return None
        keys = {"".join(rest), named}
        return next((each for each in categories if bare(each) in keys), None)

    def _is_about_all(self, rest: Words) -> bool:
        """Whether the words name nothing but messages, kinds of them, courtesy, and the code that was written to."""
        place = digits = 0
        while place < len(rest):
            word = rest[place]
            if (step := self._thing_at(rest, place)) or word in self._strong:
                place += step or 1
            elif word.isdecimal():
                digits += len(word)
                place += 1
            elif word in self._words.links and place + 1 < len(rest):
                place += 1
            else:
                return False
        return digits == 0 or digits >= _LEAST_DIGITS

    def _thing_at(self, rest: Words, place: int) -> int:
        """How many words the longest thing has that stands there; 0 for none."""
        return next((size for size in (4, 3, 2, 1) if rest[place : place + size] in self._things), 0)

    def _is_glued(self, word: str) -> bool:
        """STOP and what it is about, written as one word: "stoppub"."""
        return any(word.startswith(core) and word.removeprefix(core) in self._glued for core in ("stop", "arret"))

    def _nearly(self, text: str, words: Words, categories: Collection[str]) -> Reading:
        """What likely asks to stop."""
        parts = clauses(text, _MOST_CLAUSES)
        if len(parts) > 1:
            found = [self._clause(part, categories) for part in parts]
            if all(found) and _STOP in found:
                return _STOP
            if found[0] == _STOP or found[-1] == _STOP or (all(found) and _NEAR in found):
                return _NEAR
        kernel = self._around.kernel(words)
        likely = (
            self._around.core(words) in self._likely
            or (len(kernel) <= _MOST_SPLIT and self._slips.is_slip("".join(kernel)))
            or self._is_alone(kernel, categories)
            or self._is_short(kernel)
            or self._has_reason(kernel)
            or self._is_polite(words)
            or self._is_loose(words)
            or self._is_named(text)
            or self._is_loud(text, words)
        )
        return _NEAR if likely else NOTHING

    def _clause(self, part: str, categories: Collection[str]) -> Reading | None:
        """A clause by itself: STOP, near it (so is a reason to stop), nothing (courtesy), or None for other words."""
        words = words_of(part)
        kernel = self._around.kernel(words)
        if not kernel:
            return NOTHING
        found = self._meaning(words, categories)
        if found == _STOP and self._words.alone.union(self._words.verbs).isdisjoint(kernel):
            return _STOP
        return _NEAR if self._around.core(words) in self._reasons else None

    def _begins_or_ends(self, text: str, long: bool) -> bool:
        """Whether a long text begins with STOP as a sentence of its own, or ends with it."""
        parts = clauses(text, len(text))
        ends = parts[:1] if long else [parts[0], parts[-1]]
        return len(parts) > 1 and any(self._clause(part, ()) == _STOP for part in ends)

    def _is_alone(self, kernel: Words, categories: Collection[str]) -> bool:
        """A word that is STOP alone, with courtesy, or with what it is about."""
        if "".join(_once(kernel)) in self._words.alone:
            return True
        first, rest = "".join(kernel[:1]), kernel[1:]
        return first in self._words.alone and bool(rest) and self._category(rest, categories) is not None

    def _is_short(self, kernel: Words) -> bool:
        """A few words, STOP among them, and none of them says anything else."""
        few = len(kernel) <= _MOST_SHORT and not (self._strong - self._words.verbs).isdisjoint(kernel)
        return few and all(word in self._plain or word.isdecimal() for word in kernel)

    def _has_reason(self, kernel: Words) -> bool:
        """STOP first or last, and a sentence that says why."""
        ends = ((kernel[0], kernel[1:]), (kernel[-1], kernel[:-1])) if len(kernel) > 1 else ()
        return any(word in self._strong and self._around.core(rest) in self._reasons for word, rest in ends)

    def _is_polite(self, words: Words) -> bool:
        """STOP first and courtesy behind it, whatever follows: "STOP SVP c'est la troisième fois"."""
        return len(words) <= _MOST_LOOSE and words[0] in _CORE and self._around.is_courtesy_first(words[1:])

    def _is_loose(self, words: Words) -> bool:
        """Words that ask to stop in this order, whatever stands between them: "take … my … list"."""
        return len(words) <= _MOST_LOOSE and any(
            _follow(words, parts) for word in set(words) for parts in self._loose.get(word, ())
        )

    def _is_loud(self, text: str, words: Words) -> bool:
        """STOP in capitals before words that are not: "STOP I don't know you"."""
        head = unicodedata.normalize("NFKC", text[:200]).lstrip()
        first = _LETTERS.match(head)
        if first is None or not first[0].isupper() or words[0] not in _CORE or len(words) > _MOST_LOOSE:
            return False
        return words[1] not in self._words.after and not head.isupper() if len(words) > 1 else False

    def _is_named(self, text: str) -> bool:
        """STOP in capitals, or a word that can be nothing else, and then a name; or a name of two words, and STOP."""
        names = _LETTERS.findall(unicodedata.normalize("NFKC", text[:200]))
        if not 2 <= len(names) <= _MOST_NAMED:
            return False
        first, *rest = map(bare, names)
        capitals = all(name[0].isupper() for name in names)
        if first in self._strong and self._words.after.isdisjoint(rest):
            return len(first) >= _SURE or (capitals and names[0].isupper() and len(first) >= len("STOP"))
        below = capitals and len(names) > 2 and names[-1].isupper() and not names[-2].isupper()
        return below and bare(names[-1]) in self._strong


def _follow(words: Words, parts: tuple[frozenset[str], ...]) -> bool:
    """Whether one word of each part is there, in the order of the parts."""
    left = iter(words)
    return all(any(word in part for word in left) for part in parts)


def _once(words: Words) -> Words:
    """One word, if all are the same; else the words."""
    return words[:1] if len(set(words)) == 1 else words


def _without(words: Words, links: frozenset[str]) -> Words:
    """The words from the first that is no link."""
    place = 0
    while place < len(words) - 1 and words[place] in links:
        place += 1
    return words[place:]


def _bare_sign(text: str) -> str:
    """Signs without what varies them: blanks, colours of skin, selectors."""
    small = unicodedata.normalize("NFKC", text[:50])
    return "".join(
        one
        for one in small
        if ord(one) not in _SKIN and unicodedata.category(one) not in {"Mn", "Me", "Cf", "Cc", "Zs"}
    )
