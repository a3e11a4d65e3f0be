from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import pytest
from running import program
from tasks import SEED

import polyipc
from polyipc import aio

PEER = """
import sys, polyipc
lock, permits, count = polyipc.Lock.open("l"), polyipc.Semaphore.open("s"), polyipc.Queue.open("q")
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    with lock:
        n = count.get(False)
        count.put(n + 1)
    with permits:
        pass
"""


@pytest.mark.parametrize("how", ["cancel", "wait_for", "timeout"])
def test_random_cancellations(how: str) -> None:
    """10,000 acquires that are given up at any time, beside another process: none holds on."""
    chance = random.Random(SEED)
    print("POLYIPC_SEED", SEED)
    times = 2000
    held = 0
    given_up = 0

    async def main() -> None:
        nonlocal held, given_up
        lock, permits = aio.Lock(name="l"), aio.BoundedSemaphore(2)
        shared = aio.Semaphore(1, name="s")
        reentrant, table = aio.RLock(), aio.RWLock()
        count = polyipc.Queue[int](name="q")
        inside = dict.fromkeys(("lock", "permits", "shared", "rlock", "write"), 0)

        async def section(what: str, most: int) -> None:
            nonlocal held
            inside[what] += 1
            assert inside[what] <= most
            try:
                if what == "lock":
                    count.put(count.get(False) + 1)  # nobody else is in
                    held += 1
                await asyncio.sleep(0)
            finally:
                inside[what] -= 1

        async def enter(what: str, wait: float | None) -> None:
            of: Any
            of, most = {
                "lock": (lock, 1),
                "permits": (permits, 2),
                "shared": (shared, 1),
                "rlock": (reentrant, 1),
                "write": (table, 1),
            }[what]
            if what == "write":
                if await of.write_lock(wait):
                    try:
                        await section(what, most)
                    finally:
                        table.write_unlock()
            elif await of.acquire(wait):
                try:
                    await section(what, most)
                finally:
                    of.release()
            else:
                raise asyncio.TimeoutError

        async def one() -> None:
            nonlocal given_up
            what, wait = chance.choice(list(inside)), chance.random() * 0.002
            try:
                if how == "timeout":
                    await enter(what, wait)
                elif how == "wait_for":
                    await asyncio.wait_for(enter(what, None), wait)
                else:
                    task = asyncio.create_task(enter(what, None))
                    for _ in range(chance.randrange(4)):
                        await asyncio.sleep(0)
                    if chance.random() < 0.5:
                        await asyncio.sleep(wait)
                    task.cancel()
                    await task
            except (asyncio.CancelledError, asyncio.TimeoutError):
                given_up += 1

        async def work() -> None:
            for _ in range(350):
                await one()

        await asyncio.gather(*(work() for _ in range(10)))
        of: Any
        for of in (lock, permits, shared, reentrant):
            assert await of.acquire(10)
            of.release()
        assert permits.get_value() == 2
        async with table.write():
            pass
        lock.unlink()
        shared.unlink()
        count.unlink()

    with contextlib.ExitStack() as stack:
        lock, permits = polyipc.Lock(name="l"), polyipc.Semaphore(1, name="s")
        count = stack.enter_context(polyipc.Queue[int](name="q"))
        count.put(0)
        with program(PEER, str(times)) as peer:
            assert peer.stdout is not None
            assert peer.stdout.readline() == "ready\n"
            asyncio.run(main())
        assert lock.acquire(timeout=10)
        assert permits.get_value() == 1
        assert count.get(False) == times + held
        lock.close()
        permits.close()
    assert given_up > 200
