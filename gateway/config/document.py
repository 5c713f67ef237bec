"""The file itself: from a path to the tables of TOML, or one problem that says what is wrong and where."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from gateway.errors import ConfigProblem, ConfigurationError

MOST_OCTETS = 1 << 20

_PLACE = re.compile(r"(?P<what>.*?) \(at (?P<place>line \d+, column \d+|end of document)\)", re.DOTALL)
_BYTE_ORDER_MARK = "\ufeff"


def read_document(path: Path) -> dict[str, object]:
    """The tables of the file. Raises `ConfigurationError` with one problem."""
    return parse_document(_octets(path))


def parse_document(octets: bytes) -> dict[str, object]:
    """The tables of a file's content. Raises `ConfigurationError` with one problem."""
    text = _decode(octets)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _failure(_syntax(str(error), text)) from None
    except RecursionError:
        raise _failure("is nested too deeply") from None
    except ValueError:
        # int() refuses a number of thousands of digits with a plain ValueError.
        raise _failure("contains a number that is too long") from None


def _octets(path: Path) -> bytes:
    try:
        # Opening a pipe or a device would wait for a writer, perhaps for ever.
        if path.exists() and not path.is_file():
            raise _failure("is a folder, not a file" if path.is_dir() else "is not an ordinary file")
        with path.open("rb") as file:
            octets = file.read(MOST_OCTETS + 1)
    except FileNotFoundError:
        raise _failure("does not exist") from None
    except PermissionError:
        raise _failure("cannot be read: permission denied") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise _failure(f"cannot be read: {getattr(error, 'strerror', None) or 'not a path'}") from None
    if len(octets) > MOST_OCTETS:
        raise _failure("is larger than 1 MiB")
    return octets


def _decode(octets: bytes) -> str:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _failure(f"line {line}: is not UTF-8 text") from None
    if text.startswith(_BYTE_ORDER_MARK):
        raise _failure("line 1: begins with a byte order mark; save it as UTF-8 without one")
    return text


def _syntax(message: str, text: str) -> str:
    """The parser's sentence with the place in front; the end of the document is a place too."""
    match = _PLACE.fullmatch(message)
    if match is None:
        return message
    lines = text.split("\n")
    end = f"line {len(lines)}, column {len(lines[-1]) + 1}"
    return f"{end if match['place'].startswith('end') else match['place']}: {match['what']}"


def _failure(message: str) -> ConfigurationError:
    return ConfigurationError([ConfigProblem("", message)])
