"""Whatever is given up, at whatever moment: nothing is lost, doubled or held.

POLYIPC_CHAOS_AIO is how many rounds there are, 1 if it is not set.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Coroutine
from typing import Any, Callable

import pytest
from running import InThread
from tasks import SEED

import polyipc
from polyipc import aio, manager

ROUNDS = int(os.environ.get("POLYIPC_CHAOS_AIO") or 1)
LOOPS, TASKS, TIMES = 3, 6, 40

Op = Callable[[], Coroutine[Any, Any, None]]
GIVEN_UP = (asyncio.CancelledError, asyncio.TimeoutError, TimeoutError, polyipc.Empty, polyipc.Full)


class Shared:
    """What all loops of a round use, and what came of it."""

    def __init__(self) -> None:
        self.queue: polyipc.Queue[int] = polyipc.Queue(4)
        self.segment = polyipc.Segment(64)
        self.condition = polyipc.Condition(self.segment.lock)
        self.lock, self.rlock = polyipc.Lock(), polyipc.RLock()
        self.permits = polyipc.BoundedSemaphore(2)
        self.inside: dict[str, int] = {}
        self.put: list[int] = []
        self.got: list[int] = []
        self.remote_put: list[int] = []  # at least these
        self.remote_maybe: list[int] = []
        self.remote_got: list[int] = []

    def close(self) -> None:
        for obj in (self.queue, self.condition, self.lock, self.rlock, self.permits, self.segment):
            obj.close()


async def within(shared: Shared, what: str, most: int = 1) -> None:
    """Is where no more than so many may be."""
    shared.inside[what] = shared.inside.get(what, 0) + 1
    try:
        assert shared.inside[what] <= most, what
        await asyncio.sleep(0)
    finally:
        shared.inside[what] -= 1


async def operations(shared: Shared, m: Any, number: Callable[[], int]) -> list[Op]:
    """What a loop's tasks do."""
    q = aio.Queue(shared.queue)
    condition = aio.Condition(shared.condition)
    remote = {kind: await getattr(m, kind)(kind) for kind in ("Lock", "RLock", "Condition")}
    rq = await m.Queue("q", 4)

    def held(of: Any, what: str, most: int = 1) -> Op:
        async def hold() -> None:
            async with of:
                await within(shared, what, most)

        return hold

    async def notified() -> None:
        async with condition:
            await condition.wait(0.002)
            await within(shared, "segment")
            condition.notify()

    async def remotely_notified() -> None:
        async with remote["Condition"] as _:
            await remote["Condition"].wait(0.002)
            await within(shared, "Condition")
            await remote["Condition"].notify()

    async def put() -> None:
        item = number()
        await q.put(item)
        shared.put.append(item)

    async def get() -> None:
        shared.got.append(await q.get(0.05))

    async def lease() -> None:
        with await q.lease(0.05) as leased:
            await asyncio.sleep(0)
            value = leased.value
        shared.got.append(value)

    async def remotely_put() -> None:
        item = number()
        shared.remote_maybe.append(item)
        await rq.put(item)
        shared.remote_put.append(item)

    async def remotely_get() -> None:
        shared.remote_got.append(await rq.get(True, 0.05))

    return [
        held(aio.Lock(shared.lock), "lock"),
        held(aio.RLock(shared.rlock), "rlock"),
        held(aio.BoundedSemaphore(shared.permits), "permits", 2),
        held(aio.RLock(shared.segment.lock), "segment"),
        *(held(remote[kind], kind) for kind in remote),
        notified,
        remotely_notified,
        *(put, get, lease, remotely_put, remotely_get),
    ]


async def give_up(op: Op, chance: random.Random) -> None:
    """Begins it, and gives it up at some moment, in one of many ways."""
    way = chance.randrange(5)
    with contextlib.suppress(*GIVEN_UP):
        if way == 0:
            await asyncio.wait_for(op(), chance.random() * 0.003)
            return
        task = asyncio.create_task(op())
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        if way == 1:
            await asyncio.sleep(chance.random() * 0.003)
        elif way == 2:
            time.sleep(chance.random() * 0.002)
        task.cancel()
        if way == 3:
            await asyncio.sleep(0)
            task.cancel()
        await task


def loop(shared: Shared, seed: int, first: int) -> None:
    """Runs a loop with many tasks."""
    chance = random.Random(seed)
    last = first

    def number() -> int:
        nonlocal last
        last += 1
        return last

    async def main(m: Any) -> list[Any]:
        ops = await operations(shared, m, number)

        async def work() -> None:
            for _ in range(TIMES):
                await give_up(chance.choice(ops), chance)

        await asyncio.gather(*(work() for _ in range(TASKS)))
        lock = aio.Lock(shared.lock)
        return [asyncio.ensure_future(lock.acquire()) for _ in range(2)]

    with manager.connect("m") as plain:
        runs = asyncio.new_event_loop()
        left = runs.run_until_complete(asyncio.wait_for(main(aio.manager.Manager(plain)), 100))
        for task in left:
            task.cancel()
        runs.run_until_complete(asyncio.wait(left))
        for task in left:
            if not task.cancelled():
                shared.lock.release()
        runs.close()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_attack(round_: int) -> None:
    seed = SEED + round_
    print("POLYIPC_SEED", seed)
    shared = Shared()
    with manager.Server("m"), manager.connect("m") as m:
        remote = [m.Lock("Lock"), m.RLock("RLock"), m.Condition("Condition")]
        rq = m.Queue("q", 4)
        threads = [InThread(loop, shared, seed + i, i * 1_000_000) for i in range(LOOPS)]
        for thread in threads:
            thread.result()
        for lock in (shared.lock, shared.rlock, shared.segment.lock, shared.condition):
            assert lock.acquire(timeout=10), lock
            lock.release()
        assert shared.permits.get_value() == 2
        for held in remote:
            assert held.acquire(timeout=10), held
            held.release()
        while True:
            try:
                shared.got.append(shared.queue.get(False))
            except polyipc.Empty:
                break
        while True:
            try:
                shared.remote_got.append(rq.get(timeout=0.3))
            except polyipc.Empty:
                break
        assert shared.got
        assert shared.remote_got
        assert sorted(shared.got) == sorted(shared.put)
        assert len(set(shared.remote_got)) == len(shared.remote_got)
        assert set(shared.remote_put) <= set(shared.remote_got) <= set(shared.remote_maybe)
        del remote, rq, held
    shared.close()
