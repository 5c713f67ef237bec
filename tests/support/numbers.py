"""Numbers that are written to and numbers that are not, each with the list of countries and what is said of it."""

from __future__ import annotations

from gateway.rules.number_ranges import Kind

ELSEWHERE = "is in a country that may not be written to"
NOBODY_KNOWS = "is in no country for certain"

#: Refused whatever is listed, and when nothing is. The second group has lengths that the metadata does not know.
_BY_KIND: dict[Kind, str] = {
    Kind.PREMIUM: """
        +33899123456 +33891123456 +33897123456 +19002345678 +449098790000 +491371234567 +3290012345 +39892123
        +41900123456 +48700123456 +34803123456 +43900123456 +31900123456 +46900123456 +4590123456 +358600123456
        +351760123456 +3531520123456 +420900123456 +36901234567 +78091234567 +61190012345 +81990123456
        +27862345678 +529001234567 +979123456789

        +49900123456 +4990012345678 +49118331 +34905123456 +12129765555 +449098790
    """,
    Kind.SHARED: """
        +33810123456 +33820123456 +448451234567 +4918012345678 +41840123456 +611300123456 +34901123456
        +262810123456 +80812345678
    """,
    Kind.PERSONAL: "+447012345678 +391781234567",
    Kind.SATELLITE: "+870773111632 +881612345678 +881812345678 +16002012345",
    Kind.NO_COUNTRY: "+88213123456 +8835100123456 +878101234567890 +80012345678",
    Kind.SHORT: "+4320600 +2741348",
}
#: Refused while these countries are listed. Many lie behind a code that they share with a listed one.
_BY_LIST: dict[str, dict[str, str]] = {
    "FR": {
        ELSEWHERE: """+3224567890 +32470123456 +447400123456 +12025550123 +4915112345678 +41791234567 +262692123456
            +590690123456 +37744123456 +79012345678"""
    },
    "US": {ELSEWHERE: "+12423456789 +18762345678 +14165551234 +16715551234", NOBODY_KNOWS: "+15551234567"},
    "GB": {ELSEWHERE: "+447624123456 +447797123456 +447911123456", NOBODY_KNOWS: "+447700900123"},
    "RE": {ELSEWHERE: "+262269601234", NOBODY_KNOWS: "+262639123456"},
    "RU": {ELSEWHERE: "+77011234567"},
    "IT": {ELSEWHERE: "+390669812345"},
    "NO": {ELSEWHERE: "+4779123456"},
    "FI": {ELSEWHERE: "+35818123456"},
    "GP": {ELSEWHERE: "+590590271234"},
    "CW": {ELSEWHERE: "+5997171234"},
}

#: Number, listed countries, and how the refusal begins.
REFUSED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    *((number, (), kind.value) for kind, numbers in _BY_KIND.items() for number in numbers.split()),
    *(
        (number, (country,), why)
        for country, refusals in _BY_LIST.items()
        for why, numbers in refusals.items()
        for number in numbers.split()
    ),
)

#: Number and listed countries: these may be written to.
ALLOWED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("+33612345678", ()),
    ("+33612345678", ("FR",)),
    ("+33639980101", ("FR",)),  # kept for fiction, so of no known kind
    ("+33970123456", ("FR",)),
    ("+4915112345678", ()),
    ("+4915112345678", ("FR", "DE")),
    ("+12025550123", ()),
    ("+12025550123", ("US",)),
    ("+14165551234", ("CA",)),
    ("+18005551212", ("US",)),  # toll-free numbers of North America read messages
    ("+12423456789", ("BS",)),
    ("+447400123456", ("GB",)),
    ("+447797123456", ("JE",)),
    ("+447700900123", ("GB", "GG", "IM", "JE")),  # whichever it is, it is listed
    ("+262692123456", ("RE",)),
    ("+262639123456", ("RE", "YT")),
    ("+77011234567", ("KZ",)),
    ("+393331234567", ("IT",)),
    ("+358412345678", ("FI",)),
    ("+38344123456", ("XK",)),
    ("+24740123", ()),  # Ascension: as short as a code elsewhere
    ("+4532123456", ("DK",)),
)
