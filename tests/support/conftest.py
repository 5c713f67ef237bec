"""For `test_own_time.py`; the clock that is tested beside it has no loop's time."""

from __future__ import annotations

from support.own_time import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
