"""Each wrong input has its key path and its sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.loader import _read, check, known_keys, load_settings
from gateway.config.table import Findings
from gateway.errors import ConfigurationError

DURATION = 'must be a duration such as "90s", "15m", "24h" or "30d"'
PROFILES = "there are BE, CA-QC, CH, DE, FR, GB, LU, US, US-FL, US-TX"
MEANT = 'did you mean "{country}"?'
COUNTRY = 'is no known country: write the two letters of ISO 3166, such as "FR"'
BRITISH = '"ENG", "England", "NIR", "Northern Ireland", "SCT", "Scotland", "WLS", "Wales"'
CAP = 'must be a count and a duration, such as "1/24h" or "10/30d"'
NAME = "must be 1 to 32 small letters, digits, - or _, beginning with a letter"
EXPOSED = (
    "can be reached from other machines: it needs tls_cert_file and tls_key_file, "
    "or insecure = true where a network without TLS is meant"
)
UNIX_FORM = 'must name a file after "unix:", such as "unix:/run/tocsin/api.sock"'
NO_TIME = "begins and ends at the same minute: leave the hours out to mean the whole day"
SPAN = 'must be hours "21:00-08:00", days "sun" or "mon-fri", "holidays", or days and hours "mon-fri 17:00-20:00"'
MODEM = '\n[modems.sim1]\nport = "simulated:"\n'

WRONG = [
    # Unknown keys
    ('[gateway]\ncontry = "FR"', 'gateway.contry: unknown key; did you mean "country"?'),
    ("[gatway]", 'gatway: unknown key; did you mean "gateway"?'),
    ('[gateway]\nlisten = ["127.0.0.1:1"]', "gateway.listen: unknown key; it belongs in [api]"),
    ('port = "simulated:"', "port: unknown key; it belongs in [modems.NAME]"),
    ("[api]\nxyzzy = 1", "api.xyzzy: unknown key"),
    ('[api]\n"a\\u001b[1m" = 1', 'api."a\\u001b[1m": unknown key'),
    (
        '[modems.a]\nport = "simulated:"\npin = "4711"',
        'modems.a.pin: unknown key; secrets never stand in this file; did you mean "pin_file"?',
    ),
    ("[retention]\ntext = 1", 'retention.text: unknown key; did you mean "texts"?'),
    # Types
    ("gateway = 1", "gateway: must be a table: [gateway]"),
    ("modems = []", "modems: must be a table: [modems]"),
    ("[categories]\npager = 1", "categories.pager: must be a table: [categories.pager]"),
    ("[gateway]\nnode = 1", "gateway.node: must be text in quotes"),
    ('[gateway]\nmax_parts = "10"', "gateway.max_parts: must be a whole number, without quotes"),
    ("[gateway]\nmax_parts = true", "gateway.max_parts: must be a whole number, without quotes"),
    ("[gateway]\nmax_parts = 1.5", "gateway.max_parts: must be a whole number, without quotes"),
    ("[gateway]\nmax_parts = 0", "gateway.max_parts: must be from 1 to 255"),
    ("[gateway]\nmax_parts = 256", "gateway.max_parts: must be from 1 to 255"),
    ('[api]\ninsecure = "yes"', "api.insecure: must be true or false, without quotes"),
    ('[api]\nlisten = "127.0.0.1:1"', "api.listen: must be a list in square brackets"),
    ("[recipients]\ncaps = [1]", "recipients.caps[0]: must be text in quotes"),
    # [gateway]
    ('[gateway]\nnode = "a:b"', "gateway.node: must be 1 to 64 letters, digits, dots, - or _"),
    ('[gateway]\ncountry = "fr"', 'gateway.country: must be in capitals; did you mean "FR"?'),
    ('[gateway]\ncountry = "XX"', f"gateway.country: {COUNTRY}"),
    ('[gateway]\ncountry = ""', "gateway.country: must not be empty"),
    (
        '[gateway]\ntimezone = "Paris"',
        'gateway.timezone: is no known time zone: write an IANA name such as "Europe/Paris"',
    ),
    (
        '[gateway]\ntimezone = "../../../etc/passwd"',
        'gateway.timezone: is no known time zone: write an IANA name such as "Europe/Paris"',
    ),
    (
        '[gateway]\nlanguage = "da"',
        "gateway.language: is not spoken: write en, fr, de, nl, it, es, pt, ar, or give its text as [replies.da] stop",
    ),
    ('[gateway]\nlanguage = "French"', 'gateway.language: must be a language code such as "en" or "fr"'),
    ('[gateway]\nholiday_region = "a b"', 'gateway.holiday_region: must be a region of the country, such as "57"'),
    (
        '[gateway]\nholiday_region = "57"',
        "gateway.holiday_region: is a region of no country: write gateway.country too",
    ),
    (
        '[gateway]\ncountry = "FR"\nholiday_region = "Mosel"',
        'gateway.holiday_region: is no region of FR whose holidays are known; did you mean "Moselle"?',
    ),
    (
        '[gateway]\ncountry = "GB"\nholiday_region = "57"',
        "gateway.holiday_region: is no region of GB whose holidays are known: there are " + BRITISH,
    ),
    (
        '[gateway]\ncountry = "LU"\nholiday_region = "57"',
        "gateway.holiday_region: is no region of LU whose holidays are known: there is none",
    ),
    ('[gateway]\nsender_name = "a\\u0007b"', "gateway.sender_name: contains control characters"),
    ('[gateway]\nstate_dir = "config.toml"', "gateway.state_dir: is not a folder"),
    (f'[gateway]\nsender_name = "{"x" * 1001}"', "gateway.sender_name: is longer than 1000 characters"),
    # [store]
    (
        '[store]\nurl = "x.db"',
        'store.url: must be "sqlite:///" and a file, or "postgresql://user@host/database"',
    ),
    *(
        (f'[store]\nurl = "{url}"', 'store.url: must be "sqlite:///" and a file, or "postgresql://user@host/database"')
        for url in (
            "sqlite://",
            "postgresql:d",
            "postgresql://u@h",
            "postgresql://u@h/",
            "postgresql://u@h/a/b",
            "postgresql://u@h:0/d",
            "postgresql://u@h:x/d",
            "postgresql://u@h/d#f",
            "postgresql://u@[h/d",
        )
    ),
    ('[store]\nurl = "postgres://u@h/d"', 'store.url: must begin with "postgresql://"'),
    (
        '[store]\nurl = "postgresql://u:secret@h/d"',
        "store.url: must not hold the password: write it into a file and name that as password_file",
    ),
    (
        '[store]\nurl = "postgresql://u@h/d?hots=/run"',
        (
            "store.url: knows no option of that name; there are host, port, sslmode, sslrootcert, sslcert, sslkey; "
            'did you mean "host"?'
        ),
    ),
    (
        '[store]\nurl = "postgresql://u@h/d?host"',
        "store.url: has options that are not written as ?name=value&name=value",
    ),
    (
        '[store]\nurl = "postgresql://u@h/d?sslmode=on"',
        "store.url: sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full",
    ),
    ('[store]\nurl = "postgresql://u@/d?port=70000"', "store.url: port must be from 1 to 65535"),
    ('[store]\npassword_file = "p"', "store.password_file: belongs to a postgresql:// url"),
    (
        '[store]\nurl = "postgresql://u@/d"\npassword_file = "no"',
        "store.password_file: names a file that does not exist",
    ),
    ('[store]\nurl = "postgresql://u@/d"\npassword_file = "."', "store.password_file: is not an ordinary file"),
    (
        '[store]\nurl = "postgresql://u@/d"\npassword_file = "config.toml"',
        "store.password_file: names a file that does not hold one line with a password",
    ),
    # [api]
    ("[api]\nlisten = []", "api.listen: must name at least one address"),
    *(
        (f'[api]\nlisten = ["{written}"]', f"api.listen[0]: {UNIX_FORM}")
        for written in ("unix:", "unix: ", "unix:/run/", "unix://run/x")
    ),
    (
        f'[api]\nlisten = ["unix:/{"x" * 107}"]',
        "api.listen[0]: is longer as a path than the 107 octets that a unix socket's may have",
    ),
    ('[api]\nlisten = ["unix:/x", "unix:/x"]', "api.listen: names an address twice"),
    ('[api]\ntls_cert_file = "x"', "api.tls_key_file: is missing: a certificate and its key are both needed"),
    ('[api]\ntls_key_file = "x"', "api.tls_cert_file: is missing: a certificate and its key are both needed"),
    (
        '[api]\nlisten = ["127.0.0.1"]',
        'api.listen[0]: must be an address and a port, such as "127.0.0.1:7672" or "[::1]:7672"',
    ),
    (
        '[api]\nlisten = ["127.0.0.1:1", "1.2.3:5"]',
        'api.listen[1]: must be an address and a port, such as "127.0.0.1:7672" or "[::1]:7672"',
    ),
    ('[api]\nlisten = ["127.0.0.1:65536"]', "api.listen[0]: has a port above 65535"),
    (
        '[api]\nlisten = ["-x-:1"]',
        'api.listen[0]: must be a host name without a port, such as "sms.example.org"',
    ),
    (
        '[api]\nlisten = ["0.0.0.0:7672"]',
        f"api.listen[0]: {EXPOSED}",
    ),
    ('[api]\nlisten = ["127.0.0.1:5", "127.0.0.1:5"]', "api.listen: names an address twice"),
    ('[api]\nallowed_countries = ["FR", "ZZ"]', f"api.allowed_countries[1]: {COUNTRY}"),
    (f"[webhooks]\nallow = [{'1,' * 1001}]", "webhooks.allow: has more than 1000 items"),
    # [modems]
    ('[modems."a b"]\nport = "simulated:"', 'modems."a b": the name must be 1 to 32 letters, digits, - or _'),
    ("[modems.a]", "modems.a.port: is missing"),
    (
        '[modems.a]\nport = "simulated:"\nnumber = "0612345678"',
        'modems.a.number: must be written as + and digits only, such as "+33612345678"',
    ),
    (
        '[modems.a]\nport = "simulated:"\nsmsc = "+33 6 12 34 56 78"',
        'modems.a.smsc: must be written as + and digits only, such as "+33612345678"',
    ),
    ('[modems.a]\nport = "simulated:"\npin_file = "no"', "modems.a.pin_file: names a file that does not exist"),
    ('[modems.a]\nport = "simulated:"\npin_file = "."', "modems.a.pin_file: is not an ordinary file"),
    (
        '[modems.a]\nport = "simulated:"\npin_file = "config.toml"',
        "modems.a.pin_file: names a file that does not hold 4 to 8 digits",
    ),
    (
        '[modems.a]\nport = "simulated:"\ncategories = ["emergancy"]',
        'modems.a.categories[0]: names no category; did you mean "emergency"?',
    ),
    (
        '[modems.a]\nport = "simulated:"\nprefixes = ["33"]',
        'modems.a.prefixes[0]: must be the beginning of an international number, such as "+33"',
    ),
    (
        '[modems.a]\nport = "simulated:"\nlimits = { per_day = 0 }',
        "modems.a.limits.per_day: must be from 1 to 10000000",
    ),
    (
        '[modems.a]\nport = "simulated:"\nlimits = { per_dy = 9 }',
        'modems.a.limits.per_dy: unknown key; did you mean "per_day"?',
    ),
    ('[modems.a]\nport = "simulated:"\nbalance = { every = "1d" }', "modems.a.balance.ussd: is missing"),
    (
        '[modems.a]\nport = "simulated:"\nbalance = { ussd = "AT+X" }',
        'modems.a.balance.ussd: must be a code such as "#123#": it begins with * or # and ends with #',
    ),
    (
        '[modems.a]\nport = "simulated:"\nbalance = { ussd = "**21*0639980101#" }',
        "modems.a.balance.ussd: is not sent from here: it changes where calls go",
    ),
    (
        '[modems.a]\nport = "socket://h:1"\n[modems.b]\nport = "socket://h:1"',
        "modems.b.port: is the port of modems.a too",
    ),
    *[
        (
            f'[modems.a]\nport = "simulated:"\nbalance = {{ ussd = "#123#", warn_below = {value} }}',
            f"modems.a.balance.warn_below: {message}",
        )
        for value, message in [
            ('"5"', "must be a number, without quotes"),
            ("true", "must be a number, without quotes"),
            ("-1", "must be from 0 to 1000000000"),
            ("nan", "must be from 0 to 1000000000"),
        ]
    ],
    # [categories]
    ("[categories.Own]", f"categories.Own: the name {NAME}"),
    ("[categories.emergency]\npriority = 10", "categories.emergency.priority: must be from 0 to 9"),
    (
        '[categories.emergency]\non_uncertain = "resent"',
        'categories.emergency.on_uncertain: must be "resend" or "hold" or "never"; did you mean "resend"?',
    ),
    ('[categories.emergency]\non_cap = "x"', 'categories.emergency.on_cap: must be "refuse" or "defer"'),
    ('[categories.emergency]\nexpires_after = "6 h"', f"categories.emergency.expires_after: {DURATION}"),
    ("[categories.emergency]\nexpires_after = 6", f"categories.emergency.expires_after: {DURATION}"),
    ('[categories.emergency]\nexpires_after = "0s"', 'categories.emergency.expires_after: must be at least "1s"'),
    ('[categories.emergency]\nexpires_after = "2y"', 'categories.emergency.expires_after: must be at most "366d"'),
    ('[categories.emergency]\nkeep_text = "101y"', "categories.emergency.keep_text: is too long"),
    (
        '[categories.promotional]\ncaps = ["1/24h", "0/1h"]',
        "categories.promotional.caps[1]: allows nothing: a cap must be at least 1",
    ),
    ('[categories.promotional]\ncaps = ["1 per day"]', f"categories.promotional.caps[0]: {CAP}"),
    (
        '[categories.promotional]\nquiet_hours = ["25:00-08:00"]',
        f"categories.promotional.quiet_hours[0]: {SPAN}",
    ),
    (
        '[categories.promotional]\nwindows = ["08:00-08:00"]',
        f"categories.promotional.windows[0]: {NO_TIME}",
    ),
    (
        '[categories.promotional]\nstop_notice = "STOP au {number}"',
        'categories.promotional.stop_notice: may only contain "{modem_number}" or "{sender_name}"',
    ),
    (
        '[categories.promotional]\nsender_prefix = "{sender_name: "',
        "categories.promotional.sender_prefix: has a brace without its partner",
    ),
    (
        '[categories.promotional]\nprofile = "fr"',
        f'categories.promotional.profile: must be in capitals; did you mean "FR"?; {PROFILES}; or write "{{country}}"',
    ),
    (
        '[categories.promotional]\nprofile = "AT"',
        f'categories.promotional.profile: is a country without a profile; {PROFILES}; or write "{{country}}"',
    ),
    (
        '[categories.own]\nprofile = "{contry}"',
        f'categories.own.profile: is no country profile; {PROFILES}; or write "{{country}}"; {MEANT}',
    ),
    # Tables of later versions
    (
        "[profiles.France]\npromotional_over_sim = false",
        f'profiles.France: the name is no country profile; did you mean "FR"?; {PROFILES}',
    ),
    ("[profiles.ZZ]\nprudence = false", f"profiles.ZZ: the name is no country profile; {PROFILES}"),
    ("[profiles.AT]\nprudence = false", f"profiles.AT: the name is a country without a profile; {PROFILES}"),
    ("[profiles.FR]\nprudence = 1", "profiles.FR.prudence: must be true or false, without quotes"),
    (
        "[profiles.FR]\npromotional_over_sms = true",
        'profiles.FR.promotional_over_sms: unknown key; did you mean "promotional_over_sim"?',
    ),
    ('[recipients]\nover = ["promo"]', 'recipients.over[0]: names no category; did you mean "promotional"?'),
    ('[storms]\nidentical = "10"', f"storms.identical: {DURATION}"),
    ('[storms]\nburst = "0/10m"', "storms.burst: allows nothing: a cap must be at least 1"),
    ('[storms]\nemergency = "no"', "storms.emergency: must be true or false, without quotes"),
    (
        '[inbound]\nforward = ["https://x"]',
        'inbound.forward[0]: must be "mailto:" and an address or "sms:" and a number',
    ),
    ('[alarms]\nto = ["sms:0612345678"]', 'alarms.to[0]: must be written as + and digits only, such as "+33612345678"'),
    ('[webhooks]\nallow = ["10.0.0.1/8"]', 'webhooks.allow[0]: must be a network such as "192.168.1.0/24"'),
    ("[replies.da]", "replies.da.stop: is missing"),
    ('[replies]\nconfirm_within = "367d"', 'replies.confirm_within: must be at most "366d"'),
    ('[replies.fr]\nhelp = "{sender}"', 'replies.fr.help: may only contain "{sender_name}" or "{category}"'),
    ('[replies.fr]\nstart = ""', "replies.fr.start: must not be empty"),
    (
        '[categories.club]\njoin_words = ["!"]',
        "categories.club.join_words[0]: must be a word of 2 to 20 letters and digits",
    ),
    (
        '[categories.club]\njoin_words = ["CLUB", "« Désabonner ! »"]',
        "categories.club.join_words[1]: is a word of the family STOP",
    ),
    ('[categories.club]\njoin_words = ["oui"]', "categories.club.join_words[0]: is a word of the family YES"),
    (
        '[categories.club]\njoin_words = ["Été"]\n[categories.winter]\njoin_words = ["x1", "ETE"]',
        "categories.winter.join_words[1]: is used twice: also in categories.club.join_words[0]",
    ),
    (f'[categories.club]\nwelcome = "{"x" * 307}"', "categories.club.welcome: is longer than 306 characters"),
    (
        '[categories.emergency]\njoin_words = ["ALERTE"]',
        'categories.emergency.join_words: lead nowhere: with consent = "none" nobody is asked',
    ),
    ('[replies]\nstop_scope = "all"', 'replies.stop_scope: must be "stoppable" or "category"'),
    (f'[replies.fr]\nstop = "{"x" * 307}"', "replies.fr.stop: is longer than 306 characters"),
]


@pytest.mark.parametrize(("text", "problem"), WRONG, ids=[problem.partition(" ")[0] for _, problem in WRONG])
def test_wrong_input(problems, text: str, problem: str):
    # Tables come last in TOML, so the modem that every file needs can follow.
    assert problems(text + ("" if "modems" in text else MODEM)) == [problem]


def test_all_problems_at_once(problems):
    found = problems('[gateway]\ncountry = 1\nx = 1\n[api]\nlisten = ["0.0.0.0:1", "unix:/"]\n[modems.a]\n')
    assert [line.partition(":")[0] for line in found] == [
        "gateway.country", "api.listen[0]", "api.listen[1]", "modems.a.port", "gateway.x",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[modems]", '[gateway]\ncountry = "FR"'])
def test_a_modem_is_needed(problems, text: str):
    assert problems(text) == [
        'modems: is missing: at least one modem is needed, such as [modems.sim1] port = "simulated:"'
    ]


def test_a_port_is_checked_where_ports_are_known(problems):
    (problem,) = problems('[modems.a]\nport = "ftp://x"')
    assert problem.startswith("modems.a.port: ")


@pytest.mark.parametrize("port", ["socket://user:Hemlig@h:1", "socket://Hemlig@h:1", "socket://h:1@Hemlig"])
def test_a_port_holds_no_secret(problems, port: str):
    (problem,) = problems(f'[modems.a]\nport = "{port}"')
    assert problem.startswith("modems.a.port: socket://host:port takes no user and no password")
    assert "Hemlig" not in problem


def test_simulated_modems_share_no_line(problems):
    assert problems('[modems.a]\nport = "simulated:"\n[modems.b]\nport = "simulated:"') == []


def test_a_link_that_leads_to_the_device_of_another_modem_stops_nothing(report, tmp_path: Path):
    (tmp_path / "by-id").symlink_to("/dev/ttyUSB77")
    found = report(f'[modems.a]\nport = "/dev/ttyUSB77"\n[modems.b]\nport = "{tmp_path}/by-id"')
    assert found.problems == ()
    assert "modems.b.port: leads to the device of modems.a now: only one of them can have it" in [
        str(warning) for warning in found.warnings
    ]


@pytest.mark.parametrize("again", ["/dev/ttyUSB77", "/dev/./ttyUSB77"])
def test_a_device_that_is_written_twice_is_one_port(problems, again: str):
    assert problems(f'[modems.a]\nport = "/dev/ttyUSB77"\n[modems.b]\nport = "{again}"') == [
        "modems.b.port: is the port of modems.a too"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[modems.a\nport = 1", "line 1, column 10: Expected ']' at the end of a table declaration"),
        ("a = 1\na = 2", "line 2, column 6: Cannot overwrite a value"),
        ("a = ", "line 1, column 5: Invalid value"),
        ("a = '", 'line 1, column 6: Expected "\'"'),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("a = " + "9" * 5000, "contains a number that is too long"),
        ("a = 2024-02-31", "line 1, column 5: Invalid date or datetime"),
        ("#" * (1 << 20) + "\n", "is larger than 1 MiB"),
        ("\ufeffa = 1", "line 1: begins with a byte order mark; save it as UTF-8 without one"),
    ],
    ids=lambda value: value[:20],
)
def test_no_toml(problems, text: str, problem: str):
    assert problems(text) == [problem]


def test_not_utf8(tmp_path: Path):
    path = tmp_path / "latin1.toml"
    path.write_bytes("[gateway]\nsender_name = 'Forêt'\n".encode("latin-1"))
    assert [str(problem) for problem in check(path, {}).problems] == ["line 2: is not UTF-8 text"]


@pytest.mark.parametrize(("name", "problem"), [("none.toml", "does not exist"), (".", "is a folder, not a file")])
def test_no_file(tmp_path: Path, name: str, problem: str):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path / name, {})
    assert [str(problem) for problem in caught.value.problems] == [problem]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/dev/null", "is not an ordinary file"),
        ("/dev/null/x", "cannot be read: Not a directory"),
        ("a\0b", "cannot be read: not a path"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_no_ordinary_file(path: str, problem: str):
    assert [str(one) for one in check(Path(path), {}).problems] == [problem]


def test_messages_show_neither_pin_nor_number(problems, tmp_path: Path):
    (tmp_path / "pin").write_text("12345x")
    shown = "\n".join(
        problems('[modems.a]\nport="simulated:"\nnumber="0612345678x"\npin_file="pin"\n[alarms]\nto=["sms:0698765432"]')
    )
    assert not any(secret in shown for secret in ("12345x", "0612345678", "0698765432"))


garbage = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.floats(), st.dates(), st.times(), st.text(max_size=20),
        st.sampled_from(["simulated:", "127.0.0.1:0", "24h", "1/24h", "sun", "FR", "{country}", "mailto:a@b", "x\0"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip


def _nest(pattern: str, value: object) -> dict[str, object]:
    """A document with one value at a known key."""
    nested = value
    for key in reversed(pattern.replace("*", "sim1").split(".")):
        nested = {key: nested}
    assert isinstance(nested, dict)
    return nested


@given(st.lists(st.tuples(st.sampled_from(sorted(known_keys())), garbage), max_size=5), garbage)
def test_whatever_toml_holds_gives_problems_and_no_exception(values, stray):
    document: dict[str, object] = {"stray": stray}
    for pattern, value in values:
        document |= _nest(pattern, value)
    findings = Findings()
    _read(document, Path("/nowhere"), {}, findings)
    assert any(problem.key == "stray" for problem in findings.problems)


@given(st.text(max_size=200))
def test_whatever_is_no_toml_gives_problems_and_no_exception(tmp_path_factory, text: str):
    path = tmp_path_factory.getbasetemp() / "garbage.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert check(path, {}).problems
