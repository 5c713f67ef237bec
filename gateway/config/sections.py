"""Reading `[gateway]`, `[api]`, `[replies]`, and the tables that only a later version obeys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from gateway.config import machine
from gateway.config.addresses import is_loopback, listen_address, network, target
from gateway.config.categories import MOST_PARTS
from gateway.config.settings import ApiSettings, GatewaySettings, ListenAddress
from gateway.config.shapes import (
    Shape,
    Wrong,
    any_text,
    boolean,
    country,
    host_name,
    integer,
    known,
    listed,
    matching,
    one_of,
    text,
)
from gateway.config.table import Table
from gateway.config.times import cap, duration

DEFAULT_LISTEN = (ListenAddress("127.0.0.1", 7672),)
SPOKEN = ("en", "fr")
_MOST_REPLY = 306  # two parts of GSM-7

_node: Shape[str] = matching(r"[A-Za-z0-9._-]{1,64}", "must be 1 to 64 letters, digits, dots, - or _")
_language: Shape[str] = matching(r"[a-z]{2,3}", 'must be a language code such as "en" or "fr"')
_region: Shape[str] = matching(r"[A-Za-z0-9-]{1,8}", 'must be a region of the country, such as "57"')


def read_gateway(root: Table, folder: Path, environ: Mapping[str, str]) -> GatewaySettings:
    """Table `[gateway]`; relative folders count from `folder`."""
    with root.table("gateway") as table:
        return GatewaySettings(
            node=table.take("node", _node, None) or machine.node_name(),
            country=table.take("country", country, None),
            holiday_region=table.take("holiday_region", _holiday_region, ""),
            timezone=table.take("timezone", _timezone, None) or machine.time_zone(environ),
            language=table.take("language", _language, "en"),
            sender_name=table.take("sender_name", any_text, None) or None,
            state_dir=_state_dir(table, folder, environ),
            max_parts=table.take("max_parts", integer(1, MOST_PARTS), 10),
        )


def read_api(root: Table) -> ApiSettings:
    """Table `[api]`."""
    with root.table("api") as table:
        insecure = table.take("insecure", boolean, False)
        settings = ApiSettings(
            listen=table.take("listen", _listen(insecure), DEFAULT_LISTEN),
            allowed_hosts=table.take("allowed_hosts", listed(host_name), ()),
            allowed_countries=table.take("allowed_countries", listed(country), ()),
            insecure=insecure,
        )
        for key in ("tls_cert_file", "tls_key_file"):
            if table.take(key, text, None):
                table.problem(key, "is not supported by this version: let a reverse proxy on this machine speak TLS")
        if not all(is_loopback(address.host) for address in settings.listen):
            table.findings.warning("api.listen", "tokens, numbers and texts cross the network without TLS")
    return settings


def read_replies(root: Table, gateway: GatewaySettings) -> tuple[str, dict[str, str]]:
    """Table `[replies]`: the scope of a STOP, and by language the answer to it."""
    texts: dict[str, str] = {}
    replies = root.table("replies")
    scope = replies.take("stop_scope", one_of("stoppable", "category"), "stoppable")
    for language, table in replies.each(_language):
        with table:
            stop = table.require("stop", _reply, None)
        if stop is not None:
            texts[language] = stop
    if gateway.language not in (*SPOKEN, *texts):
        root.findings.problem(
            "gateway.language",
            f'is not spoken: write "en" or "fr", or give its text as [replies.{gateway.language}] stop',
        )
    return scope, texts


def check_later_tables(root: Table, categories: Collection[str]) -> None:
    """Tables that a later version obeys: their syntax is checked so that a file written for it is right today."""
    for _, profile in root.table("profiles").each(country):
        with profile:
            profile.take("promotional_over_sim", boolean, None)
    with root.table("recipients") as table:
        table.take("caps", listed(cap), ())
        table.take("over", listed(known(categories, "category")), ())
    with root.table("storms") as table:
        table.take("identical", duration(), None)
    for name, key in (("inbound", "forward"), ("alarms", "to")):
        with root.table(name) as table:
            table.take(key, listed(target), ())
    with root.table("webhooks") as table:
        table.take("allow", listed(network), ())
    with root.table("retention") as table:
        for key in ("texts", "history", "inbox", "audit"):
            table.take(key, duration(least_s=0), None)


def _listen(insecure: bool) -> Shape[tuple[ListenAddress, ...]]:
    """At least one address, none of them twice; those that others can reach only where that is asked for."""

    def one(value: object) -> ListenAddress:
        address = listen_address(value)
        if not (insecure or is_loopback(address.host)):
            reason = "can be reached from other machines without TLS, which this version does not have"
            raise Wrong(f"{reason}: write insecure = true if that is meant")
        return address

    def shape(value: object) -> tuple[ListenAddress, ...]:
        addresses = listed(one)(value)
        if not addresses:
            raise Wrong("must name at least one address")
        # Port 0 is another port each time.
        fixed = [address for address in addresses if address.port]
        if len(set(fixed)) != len(fixed):
            raise Wrong("names an address twice")
        return addresses

    return shape


def _state_dir(table: Table, folder: Path, environ: Mapping[str, str]) -> Path:
    """`$STATE_DIRECTORY` (systemd gives a list joined by colons) before `state_dir`, absolute."""
    written = table.take("state_dir", text, "state")
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    path = Path(given) if given else folder / written
    if path.exists() and not path.is_dir():
        table.problem("state_dir", "is not a folder")
    return path


def _timezone(value: object) -> str:
    name = text(value)
    if not machine.is_zone(name):
        raise Wrong('is no known time zone: write an IANA name such as "Europe/Paris"')
    return name


def _holiday_region(value: object) -> str:
    return _region(value) if value != "" else ""


def _reply(value: object) -> str:
    found = text(value)
    if len(found) > _MOST_REPLY:
        raise Wrong(f"is longer than {_MOST_REPLY} characters")
    return found
