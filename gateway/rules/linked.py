"""Links of a text as they are written. Whether somebody answers at them is asked elsewhere, and only on request."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

#: Where anybody can hide any address. CTIA, Messaging Principles and Best Practices, on links: not to be used, since
#: operators filter them.
SHORTENERS: frozenset[str] = frozenset(
    {
        "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "s.id",
        "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "urlz.fr", "v.gd",
    }
)  # fmt: skip

_LINK = re.compile(r"(?<!\w)https?://\S{1,2000}", re.IGNORECASE)
_BARE_SHORTENER = re.compile(
    rf"(?<![\w.@/-])(?:www\.)?({'|'.join(map(re.escape, sorted(SHORTENERS)))})(?=/\w)", re.IGNORECASE
)
# What stands behind a link in a sentence, and is no part of it.
_BEHIND = ".,;:!?)]}>\"'»”’"
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")

# What stands in every text in small letters that has the slip (looking for it first costs nothing), how it is written,
# what is wrong with it.
_SLIPS: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (sign, re.compile(rf"(?<!\w){pattern}", re.IGNORECASE), fault)
    for sign, pattern, fault in (
        ("http", r"https?:?//?\s{1,3}(?=[\w.-]{1,60}\.\w)", "has a blank behind its beginning"),
        ("://", r"https?\s{1,3}://", "has a blank in its beginning"),
        ("http", r"https?(?://(?=\w)|:/?(?=\w)|:/{3,9}|;//|:\\\\)", "does not begin with http:// or https://"),
        ("://", r"(?:htp|htps|htttps?|hhttps?|ttps?|htpps?)://", "does not begin with http:// or https://"),
        ("www.", r"www\.\s{1,3}\w", "has a blank behind www."),
        ("www,", r"www,\w", "has a comma in its name"),
        ("/", r"(?-i:[a-z0-9-]{2,60}\.\s(?:com|fr|org|net|de|eu)/\S)", "has a blank in its name"),
    )
)


def links_of(text: str) -> list[str]:
    """The http and https links of a text, each once, without what a sentence puts behind them."""
    if "://" not in text:
        return []
    return list(dict.fromkeys(_without_sentence(match[0]) for match in _LINK.finditer(text)))


def with_links(text: str, change: Callable[[str], str]) -> str:
    """The text with each of its links, as `links_of` finds them, put through `change`. Nothing else is touched."""

    def changed(match: re.Match[str]) -> str:
        bare = _without_sentence(match[0])
        return change(bare) + match[0][len(bare) :]

    return _LINK.sub(changed, text)


def is_followable(link: str) -> bool:
    """Whether a browser may be sent there: an http or https address of some host, in characters that can be seen,
    without a user's name."""
    try:
        parts = urlsplit(link)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "@" not in parts.netloc and link.isprintable()


def hosts_of(text: str) -> list[str]:
    """The hosts of its links in small letters, each once."""
    return list(dict.fromkeys(_host(link).lower() for link in links_of(text)))


def shorteners_of(text: str) -> list[str]:
    """The shorteners that it leads to, each once; telephones make a link of a host with a path, whatever is before."""
    # Without a path there is nothing to look for, and looking is dear.
    bare = (match[1].lower() for match in _BARE_SHORTENER.finditer(text)) if "/" in text else ()
    return list(dict.fromkeys([*(host for host in hosts_of(text) if host in SHORTENERS), *bare]))


def faults_of(text: str) -> Iterator[str]:
    """What is wrong with links as they are written; links are named by their place."""
    small = text.lower()
    for sign, pattern, fault in _SLIPS:
        if sign not in small:
            continue
        for match in pattern.finditer(text):
            yield f"the link at character {match.start() + 1} {fault}"
    for number, link in enumerate(links_of(text), 1):
        if (fault := _fault(link)) is not None:
            yield f"link {number} {fault}"


def _fault(link: str) -> str | None:
    """What is wrong with the host of one link."""
    authority = re.split(r"[/?#\\]", link.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        return "carries a user's name"
    host = _host(link)
    if not host:
        return "names no host"
    if host.startswith("["):
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _fault_of_name(host)
    return "names a bare address: readers cannot tell whose it is"


def _fault_of_name(host: str) -> str | None:
    labels = host.rstrip(".").split(".")
    if len(labels) < 2:
        return "has no dot in the name of its host"
    if (
        not all(_LABEL.fullmatch(label) for label in labels)
        or not re.search(r"[^\W\d_]", labels[-1])
        or len(labels[-1]) < 2
    ):
        return "has a host whose name cannot be"
    return None


def _host(link: str) -> str:
    authority = re.split(r"[/?#\\]", link.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0]


def _without_sentence(link: str) -> str:
    """A bracket that the link opened itself is a part of it."""
    bare = link.rstrip(_BEHIND)
    return bare + ")" if "(" in bare and link[len(bare) : len(bare) + 1] == ")" else bare
