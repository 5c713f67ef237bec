"""The door: what is refused, all at once, and what a preview forecasts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.settings import category, settings_in

from gateway.errors import Forbidden, InvalidRequest
from gateway.message import Status
from gateway.requests import NewMessage
from gateway.store.database import Store

HOUR_US = 3600 * 1_000_000


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"to": "12ab"}, "number_invalid", "/to"),
        ({"to": ""}, "number_invalid", "/to"),
        ({"text": ""}, "text_empty", "/text"),
        ({"text": " \n\t "}, "text_empty", "/text"),
        ({"text": "a\x00b"}, "text_invalid", "/text"),
        ({"text": "a\x1bb"}, "text_invalid", "/text"),
        ({"text": "a\ud83d"}, "text_invalid", "/text"),
        ({"text": "x" * 10_000}, "text_too_long", "/text"),
        ({"text": "x" * 1531}, "text_too_long", "/text"),
        ({"text": "ж" * 671}, "text_too_long", "/text"),
        ({"text": "😀" * 39_000}, "text_too_long", "/text"),
        ({"category": "nope"}, "category_unknown", "/category"),
        ({"modem": "nope"}, "modem_unknown", "/modem"),
        ({"reference": ""}, "reference_invalid", "/reference"),
        ({"reference": "x" * 256}, "reference_invalid", "/reference"),
        ({"on_uncertain": "maybe"}, "policy_unknown", "/on_uncertain"),
        ({"send_us": 0}, "send_at_too_old", "/send_at"),
        ({"send_us": 1 << 60}, "send_at_too_far", "/send_at"),
        ({"expires_us": 5}, "expires_too_early", "/expires_at"),
        ({"expires_us": 1 << 60}, "expires_too_late", "/expires_at"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_can_never_become_right_is_refused_and_leaves_nothing(
    bench: Bench, fields: dict[str, object], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await bench.accept(**fields)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert [error.pointer for error in refused.value.errors] == [pointer]
    rows = await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM message").scalar()
    )
    assert rows == 0


async def test_a_moment_that_cannot_be_is_refused_or_explained(
    tmp_path: Path, store: Store, clock: ManualClock, tell
) -> None:
    """Expired, in a thousand years, over before the quiet hours are."""
    bench = await make_bench(
        settings_in(tmp_path, categories=(category("quiet", quiet_hours=("00:00-24:00",)),)), store, clock
    )
    now_us, day_us = clock.now_us(), 24 * 3600 * 1_000_000
    refused: list[str] = []
    for fields in (
        {"send_us": now_us - 3 * day_us},
        {"send_us": now_us + 400 * day_us},
        {"expires_us": now_us},
        {"expires_us": now_us + 800 * day_us},
        {"send_us": now_us + day_us, "expires_us": now_us + day_us},
    ):
        with pytest.raises(InvalidRequest) as told:
            await bench.accept(**fields)  # type: ignore[arg-type]
        refused.append(told.value.code)
    quiet = await bench.accept(category="quiet", expires_us=now_us + 3600 * 1_000_000)
    explained = [caution.code for caution in quiet.warnings]
    assert (quiet.status, "expires_first" in explained) == (Status.HELD, True), explained
    tell(f"H09: {', '.join(refused)}; over before the quiet hours are: {quiet.status}, with {explained[0]}")


@pytest.mark.parametrize("text", ["x" * 1530, "ж" * 670, "a\tb\nc\rd", "€" * 76])
async def test_what_just_fits_is_taken(bench: Bench, text: str) -> None:
    assert (await bench.accept(text=text)).status is Status.QUEUED


async def test_every_problem_is_named_at_once(bench: Bench) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await bench.accept(to="12ab", text="", modem="nope")
    assert [error.pointer for error in refused.value.errors] == ["/to", "/text", "/modem"]


async def test_a_category_limit_of_parts_wins(tmp_path: Path, store: Store, clock: ManualClock) -> None:
    settings = settings_in(tmp_path, categories=(category("short", max_parts=1),))
    bench = await make_bench(settings, store, clock)
    with pytest.raises(InvalidRequest, match="1 parts"):
        await bench.accept(text="x" * 161, category="short")


async def test_national_tables_only_where_the_category_says_so(
    tmp_path: Path, store: Store, clock: ManualClock
) -> None:
    settings = settings_in(tmp_path, categories=(category("tr", national_tables=True),))
    bench = await make_bench(settings, store, clock)
    text = "ğış" * 30
    assert (await bench.accept(text=text)).encoding == "ucs2"
    assert (await bench.accept(text=text, category="tr")).encoding == "gsm7"


async def test_tokens_are_bound_to_their_categories(bench: Bench) -> None:
    bench.principal = replace(bench.principal, categories=("emergency",), default_category="emergency")
    assert (await bench.accept()).category == "emergency"
    with pytest.raises(Forbidden, match="promotional"):
        await bench.accept(category="promotional")


async def test_a_testing_token_without_a_simulated_modem_is_told_so(
    tmp_path: Path, store: Store, clock: ManualClock
) -> None:
    bench = await make_bench(settings_in(tmp_path, ports={"stick": "/dev/ttyUSB0"}), store, clock)
    bench.principal = replace(bench.principal, test=True)
    with pytest.raises(InvalidRequest, match="no simulated modem"):
        await bench.accept()


async def test_preview_says_what_would_become_of_it_and_changes_nothing(bench: Bench) -> None:
    now_us = bench.clock.now_us()

    async def preview(at_us: int | None = None, **fields: object) -> tuple[str, object, object]:
        new = NewMessage(NUMBER, "Ça va ? 😀", **fields)  # type: ignore[arg-type]
        found = await bench.intake.preview(bench.principal, new, at_us)
        assert (found.encoding, found.parts) == ("ucs2", 1)
        assert list(found.forced_ucs2_by) == ["😀"]
        assert [caution.code for caution in found.warnings] == ["forced_ucs2"]
        return found.decision, found.rule, found.until_us

    assert await preview() == ("send", None, None)
    assert await preview(send_us=now_us + HOUR_US) == ("hold", "scheduled", now_us + HOUR_US)
    assert await preview(send_us=now_us + HOUR_US, at_us=now_us + 2 * HOUR_US) == ("send", None, None)
    assert await preview(at_us=now_us + 25 * HOUR_US) == ("send", None, None)
    assert await preview(at_us=0) == ("send", None, None)
    rows = await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM recipient").scalar()
    )
    assert rows == 0
