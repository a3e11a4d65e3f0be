"""Tasks for tests of polyipc.aio."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine
from typing import Any, Callable

import pytest
from running import PATIENCE

SEED = int(os.environ.get("POLYIPC_SEED") or random.SystemRandom().randrange(2**32))


async def begun(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Returns a task that waits."""
    task = asyncio.create_task(coroutine)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def so(predicate: Callable[[], Any]) -> None:
    """Waits until it is so."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not predicate():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.001)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancels a task."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
