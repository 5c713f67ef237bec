"""What a person would read of a mail, whatever its octets."""

from __future__ import annotations

import codecs

import pytest

from api.intakes.mail_text import Unreadable, mail_of
from api.intakes.smtp import MAIL_MAX

ALTERNATIVE = (
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>no</b>"
    b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nyes\r\n--b--"
)


def _nested(depth: int) -> bytes:
    lines = [b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d" % (at, at) for at in range(depth)]
    return b"\r\n".join([*lines, b"Content-Type: text/plain\r\n\r\ndeep"])


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\r\nplain", "plain"),
        (b"Content-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: 8bit\r\n\r\n5 \xa4", "5 €"),
        (b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nw6l0w6k=", "été"),
        (b"Content-Type: text/plain; charset=punycode\r\n\r\na-b", "a-b"),
        (b"Content-Type: text/plain; charset*=us-ascii''iso-8859-15\r\n\r\n5 \xa4", "5 €"),
        (b'Content-Type: text/plain; charset="no such"\r\n\r\n\xe9', "é"),
        (b"Content-Type: text/html\r\n\r\n<style>x{}</style><p>A&amp;B<br>C</p><script>1</script>", "A&B\nC"),
        (ALTERNATIVE, "yes"),
        (_nested(20), "deep"),
    ],
)
def test_the_text_of_a_mail(octets: bytes, text: str):
    assert mail_of(octets).text == text


def test_names_of_charsets_are_not_remembered():
    asked: list[str] = []
    codecs.register(search := asked.append)
    try:
        mail = b"Subject: =?none-1?q?x?=\r\nContent-Type: text/plain; charset=%s\r\n\r\nyes"
        assert [mail_of(mail % name).text for name in (b"none-2", b"x" * 9000)] == ["yes", "yes"]
    finally:
        codecs.unregister(search)
    assert asked == []


@pytest.mark.parametrize("octets", [_nested(1500), b"Content-Type: multipart/mixed\r\n\r\n", b"\xff\xfe" * 999 + b":"])
def test_a_mail_that_cannot_be_read_says_so_or_has_a_text(octets: bytes):
    try:
        text = mail_of(octets[:MAIL_MAX]).text
    except Unreadable as error:
        text = str(error)
    assert text == text.strip()
