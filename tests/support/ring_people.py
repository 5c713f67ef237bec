"""People of an alert who answer by a seeded model, over simulated modems that are a process of their own."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from drivers.tpdu import SmsSubmit

#: How often of a hundred, and what they write, one after the other; nothing is silence.
MODEL: tuple[tuple[int, tuple[str, ...]], ...] = (
    (55, ("OK",)),
    (10, ("AIDE",)),
    (5, ("ok merci", "Aide !")),
    (5, ("AIDE", "OK")),
    (5, ("Je suis au bureau",)),
    (20, ()),
)
_THINKS_S = (0.2, 2.0)


def number_of(at: int) -> str:
    """One of the numbers that are kept for fiction."""
    return f"+336399{at:05}"


@dataclass
class Crowd400:
    """So many people; each answers what reached it through whichever modem is still there."""

    folder: Path
    seed: int
    count: int
    first: int = 0
    alive: list[str] = field(default_factory=lambda: ["modem0", "modem1"])
    #: Numbers that a part was submitted for, in the order of the air; when the last was, in seconds of the epoch.
    rung: list[str] = field(default_factory=list[str])
    last_s: float = 0.0

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        weights = [share for share, _ in MODEL]
        people = [number_of(self.first + at) for at in range(self.count)]
        #: What each will write, by number.
        self.plan = {each: chance.choices([words for _, words in MODEL], weights)[0] for each in people}
        self._chance = chance
        self._read = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def numbers(self) -> list[str]:
        """Everybody."""
        return list(self.plan)

    def last_words(self) -> dict[str, list[str]]:
        """Who gave which expected word last."""
        found: dict[str, list[str]] = {"OK": [], "AIDE": []}
        for each, said in self.plan.items():
            words = [word for text in said for word in ("OK", "AIDE") if text.casefold().startswith(word.casefold())]
            if words:
                found[words[-1]].append(each)
        return {word: sorted(people) for word, people in found.items()}

    def silent(self) -> list[str]:
        """Who writes nothing."""
        return sorted(each for each, said in self.plan.items() if not said)

    def talkers(self) -> list[str]:
        """Who writes something that nobody expects."""
        return sorted(each for each, said in self.plan.items() if said == ("Je suis au bureau",))

    def look(self) -> None:
        """Read what went on the air since the last look, and let those whom it reached answer."""
        path = self.folder / "ledger.jsonl"
        if not path.exists():
            return
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        for line in lines[self._read :]:
            entry = json.loads(line)
            number = SmsSubmit.from_bytes(bytes.fromhex(entry["tpdu"])).tp_da.text
            if number in self.plan:
                self.last_s = datetime.fromisoformat(entry["at"]).timestamp()
                if number not in self.rung:
                    self._answer(number)
                self.rung.append(number)
        self._read = len(lines)

    def doubled(self) -> Counter[str]:
        """Who was rung more than once, and how often."""
        return Counter({each: count for each, count in Counter(self.rung).items() if count > 1})

    def _answer(self, number: str) -> None:
        pauses = [self._chance.uniform(*_THINKS_S) for _ in self.plan[number]]
        saying = asyncio.create_task(self._say(number, pauses))
        self._tasks.add(saying)
        saying.add_done_callback(self._tasks.discard)

    async def _say(self, number: str, pauses: list[float]) -> None:
        for text, pause_s in zip(self.plan[number], pauses, strict=True):
            await asyncio.sleep(pause_s + 0.6)  # a person who thinks: the model of this crowd
            await asyncio.to_thread(self.control, f"{self.alive[0]} {number} {text}")

    async def all_said(self) -> None:
        """Wait until everybody whom it reached has answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def control(self, line: str) -> None:
        """A line of the control pipe."""
        with (self.folder / "control").open("w", encoding="utf-8") as control:
            control.write(f"{line}\n")
