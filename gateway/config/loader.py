"""The door of the configuration: a path in, frozen settings or every problem at once out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from gateway.config import sections
from gateway.config.categories import read_categories
from gateway.config.channels import read_alarms, read_channels, read_inbound
from gateway.config.document import read_document
from gateway.config.hooks import read_email, read_hooks
from gateway.config.in_force import warn_of_pending
from gateway.config.joining import check_join_words
from gateway.config.links import read_campaigns, read_links
from gateway.config.modems import read_modems
from gateway.config.odd_rules import warn_of_odd_rules
from gateway.config.replies import read_replies
from gateway.config.settings import Settings
from gateway.config.shapes import suggestion
from gateway.config.store import read_store
from gateway.config.table import Findings, Table
from gateway.config.word_files import vocabulary
from gateway.config.wording import warn_of_notices
from gateway.errors import ConfigProblem, ConfigurationError

#: One of each table whose name the user chooses, so that reading it asks for every key.
_ONE_OF_EACH: Mapping[str, object] = {
    **{key: {"*": {}} for key in ("modems", "categories", "profiles", "replies")},
    "traffic": {"prefixes": {"*": []}},
}
_SECRETS = frozenset({"pin", "password", "token", "secret", "puk"})


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found: problems prevent the start, warnings do not."""

    problems: tuple[ConfigProblem, ...]
    warnings: tuple[ConfigProblem, ...]


#: What floors above know of right settings that do not work together: they note it as findings.
FurtherCheck: TypeAlias = Callable[[Settings, Findings], None]


def load_settings(path: Path, environ: Mapping[str, str], *further: FurtherCheck) -> Settings:
    """The settings of the file at `path`. Raises `ConfigurationError` with all problems."""
    findings = Findings()
    settings = _read(read_document(path), path.absolute().parent, environ, findings)
    _check_further(further, settings, findings)
    if findings.problems:
        raise ConfigurationError(findings.problems)
    return settings


def check(path: Path, environ: Mapping[str, str], *further: FurtherCheck) -> Report:
    """Everything there is to say of the file at `path`. Never raises for what the file holds."""
    findings = Findings()
    try:
        settings = _read(read_document(path), path.absolute().parent, environ, findings)
        _check_further(further, settings, findings)
    except ConfigurationError as error:
        return Report(error.problems, ())
    return Report(tuple(findings.problems), tuple(findings.warnings))


def _check_further(checks: tuple[FurtherCheck, ...], settings: Settings, findings: Findings) -> None:
    """Only of settings that are right by themselves: a default that stands for a wrong value is nobody's mistake."""
    if not findings.problems:
        for check_one in checks:
            check_one(settings, findings)


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
        replies, words = read_replies(root, gateway)
        categories = read_categories(root)
        check_join_words(root.findings, categories, vocabulary(words))
        profiles = sections.read_profiles(root)
        sections.check_later_tables(root)
        store, api = read_store(root, folder, gateway.state_dir), sections.read_api(root, folder)
        modems = read_modems(root, folder, categories)
        warn_of_notices(root.findings, categories, modems)
        warn_of_odd_rules(root.findings, categories)
        channels = read_channels(root, folder)
        return Settings(
            gateway=gateway,
            store=store,
            api=api,
            modems=modems,
            categories=categories,
            replies=replies,
            traffic=sections.read_traffic(root),
            storms=sections.read_storms(root),
            recipients=sections.read_recipients(root, categories),
            profiles=profiles,
            webhook_networks=sections.read_webhooks(root),
            words=words,
            hooks=read_hooks(root, gateway.language, categories),
            email=read_email(root, tls=api.tls is not None),
            channels=channels,
            links=read_links(root, folder, api),
            campaigns=read_campaigns(root),
            inbound=read_inbound(root, channels, categories),
            alarms=read_alarms(root, channels),
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
