"""The right moment for a category and a person: may it leave now, if not, when, and which moment is the best one.

A minute is allowed when every source of hours allows it in every zone in which the person may be: the quiet hours,
windows and holidays of the category, and the hours of each country profile. Everything is computed from values that are
handed in; the zone data base is asked when a message is about to leave, not when it was accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Protocol, TypeAlias

from gateway.address import Residence
from gateway.message import Rule
from gateway.rules.hours import DAY_MIN, IsHoliday, Openings, Span, Timetable, Wall, next_open
from gateway.rules.places import Place, Places
from gateway.rules.verdict import Defer

MINUTE_US = 60_000_000
#: So far an allowed minute is looked for.
HORIZON_MIN = 400 * DAY_MIN

_MINUTES_KEPT = 64
_DESKS_KEPT = 4096
_SPANS_SHOWN = 3
# Of the zones that are closed the one is named that opens last within this time.
_TOLD_MIN = 14 * DAY_MIN


class CategoryHours(Protocol):
    """What of a category is asked here."""

    @property
    def name(self) -> str: ...
    @property
    def quiet_hours(self) -> Sequence[str]: ...
    @property
    def windows(self) -> Sequence[str]: ...
    @property
    def preferred(self) -> Sequence[str]: ...
    @property
    def profile(self) -> str | None: ...


class ProfileHours(Protocol):
    """Hours of a country profile: its key such as `FR`, spans as in a category, and where it was read."""

    @property
    def key(self) -> str: ...
    @property
    def quiet(self) -> Sequence[str]: ...
    @property
    def windows(self) -> Sequence[str]: ...
    @property
    def source(self) -> str: ...


class ZoneData(Protocol):
    """The zone data base; `edition` is another number when any zone has other rules."""

    def zone(self, name: str) -> tzinfo | None: ...
    def edition(self) -> int: ...


#: Whether the day (an ordinal) is a public holiday of the country, or of its region if one is given.
HolidayOf: TypeAlias = Callable[[str, str, int], bool]
#: The profiles that apply to a category at a place.
ProfilesOf: TypeAlias = Callable[[CategoryHours, Place], Sequence[ProfileHours]]


@dataclass(frozen=True, slots=True)
class Closed:
    """Not in this minute. `until_us` is the beginning of the first allowed one, None where there is none within 400
    days; `rule` is what denies longest by itself, and `explanation` a sentence about it."""

    rule: Rule
    until_us: int | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Home:
    """What the configuration says of the gateway's own country (ISO 3166 alpha-2), and the region whose holidays count
    there too."""

    country: str | None = None
    holiday_region: str = ""


def no_profiles(_category: CategoryHours, _place: Place) -> Sequence[ProfileHours]:
    """Of no country."""
    return ()


class Moments:
    """Judges moments. Instants are microseconds UTC. What is asked twice within a minute is answered from memory. Who
    asks of a number says what else is known of where its holder is: the residence."""

    def __init__(
        self,
        places: Places,
        zones: ZoneData,
        is_holiday: HolidayOf,
        home: Home,
        profiles_of: ProfilesOf = no_profiles,
    ) -> None:
        self.places = places
        self._zones = zones
        self._is_holiday = is_holiday
        self._home = home
        self._profiles_of = profiles_of
        self._edition = zones.edition()
        self._desks: dict[str, tuple[CategoryHours, dict[Place, _Desk]]] = {}

    def without_profiles(self) -> Moments:
        """The same by the categories' own hours alone."""
        return Moments(self.places, self._zones, self._is_holiday, self._home)

    def judge(
        self, category: CategoryHours, number: str, at_us: int, residence: Residence | None = None
    ) -> Closed | None:
        """None if a message may leave at that moment."""
        return self.judge_at(category, self.places.where(number, residence), at_us)

    def judge_at(self, category: CategoryHours, place: Place, at_us: int) -> Closed | None:
        """The same for a place."""
        at_min = at_us // MINUTE_US
        desk = self._desk(category, place)
        try:
            return desk.judged[at_min]
        except KeyError:
            if self._is_stale():
                desk = self._desk(category, place)
            return desk.judge(at_min)

    def wait(
        self, category: CategoryHours, number: str, at_us: int, residence: Residence | None = None
    ) -> Defer | None:
        """The verdict for the gate."""
        if not (category.quiet_hours or category.windows or category.profile):
            # At any hour, wherever that is: an emergency, a one-time code.
            return None
        closed = self.judge(category, number, at_us, residence)
        return None if closed is None else Defer(closed.until_us, closed.rule, closed.explanation)

    def first_open(
        self, category: CategoryHours, number: str, from_us: int, residence: Residence | None = None
    ) -> int | None:
        """The first allowed moment from `from_us` on: itself, or the beginning of a minute; None within 400 days."""
        return self.first_open_at(category, self.places.where(number, residence), from_us)

    def first_open_at(self, category: CategoryHours, place: Place, from_us: int) -> int | None:
        """The same for a place."""
        found = self._fresh(category, place).first_open(from_us // MINUTE_US)
        return None if found is None else max(found * MINUTE_US, from_us)

    def last_open(
        self, category: CategoryHours, number: str, from_us: int, to_us: int, residence: Residence | None = None
    ) -> int | None:
        """The beginning of the last allowed minute that begins by `to_us`, and not before the minute of `from_us`."""
        desk = self._fresh(category, self.places.where(number, residence))
        found = desk.last_open(to_us // MINUTE_US, from_us // MINUTE_US)
        return None if found is None else found * MINUTE_US

    def best(
        self, category: CategoryHours, number: str, from_us: int, expires_us: int, residence: Residence | None = None
    ) -> int | None:
        """The first moment from `from_us` on, before `expires_us`, that is allowed and preferred: itself, or the
        beginning of a minute. None without preferred hours, or without such a moment within 400 days."""
        return self.best_at(category, self.places.where(number, residence), from_us, expires_us)

    def best_at(self, category: CategoryHours, place: Place, from_us: int, expires_us: int) -> int | None:
        """The same for a place."""
        found = self._fresh(category, place).best(from_us // MINUTE_US, (expires_us - 1) // MINUTE_US)
        if found is None:
            return None
        moment_us = max(found * MINUTE_US, from_us)
        return moment_us if moment_us < expires_us else None

    def preferred_now(
        self, category: CategoryHours, number: str, at_us: int, residence: Residence | None = None
    ) -> bool:
        """Whether the moment is within the preferred hours, in every zone; true for a category without any."""
        return self._fresh(category, self.places.where(number, residence)).is_preferred(at_us // MINUTE_US)

    def _fresh(self, category: CategoryHours, place: Place) -> _Desk:
        self._is_stale()
        return self._desk(category, place)

    def _is_stale(self) -> bool:
        """Whether the zone data base is another one; what was computed with the old one is then forgotten."""
        edition = self._zones.edition()
        if edition == self._edition:
            return False
        self._edition = edition
        self._desks = {}
        self.places.forget()
        return True

    def _desk(self, category: CategoryHours, place: Place) -> _Desk:
        known = self._desks.get(category.name)
        if known is None or (known[0] is not category and known[0] != category):
            known = self._desks[category.name] = (category, {})
        desk = known[1].get(place)
        if desk is None:
            if len(known[1]) >= _DESKS_KEPT:
                known[1].clear()
            desk = known[1][place] = self._opened(category, place)
        return desk

    def _opened(self, category: CategoryHours, place: Place) -> _Desk:
        # No zone is lost: places have only those that there are. UTC stands for the one that is gone since.
        walls = [Wall(name, self._zones.zone(name) or UTC) for name in place.zones]
        profiles = self._profiles_of(category, place)
        return _Desk(
            _sources(category, profiles), Timetable(windows=category.preferred), walls, self._holidays_of(place)
        )

    def _holidays_of(self, place: Place) -> IsHoliday:
        """Those of the person's country, else of the gateway's; with those of the region at home."""
        country = place.country or self._home.country
        region = self._home.holiday_region if country == self._home.country else ""
        is_holiday = self._is_holiday
        return (lambda _: False) if country is None else (lambda day: is_holiday(country, region, day))


@dataclass(frozen=True, slots=True)
class _Source:
    """Hours of one origin: the rule that it stands for, and how it is told."""

    rule: Rule
    table: Timetable
    #: What is said after the spans.
    suffix: str = ""


def _sources(category: CategoryHours, profiles: Iterable[ProfileHours]) -> tuple[_Source, ...]:
    """In the order in which one is named when several deny equally long."""
    quiet = [text for text in category.quiet_hours if not text.startswith("holidays")]
    holidays = [text for text in category.quiet_hours if text.startswith("holidays")]
    found = [
        _Source(Rule.QUIET_HOURS, Timetable(quiet)),
        _Source(Rule.WINDOW, Timetable(windows=category.windows)),
        _Source(Rule.HOLIDAY, Timetable(holidays), " (public holidays)"),
    ]
    found += [
        _Source(
            Rule.COUNTRY_PROFILE,
            Timetable(profile.quiet, profile.windows),
            f" of the profile {profile.key} ({profile.source})",
        )
        for profile in profiles
    ]
    return tuple(source for source in found if source.table)


class _Desk:
    """What is asked of one category at one place. Instants are minutes since 1970."""

    def __init__(
        self, sources: tuple[_Source, ...], preferred: Timetable, walls: Sequence[Wall], is_holiday: IsHoliday
    ) -> None:
        self.judged: dict[int, Closed | None] = {}
        self._walls = walls
        self._is_holiday = is_holiday
        self._alone = [(source, Openings([source.table], walls, is_holiday)) for source in sources]
        tables = [source.table for source in sources]
        self._all = Openings(tables, walls, is_holiday)
        self._preferred = Openings([preferred], walls, is_holiday) if preferred else None
        self._best = Openings([*tables, preferred], walls, is_holiday)

    def judge(self, at_min: int) -> Closed | None:
        """The verdict on a minute, remembered."""
        if len(self.judged) >= _MINUTES_KEPT:
            self.judged.clear()
        closed = self.judged[at_min] = self._judge(at_min)
        return closed

    def first_open(self, at_min: int) -> int | None:
        """The first minute from this one on that everything allows."""
        return self._all.first(at_min, at_min + HORIZON_MIN)

    def last_open(self, at_min: int, limit_min: int) -> int | None:
        """The last such minute up to this one, from `limit_min` on."""
        return self._all.last(at_min, max(limit_min, at_min - HORIZON_MIN))

    def best(self, at_min: int, limit_min: int) -> int | None:
        """The first minute up to `limit_min` that everything allows and that is preferred."""
        return self._best.first(at_min, min(limit_min, at_min + HORIZON_MIN)) if self._preferred else None

    def is_preferred(self, at_min: int) -> bool:
        """Whether the minute is preferred."""
        return self._preferred is None or self._preferred.first(at_min, at_min) is not None

    def _judge(self, at_min: int) -> Closed | None:
        limit_min = at_min + HORIZON_MIN
        denying = [
            (source, limit_min + 1 if alone is None else alone)
            for source, openings in self._alone
            if (alone := openings.first(at_min, limit_min)) != at_min
        ]
        if not denying:
            return None
        # What the owner wrote is what the owner knows: a country is named where that alone denies.
        own = [pair for pair in denying if pair[0].rule is not Rule.COUNTRY_PROFILE]
        longest, _ = max(own or denying, key=lambda pair: pair[1])
        # Where one never opens, all together never do.
        never = any(opens > limit_min for _, opens in denying)
        until = None if never else self.first_open(at_min)
        return Closed(longest.rule, None if until is None else until * MINUTE_US, self._explained(longest, at_min))

    def _explained(self, source: _Source, at_min: int) -> str:
        """One sentence: the span, the zone where it ends last, and for a profile its key and source."""
        table, limit_min = source.table, at_min + _TOLD_MIN
        opens = {wall: next_open(wall, table, self._is_holiday, at_min, limit_min) for wall in self._walls}
        wall = max(self._walls, key=lambda each: limit_min if (found := opens[each]) is None else found)
        spans = tuple(table.covering(table.quiet, wall.reading(at_min), self._is_holiday))
        said = f"within the quiet hours {_shown(spans[:1])}" if spans else f"outside the hours {_shown(table.windows)}"
        others = f", one of {len(self._walls)} zones in which the number may be" if len(self._walls) > 1 else ""
        return f"it is {said}{source.suffix} in {wall.name}{others}"


def _shown(spans: Sequence[Span]) -> str:
    """The spans as they are written, the first of many."""
    words = ", ".join(f'"{span.text}"' for span in spans[:_SPANS_SHOWN])
    return f"{words} and {len(spans) - _SPANS_SHOWN} more" if len(spans) > _SPANS_SHOWN else words
