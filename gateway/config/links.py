"""Tables `[links]` and `[campaigns]`: where short links lead through, and what counts as having come of a message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.config.addresses import is_loopback
from gateway.config.sections import listen_shape
from gateway.config.settings import ApiSettings, CampaignSettings, LinkSettings, UnixAddress
from gateway.config.shapes import Wrong, boolean, text
from gateway.config.table import Table
from gateway.config.times import duration
from gateway.config.tls import read_tls

_FORM: Final = 'must be an address such as "https://go.example.org", without anything behind a path'
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]{1,32}){0,4}")
_HOST: Final = re.compile(r"(?:(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# Each character is one that every message pays for.
_LONGEST: Final = 60
_LONGEST_WINDOW_S: Final = 366 * 24 * 3600


def read_links(root: Table, folder: Path, api: ApiSettings) -> LinkSettings:
    """Table `[links]`; relative paths count from `folder`."""
    with root.table("links") as table:
        insecure, tls = table.take("insecure", boolean, False), read_tls(table, folder)
        guarded = insecure or tls is not None or "tls_cert_file" in table
        settings = LinkSettings(
            address=table.take("address", _address, None),
            listen=table.take("listen", listen_shape(folder, exposed=guarded), ()),
            insecure=insecure,
            tls=tls,
        )
        if {each for each in settings.listen if isinstance(each, UnixAddress) or each.port} & set(api.listen):
            table.problem("listen", "names an address of api.listen: short links are shown where nothing else is")
        _warn(table, settings)
    return settings


def read_campaigns(root: Table) -> CampaignSettings:
    """Table `[campaigns]`."""
    base = CampaignSettings()
    with root.table("campaigns") as table:
        window = duration(most_s=_LONGEST_WINDOW_S)
        return CampaignSettings(table.take("conversion_window", window, base.conversion_window_us))


def _warn(table: Table, settings: LinkSettings) -> None:
    if settings.listen and settings.address is None:
        table.findings.warning(table.path_of("listen"), "links of new messages stay as they are: there is no address")
    if settings.address is None:
        return
    parts = urlsplit(settings.address)
    if parts.scheme == "http":
        table.findings.warning(table.path_of("address"), "who follows a link does so without TLS")
    if is_loopback(parts.hostname or ""):
        table.findings.warning(table.path_of("address"), "is one that only this machine reaches")


def _address(value: object) -> str:
    """Scheme, host and at most a path, without a slash at the end."""
    found = text(value).rstrip("/")
    try:
        parts = urlsplit(found)
        _ = parts.port
    except ValueError:
        raise Wrong(_FORM) from None
    whole = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc) or not _PATH.fullmatch(parts.path):
        raise Wrong(_FORM)
    if whole != found:
        raise Wrong(_FORM)
    if len(found) > _LONGEST:
        raise Wrong(f"has more than {_LONGEST} characters, which stand in every message")
    return found
