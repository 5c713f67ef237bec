"""`tocsin report`: what came of campaigns and messages, at which hours, and how much people get."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.client import path_of
from gateway.cli.options import example, invocation, query, remote, remote_list, time_option
from gateway.cli.output import Document, clean, print_document, print_pairs, print_table
from gateway.cli.store_here import ADMIN, on_store, running

if TYPE_CHECKING:
    from gateway.campaigns.report import MessagesReport, PressureReport, TimingReport
    from gateway.services import Services

    Made = MessagesReport | TimingReport | PressureReport

_GROUPS = ("category", "kind", "campaign", "variant", "segment", "modem", "operator")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_COUNTED = {"delivery": "delivered", "click": "clicked", "reply": "replied"}
_FIGURES = (
    "members", "waiting", "accepted", "begun", "clicked", "visited_by_bots", "replied", "converted", "responded",
    "conversions", "conversions_value", "unsubscribed",
)  # fmt: skip
_TOOK = {"median": "median_s", "9 in 10": "p90_s"}
_SHORT = ("accepted", "begun", "clicked", "replied", "converted", "unsubscribed")


@click.group(
    epilog=example(
        "tocsin report campaign 0190a3c1d2e37f00a1b2c3d4e5f60718 --html spring.html",
        "tocsin report messages --by modem",
        "tocsin report timing --category promotional --html hours.html",
        "tocsin report pressure --month 2026-03",
    )
)
@remote
def report() -> None:
    """Tell what came of campaigns and messages, without numbers or names of people."""


_as_page = click.option(
    "--html", "file", metavar="FILE", help="Write one page with charts, in the gateway's language; - prints it."
)


@report.command(epilog=example("tocsin report campaign 0190a3c1d2e37f00a1b2c3d4e5f60718 --html spring.html"))
@click.argument("campaign_id", metavar="ID")
@_as_page
@remote_list
def campaign(campaign_id: str, file: str | None) -> None:
    """Tell what came of the campaign ID, of each variant, and which is better."""
    path = path_of("reports", "campaign", campaign_id)
    if file is not None:

        async def page(services: Services) -> str:
            return await services.reports.page(ADMIN, await services.reports.campaign(ADMIN, campaign_id))

        _write_page(path, [], page, file)
        return

    async def here(services: Services) -> Document:
        from api.models.reports import campaign_report_out

        return campaign_report_out(await services.reports.campaign(ADMIN, campaign_id))

    _print(_document(path, [], here), "campaign_table", _print_campaign)


@report.command(epilog=example("tocsin report messages --by modem --since 2026-03-01"))
@click.option("--by", type=click.Choice(_GROUPS), default="category", show_default=True, help="What makes a group.")
@time_option("--since", "Only accepted then or later; else 30 days before --until.")
@time_option("--until", "Only accepted before; else now.")
@_as_page
@remote_list
def messages(by: str, since: str | None, until: str | None, file: str | None) -> None:
    """Tell what came of messages, in groups."""

    async def made(services: Services) -> Made:
        return await services.reports.messages(ADMIN, by, *_instants(since, until))

    _tell("messages", query(by=by, since=since, until=until), made, _print_messages, file)


@report.command(epilog=example("tocsin report timing --category promotional --metric reply"))
@click.option("--category", metavar="C", help="Only of this category.")
@click.option(
    "--metric", type=click.Choice(tuple(_COUNTED)), default="delivery", show_default=True, help="What the table shows."
)
@time_option("--since", "Only accepted then or later; else 180 days before --until.")
@time_option("--until", "Only accepted before; else now.")
@_as_page
@remote_list
def timing(category: str | None, metric: str, since: str | None, until: str | None, *, file: str | None) -> None:
    """Tell at which hours messages began and what came of them, and the best hour if one stands out."""

    async def made(services: Services) -> Made:
        return await services.reports.timing(ADMIN, category, *_instants(since, until))

    pairs = query(category=category, since=since, until=until)
    _tell("timing", pairs, made, lambda document: _print_timing(document, metric), file)


@report.command(epilog=example("tocsin report pressure --month 2026-03"))
@click.option("--month", metavar="YYYY-MM", help="Which month; else this one.")
@_as_page
@remote_list
def pressure(month: str | None, file: str | None) -> None:
    """Tell how many people got how many messages in a month."""

    async def made(services: Services) -> Made:
        return await services.reports.pressure(ADMIN, month)

    _tell("pressure", query(month=month), made, _print_pressure, file)


def _document(path: str, pairs: Sequence[tuple[str, str]], here: Callable[[Services], Awaitable[Document]]) -> Document:
    client = running()
    return on_store(here) if client is None else client.get(path, pairs)


def _instants(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    from api.models.fields import parse_time

    since_us, until_us = (None if value is None else parse_time(value) for value in (since, until))
    return since_us, until_us


def _tell(
    name: str,
    pairs: Sequence[tuple[str, str]],
    made: Callable[[Services], Awaitable[Made]],
    told: Callable[[Document], None],
    file: str | None,
) -> None:
    """A report that is no campaign's: as a page where a file is named, else as is wanted."""
    path = path_of("reports", name)
    if file is not None:

        async def page(services: Services) -> str:
            return await services.reports.page_of(await made(services))

        _write_page(path, pairs, page, file)
        return

    async def here(services: Services) -> Document:
        from api.models import reports

        return getattr(reports, f"{name}_report_out")(await made(services))

    _print(_document(path, pairs, here), f"{name}_table", told)


def _write_page(
    path: str, pairs: Sequence[tuple[str, str]], here: Callable[[Services], Awaitable[str]], file: str
) -> None:
    client = running()
    page = on_store(here) if client is None else client.text(path, "text/html", pairs)
    with click.open_file(file, "w", encoding="utf-8", errors="replace", atomic=file != "-") as opened:
        opened.write(page)
    if file != "-":
        click.echo(f"{clean(file)}  written")


def _print(document: Document, table: str, told: Callable[[Document], None]) -> None:
    wanted = invocation()
    if wanted.json and wanted.csv:
        raise click.UsageError("--csv and --json cannot both be given")
    if wanted.json:
        print_document(document)
    elif wanted.csv:
        from api.models import report_tables

        # As octets, whatever this terminal's encoding is.
        sys.stdout.buffer.write(getattr(report_tables, table)(document).encode(errors="replace"))
    else:
        told(document)


# --- for people


def _print_campaign(document: Document) -> None:
    print_pairs([(name, document[name]) for name in ("name", "status", "category", "started_at", "finished_at")])
    groups = [("ALL", document["figures"])]
    if len(document["variants"]) > 1:
        groups += [(each["name"], each) for each in document["variants"]]
    rows: list[Sequence[object]] = [[name, *(figures[name] for _, figures in groups)] for name in _FIGURES]
    rows += [[word, *(figures["statuses"][word] for _, figures in groups)] for word in document["figures"]["statuses"]]
    rows += [[f"reply {name}", *(_took(figures, key) for _, figures in groups)] for name, key in _TOOK.items()]
    rows += [
        [f"{rate['name']} rate", *(_rate(figures["rates"][at]) for _, figures in groups)]
        for at, rate in enumerate(document["figures"]["rates"])
    ]
    click.echo()
    print_table(["", *(name for name, _ in groups)], rows, "nothing")
    _print_counts("left out", document["figures"]["left_out"])
    _print_counts("failed", document["figures"]["failures"])
    if document["verdict"] is not None:
        click.echo(f"\n{_verdict(document['verdict'])}")
    _print_remarks(document)


def _verdict(verdict: Mapping[str, Any]) -> str:
    if verdict["status"] == "pending":
        return f"which variant is better by {verdict['metric']} is decided at {verdict['at']}"
    winner = (
        f"better by {verdict['metric']}: {clean(verdict['winner'])}" if verdict["winner"] else "no variant is better"
    )
    return f"{winner}; {clean(verdict['reason'])}"


def _rate(rate: Mapping[str, Any]) -> str:
    if rate["rate"] is None:
        return "-"
    return f"{rate['rate']:.1%} of {rate['people']} {rate['of']} ({rate['low']:.1%} to {rate['high']:.1%})"


def _took(figures: Mapping[str, Any], key: str) -> str:
    time = figures["response_time"]
    return "" if time is None else f"{time[key]:.0f} s"


def _print_counts(name: str, counts: Mapping[str, int]) -> None:
    for code, count in counts.items():
        click.echo(f"{name}: {count}  {clean(code)}")


def _print_messages(document: Document) -> None:
    names = list(document["groups"][0]["key"]) if document["groups"] else []
    heads = [*(name.upper() for name in names), *(name.upper() for name in _SHORT), "DELIVERED", "FAILED"]
    rows = [[*group["key"].values(), *_short(group["figures"])] for group in document["groups"]]
    print_table(heads, rows, "no messages")
    _print_remarks(document)


def _short(figures: Mapping[str, Any]) -> list[object]:
    statuses = figures["statuses"]
    return [*(figures[name] for name in _SHORT), statuses["delivered"], statuses["failed"]]


def _print_timing(document: Document, metric: str) -> None:
    if not document["categories"]:
        click.echo("no messages", err=True)
    for hours in document["categories"]:
        click.echo(f"{clean(hours['category'])}: {metric}, of so many messages that began")
        cells = {(cell["hour"], cell["weekday"]): cell for cell in hours["cells"]}
        rows = [
            [f"{hour:02}:00", *(_cell(cells.get((hour, day)), _COUNTED[metric]) for day in range(1, 8))]
            for hour in sorted({hour for hour, _ in cells})
        ]
        print_table(["", *_DAYS], rows, "no messages")
        click.echo(_best(metric, hours["best"][metric]))
    _print_remarks(document)


def _cell(cell: Mapping[str, Any] | None, word: str) -> str:
    return "" if cell is None else f"{cell[word] / cell['begun']:.0%} of {cell['begun']}"


def _best(metric: str, best: Mapping[str, Any]) -> str:
    if best["hour"] is None:
        why = "not enough data" if best["reason"] == "not_enough_data" else "the difference may be chance"
        return f"no hour stands out by {metric}: {why}"
    told = f"{best['rate']:.1%}, at least {best['low']:.1%}; {best['rest']:.1%} at all others; p = {best['p']:.2g}"
    return f"best hour by {metric}: {best['hour']:02}:00 ({told})"


def _print_pressure(document: Document) -> None:
    rows = [[_class(each), each["people"]] for each in document["classes"]]
    print_table(["MESSAGES", "PEOPLE"], rows, "nobody")


def _class(each: Mapping[str, Any]) -> str:
    if each["most"] is None:
        return f"over {each['least'] - 1}"
    return str(each["least"]) if each["least"] == each["most"] else f"{each['least']} to {each['most']}"


def _print_remarks(document: Document) -> None:
    for remark in document["remarks"]:
        click.echo(f"note: {clean(remark['message'])}")
