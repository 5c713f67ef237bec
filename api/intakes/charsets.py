"""Names of charsets as other programs write them, looked up in a table.

Python's own look-up tries to import what it does not know and remembers every such name for ever; what stands in a
request must not be able to fill the memory.
"""

from __future__ import annotations

from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final

_NAME_MOST: Final = 40
_NO_TEXT: Final = {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
#: Python's names: those that have others, and some that have none.
_CHARSETS: Final = frozenset({*aliases.values(), "cp874", "iso8859_1", "koi8_t", "koi8_u", "utf_8_sig"} - _NO_TEXT)


def charset_of(name: str) -> str | None:
    """Python's name of the charset, None for what is none."""
    if len(name) > _NAME_MOST:
        return None
    written = normalize_encoding(name.strip()).lower()
    found = aliases.get(written, written)
    return found if found in _CHARSETS else None
