"""Commands that work with a running gateway and without: through its interface, or on the store while none holds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from gateway.cli.client import GatewayClient
from gateway.cli.errors import Failure
from gateway.cli.options import invocation
from gateway.cli.reach import gateway, said_url, settings_of
from gateway.requests import Page, Principal

if TYPE_CHECKING:
    from gateway.services import Services

T = TypeVar("T")

#: Who may open the store may do everything with it.
ADMIN = Principal(token_id=0, name="cli", scopes=frozenset({"admin"}))
_PAGE = 1000


def running() -> GatewayClient | None:
    """The gateway that holds the store or was named; None when the store can be opened here."""
    said = invocation()
    if said_url(said):
        return gateway()
    from gateway.store.opening import holder_of

    return gateway() if holder_of(settings_of(said).gateway.state_dir) is not None else None


def on_store(work: Callable[[Services], Awaitable[T]]) -> T:
    """The result of `work` on the services of the store, with nobody else on it meanwhile."""
    import asyncio

    from gateway.daemon import offline_services
    from gateway.errors import GatewayError, StoreInUse
    from gateway.store.opening import StoreUnusable

    settings = settings_of(invocation())

    async def run() -> T:
        async with offline_services(settings) as services:
            return await work(services)

    try:
        return asyncio.run(run())
    except GatewayError as error:
        fields = [f"{field.pointer.lstrip('/')}: {field.message}" for field in error.errors]
        raise Failure("\n  ".join(fields or [error.message])) from None
    except (StoreInUse, StoreUnusable) as error:
        raise Failure(str(error)) from None


async def all_of(page_of: Callable[[int, str | None], Awaitable[Page[T]]], limit: int) -> list[T]:
    """The first `limit` items of a list, page by page: the function is given a page's length and its cursor."""
    found: list[T] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await page_of(min(limit - len(found), _PAGE), cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return found
