"""What `contacts`, `segments` and `templates` refuse: a line on standard error, the exit status, nothing else."""

from __future__ import annotations

import pytest

UNKNOWN = "+33639980931"
NO_CONTACT = "there is no contact of this number"
NO_SEGMENT = "there is no segment of that name"
NO_TEMPLATE = "there is no template of that name"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("contacts show {unknown}", NO_CONTACT),
        ("contacts show 12", "number: "),
        ("contacts add 12", "number: "),
        ("contacts add {unknown} --language french!", "language: must be a language such as"),
        ("contacts add {unknown} --country Atlantis", "country: "),
        ("contacts add {unknown} --email nobody", "email: "),
        ("contacts set {unknown} --name Ada", NO_CONTACT),
        ("contacts remove {unknown}", NO_CONTACT),
        ("contacts merge {unknown} +33639980932", NO_CONTACT),
        ("contacts merge {unknown} {unknown}", ""),
        ("contacts attributes set a-b text", "name: "),
        ("contacts attributes remove nowhere", "there is no attribute"),
        ("contacts import /nowhere.csv", "/nowhere.csv: no such file or directory"),
        ("contacts export --out /nowhere/contacts.csv", "/nowhere/contacts.csv: no such file or directory"),
        ("segments show nowhere", NO_SEGMENT),
        ("segments add x lnguage==1", "filter: there is no field lnguage; did you mean language?"),
        ("segments add x language==", "filter: "),
        ("segments set nowhere true", NO_SEGMENT),
        ("segments remove nowhere", NO_SEGMENT),
        ("segments count nowhere", "to/0: there is no segment of this name"),
        ("segments count --filter 1", "filter: "),
        ("segments members nowhere", NO_SEGMENT),
        ("templates show nowhere", NO_TEMPLATE),
        ("templates set x {{{{x", "texts/: the template cannot be read: line 1: "),
        ("templates set x --text fr=", "texts/fr: is empty"),
        ("templates remove nowhere", NO_TEMPLATE),
        ("templates preview nowhere {unknown}", NO_TEMPLATE),
    ],
)
def test_one_line(tocsin, arguments: str, line: str):
    written = [each.format(unknown=UNKNOWN) for each in arguments.split()]
    result = tocsin(*written)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"tocsin: {line}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "contacts list --hygiene clean",
        "contacts list --days 0",
        "contacts add",
        f"contacts set {UNKNOWN}",
        f"contacts add {UNKNOWN} --attribute no-equals",
        "contacts merge 1",
        "contacts attributes set x colour",
        "contacts import",
        "contacts import /",
        "contacts import x --consent-state perhaps",
        "contacts import x --consent-at yesterday",
        "segments add x",
        "segments count",
        "segments members",
        "templates set x",
        "templates set x --text no-equals",
        "templates preview x",
    ],
)
def test_wrong_usage(tocsin, arguments: str):
    result = tocsin(*arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr
