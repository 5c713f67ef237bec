"""Replacing links touches nothing but links, whatever the text."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.campaigns.links import shorten
from gateway.rules.linked import is_followable, links_of, with_links

ADDRESS = "https://go.example.fr"
_PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "https://example.fr/a",
            "http://example.fr",
            "HTTPS://Example.FR/(b)",
            "https://x.fr/é",
            " ",
            ".",
            ")",
            "»",
            "http",
        ]
    ),
)
_TEXTS = st.lists(_PIECES, max_size=12).map("".join)


@given(_TEXTS)
@example("(https://example.fr/a).")
def test_put_back_the_text_is_as_it_was(text: str) -> None:
    shortened = shorten(text, ADDRESS)
    links = dict(shortened.links)

    def back(found: re.Match[str]) -> str:
        return links.get(found[1], found[0])

    assert re.sub(rf"{re.escape(ADDRESS)}/([2-9A-HJ-NP-Za-km-z]{{9}})", back, shortened.text) == text
    assert all(is_followable(url) for url in links.values())
    assert set(links.values()) <= set(links_of(text))


@given(_TEXTS)
def test_what_is_not_changed_stays(text: str) -> None:
    assert with_links(text, lambda link: link) == text
