"""Two simulated modems, and the people whose telephones ring: they read, click, answer, buy, and send STOP.

    python people.py

What somebody does with a message is drawn by lot from the seed, the number and the variant; who gets which variant is
up to the gateway. People know of it what its modems sent, as the simulated network wrote it down
(`modems/ledger.jsonl`). Ctrl-C ends it all; the table says what they did, to be compared with the gateway's report.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api.client.client import Client
from drivers.tpdu import SmsSubmit, join_text


@dataclass(frozen=True)
class Habits:
    """How likely it is that somebody does so who got the message."""

    click: float
    reply: float
    convert: float
    stop: float


#: Of each variant: words that only it has, and what people do who got it.
VARIANTS: Mapping[str, tuple[str, Habits]] = {
    "plain": ("from now on", Habits(click=0.10, reply=0.05, convert=0.03, stop=0.04)),
    "warm": ("croissants", Habits(click=0.50, reply=0.15, convert=0.12, stop=0.04)),
}
#: So many links are looked at by a messenger before anybody sees them, and by programs of other kinds.
PREVIEWED, FETCHED = 0.20, 0.10
#: So many of those who have had no message yet send STOP of their own accord.
LEAVE = 0.05
#: So many messages of each modem never arrive: the network says so in its report.
LOST = 3

BROWSER = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
MESSENGER = {"User-Agent": "WhatsApp/2.24.20.89 A"}
PREFETCHER = {"User-Agent": BROWSER, "Sec-Purpose": "prefetch;prerender"}
_LINK = re.compile(r"https?://\S+")
COLUMNS = ("sent", "delivered", "clicked", "replied", "converted", "unsubscribed")


@dataclass
class Received:
    """One message of the campaign, and what its recipient did."""

    number: str
    variant: str
    modem: str
    text: str
    did: set[str] = field(default_factory=set[str])


class People:
    """Everybody with one of these numbers behind the modems of `folder`. `visit` follows a link with these header
    fields, `convert` tells the gateway that somebody bought something."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        numbers: Collection[str],
        *,
        visit: Callable[[str, str, Mapping[str, str]], object],
        convert: Callable[[str, str], object],
    ) -> None:
        self._folder, self._seed, self._numbers = folder, seed, numbers
        self._visit, self._convert = visit, convert
        self._read = 0
        self._through = Counter[str]()
        self._parts: dict[tuple[str, int], dict[int, tuple[SmsSubmit, bool]]] = {}
        #: Messages of the campaign, in the order in which the modems sent them.
        self.received: list[Received] = []
        #: Numbers that sent STOP although nobody had written to them.
        self.left: list[str] = []
        #: What else the gateway sent, such as the answers to STOP and proofs: number and text.
        self.others: list[tuple[str, str]] = []
        self.previewed = 0

    def look(self) -> int:
        """Read what the modems sent since the last look, and do what people do; how many got the campaign's message."""
        with (self._folder / "ledger.jsonl").open(encoding="utf-8") as ledger:
            ledger.seek(self._read)
            # The last line may be half written as yet.
            lines = [line for line in ledger.read().splitlines(keepends=True) if line.endswith("\n")]
        self._read += sum(len(line.encode()) for line in lines)
        whole = [message for line in lines if (message := self._message(json.loads(line))) is not None]
        before = len(self.received)
        for number, modem, text, arrived in whole:
            self._take(number, modem, text, arrived=arrived)
        return len(self.received) - before

    def leave(self) -> None:
        """Let some of those who have had no message send STOP."""
        known = {each.number for each in self.received}
        for number in self._numbers:
            if number not in known and self._chance(number, "leave") < LEAVE:
                self.left.append(number)
                self._say("modem0", number, "STOP")

    def table(self) -> dict[str, dict[str, int]]:
        """What they did, by variant."""
        counted = {name: Counter[str]() for name in VARIANTS}
        for each in self.received:
            counted[each.variant].update(["sent", *each.did])
        return {name: {column: counts[column] for column in COLUMNS} for name, counts in counted.items()}

    def _message(self, line: Mapping[str, str]) -> tuple[str, str, str, bool] | None:
        """Number, modem, text and whether it arrived, of the message that this part completes."""
        part, modem = SmsSubmit.from_bytes(bytes.fromhex(line["tpdu"])), line["modem"]
        self._through[modem] += 1
        arrived, place = self._through[modem] > LOST, part.tp_ud.concatenation
        if place is None:
            return line["to"], modem, join_text([part]), arrived
        parts = self._parts.setdefault((line["to"], place.reference), {})
        parts[place.sequence] = (part, arrived)
        if len(parts) < place.total:
            return None
        del self._parts[line["to"], place.reference]
        text = join_text([parts[at][0] for at in sorted(parts)])
        return line["to"], modem, text, all(each for _, each in parts.values())

    def _take(self, number: str, modem: str, text: str, *, arrived: bool) -> None:
        variant = next((name for name, (words, _) in VARIANTS.items() if words in text), None)
        if variant is None or number not in self._numbers:
            self.others.append((number, text))
            return
        one = Received(number, variant, modem, text, {"delivered"} if arrived else set())
        self.received.append(one)
        if arrived:
            self._act(one, VARIANTS[variant][1])

    def _act(self, one: Received, habits: Habits) -> None:
        links = _LINK.findall(one.text)
        for link in links:
            self._look_at(one.number, link)
        if links and self._does(one, "clicked", habits.click):
            self._visit("GET", links[0], {"User-Agent": BROWSER})
            if self._chance(one.number, "twice") < 0.3:
                self._visit("GET", links[0], {"User-Agent": BROWSER})
        if self._does(one, "replied", habits.reply):
            self._say(one.modem, one.number, "Two of them for me, please")
        if self._does(one, "converted", habits.convert):
            self._convert(one.number, f"till-{self._seed}-{one.number}")
        if self._does(one, "unsubscribed", habits.stop):
            self._say(one.modem, one.number, "Stop")

    def _look_at(self, number: str, link: str) -> None:
        """Programs that come before people do."""
        previewed = self._chance(number, "preview") < PREVIEWED
        fetched = self._chance(number, "fetch") < FETCHED
        if previewed:
            self._visit("HEAD", link, {"User-Agent": BROWSER})
            self._visit("GET", link, MESSENGER)
        if fetched:
            self._visit("GET", link, PREFETCHER)
        self.previewed += previewed or fetched

    def _does(self, one: Received, what: str, likely: float) -> bool:
        does = self._chance(one.number, f"{one.variant} {what}") < likely
        if does:
            one.did.add(what)
        return does

    def _chance(self, number: str, what: str) -> float:
        """A number from 0 to below 1, the same for the same person and question."""
        digest = hashlib.blake2b(f"{self._seed} {number} {what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / (1 << 64)

    def _say(self, modem: str, number: str, text: str) -> None:
        with (self._folder / "control").open("w", encoding="utf-8") as control:
            control.write(f"{modem} {number} {text}\n")


def follow(method: str, link: str, fields: Mapping[str, str]) -> None:
    """What a browser does first: ask where the link leads. It is not followed further."""
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, parts.path, headers=dict(fields))
        status = connection.getresponse().status
        if status != http.HTTPStatus.FOUND:
            raise SystemExit(f"the link {link} answers with {status}")
    finally:
        connection.close()


def buyer(client: Client) -> Callable[[str, str], object]:
    """The till of the shop, which tells the gateway who bought something."""
    return lambda number, reference: client.convert(number=number, kind="order", value=4.5, reference=reference)


def numbers_in(contacts: Path) -> list[str]:
    """The numbers of the file, as the gateway writes them, each once."""
    if not contacts.exists():
        raise SystemExit(f"there is no {contacts}: make_contacts.py makes it")
    with contacts.open(encoding="utf-8") as file:
        found = [row["mobile"].replace(" ", "") for row in csv.DictReader(file)]
    return [*dict.fromkeys(f"+33{each[1:]}" for each in found if each.startswith("06"))]


def print_table(table: Mapping[str, Mapping[str, int]]) -> None:
    """One line a variant."""
    print(f"{'':8}" + "".join(f"{column:>14}" for column in COLUMNS))
    for name, counts in table.items():
        print(f"{name:8}" + "".join(f"{counts[column]:14}" for column in COLUMNS), flush=True)


def live(people: People) -> None:
    """Look again and again, until Ctrl-C. Whoever leaves of their own accord does so after the first wave."""
    quiet_since = None
    while True:
        if people.look():
            quiet_since = time.monotonic()
        elif quiet_since is not None and time.monotonic() - quiet_since > 3:
            if not people.left:
                people.leave()
            print_table(people.table())
            quiet_since = None
        time.sleep(0.1)


def main() -> None:
    """Plug the modems in, and be everybody behind them."""
    parser = argparse.ArgumentParser(description="Two simulated modems and the people behind them.")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same people (default 1)")
    parser.add_argument("--contacts", type=Path, default=Path("contacts.csv"), help="who there is")
    wanted = parser.parse_args()
    folder = Path("modems")
    folder.mkdir(exist_ok=True)
    (folder / "ledger.jsonl").write_text("")
    client = Client(os.environ.get("TOCSIN_URL", "http://127.0.0.1:7672"), token())
    people = People(folder, wanted.seed, numbers_in(wanted.contacts), visit=follow, convert=buyer(client))
    tocsin = Path(sys.executable).with_name("tocsin")
    options = ["--count", "2", "--dir", "modems", "--ledger", "modems/ledger.jsonl"]
    command = [tocsin, "simulate", *options, "--trouble", f"report-status:times={LOST},st=70"]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with subprocess.Popen(command) as modems:
        try:
            live(people)
        except KeyboardInterrupt:
            print_table(people.table())
        finally:
            modems.terminate()


def token() -> str:
    """The one of the environment, else the one that the gateway wrote for the command line."""
    kept = Path("state/cli.token")
    if "TOCSIN_TOKEN" not in os.environ and not kept.exists():
        raise SystemExit("start the gateway first, in this folder: it writes the token")
    return os.environ.get("TOCSIN_TOKEN") or kept.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    main()
