"""`tocsin check-config`: everything there is to say of a configuration."""

from __future__ import annotations

import os

import click

from gateway.cli.errors import EXIT_CONFIGURATION
from gateway.cli.options import example, invocation, local_records
from gateway.cli.output import print_document
from gateway.cli.reach import config_path


@click.command(
    "check-config",
    epilog=example("tocsin check-config --config my.toml", "tocsin check-config --config my.toml --json"),
)
@local_records
def check_config() -> int:
    """Name every problem of the configuration with its key path.

    Warnings name keys that are not yet in force, and what a person should know. Ends with 0, or with 78 when there is
    a problem.
    """
    from gateway.config.loader import check
    from gateway.config.tls import check_tls
    from gateway.outbound.right_moment import check_hours

    said = invocation()
    path = config_path(said)
    report = check(path, os.environ, check_hours, check_tls)
    found = [("error", one) for one in report.problems] + [("warning", one) for one in report.warnings]
    for severity, one in found:
        if said.json:
            print_document({"severity": severity, "key": one.key or None, "message": one.message})
        else:
            click.echo(f"{path}: {severity}: {one}")
    if not report.problems and not said.json:
        click.echo(f"{path}: ok")
    return EXIT_CONFIGURATION if report.problems else 0
