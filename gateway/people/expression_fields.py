"""What a filter may name: the fields of a person, and the functions."""

from __future__ import annotations

from typing import Final

#: Of the contact itself. Whoever has none of those that are not sure to be there is told apart as missing.
TEXTS: Final = ("number", "name", "email", "language", "timezone", "country")
TAGS: Final = "tags"
#: A member is named of each of these: an attribute, a category.
ATTRIBUTES: Final = "attributes"
CONSENT: Final = "consent"
OPTED_OUT_OF: Final = "opted_out_of"
MAPS: Final = (ATTRIBUTES, CONSENT, OPTED_OUT_OF)
#: Whether any opt-out of the person stands.
OPTED_OUT: Final = "opted_out"
#: When something was last so; what never was counts as longest ago, as 1970.
TIMES: Final = ("last_sent", "last_delivered", "last_clicked", "last_replied", "last_converted")
#: How often, within the last 365 days.
COUNTS: Final = ("sent_count", "delivered_count", "click_count", "reply_count", "conversion_count")
HISTORY: Final = (*TIMES, *COUNTS)
#: Fields that stand alone.
PLAIN: Final = (*TEXTS, TAGS, OPTED_OUT, *HISTORY)
#: The moment of the count, and the day that it is then where the person is.
NOW: Final = "now"
TODAY: Final = "today"

#: Functions of ours: they go by the day where the person is, except `date` and `lower`.
DAY_FUNCTIONS: Final = ("age", "days_since", "days_until")
LOWER: Final = "lower"
#: What else is asked of a field: whether a tag is among them, and whether something ever was.
HAS_TAG: Final = "in"
EVER: Final = "has"
FUNCTIONS: Final = (
    *DAY_FUNCTIONS, "date", "lower", "has", "size", "int", "uint", "double", "string", "timestamp", "duration",
)  # fmt: skip
METHODS: Final = (
    "all", "contains", "endsWith", "exists", "exists_one", "filter", "getDate", "getDayOfMonth", "getDayOfWeek",
    "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "lower",
    "map", "matches", "size", "startsWith", "age", "days_since", "days_until",
)  # fmt: skip
