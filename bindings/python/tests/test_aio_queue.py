from __future__ import annotations

import asyncio
import collections
import contextlib
import pickle
import random
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from running import InThread, fork, reap
from tasks import SEED, begun, cancelled, so

import polyipc
from polyipc import aio


def test_queue() -> None:
    async def main() -> None:
        async with aio.Queue[Any](2, name="jobs") as q, aio.Queue[Any].open("jobs") as other:
            assert q.empty()
            getting = await begun(other.get())
            await q.put({"page": 1})
            assert await getting == {"page": 1}
            await q.put(1)
            q.put_nowait(2)
            assert q.full()
            with pytest.raises(polyipc.Full):
                await q.put(3, timeout=0.01)
            with pytest.raises(polyipc.Full):
                await q.put(3, timeout=0)
            putting = await begun(q.put(3))
            assert other.get_nowait() == 1
            await putting
            assert await other.get_many(9) == [2, 3]
            with pytest.raises(polyipc.Empty):
                await q.get(timeout=0.01)
            await q.put_bytes(b"raw")
            with await q.lease() as lease:
                assert lease.value == b"raw"
            await q.put(q.sync)  # a reference to itself
            assert (await q.get()).name == "jobs"
            q.unlink()

    asyncio.run(main())


def test_wraps_and_pickles() -> None:
    async def main() -> None:
        with polyipc.Queue[int]() as plain:
            q = aio.Queue(plain)
            assert q.sync is plain
            assert q.name == plain.name
            again: aio.Queue[int] = pickle.loads(pickle.dumps(q))
            plain.put(1)
            assert await again.get() == 1
            again.close()
            assert "aio.Queue" in repr(q)

    asyncio.run(main())


def test_iterates_until_shut_down() -> None:
    async def main() -> None:
        async with aio.Queue[int].create() as q:

            async def collect() -> list[int]:
                return [x async for x in q]

            collecting = await begun(collect())
            await q.put_many(range(500))
            await asyncio.sleep(0)
            q.shutdown()
            assert await collecting == list(range(500))

    asyncio.run(main())


def test_put_many_says_how_many() -> None:
    async def main() -> None:
        async with aio.Queue[int](100) as q:
            putting = await begun(q.put_many(range(250)))
            assert await q.get_many(1000) == list(range(100))
            await so(q.full)
            putting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await putting
            assert q.qsize() == 100
            with pytest.raises(polyipc.Full) as e:
                await q.put_many([1, 2], timeout=0.01)
            assert e.value.put == 0
            await q.get()
            with pytest.raises(polyipc.Full) as e:
                await q.put_many([1, 2], timeout=0.01)
            assert e.value.put == 1

    asyncio.run(main())


def test_first_come_first_served() -> None:
    async def main() -> None:
        async with aio.Queue[int]() as q:
            order: list[int] = []

            async def consumer(number: int) -> None:
                await q.get()
                order.append(number)

            waiting = [await begun(consumer(i)) for i in range(5)]
            await cancelled(waiting.pop(2))
            for i in range(4):
                await q.put(i)
            await asyncio.gather(*waiting)
            assert order == [0, 1, 3, 4]

    asyncio.run(main())


def test_cancelled_as_it_is_called() -> None:
    """The message came, the task was called, and is cancelled before it has tried."""

    async def main() -> None:
        async with aio.Queue[int]() as q:
            for _ in range(100):
                first, second = await begun(q.get()), asyncio.create_task(q.get())
                await asyncio.sleep(0)
                q.put_nowait(1)
                await asyncio.sleep(0)  # the loop calls the first
                await cancelled(first)
                assert await asyncio.wait_for(second, 5) == 1
                assert q.empty()

    asyncio.run(main())


def test_closed_while_tasks_wait() -> None:
    async def main() -> None:
        q = aio.Queue[int](1)
        await q.put(1)
        puts = await begun(q.put(2))
        x = aio.Queue[int]()
        gets = [await begun(x.get()) for _ in range(3)]
        for closed in (q, x):
            InThread(closed.close).result()  # as another thread might
        for task in [puts, *gets]:
            with pytest.raises(polyipc.ClosedError):
                await asyncio.wait_for(task, 5)
        with pytest.raises(polyipc.ClosedError):
            await x.get()

    asyncio.run(main())


def test_large_put_does_not_spin() -> None:
    async def main() -> None:
        async with aio.Queue[Any](capacity=65536) as q:
            await q.put_bytes(bytes(40000))
            putting = await begun(q.put_bytes(bytes(40000)))
            used = time.process_time()
            await asyncio.sleep(0.5)
            assert time.process_time() - used < 0.25
            assert await q.get_bytes() == bytes(40000)
            await asyncio.wait_for(putting, 5)

    asyncio.run(main())


def test_who_always_finds_something_lets_others_run() -> None:
    async def main() -> None:
        async with aio.Queue[int]() as q:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)

            ticking = asyncio.create_task(tick())
            for i in range(2000):
                await q.put(i)
                await q.get()
            assert ticks > 10
            await cancelled(ticking)

    asyncio.run(main())


def test_pipe() -> None:
    async def main() -> None:
        ours, theirs = aio.Pipe()
        receiving = await begun(theirs.recv())
        await ours.send({"a": 1})
        assert await receiving == {"a": 1}
        assert not await theirs.poll()
        assert not await theirs.poll(0.01)
        polling = await begun(theirs.poll(None))
        await ours.send_bytes(b"abcd", 1, 2)
        assert await polling
        assert await theirs.recv_bytes() == b"bc"
        await ours.send_bytes(b"xyz")
        into = bytearray(5)
        assert await theirs.recv_bytes_into(into, 1) == 3
        assert bytes(into) == b"\0xyz\0"
        with pytest.raises(polyipc.TimedOutError):
            await theirs.recv(timeout=0.01)
        await theirs.send(ours.sync)  # an end in a message
        with await ours.recv() as end:
            assert end.name == ours.name
        receiving = await begun(theirs.recv())
        ours.close()
        with pytest.raises(EOFError):
            await asyncio.wait_for(receiving, 5)
        theirs.close()

    asyncio.run(main())


def test_send_waits_for_room() -> None:
    async def main() -> None:
        ours, theirs = aio.Pipe(False)  # ours receives
        with pytest.raises(OSError, match="send"):
            await ours.send(1)
        sent = 0
        with pytest.raises(polyipc.TimedOutError):
            while True:
                await theirs.send_bytes(bytes(1000), timeout=0)
                sent += 1
        sending = await begun(theirs.send_bytes(b"last"))
        while sent:
            assert await ours.recv_bytes() == bytes(1000)
            sent -= 1
        await sending
        assert await ours.recv_bytes() == b"last"
        ours.close()
        with pytest.raises(BrokenPipeError):
            await theirs.send(1)
        theirs.close()

    asyncio.run(main())


def test_wait_for_many() -> None:
    async def main() -> None:
        left, right = socket.socketpair()
        with left, right, aio.Queue[int](1) as q, aio.Queue[int]() as p:
            assert await aio.wait([q, p, left], 0.01) == []
            waiting = await begun(aio.wait([q, p.sync, left]))
            await p.put(1)
            assert await waiting == [p.sync]
            right.send(b"x")
            assert await aio.wait([left, p]) == [left, p]
            assert left.recv(9) == b"x"
            await q.put(1)
            waiting = await begun(aio.wait([aio.writable(q), left.fileno()]))
            await q.get()
            assert await waiting == [aio.writable(q)]
            waiting = await begun(aio.wait([left]))
            await cancelled(waiting)
            waiting = await begun(aio.wait([q]))
            q.close()
            with pytest.raises(polyipc.ClosedError):
                await waiting

    asyncio.run(main())


def test_loops_in_threads() -> None:
    count = 500

    async def consume(name: str) -> list[int]:
        async with aio.Queue[int].open(name) as q:
            return [x async for x in q]

    with polyipc.Queue[int](10) as shared, polyipc.Queue[int](10) as q:
        shared_too = aio.Queue(q)  # one object, and one descriptor, in several loops
        parts: list[list[int]] = []

        def run() -> None:
            async def both() -> None:
                mine, ours = await asyncio.gather(
                    consume(shared.name), _all(shared_too), return_exceptions=False
                )
                parts.extend((mine, ours))

            asyncio.run(both())

        threads = [InThread(run) for _ in range(3)]
        for i in range(count):
            shared.put(i)
            q.put(i)
        shared.shutdown()
        q.shutdown()
        for t in threads:
            t.result()
    got = collections.Counter(x for part in parts for x in part)
    assert got == dict.fromkeys(range(count), 2)


async def _all(q: aio.Queue[int]) -> list[int]:
    return [x async for x in q]


def test_loop_closed_with_waiters() -> None:
    with polyipc.Queue[int]() as plain:
        q = aio.Queue(plain)
        loop = asyncio.new_event_loop()
        task = loop.create_task(q.get())
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
        plain.put(1)
        assert asyncio.run(q.get()) == 1
        with contextlib.suppress(RuntimeError):
            task.cancel()
        del task, loop


def test_forked_child_of_a_running_loop() -> None:
    with polyipc.Queue[int]() as there, polyipc.Queue[int]() as back:
        q, r = aio.Queue(there), aio.Queue(back)

        async def answer() -> None:
            await r.put(await q.get() + 1)

        def child() -> None:
            asyncio._set_running_loop(None)
            thread = threading.Thread(target=asyncio.run, args=[answer()])
            thread.start()
            thread.join()

        async def main() -> None:
            waiting = await begun(r.get())
            pid = fork(child)
            await q.put(1)
            assert await asyncio.wait_for(waiting, 10) == 2
            reap(pid)
            waiting = await begun(r.get())  # our descriptors are as they were
            await r.put(5)
            assert await asyncio.wait_for(waiting, 10) == 5

        asyncio.run(main())


@pytest.mark.parametrize("how", ["cancel", "wait_for", "timeout"])
def test_random_cancellations(how: str) -> None:
    """10,000 gets and puts that are given up at any time: no message is lost or doubled."""
    chance = random.Random(SEED)
    print("POLYIPC_SEED", SEED)
    got: collections.Counter[int] = collections.Counter()
    put: list[int] = []
    given_up = 0

    async def main() -> None:
        nonlocal given_up
        async with aio.Queue[int](3) as q:
            ended = asyncio.Event()

            async def attempt(coroutine: Coroutine[Any, Any, Any], wait: float) -> Any:
                if how == "wait_for":
                    return await asyncio.wait_for(coroutine, wait)
                task = asyncio.create_task(coroutine)
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
                if chance.random() < 0.5:
                    await asyncio.sleep(wait)
                task.cancel()
                return await task

            async def one(getting: bool, item: int) -> None:
                nonlocal given_up
                wait = chance.random() * 0.0004
                try:
                    if how == "timeout":
                        if getting:
                            got[await q.get(timeout=wait)] += 1
                        else:
                            await q.put(item, timeout=wait)
                            put.append(item)
                    elif getting:
                        got[await attempt(q.get(), wait)] += 1
                    else:
                        await attempt(q.put(item), wait)
                        put.append(item)
                except (
                    asyncio.CancelledError,
                    asyncio.TimeoutError,
                    polyipc.Empty,
                    polyipc.Full,
                ):
                    given_up += 1

            async def work(number: int) -> None:
                for i in range(500):
                    await one(chance.random() < 0.5, number * 1000 + i)

            await asyncio.gather(*(work(i) for i in range(20)))
            ended.set()
            while not q.empty():
                got[q.get_nowait()] += 1

    asyncio.run(main())
    assert got == dict.fromkeys(put, 1)
    assert given_up > 500
    assert len(put) > 500
