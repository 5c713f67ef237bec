"""Who follows a link: a person, or a program that looks at it before or instead of one.

Programs that say what they are can be told from people; one that passes for a browser cannot. What is kept of a visitor
is one of these words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: Somebody's browser, as far as one can tell.
PERSON: Final = "person"
#: Asked for the header fields alone: a link checker.
HEAD: Final = "head"
#: A browser that loads the page in case somebody will want it.
PREFETCH: Final = "prefetch"
#: A messenger that shows what is behind a link, or a scanner that looks whether it does harm.
PREVIEW: Final = "preview"
#: A crawler, a monitor, a library.
BOT: Final = "bot"
VISITORS: Final = (PERSON, HEAD, PREFETCH, PREVIEW, BOT)

# Fetch, section "Sec-Purpose"; before it browsers said Purpose, X-Purpose or X-Moz.
_ANNOUNCED: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_EARLY: Final = re.compile(r"\b(?:prefetch|prerender|preview)\b", re.IGNORECASE)

_PREVIEWS: Final = re.compile(
    r"facebookexternalhit|facebot|facebookcatalog|meta-externalagent|whatsapp|telegram|twitterbot|slack|discord|skype"
    r"|microsoftpreview|bingpreview|linkedin|\bviber|snap url|\bsignal\b|line-poker|kakaotalk-scrap|vkshare|mattermost"
    r"|rocket\.chat|iframely|embedly|outbrain|pinterestbot|flipboard|mastodon|google-pagerenderer"
    r"|googlemessages|google-safety|google-read-aloud|chrome-lighthouse|link-?preview|preview|unfurl|opengraph"
    r"|safelinks|proofpoint|mimecast|barracuda|symantec|trend ?micro|zscaler|forcepoint|sophos|cloudmark|virustotal"
    r"|urlscan|safebrowsing|bitdefender|kaspersky|avast|fortiguard|paloalto",
    re.IGNORECASE,
)
# Cubot makes telephones.
_BOTS: Final = re.compile(
    r"(?<!cu)bot\b|\+https?://|crawl|spider|slurp|\bscan|scanner|monitor|uptime|pingdom|check_http|feedfetcher|\bfeed"
    r"|fetcher|node-fetch|archiver|validator|headless|phantomjs|selenium|puppeteer|playwright|\bcurl|\bwget|libwww"
    r"|httpie|postman|insomnia|\baxios|\bnode\b|\bundici|\bpython|\baiohttp|\bhttpx|go-http-client|\bjava[/-]|\bokhttp"
    r"|httpclient|\bjakarta|\bruby\b|faraday|\bperl\b|\blwp|\bphp\b|guzzle|winhttp|powershell|\bdalvik|cfnetwork"
    r"|\breqwest|\bhyper/|\bdart\b",
    re.IGNORECASE,
)
# A person's browser begins its name so, and so do most programs that pass for one.
_BROWSER: Final = re.compile(r"Mozilla/|Opera/|Nokia|SonyEricsson|SAMSUNG|BlackBerry|UCWEB|LG-|MOT-", re.IGNORECASE)


def visitor_of(method: str, fields: Mapping[str, str]) -> str:
    """Who came, by the method and the header fields of the request, whose names are looked up as `fields` does."""
    if method == "HEAD":
        return HEAD
    if any(_EARLY.search(fields.get(name, "")) for name in _ANNOUNCED):
        return PREFETCH
    agent = fields.get("User-Agent", "")
    if _PREVIEWS.search(agent):
        return PREVIEW
    if _BOTS.search(agent) or not _BROWSER.match(agent):
        return BOT
    return PERSON
