"""National language tables of 3GPP TS 23.038, annex A. Facts only: code points by place; no coding is done here.

Cells were compared in three public sources: gsmcodecs 1.0.0 (typed from TS 23.038 V18.0.0), Android's GsmAlphabet and
the tables of warthog618/sms. They agree but for the following, decided by two against one:
0x2C of the ten Indic and Urdu locking tables is a comma (gsmcodecs: an apostrophe); 0x24 of the Kannada locking table
is U+0CA1 (gsmcodecs: U+0CAA, which stands at 0x3D); 0x65 of the Telugu single shift table is the euro sign (gsmcodecs:
nothing); 0x00 to 0x02 of the Hindi locking table are Devanagari U+0901 to U+0903 (warthog618: Bengali
U+0981 to U+0983).
"""

from enum import IntEnum

ESCAPE = 0x1B


class Language(IntEnum):
    """National Language Identifier (6.2.1.2.4); 0 stands for the default tables."""

    DEFAULT = 0
    TURKISH = 1
    SPANISH = 2
    PORTUGUESE = 3
    BENGALI = 4
    GUJARATI = 5
    HINDI = 6
    KANNADA = 7
    MALAYALAM = 8
    ORIYA = 9
    PUNJABI = 10
    TAMIL = 11
    TELUGU = 12
    URDU = 13


# 6.2.1. The escape stands at its own place: no character of a text maps there.
DEFAULT_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# fmt: off
# 6.2.1.1
_DEFAULT_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}
# What the locking tables of annex A.3.4 to A.3.13 have in common, and the single shift tables of A.2.4 to A.2.13.
_INDIC_LOCKING = {
    0x0A: "\n", 0x0D: "\r", 0x20: " !", 0x28: ")(", 0x2C: ",", 0x2E: ".", 0x30: "0123456789:;", 0x3F: "?",
    0x61: "abcdefghijklmnopqrstuvwxyz",
}
_INDIC_SINGLE = {
    0x00: "@£$¥¿\"¤%&'\f*+", 0x0E: "-/<=>¡^¡_#*", 0x28: "{}", 0x2F: "\\", 0x3C: "[~]", 0x40: "|",
    0x41: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0x65: "€",
}
# fmt: on

# First place of a run of cells, then their code points. Turkish, Spanish and Portuguese stand on the default tables.
# fmt: off
_LOCKING: dict[Language, dict[int, str]] = {
    Language.TURKISH: {
        0x04: "20AC", 0x07: "0131", 0x0B: "011E-011F", 0x1C: "015E-015F", 0x40: "0130", 0x60: "00E7",
    },
    Language.PORTUGUESE: {
        0x04: "00EA", 0x06: "00FA 00ED 00F3 00E7", 0x0B: "00D4 00F4", 0x0E: "00C1 00E1",
        0x12: "00AA 00C7 00C0 221E 005E 005C 20AC 00D3 007C", 0x1C: "00C2 00E2 00CA", 0x24: "00BA", 0x40: "00CD",
        0x5B: "00C3 00D5 00DA", 0x60: "007E", 0x7B: "00E3 00F5 0060",
    },
    Language.BENGALI: {
        0x00: "0981-0983 0985-098B", 0x0B: "098C", 0x0F: "098F-0990", 0x13: "0993-099A", 0x1C: "099B-099E",
        0x22: "099F-09A4", 0x2A: "09A5-09A6", 0x2D: "09A7", 0x2F: "09A8", 0x3D: "09AA-09AB", 0x40: "09AC-09B0",
        0x46: "09B2", 0x4A: "09B6-09B9 09BC-09C4", 0x59: "09C7-09C8", 0x5D: "09CB-09CE",
        0x7B: "09D7 09DC-09DD 09F0-09F1",
    },
    Language.GUJARATI: {
        0x00: "0A81-0A83 0A85-0A8B", 0x0B: "0A8C-0A8D", 0x0F: "0A8F-0A91", 0x13: "0A93-0A9A", 0x1C: "0A9B-0A9E",
        0x22: "0A9F-0AA4", 0x2A: "0AA5-0AA6", 0x2D: "0AA7", 0x2F: "0AA8", 0x3D: "0AAA-0AAB", 0x40: "0AAC-0AB0",
        0x46: "0AB2-0AB3", 0x49: "0AB5-0AB9 0ABC-0AC5", 0x59: "0AC7-0AC9", 0x5D: "0ACB-0ACD 0AD0",
        0x7B: "0AE0-0AE3 0AF1",
    },
    Language.HINDI: {
        0x00: "0901-0903 0905-090B", 0x0B: "090C-090D", 0x0E: "090E-091A", 0x1C: "091B-091E", 0x22: "091F-0924",
        0x2A: "0925-0926", 0x2D: "0927", 0x2F: "0928", 0x3C: "0929-092B", 0x40: "092C-0939 093C-094D 0950",
        0x7B: "0972 097B-097C 097E-097F",
    },
    Language.KANNADA: {
        0x01: "0C82-0C83 0C85-0C8B", 0x0B: "0C8C", 0x0E: "0C8E-0C90", 0x12: "0C92-0C9A", 0x1C: "0C9B-0C9E",
        0x22: "0C9F-0CA4", 0x2A: "0CA5-0CA6", 0x2D: "0CA7", 0x2F: "0CA8", 0x3D: "0CAA-0CAB", 0x40: "0CAC-0CB3",
        0x49: "0CB5-0CB9 0CBC-0CC4", 0x58: "0CC6-0CC8", 0x5C: "0CCA-0CCD 0CD5", 0x7B: "0CD6 0CE0-0CE3",
    },
    Language.MALAYALAM: {
        0x01: "0D02-0D03 0D05-0D0B", 0x0B: "0D0C", 0x0E: "0D0E-0D10", 0x12: "0D12-0D1A", 0x1C: "0D1B-0D1E",
        0x22: "0D1F-0D24", 0x2A: "0D25-0D26", 0x2D: "0D27", 0x2F: "0D28", 0x3D: "0D2A-0D2B", 0x40: "0D2C-0D39",
        0x4F: "0D3D-0D44", 0x58: "0D46-0D48", 0x5C: "0D4A-0D4D 0D57", 0x7B: "0D60-0D63 0D79",
    },
    Language.ORIYA: {
        0x00: "0B01-0B03 0B05-0B0B", 0x0B: "0B0C", 0x0F: "0B0F-0B10", 0x13: "0B13-0B1A", 0x1C: "0B1B-0B1E",
        0x22: "0B1F-0B24", 0x2A: "0B25-0B26", 0x2D: "0B27", 0x2F: "0B28", 0x3D: "0B2A-0B2B", 0x40: "0B2C-0B30",
        0x46: "0B32-0B33", 0x49: "0B35-0B39 0B3C-0B44", 0x59: "0B47-0B48", 0x5D: "0B4B-0B4D 0B56",
        0x7B: "0B57 0B60-0B63",
    },
    Language.PUNJABI: {
        0x00: "0A01-0A03 0A05-0A0A", 0x0F: "0A0F-0A10", 0x13: "0A13-0A1A", 0x1C: "0A1B-0A1E", 0x22: "0A1F-0A24",
        0x2A: "0A25-0A26", 0x2D: "0A27", 0x2F: "0A28", 0x3D: "0A2A-0A2B", 0x40: "0A2C-0A30", 0x46: "0A32-0A33",
        0x49: "0A35-0A36", 0x4C: "0A38-0A39 0A3C", 0x50: "0A3E-0A42", 0x59: "0A47-0A48", 0x5D: "0A4B-0A4D 0A51",
        0x7B: "0A70-0A74",
    },
    Language.TAMIL: {
        0x01: "0B82-0B83 0B85-0B8A", 0x0E: "0B8E-0B90", 0x12: "0B92-0B95", 0x19: "0B99-0B9A", 0x1D: "0B9C",
        0x1F: "0B9E", 0x22: "0B9F", 0x26: "0BA3-0BA4", 0x2F: "0BA8", 0x3C: "0BA9-0BAA", 0x42: "0BAE-0BB9",
        0x50: "0BBE-0BC2", 0x58: "0BC6-0BC8", 0x5C: "0BCA-0BCD 0BD0", 0x7B: "0BD7 0BF0-0BF2 0BF9",
    },
    Language.TELUGU: {
        0x00: "0C01-0C03 0C05-0C0B", 0x0B: "0C0C", 0x0E: "0C0E-0C10", 0x12: "0C12-0C1A", 0x1C: "0C1B-0C1E",
        0x22: "0C1F-0C24", 0x2A: "0C25-0C26", 0x2D: "0C27", 0x2F: "0C28", 0x3D: "0C2A-0C2B", 0x40: "0C2C-0C33",
        0x49: "0C35-0C39", 0x4F: "0C3D-0C44", 0x58: "0C46-0C48", 0x5C: "0C4A-0C4D 0C55", 0x7B: "0C56 0C60-0C63",
    },
    Language.URDU: {
        0x00: "0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F", 0x0B: "0679 067D",
        0x0E: "067A 067C 062B-062C 0681 0684 0683 0685-0687 062D-062F", 0x1C: "068C 0688-068A",
        0x22: "068F 068D 0630-0631 0691 0693", 0x2A: "0699 0632", 0x2D: "0696", 0x2F: "0698", 0x3C: "069A 0633-0634",
        0x40: "0635-0639 0641-0642 06A9-06AB 06AF 06B3 06B1 0644-0646",
        0x50: "06BA-06BC 0648 06C4 06D5 06C1 06BE 0621 06CC 06D0 06D2 064D 0650 064F 0657 0654",
        0x7B: "0655 0651 0653 0656 0670",
    },
}

_SINGLE: dict[Language, dict[int, str]] = {
    Language.TURKISH: {
        0x47: "011E", 0x49: "0130", 0x53: "015E", 0x63: "00E7", 0x67: "011F", 0x69: "0131", 0x73: "015F",
    },
    Language.SPANISH: {
        0x09: "00E7", 0x41: "00C1", 0x49: "00CD", 0x4F: "00D3", 0x55: "00DA", 0x61: "00E1", 0x69: "00ED",
        0x6F: "00F3", 0x75: "00FA",
    },
    Language.PORTUGUESE: {
        0x05: "00EA", 0x09: "00E7", 0x0B: "00D4 00F4", 0x0E: "00C1 00E1", 0x12: "03A6 0393",
        0x15: "03A9 03A0 03A8 03A3 0398", 0x1F: "00CA", 0x41: "00C0", 0x49: "00CD", 0x4F: "00D3", 0x55: "00DA",
        0x5B: "00C3 00D5", 0x61: "00C2", 0x69: "00ED", 0x6F: "00F3", 0x75: "00FA", 0x7B: "00E3 00F5", 0x7F: "00E2",
    },
    Language.BENGALI: {
        0x19: "09E6-09E7", 0x1C: "09E8-09EF 09DF-09E2", 0x2A: "09E3 09F2-09F5", 0x30: "09F6-09FA",
    },
    Language.GUJARATI: {
        0x19: "0964-0965", 0x1C: "0AE6-0AEF",
    },
    Language.HINDI: {
        0x19: "0964-0965", 0x1C: "0966-096F 0951-0952", 0x2A: "0953-0954 0958-095A", 0x30: "095B-0963 0970-0971",
    },
    Language.KANNADA: {
        0x19: "0964-0965", 0x1C: "0CE6-0CEF 0CDE 0CF1", 0x2A: "0CF2",
    },
    Language.MALAYALAM: {
        0x19: "0964-0965", 0x1C: "0D66-0D71", 0x2A: "0D72-0D75 0D7A", 0x30: "0D7B-0D7F",
    },
    Language.ORIYA: {
        0x19: "0964-0965", 0x1C: "0B66-0B6F 0B5C-0B5D", 0x2A: "0B5F 0B70-0B71",
    },
    Language.PUNJABI: {
        0x19: "0964-0965", 0x1C: "0A66-0A6F 0A59-0A5A", 0x2A: "0A5B-0A5C 0A5E 0A75",
    },
    Language.TAMIL: {
        0x19: "0964-0965", 0x1C: "0BE6-0BEF 0BF3-0BF4", 0x2A: "0BF5-0BF8 0BFA",
    },
    Language.TELUGU: {
        0x1C: "0C66-0C6F 0C58-0C59", 0x2A: "0C78-0C7C", 0x30: "0C7D-0C7F",
    },
    Language.URDU: {
        0x19: "0600-0601", 0x1C: "06F0-06F9 060C-060D", 0x2A: "060E-0612",
        0x30: "0613-0614 061B 061F 0640 0652 0658 066B-066C 0672-0673 06CD", 0x3F: "06D4",
    },
}
# fmt: on


def locking_table(language: Language) -> dict[int, str]:
    """Place → character of a locking shift table; a language without one (Spanish) has the default alphabet."""
    cells = _places(_INDIC_LOCKING) if language >= Language.BENGALI else dict(enumerate(DEFAULT_ALPHABET))
    return cells | _places(_runs(_LOCKING.get(language, {})))


def single_shift_table(language: Language) -> dict[int, str]:
    """Place after an escape → character of a single shift table."""
    cells = _places(_INDIC_SINGLE if language >= Language.BENGALI else _DEFAULT_EXTENSION)
    return cells | _places(_runs(_SINGLE.get(language, {})))


def _runs(table: dict[int, str]) -> dict[int, str]:
    return {place: "".join(_code_points(run) for run in runs.split()) for place, runs in table.items()}


def _code_points(run: str) -> str:
    first, _, last = run.partition("-")
    return "".join(map(chr, range(int(first, 16), int(last or first, 16) + 1)))


def _places(runs: dict[int, str]) -> dict[int, str]:
    return {place + index: char for place, run in runs.items() for index, char in enumerate(run)}
