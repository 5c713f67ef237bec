"""A text on standard input is sent as it is, or not at all."""

from __future__ import annotations

from pathlib import Path


def test_octets_that_are_no_text_are_not_sent_as_guesses(bare, config: Path):
    result = bare("send", "+33639980101", "-", input=b"h\xe9", TOCSIN_CONFIG=str(config))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "tocsin: the text on standard input is not UTF-8 (byte 1)\n"
