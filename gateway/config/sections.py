"""Reading the tables that are not about modems, categories or the store, and those that only a later version obeys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from gateway.config import machine
from gateway.config.addresses import is_loopback, listen_address, network
from gateway.config.categories import MOST_PARTS
from gateway.config.country import AS_SHIPPED, ProfileSettings
from gateway.config.country_files import country_profiles, profile_key, profile_keys
from gateway.config.holiday_calendar import holiday_regions
from gateway.config.limits import TrafficSettings
from gateway.config.settings import (
    ApiSettings,
    GatewaySettings,
    ListenAddress,
    RecipientSettings,
    StormSettings,
    UnixAddress,
)
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
    number_prefix,
    suggestion,
    text,
)
from gateway.config.table import Table
from gateway.config.times import cap, duration
from gateway.config.tls import read_tls

DEFAULT_LISTEN = (ListenAddress("127.0.0.1", 7672),)
_SHOWN_REGIONS = 30

_node: Shape[str] = matching(r"[A-Za-z0-9._-]{1,64}", "must be 1 to 64 letters, digits, dots, - or _")
_allowed_number: Shape[str] = matching(
    r"\+[1-9][0-9]{0,14}|[0-9]{2,6}",
    'must be a number or its beginning ("+33899123456", "+33899"), or a short code ("3949")',
)
_language: Shape[str] = matching(r"[a-z]{2,3}", 'must be a language code such as "en" or "fr"')
_region: Shape[str] = matching(r"[A-Za-z0-9-]{1,8}", 'must be a region of the country, such as "57"')


def read_gateway(root: Table, folder: Path, environ: Mapping[str, str]) -> GatewaySettings:
    """Table `[gateway]`; relative folders count from `folder`."""
    with root.table("gateway") as table:
        home = table.take("country", country, None)
        return GatewaySettings(
            node=table.take("node", _node, None) or machine.node_name(),
            country=home,
            holiday_region=table.take("holiday_region", _holiday_region_of(home), ""),
            timezone=table.take("timezone", _timezone, None) or machine.time_zone(environ),
            language=table.take("language", _language, "en"),
            sender_name=table.take("sender_name", any_text, None) or None,
            state_dir=_state_dir(table, folder, environ),
            max_parts=table.take("max_parts", integer(1, MOST_PARTS), 10),
        )


def read_api(root: Table, folder: Path) -> ApiSettings:
    """Table `[api]`; relative paths count from `folder`."""
    with root.table("api") as table:
        insecure, tls = table.take("insecure", boolean, False), read_tls(table, folder)
        guarded = insecure or tls is not None or "tls_cert_file" in table
        settings = ApiSettings(
            listen=table.take("listen", listen_shape(folder, exposed=guarded), DEFAULT_LISTEN),
            allowed_hosts=table.take("allowed_hosts", listed(host_name), ()),
            allowed_countries=table.take("allowed_countries", listed(country), ()),
            insecure=insecure,
            allowed_numbers=table.take("allowed_numbers", listed(_allowed_number), ()),
            metrics=table.take("metrics", boolean, True),
            tls=tls,
        )
        if tls is None and not all(is_loopback(address.host) for address in settings.internet):
            table.findings.warning("api.listen", "tokens, numbers and texts cross the network without TLS")
    return settings


def read_storms(root: Table) -> StormSettings:
    """Table `[storms]`; `"0s"` sends the same text each time."""
    base = StormSettings()
    with root.table("storms") as table:
        return StormSettings(
            identical_us=table.take("identical", duration(least_s=0), base.identical_us) or None,
            burst=table.take("burst", cap, base.burst),
            emergency=table.take("emergency", boolean, base.emergency),
        )


def read_traffic(root: Table) -> TrafficSettings:
    """Table `[traffic]`, with `[traffic.prefixes]`."""
    base = TrafficSettings()
    with root.table("traffic") as table:
        with table.table("prefixes") as prefixes:
            by_prefix = prefixes.entries(number_prefix, listed(cap))
        return TrafficSettings(
            caps=table.take("caps", listed(cap), base.caps),
            prefixes={prefix: caps for prefix, caps in by_prefix.items() if caps},
            alarm_new_countries=table.take("alarm_new_countries", boolean, base.alarm_new_countries),
        )


def read_recipients(root: Table, categories: Collection[str]) -> RecipientSettings:
    """Table `[recipients]`, over some of these categories."""
    base = RecipientSettings()
    with root.table("recipients") as table:
        return RecipientSettings(
            caps=table.take("caps", listed(cap), base.caps),
            over=table.take("over", listed(known(categories, "category")), base.over),
        )


def read_profiles(root: Table) -> dict[str, ProfileSettings]:
    """Tables `[profiles.KEY]`, with a warning where advertising is let through a SIM against a profile's reason."""
    found: dict[str, ProfileSettings] = {}
    for key, table in root.table("profiles").each(profile_key):
        with table:
            over_sim = table.take("promotional_over_sim", boolean, None)
            found[key] = ProfileSettings(over_sim, table.take("prudence", boolean, AS_SHIPPED.prudence))
        if over_sim and key in profile_keys():
            _warn_of_sim(table, key)
    return found


def _warn_of_sim(table: Table, key: str) -> None:
    profile = country_profiles()[key]
    if profile.over_sim.warns:
        path = table.path_of("promotional_over_sim")
        table.findings.warning(path, f"advertising leaves through SIMs; {profile.name}: {profile.over_sim.said.text}")


def check_later_tables(root: Table) -> None:
    """Tables that a later version obeys: their syntax is checked so that a file written for it is right today."""
    with root.table("retention") as table:
        for key in ("texts", "history", "inbox", "audit"):
            table.take(key, duration(least_s=0), None)


def read_webhooks(root: Table) -> tuple[str, ...]:
    """Table `[webhooks]`: networks that may be reached although they are not public."""
    with root.table("webhooks") as table:
        return table.take("allow", listed(network), ())


def listen_shape(folder: Path, *, exposed: bool) -> Shape[tuple[ListenAddress | UnixAddress, ...]]:
    """At least one address, none of them twice; those that others can reach only where that is `exposed` knowingly."""

    def one(value: object) -> ListenAddress | UnixAddress:
        address = listen_address(value, folder)
        if isinstance(address, ListenAddress) and not (exposed or is_loopback(address.host)):
            reason = "can be reached from other machines: it needs tls_cert_file and tls_key_file"
            raise Wrong(f"{reason}, or insecure = true where a network without TLS is meant")
        return address

    def shape(value: object) -> tuple[ListenAddress | UnixAddress, ...]:
        addresses = listed(one)(value)
        if not addresses:
            raise Wrong("must name at least one address")
        # Port 0 is another port each time.
        fixed = [address for address in addresses if isinstance(address, UnixAddress) or address.port]
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


def _holiday_region_of(home: str | None) -> Shape[str]:
    """A region of the gateway's country of which holidays are known; empty is none."""

    def shape(value: object) -> str:
        if value == "":
            return ""
        region = _region(value)
        if home is None:
            raise Wrong("is a region of no country: write gateway.country too")
        regions = holiday_regions(home)
        if region not in regions:
            codes = ", ".join(f'"{each}"' for each in sorted(regions)[:_SHOWN_REGIONS])
            reason = f"is no region of {home} whose holidays are known"
            near = suggestion(region, regions)
            raise Wrong(reason + (near or (f": there are {codes}" if codes else ": there is none")))
        return region

    return shape
