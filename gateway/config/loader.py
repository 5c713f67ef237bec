"""The door of the configuration: a path in, frozen settings or every problem at once out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.config import sections
from gateway.config.categories import read_categories
from gateway.config.document import read_document
from gateway.config.in_force import warn_of_pending
from gateway.config.modems import read_modems
from gateway.config.settings import Settings
from gateway.config.shapes import suggestion
from gateway.config.store import read_store
from gateway.config.table import Findings, Table
from gateway.errors import ConfigProblem, ConfigurationError

#: One of each table whose name the user chooses, so that reading it asks for every key.
_ONE_OF_EACH: Mapping[str, object] = {key: {"*": {}} for key in ("modems", "categories", "profiles", "replies")}
_SECRETS = frozenset({"pin", "password", "token", "secret", "puk"})


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found: problems prevent the start, warnings do not."""

    problems: tuple[ConfigProblem, ...]
    warnings: tuple[ConfigProblem, ...]


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the file at `path`. Raises `ConfigurationError` with all problems."""
    findings = Findings()
    settings = _read(read_document(path), path.absolute().parent, environ, findings)
    if findings.problems:
        raise ConfigurationError(findings.problems)
    return settings


def check(path: Path, environ: Mapping[str, str]) -> Report:
    """Everything there is to say of the file at `path`. Never raises for what the file holds."""
    findings = Findings()
    try:
        _read(read_document(path), path.absolute().parent, environ, findings)
    except ConfigurationError as error:
        return Report(error.problems, ())
    return Report(tuple(findings.problems), tuple(findings.warnings))


@cache
def known_keys() -> frozenset[str]:
    """Every key of the code as a pattern, such as `modems.*.port`; tables are left out."""
    findings = Findings()
    _read_tables(Table(_ONE_OF_EACH, findings), Path("/"), {})
    return frozenset(key for key in findings.known if not any(other.startswith(key + ".") for other in findings.known))


def _read(document: Mapping[str, object], folder: Path, environ: Mapping[str, str], findings: Findings) -> Settings:
    settings = _read_tables(Table(document, findings), folder, environ)
    for path, pattern in sorted(findings.unknown):
        findings.problem(path, _unknown(pattern))
    warn_of_pending(findings)
    return settings


def _read_tables(root: Table, folder: Path, environ: Mapping[str, str]) -> Settings:
    with root:
        gateway = sections.read_gateway(root, folder, environ)
        stop_scope, replies = sections.read_replies(root, gateway)
        categories = read_categories(root)
        sections.check_later_tables(root, categories)
        return Settings(
            gateway=gateway,
            store=read_store(root, folder, gateway.state_dir),
            api=sections.read_api(root),
            modems=read_modems(root, folder, categories),
            categories=categories,
            stop_scope=stop_scope,
            replies=replies,
        )


def _unknown(pattern: str) -> str:
    """What to say of a key that nobody knows: the nearest one of its table, or the table that has it."""
    table, _, key = pattern.rpartition(".")
    if key in _SECRETS:
        return f"unknown key; secrets never stand in this file{suggestion(key + '_file', _keys_of(table))}"
    if near := suggestion(key, _keys_of(table)):
        return f"unknown key{near}"
    homes = sorted(known.rpartition(".")[0] for known in known_keys() if known.rpartition(".")[2] == key)
    return f"unknown key; it belongs in [{homes[0].replace('*', 'NAME')}]" if homes else "unknown key"


def _keys_of(table: str) -> set[str]:
    """The names of the keys and tables directly within a table."""
    start = f"{table}." if table else ""
    return {known.removeprefix(start).partition(".")[0] for known in known_keys() if known.startswith(start)} - {"*"}
