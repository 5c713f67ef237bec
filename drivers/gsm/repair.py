"""Where a modem stands on the ladder: what follows which trouble, the breaker, and the limit on restarts.

Pure: seconds and chance are handed in, nothing is opened, waited for or told. Each trouble climbs its own ladder
(`ladder`), and a success lets all of them begin anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from drivers.gsm.ladder import ABSENCES, BY_THE_LINE, LADDER, Pace, RepairPolicy, Row, Rung, Trouble, doubled


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: `also` (a reset on the way to a rest), then wait `pause` seconds, then `rung`.

    `reason` says of a rest why, in words for a person; one that is `watched` ends when somebody has seen to the modem,
    and one that is `wobbly` only when its port was gone for a while: a bad plug lets it go for a moment.
    """

    rung: Rung
    pause: float
    also: Rung | None = None
    reason: str | None = None
    watched: bool = False
    wobbly: bool = False


@dataclass(frozen=True, slots=True)
class Breaker:
    """Silences and losses of the port in a row, which is: with no success between; and the rests since then."""

    silences: int = 0
    losses: int = 0
    rests: int = 0

    def struck(self, trouble: Trouble) -> Breaker:
        """One more, by what the table says it is worth."""
        worth = LADDER[trouble].strikes
        if trouble is Trouble.PORT_LOST:
            return replace(self, losses=self.losses + worth)
        return replace(self, silences=self.silences + worth)

    def rested(self) -> Breaker:
        """The next rest is twice as long. The strikes stay: without a success, one more is enough."""
        return replace(self, rests=self.rests + 1)

    def replugged(self) -> Breaker:
        """A person has cut its power: its silences are past. Losses are what a bad cable has too, and stay."""
        return Breaker(losses=self.losses, rests=self.rests if self.losses else 0)

    def trips(self, policy: RepairPolicy) -> bool:
        """Whether it is time for a rest."""
        return self.silences + self.losses >= policy.strikes

    def seconds(self, policy: RepairPolicy) -> float:
        """How long the next rest is."""
        return doubled(policy.rest, self.rests, policy.longest_rest)

    def words(self) -> str:
        """Why it rests."""
        told = [_counted(self.silences, "silence", "silences"), _counted(self.losses, "loss", "losses")]
        what = " and ".join(part for part in told if part) + (" of the port" if self.losses else "")
        more = "; the port is open and nothing answers" if self.silences else ""
        return f"after {what} in a row{more}"


@dataclass(frozen=True, slots=True)
class Recent:
    """Instants, in seconds, of what is counted within a window."""

    instants: tuple[float, ...] = ()

    def noted(self, now: float, window: float) -> Recent:
        """With one at `now`, and without those that are `window` seconds old."""
        return Recent((*self.within(now, window), now))

    def within(self, now: float, window: float) -> tuple[float, ...]:
        """Those of the last `window` seconds."""
        return tuple(instant for instant in self.instants if instant > now - window)


class Repair:
    """Where one modem stands on the ladder. `first` is the shortest pause; `now` is any clock that only goes on."""

    def __init__(self, policy: RepairPolicy, first: float) -> None:
        self.policy = policy
        self.breaker = Breaker()
        self._first = first
        self._taken: Counter[Trouble] = Counter()
        self._unanswered = Recent()
        self._repairs = Recent()
        self._last = Rung.REOPEN
        self._missing = False

    def after(self, trouble: Trouble, now: float, chance: float = 0.5) -> Step:
        """What to do about it; `chance`, from 0 to 1, spreads the pause from three quarters to five quarters."""
        self._see_return(trouble)
        row = LADDER[trouble]
        rung = self._next(trouble, row)
        before, self._taken[trouble] = self._taken[trouble], self._taken[trouble] + 1
        if rest := self._rest(trouble, row, now):
            also = Rung.RESET if Rung.RESET in row.rungs else None
            self._last = also or Rung.REST
            return replace(rest, also=also)
        self._last = rung if trouble not in ABSENCES else self._last
        # Its pause was over before it became a trouble at all.
        pause = 0.0 if row.pace is Pace.NETWORK else self.policy.pause(row.pace, self._first, before)
        spread = pause * (0.75 + chance / 2)
        return Step(rung, max(spread, self.policy.after_reset) if rung is Rung.RESET else spread)

    def patience(self) -> float:
        """How long, in seconds, a modem is left unregistered before something is done."""
        return self.policy.pause(Pace.NETWORK, self._first, self._taken[Trouble.NOT_REGISTERED])

    def unanswered(self, now: float) -> int:
        """A submit got no answer; how many in a row, or 0 while that is no trouble yet.

        After a rest, and no success, one is enough.
        """
        self._unanswered = self._unanswered.noted(now, self.policy.unanswered_window)
        count = len(self._unanswered.instants)
        return count if count >= self.policy.unanswered or self.breaker.rests else 0

    def heard(self) -> None:
        """A submit got a final result that says nothing of the network: the row of unanswered ones ends, no more."""
        self._unanswered = Recent()

    def answered(self) -> None:
        """The network has answered a submit: success. All is forgotten, and the limit on restarts counts anew."""
        self.begin_anew()

    def calmed(self, now: float) -> None:
        """It was ready for a while and answers: success, unless it is just its submits that get no answer."""
        if not self._unanswered.within(now, self.policy.unanswered_window):
            self.breaker = Breaker()
            self._taken.clear()

    def begin_anew(self) -> None:
        """Somebody else has taken it in hand, or all is well."""
        self.breaker = Breaker()
        self._taken.clear()
        self._unanswered = Recent()
        self._repairs = Recent()

    def _see_return(self, trouble: Trouble) -> None:
        if trouble is Trouble.PORT_MISSING:
            self._missing = True
        elif trouble not in ABSENCES and self._missing:
            self._missing = False
            # A reset lets the port of a USB modem vanish as well; then nobody has acted.
            if self._last is not Rung.RESET:
                self.breaker = self.breaker.replugged()
                self._taken.clear()

    def _next(self, trouble: Trouble, row: Row) -> Rung:
        rungs = tuple(rung for rung in row.rungs if rung not in BY_THE_LINE)
        return rungs[min(self._taken[trouble], len(rungs) - 1)]

    def _rest(self, trouble: Trouble, row: Row, now: float) -> Step | None:
        if row.strikes:
            self.breaker = self.breaker.struck(trouble)
        if row.counted:
            self._repairs = self._repairs.noted(now, self.policy.restart_window)
        watched = wobbly = False
        if row.strikes and self.breaker.trips(self.policy):
            why, watched, wobbly = self.breaker.words(), True, self.breaker.losses > 0
        elif row.counted and len(self._repairs.instants) > self.policy.restarts:
            why = f"after {len(self._repairs.instants)} repairs within {in_words(self.policy.restart_window)}"
        else:
            return None
        seconds = self.breaker.seconds(self.policy)
        self.breaker = self.breaker.rested()
        reason = f"resting {in_words(seconds)} {why}"
        return Step(Rung.REST, seconds, reason=reason, watched=watched, wobbly=wobbly)


def in_words(seconds: float) -> str:
    """A span as a person says it: ``30 s``, ``10 min``."""
    return f"{seconds / 60:g} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds:g} s"


def _counted(count: int, one: str, many: str) -> str:
    return "" if not count else f"{count} {one if count == 1 else many}"
