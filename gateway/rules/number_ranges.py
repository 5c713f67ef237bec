"""Ranges of numbers that are not written to, as data: the beginning of the number, what it is, and who says so.

The metadata of `phonenumbers` knows premium and shared-cost numbers by their whole form. These rows hold for any
length: a network may route a number with a digit more or less into the range all the same. A row stands here only where
no subscriber has a number that begins so; a test asks the metadata (which does not know the one of exchange 976).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What such a number is, as a predicate that completes "the number …"."""

    PREMIUM = "is a premium-rate number"
    SHARED = "is a shared-cost number: part of its price goes to its holder"
    PERSONAL = "is a personal number: it is charged far above a mobile one"
    SATELLITE = "is a satellite number"
    NO_COUNTRY = "belongs to no country: it is in a range of global services or networks"
    UNKNOWN = "has an unknown country code"
    SHORT = "is a short code, written behind a country code"


class Range(NamedTuple):
    """Numbers that begin with `prefix` (+ and digits; `x` is any digit, `[2-9]` one of these)."""

    prefix: str
    kind: Kind
    source: str


_E164 = "ITU-T, list of Recommendation E.164 assigned country codes"

RANGES: tuple[Range, ...] = (
    Range("+800", Kind.NO_COUNTRY, f"{_E164}: international freephone"),
    Range("+808", Kind.SHARED, f"{_E164}: international shared cost"),
    Range("+870", Kind.SATELLITE, f"{_E164}: Inmarsat SNAC"),
    Range("+878", Kind.NO_COUNTRY, f"{_E164}: universal personal telecommunication"),
    Range("+881", Kind.SATELLITE, f"{_E164}: global mobile satellite system"),
    Range("+882", Kind.NO_COUNTRY, f"{_E164}: international networks"),
    Range("+883", Kind.NO_COUNTRY, f"{_E164}: international networks"),
    Range("+888", Kind.NO_COUNTRY, f"{_E164}: once disaster relief"),
    Range("+979", Kind.PREMIUM, f"{_E164}: international premium rate"),
    Range("+1900", Kind.PREMIUM, "NANPA, 900 codes"),
    Range("+1xxx976", Kind.PREMIUM, "NANPA, 976 is kept for information services in every area"),
    Range("+1600", Kind.SATELLITE, "CRTC, Canadian NPA 600: satellite and others, the caller pays"),
    Range("+20900", Kind.PREMIUM, "NTRA, numbering plan of Egypt"),
    Range("+2786[2-9]", Kind.PREMIUM, "ICASA, numbering plan of South Africa"),
    Range("+2790", Kind.PREMIUM, "ICASA, numbering plan of South Africa"),
    Range("+3090", Kind.PREMIUM, "EETT, numbering plan of Greece"),
    Range("+3190", Kind.PREMIUM, "ACM, numbering plan of the Netherlands: 0900, 0906, 0909"),
    Range("+3290", Kind.PREMIUM, "BIPT, numbering plan of Belgium"),
    Range("+3381", Kind.SHARED, "ARCEP, plan national de numérotation: value-added services"),
    Range("+3382", Kind.SHARED, "ARCEP, plan national de numérotation: value-added services"),
    Range("+3389", Kind.PREMIUM, "ARCEP, plan national de numérotation: value-added services"),
    Range("+34803", Kind.PREMIUM, "CNMC, numbering plan of Spain"),
    Range("+34806", Kind.PREMIUM, "CNMC, numbering plan of Spain"),
    Range("+34807", Kind.PREMIUM, "CNMC, numbering plan of Spain"),
    Range("+34901", Kind.SHARED, "CNMC, numbering plan of Spain"),
    Range("+34902", Kind.SHARED, "CNMC, numbering plan of Spain"),
    Range("+34905", Kind.PREMIUM, "CNMC, numbering plan of Spain: mass calls"),
    Range("+35176", Kind.PREMIUM, "ANACOM, numbering plan of Portugal"),
    Range("+358600", Kind.PREMIUM, "Traficom, numbering plan of Finland"),
    Range("+358700", Kind.PREMIUM, "Traficom, numbering plan of Finland"),
    Range("+3690", Kind.PREMIUM, "NMHH, numbering plan of Hungary"),
    Range("+3691", Kind.PREMIUM, "NMHH, numbering plan of Hungary"),
    Range("+380900", Kind.PREMIUM, "numbering plan of Ukraine"),
    Range("+38190", Kind.PREMIUM, "RATEL, numbering plan of Serbia"),
    Range("+38689", Kind.PREMIUM, "AKOS, numbering plan of Slovenia"),
    Range("+38690", Kind.PREMIUM, "AKOS, numbering plan of Slovenia"),
    Range("+39178", Kind.PERSONAL, "AGCOM, numbering plan of Italy"),
    Range("+39199", Kind.PERSONAL, "AGCOM, numbering plan of Italy"),
    Range("+39848", Kind.SHARED, "AGCOM, numbering plan of Italy"),
    Range("+3989", Kind.PREMIUM, "AGCOM, numbering plan of Italy: 892, 894, 895, 899"),
    Range("+4090", Kind.PREMIUM, "ANCOM, numbering plan of Romania"),
    Range("+4184", Kind.SHARED, "BAKOM, numbering plan E.164/2002 of Switzerland"),
    Range("+4190", Kind.PREMIUM, "BAKOM, numbering plan E.164/2002 of Switzerland: 0900, 0901, 0906"),
    Range("+42090", Kind.PREMIUM, "ČTÚ, numbering plan of Czechia"),
    Range("+4381", Kind.SHARED, "RTR, KEM-V: numbering plan of Austria"),
    Range("+4382", Kind.SHARED, "RTR, KEM-V: numbering plan of Austria"),
    Range("+43900", Kind.PREMIUM, "RTR, KEM-V: numbering plan of Austria"),
    Range("+43901", Kind.PREMIUM, "RTR, KEM-V: numbering plan of Austria"),
    Range("+4393", Kind.PREMIUM, "RTR, KEM-V: numbering plan of Austria: 0930, 0931, 0939"),
    Range("+4470", Kind.PERSONAL, "Ofcom, National Telephone Numbering Plan: 070"),
    Range("+4484", Kind.SHARED, "Ofcom, National Telephone Numbering Plan: 084, service charge"),
    Range("+4487", Kind.SHARED, "Ofcom, National Telephone Numbering Plan: 087, service charge"),
    Range("+449", Kind.PREMIUM, "Ofcom, National Telephone Numbering Plan: 09"),
    Range("+4590", Kind.PREMIUM, "numbering plan of Denmark"),
    Range("+46900", Kind.PREMIUM, "PTS, numbering plan of Sweden"),
    Range("+46939", Kind.PREMIUM, "PTS, numbering plan of Sweden: mass calls"),
    Range("+46944", Kind.PREMIUM, "PTS, numbering plan of Sweden"),
    Range("+4699", Kind.PREMIUM, "PTS, numbering plan of Sweden"),
    Range("+4782", Kind.PREMIUM, "Nkom, numbering plan of Norway: 820, 829"),
    Range("+4870", Kind.PREMIUM, "UKE, numbering plan of Poland"),
    Range("+49118", Kind.PREMIUM, "BNetzA, numbering plan 118xy: enquiries"),
    Range("+49137", Kind.PREMIUM, "BNetzA, numbering plan 0137: mass calls"),
    Range("+49138", Kind.PREMIUM, "BNetzA, numbering plan: mass calls"),
    Range("+49180", Kind.SHARED, "BNetzA, numbering plan 0180: service numbers"),
    Range("+49900", Kind.PREMIUM, "BNetzA, numbering plan 0900"),
    Range("+52900", Kind.PREMIUM, "IFT, numbering plan of Mexico"),
    Range("+5460", Kind.PREMIUM, "ENACOM, numbering plan of Argentina"),
    Range("+55900", Kind.PREMIUM, "Anatel, numbering plan of Brazil"),
    Range("+571901", Kind.PREMIUM, "CRC, numbering plan of Colombia"),
    Range("+6113", Kind.SHARED, "ACMA, Telecommunications Numbering Plan: 13 and 1300"),
    Range("+6119", Kind.PREMIUM, "ACMA, Telecommunications Numbering Plan: 190 and others"),
    Range("+62809", Kind.PREMIUM, "numbering plan of Indonesia"),
    Range("+64900", Kind.PREMIUM, "NAD, numbering plan of New Zealand"),
    Range("+651900", Kind.PREMIUM, "IMDA, numbering plan of Singapore"),
    Range("+7803", Kind.PREMIUM, "numbering plan of Russia: mass calls"),
    Range("+7809", Kind.PREMIUM, "numbering plan of Russia and Kazakhstan"),
    Range("+81990", Kind.PREMIUM, "MIC, numbering plan of Japan"),
    Range("+8260", Kind.PREMIUM, "numbering plan of Korea"),
    Range("+841900", Kind.PREMIUM, "numbering plan of Viet Nam"),
    Range("+90900", Kind.PREMIUM, "BTK, numbering plan of Türkiye"),
    Range("+97219", Kind.PREMIUM, "numbering plan of Israel"),
)
