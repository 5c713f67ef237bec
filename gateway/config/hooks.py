"""Reading `[hooks]`, what becomes of alerts, and `[email]`, mail that becomes messages."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec

from gateway.config.addresses import internet_address, is_loopback
from gateway.config.categories import MOST_PARTS
from gateway.config.hook_settings import ALERT_NAMES, ALERT_WORDS, GROUP_NAMES, USUAL_HOOKS, AlertWords, HookSettings
from gateway.config.settings import EmailSettings
from gateway.config.shapes import boolean, integer, known, matching, one_of, template
from gateway.config.table import Table
from gateway.config.times import cap, duration

#: A repeat is remembered for a month, and no longer.
_LONGEST_S = 30 * 86_400
_severity = matching(r"[^A-Z]{1,64}", "must be a severity in small letters")


def read_hooks(root: Table, language: str, categories: Collection[str]) -> HookSettings:
    """Table `[hooks]`; what no template says is said in the gateway's language."""
    base, usual = USUAL_HOOKS, ALERT_WORDS.get(language, ALERT_WORDS["en"])
    one, several = template(*ALERT_NAMES), template(*GROUP_NAMES)
    with root.table("hooks") as table:
        words = AlertWords(
            firing=table.take("firing", one, usual.firing),
            resolved=table.take("resolved", one, usual.resolved),
            firing_group=table.take("firing_group", several, usual.firing_group),
            resolved_group=table.take("resolved_group", several, usual.resolved_group),
            severity=usual.severity,
        )
        with table.table("severity") as named:
            severity = named.entries(_severity, known(categories, "category"))
        return HookSettings(
            repeat_after_us=table.take("repeat_after", duration(most_s=_LONGEST_S), base.repeat_after_us),
            flapping=table.take("flapping", cap, base.flapping),
            max_parts=table.take("max_parts", integer(1, MOST_PARTS), base.max_parts),
            words=words,
            severity={**base.severity, **severity},
        )


def read_email(root: Table, *, tls: bool) -> EmailSettings:
    """Table `[email]`. It needs a package of its own. An address that others reach speaks TLS, with the files of
    `[api]`, or is written on purpose."""
    with root.table("email") as table:
        listen = table.take("listen", internet_address, None)
        insecure = table.take("insecure", boolean, False)
        subject = table.take("subject", one_of("ignore", "prefix"), "ignore")
        if listen is not None and find_spec("aiosmtpd") is None:
            table.problem("listen", "needs the package aiosmtpd: install tocsin[email]")
        if listen is not None and not (tls or insecure or is_loopback(listen.host)):
            mend = "write tls_cert_file and tls_key_file in [api], or insecure = true if that is meant"
            reason = f"can be reached from other machines without TLS: {mend}"
            table.problem("listen", reason)
        return EmailSettings(listen, with_subject=subject == "prefix", insecure=insecure)
