"""A manager's server, a connection to it and a loop, for tests of polyipc.aio."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Callable

from polyipc import aio, manager
from polyipc.aio import manager as aio_manager


def run(main: Callable[[aio_manager.Manager], Coroutine[Any, Any, None]]) -> None:
    """Runs a coroutine with a connection to a server."""

    async def connected() -> None:
        async with await aio.connect("m") as m:
            await main(m)

    with manager.Server("m"):
        asyncio.run(asyncio.wait_for(connected(), 60))


class Greeter:
    def greet(self, name: str, *, loud: bool = False) -> str:
        return f"hello {name}".upper() if loud else f"hello {name}"

    def fail(self) -> None:
        raise ZeroDivisionError("oh")
