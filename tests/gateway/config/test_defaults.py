"""What the smallest file means."""

from __future__ import annotations

import socket
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from gateway.config.categories import BUILT_IN
from gateway.config.loader import load_settings
from gateway.config.machine import node_name, time_zone
from gateway.config.settings import (
    ListenAddress,
    ModemConfig,
    RecipientSettings,
    ReplySettings,
    StormSettings,
    TlsFiles,
    UnixAddress,
)

SECOND = 1_000_000


def test_smallest_file(load, tmp_path: Path):
    settings = load()
    assert settings.gateway.node == node_name()
    assert settings.gateway.country is None
    assert settings.gateway.language == "en"
    assert settings.gateway.sender_name is None
    assert settings.gateway.max_parts == 10
    assert settings.gateway.state_dir == tmp_path / "state"
    assert settings.store.path == tmp_path / "state/tocsin.db"
    assert settings.store.url == f"sqlite:///{tmp_path}/state/tocsin.db"
    assert settings.api.listen == (ListenAddress("127.0.0.1", 7672),)
    assert not settings.api.insecure
    assert settings.categories == BUILT_IN
    assert settings.replies == ReplySettings("stoppable", 7 * 86_400 * SECOND, {})
    assert settings.modems == {
        "sim1": ModemConfig("sim1", "simulated:", number=None, pin=None, smsc=None, categories=(), prefixes=())
    }
    assert settings.modems["sim1"].simulated


def test_settings_cannot_be_changed(load):
    with pytest.raises(FrozenInstanceError):
        load().gateway.country = "FR"


def test_built_in_categories_are_those_of_the_contract():
    table = {
        name: (c.priority, c.consent, c.stoppable, c.on_uncertain, c.expires_after_us // SECOND, c.on_cap)
        for name, c in BUILT_IN.items()
    }
    assert table == {
        "emergency": (9, "none", False, "resend", 6 * 3600, "defer"),
        "authentication": (8, "implied", True, "never", 600, "refuse"),
        "transactional": (5, "implied", True, "hold", 24 * 3600, "refuse"),
        "promotional": (1, "opt_in", True, "never", 14 * 86400, "defer"),
    }
    assert BUILT_IN["emergency"].resend_after_us == 20 * SECOND
    assert BUILT_IN["authentication"].keep_text_us == 0


def test_a_built_in_category_keeps_what_is_not_written(load):
    changed = load('[categories.emergency]\nexpires_after = "1h"\ncaps = ["3/1h"]').categories["emergency"]
    assert (changed.expires_after_us, changed.caps) == (3600 * SECOND, ("3/1h",))
    assert (changed.priority, changed.stoppable) == (9, False)


def test_any_other_category_starts_from_the_general_defaults(load):
    own = load("[categories.pager]\npriority = 7").categories["pager"]
    assert (own.name, own.priority, own.consent, own.stoppable, own.on_uncertain) == (
        "pager",
        7,
        "implied",
        True,
        "hold",
    )
    assert (own.quiet_hours, own.windows, own.caps, own.profile, own.stop_notice) == ((), (), (), None, None)
    assert (own.resend_after_us, own.expires_after_us) == (20 * SECOND, 86400 * SECOND)


def test_empty_text_takes_a_built_in_prefix_away(load):
    assert load('[categories.emergency]\nsender_prefix = ""').categories["emergency"].sender_prefix is None


def test_paths_count_from_the_files_folder(load, tmp_path: Path):
    settings = load('[gateway]\nstate_dir = "here"\n[store]\nurl = "sqlite:///there/x.db"')
    assert settings.gateway.state_dir == tmp_path / "here"
    assert settings.store.path == tmp_path / "there/x.db"


def test_absolute_paths_stay(load, tmp_path: Path):
    settings = load('[gateway]\nstate_dir = "/var/lib/tocsin"\n[store]\nurl = "sqlite:////srv/x.db"')
    assert settings.gateway.state_dir == Path("/var/lib/tocsin")
    assert (settings.store.path, settings.store.url) == (Path("/srv/x.db"), "sqlite:////srv/x.db")


def test_a_relative_path_to_the_file_gives_absolute_settings(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write('[modems.a]\nport = "simulated:"')
    monkeypatch.chdir(tmp_path)
    assert load_settings(Path("config.toml"), {}).gateway.state_dir == tmp_path / "state"


@pytest.mark.parametrize("given", ["/run/a", "/run/a:/run/b"])
def test_the_state_directory_of_systemd_wins(load, given: str):
    settings = load('[gateway]\nstate_dir = "here"', {"STATE_DIRECTORY": given})
    assert settings.gateway.state_dir == Path("/run/a")
    assert settings.store.path == Path("/run/a/tocsin.db")


def test_pin_is_read_and_never_shown(load, tmp_path: Path):
    (tmp_path / "stick.pin").write_text("4711\n")
    settings = load('[modems.stick]\nport = "socket://127.0.0.1:7000"\npin_file = "stick.pin"')
    assert settings.modems["stick"].pin == "4711"
    assert "4711" not in repr(settings)


def test_replies_by_language(load):
    settings = load(
        '[gateway]\nlanguage = "de"\n[replies]\nstop_scope = "category"\n[replies.de]\nstop = "Abgemeldet."'
    )
    assert settings.replies.stop_scope == "category"
    assert settings.replies.texts == {"de": {"stop": "Abgemeldet."}}


def test_storms(load):
    assert load().storms == StormSettings(identical_us=600 * SECOND, burst=None, emergency=False)
    written = load('[storms]\nidentical = "0s"\nburst = "20/10m"\nemergency = true').storms
    assert written == StormSettings(identical_us=None, burst="20/10m", emergency=True)


def test_caps_over_several_categories(load):
    assert load().recipients == RecipientSettings(caps=("10/30d",), over=("promotional",))
    written = load('[categories.club]\n[recipients]\ncaps = ["3/7d"]\nover = ["club", "promotional"]').recipients
    assert written == RecipientSettings(caps=("3/7d",), over=("club", "promotional"))


def test_listening_on_sockets_in_the_file_system(load, tmp_path: Path):
    settings = load('[api]\nlisten = ["unix:/run/x", "unix:api.sock", "[::1]:80"]')
    assert settings.api.listen[:2] == (UnixAddress(Path("/run/x")), UnixAddress(tmp_path / "api.sock"))
    assert settings.api.internet == (ListenAddress("::1", 80),)


def test_tls_on_every_address(load, tmp_path: Path):
    settings = load('[api]\nlisten = ["0.0.0.0:443"]\ntls_cert_file = "a.pem"\ntls_key_file = "/b.key"')
    assert settings.api.tls == TlsFiles(tmp_path / "a.pem", Path("/b.key"))


def test_listening(load):
    settings = load('[api]\nlisten = ["[::1]:80", "localhost:0", "0.0.0.0:81"]\ninsecure = true')
    assert settings.api.listen == (
        ListenAddress("::1", 80),
        ListenAddress("localhost", 0),
        ListenAddress("0.0.0.0", 81),
    )


def test_spans_are_kept_in_one_form(load):
    quiet = load('[categories.promotional]\nquiet_hours = ["mon-fri   17:00-20:00", "sun", "21:00-24:00"]')
    assert quiet.categories["promotional"].quiet_hours == ("mon-fri 17:00-20:00", "sun", "21:00-24:00")


def test_node_name_is_a_host_name_without_domain(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "klinik-ü.example.org")
    assert node_name() == "klinik"
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    assert node_name() == "localhost"


@pytest.mark.parametrize(
    ("environ", "timezone_file", "zone"),
    [
        ({"TZ": "Europe/Paris"}, "Asia/Tokyo\n", "Europe/Paris"),
        ({"TZ": ":Europe/Paris"}, None, "Europe/Paris"),
        ({"TZ": "../../etc/passwd"}, "Asia/Tokyo\n", "Asia/Tokyo"),
        ({}, "Asia/Tokyo\n", "Asia/Tokyo"),
        ({}, "no zone at all\n", "UTC"),
        ({}, None, "UTC"),
    ],
)
def test_zone_of_the_system(tmp_path: Path, environ, timezone_file, zone):
    if timezone_file:
        (tmp_path / "timezone").write_text(timezone_file)
    assert time_zone(environ, tmp_path) == zone


def test_zone_of_the_system_by_the_link(tmp_path: Path):
    goal = tmp_path / "zoneinfo/Europe/Madrid"
    goal.parent.mkdir(parents=True)
    goal.touch()
    (tmp_path / "localtime").symlink_to(goal)
    assert time_zone({}, tmp_path) == "Europe/Madrid"
