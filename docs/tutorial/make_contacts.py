"""Print contacts as CSV: people of Lyon who do not exist, the same ones for the same seed.

    python make_contacts.py > contacts.csv

The numbers begin with 06 39 98, which French numbering keeps for fiction. Behind the people stand three lines as every
list has some: a number twice, one that is none, and one that nobody may be written to at.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta

FIRST_NAMES = (
    "Adèle Alice Amir Chloé Emma Gaël Hugo Inès Jeanne Jules Karim Léa Loïc Louis Lucie Manon Nadia Paul Rémi Zoë"
)
LAST_NAMES = "Bernard Blanc Dubois Durand Faure Garnier Girard Lambert Martin Mercier Moreau Petit Robert Roux Simon"
CITIES = ["Lyon", "Lyon", "Lyon", "Villeurbanne", "Bron"]
OLDEST, YOUNGEST = date(1935, 1, 1), date(2016, 12, 31)
#: Of so many nobody wrote down when they were born.
AGELESS = 0.03


def rows(count: int, seed: int) -> Iterator[list[str]]:
    """The lines of the file, the heads first."""
    chance = random.Random(seed)
    yield ["mobile", "first_name", "last_name", "city", "birth_date"]
    for at in range(count):
        born = OLDEST + timedelta(days=chance.randrange((YOUNGEST - OLDEST).days))
        names = [chance.choice(FIRST_NAMES.split()), chance.choice(LAST_NAMES.split())]
        city, ageless = chance.choice(CITIES), chance.random() < AGELESS
        yield [number(at), *names, city, "" if ageless else born.isoformat()]
    yield [number(0), "Alice", "Twice", "Lyon", ""]
    yield ["soon", "Paul", "Without", "Lyon", ""]
    yield ["08 99 12 34 56", "Premium", "Rate", "Lyon", ""]


def number(at: int) -> str:
    """A number as people in France write it: 06 39 98 40 00 and those behind it."""
    last = f"{4000 + at:04}"
    return f"06 39 98 {last[:2]} {last[2:]}"


def main() -> None:
    """Print the file."""
    parser = argparse.ArgumentParser(description="Print contacts as CSV.")
    parser.add_argument("--count", type=int, default=1000, help="how many people, at most 6 000 (default 1 000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same people (default 1)")
    wanted = parser.parse_args()
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows(wanted.count, wanted.seed))


if __name__ == "__main__":
    main()
