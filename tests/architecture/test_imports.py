"""The import contracts of pyproject.toml leave no module out, and no two modules need each other."""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions, requires

import grimp
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.tree import PACKAGES, ROOT


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def _own_modules() -> set[str]:
    return {module for module in _graph().modules if module.split(".")[0] in PACKAGES}


def _listed_in_layers() -> set[str]:
    """Every module that a layers contract names, in full."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = set()
    for contract in contracts:
        names = [name.strip(" ()") for line in contract.get("layers", []) for name in line.split("|")]
        prefixes = [f"{container}." for container in contract.get("containers", [])] or [""]
        listed |= {prefix + name for prefix in prefixes for name in names}
    return listed


def _lineage(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:count]) for count in range(2, len(parts) + 1)}


def test_every_module_stands_on_a_floor():
    listed = _listed_in_layers()
    homeless = {module for module in _own_modules() - set(PACKAGES) if not _lineage(module) & listed}
    assert homeless == set(), "give it a line in the layers of pyproject.toml"


def test_no_import_cycles():
    graph = _graph()
    needs = {module: graph.find_modules_directly_imported_by(module) for module in _own_modules()}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as cycle:
        raise AssertionError(f"these import each other: {' <- '.join(cycle.args[1])}") from None


def _declared_dependencies() -> set[str]:
    """The run-time dependencies of the distribution, with those of the extras that are not for development alone."""
    parsed = [Requirement(line) for line in requires("tocsin") or []]
    return {canonicalize_name(one.name) for one in parsed if one.marker is None or _is_for_use(str(one.marker))}


def _is_for_use(marker: str) -> bool:
    return "extra" not in marker or any(
        f'extra == "{extra}"' in marker for extra in ("channels", "email", "postgresql", "spelling")
    )


def _imported_distributions() -> set[str]:
    known = packages_distributions()
    graph = _graph()
    outside = {module.split(".")[0] for module in graph.modules} - set(PACKAGES) - set(sys.stdlib_module_names)
    return {canonicalize_name(known[name][0]) for name in outside}


def test_run_time_dependencies_are_those_that_are_imported():
    # pydantic-core is pydantic's compiled half. tzdata is data: zoneinfo finds it where the system has none.
    assert _imported_distributions() - {"pydantic-core"} == _declared_dependencies() - {"tzdata"}
