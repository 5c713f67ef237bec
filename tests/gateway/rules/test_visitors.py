"""Who follows a link: people's browsers, and the programs that look before or instead of them."""

from __future__ import annotations

import pytest

from gateway.rules.visitors import BOT, HEAD, PERSON, PREFETCH, PREVIEW, VISITORS, visitor_of

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_MOBILE = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_KIT} Chrome/126.0.0.0 Mobile Safari/537.36"
_PHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {_KIT}"


@pytest.mark.parametrize(
    "agent",
    [
        _MOBILE,
        _MOBILE.replace("Pixel 8", "CUBOT NOTE 20"),
        _MOBILE.replace("Pixel 8", "SM-A536B; wv"),
        f"{_PHONE} Version/17.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
        "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
        f"{_PHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/460.0]",
        "Opera/9.80 (Android; Opera Mini/36.2/191.288; U; fr) Presto/2.12.423 Version/12.16",
        "Nokia6120c/3.83; Profile/MIDP-2.0 Configuration/CLDC-1.1",
    ],
)
def test_browsers_are_people(agent: str) -> None:
    assert visitor_of("GET", {"User-Agent": agent}) == PERSON


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        f"{_PHONE} Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "WhatsApp/2.23.20.0 A",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Viber/20.0",
        "Mozilla/5.0 (compatible; Google-PageRenderer)",
    ],
)
def test_messengers_and_scanners_are_previews(agent: str) -> None:
    assert visitor_of("GET", {"User-Agent": agent}) == PREVIEW


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "curl/8.5.0",
        "python-requests/2.32",
        "okhttp/4.12.0",
        "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)",
        "MobileSMS/1.0 CFNetwork/1496 Darwin/23.5.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36",
        "Go-http-client/2.0",
        "something of somebody's",
        "\x00" * 100,
    ],
)
def test_who_is_no_browser_is_a_program(agent: str) -> None:
    assert visitor_of("GET", {"User-Agent": agent}) == BOT


@pytest.mark.parametrize(
    "fields",
    [{"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}],
)
def test_what_is_fetched_in_advance_is_no_click(fields: dict[str, str]) -> None:
    assert visitor_of("GET", {"User-Agent": _MOBILE, **fields}) == PREFETCH


def test_a_head_is_no_click() -> None:
    assert visitor_of("HEAD", {"User-Agent": _MOBILE}) == HEAD


def test_words_fit_the_store() -> None:
    assert all(len(word) <= 12 for word in VISITORS)
