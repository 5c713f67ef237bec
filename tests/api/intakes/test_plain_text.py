"""What a person would read of HTML, whatever it is, and in one pass."""

from __future__ import annotations

import pytest

from api.intakes.plain_text import HTML_MAX, text_of_html, text_of_large_html
from gateway.errors import InvalidRequest


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello\n <b>P</b></p>A&amp;B<br/>C &lt;p&gt;", "Hello P\nA&B\nC <p>"),
        ("<head><title>T</title><STYLE>x{}</style ></head><body>hi", "hi"),
        ("<script>if (a<b) x('</p>')</scripty></script>text<script>never ends", "text"),
        ("I <3 you, a < b and x <y", "I <3 you, a < b and x <y"),
        ("<a href='x>y' title = \"</p>\">in</a> <p it's>out</p>", "in\nout"),
        ('<a href="x>lost</a>', '<a href="x>lost</a>'),
        ("x<!-->y<!-- - > <p> -->z<!-- never ends", "xyz"),
        ("<![if mso]>a<![endif]>b</>c<?d?>", "abc"),
        (f"a&#{'9' * 9000};&#x1F600;&#0;b", "a\ufffd\U0001f600\ufffdb"),
    ],
)
def test_the_words_stay_and_the_marks_go(html: str, text: str):
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    "unit", ["<a ", "<a x='", "<!--", "<a<", "<", "</a", "<!", "<a = ", "<script>", "<title></titl"]
)
def test_what_never_ends_is_read_once(unit: str):
    # The square of this length is minutes, of some units hours.
    html = unit * (HTML_MAX // 2 // len(unit))
    silent = unit in {"<!--", "<script>", "<title></titl"}
    assert text_of_html(html) == ("" if silent else " ".join(html.split()))


@pytest.mark.asyncio(loop_scope="session")
async def test_large_html_is_bounded():
    assert await text_of_large_html("x" * HTML_MAX, "/body") == "x" * HTML_MAX
    with pytest.raises(InvalidRequest, match="more than"):
        await text_of_large_html("x" * (HTML_MAX + 1), "/body")
