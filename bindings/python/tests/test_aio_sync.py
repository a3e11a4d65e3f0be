from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from typing import Any, Callable

import pytest
from running import InThread, fork, program, reap
from tasks import begun, cancelled, so

import polyipc
from polyipc import aio

HELD: list[Callable[[], Any]] = [
    aio.Lock,
    aio.RLock,
    aio.Semaphore,
    aio.BoundedSemaphore,
    aio.Condition,
    lambda: aio.Condition(aio.Lock()),
    lambda: aio.Condition(polyipc.RLock()),
    lambda: aio.RLock(polyipc.Value("i").get_lock()),
    lambda: aio.Condition(polyipc.Segment(64).lock),
]


@pytest.mark.parametrize("make", HELD)
def test_held(make: Callable[[], Any]) -> None:
    async def main() -> None:
        lock = make()
        assert await lock.acquire()

        async def refused() -> None:
            assert not await lock.acquire(0)
            assert not await lock.acquire(0.01)

        async def other() -> str:
            async with lock:
                return "had it"

        await asyncio.create_task(refused())
        first, second, third = [await begun(other()) for _ in range(3)]
        await cancelled(second)
        lock.release()
        assert [await first, await third] == ["had it"] * 2
        assert await lock.acquire(0)
        first, second = await begun(other()), await begun(other())
        await cancelled(first)
        lock.release()
        assert await second == "had it"
        assert await lock.acquire(0)
        waiting = await begun(other())
        await cancelled(waiting)
        lock.release()
        assert await asyncio.create_task(other_takes(lock))

    async def other_takes(lock: Any) -> bool:
        got: bool = await lock.acquire(0)
        lock.release()
        return got

    asyncio.run(main())


def test_closed_while_tasks_wait() -> None:
    async def main() -> None:
        lock, condition, event = aio.Lock(), aio.Condition(), aio.Event()
        barrier, table, queue = aio.Barrier(2), aio.RWLock(), aio.Queue[int]()
        await lock.acquire()
        await table.write_lock()
        await queue.put(1)

        async def notified() -> None:
            async with condition:
                await condition.wait()

        waits = [lock.acquire(), lock.acquire(), event.wait(), barrier.wait(), queue.join()]
        waits += [table.read_lock(), table.write_lock()]
        tasks = [await begun(wait) for wait in waits]
        for obj in (lock, event, barrier, table, queue):
            obj.close()
        for task in tasks:
            with pytest.raises(polyipc.ClosedError):
                await asyncio.wait_for(task, 5)
        tasks = [await begun(notified())]
        condition.close()
        for task in tasks:
            with pytest.raises(polyipc.ClosedError):
                await asyncio.wait_for(task, 5)

    asyncio.run(main())


def test_sync_and_aio() -> None:
    async def main() -> None:
        plain = polyipc.Lock()
        lock = aio.Lock(plain)
        with plain:
            assert lock.locked()
            waiting = await begun(lock.acquire())
        assert await waiting
        thread = InThread(plain.acquire)
        lock.release()
        assert await asyncio.get_running_loop().run_in_executor(None, thread.result)
        waiting = await begun(lock.acquire())
        plain.release()
        assert await waiting
        lock.release()
        assert not plain.locked()
        with pytest.raises(ValueError, match="not held"):
            lock.release()

    asyncio.run(main())


def test_rlock_belongs_to_its_task() -> None:
    async def main() -> None:
        lock = aio.RLock(name="r")
        async with lock, lock:
            assert lock.locked()
            assert not lock.sync.acquire(False)  # the thread does not have it
            again = aio.RLock.open("r")  # the same lock, another object
            assert await again.acquire(0)
            again.release()
            again.close()

            async def other() -> None:
                with pytest.raises(polyipc.NotOwnedError):
                    lock.release()
                async with lock:
                    pass

            waiting = await begun(other())
            assert await lock.acquire()  # though others wait
            lock.release()
        await waiting
        assert not lock.locked()
        with pytest.raises(AssertionError):
            lock.release()
        lock.unlink()

    asyncio.run(main())


def test_semaphore() -> None:
    async def main() -> None:
        s = aio.BoundedSemaphore(2, reclaim=True)
        await s.acquire()
        assert s.get_value() == 1
        await s.acquire()
        assert s.locked()
        waiting = [await begun(s.acquire()) for _ in range(2)]
        s.release(2)
        assert await asyncio.gather(*waiting) == [True] * 2
        s.release(2)
        with pytest.raises(ValueError, match="too many"):
            s.release()
        plain = polyipc.Semaphore(0, name="s")
        waiting = [await begun(aio.Semaphore.open("s").acquire())]
        plain.release()
        assert await waiting[0]
        plain.unlink()

    asyncio.run(main())


def test_event() -> None:
    async def main() -> None:
        event, other = aio.Event(name="e"), polyipc.Event.open("e")
        assert not await event.wait(0)
        assert not await event.wait(0.01)
        for _ in range(20):
            waiting = [await begun(event.wait()) for _ in range(3)]
            other.set()
            other.clear()  # at once, and nobody misses it
            assert await asyncio.gather(*waiting) == [True] * 3
            assert not event.is_set()
        waiting = [await begun(event.wait()), await begun(event.wait())]
        await cancelled(waiting.pop())
        other.set()
        assert await waiting[0]
        assert await event.wait()
        assert await aio.wait([event]) == [event]
        event.unlink()

    asyncio.run(main())


def test_condition() -> None:
    async def main(lock: Any) -> None:
        condition = aio.Condition(lock)
        with pytest.raises(polyipc.NotOwnedError):
            await condition.wait()
        with pytest.raises(polyipc.NotOwnedError):
            condition.notify()
        items: list[int] = []

        async def take() -> int:
            async with condition:
                await condition.wait_for(lambda: items)
                return items.pop()

        takers = [await begun(take()) for _ in range(3)]
        async with condition:
            items.append(1)
            condition.notify()
        await so(lambda: sum(t.done() for t in takers))
        assert sum(t.done() for t in takers) == 1
        async with condition:
            items.extend((2, 3))
            condition.notify_all()
        assert sorted(await asyncio.gather(*takers)) == [1, 2, 3]
        async with condition:
            assert not await condition.wait(0.01)
            assert await condition.wait_for(lambda: False, 0.01) is False

    asyncio.run(main(None))
    asyncio.run(main(aio.Lock()))
    asyncio.run(main(aio.RLock()))
    asyncio.run(main(polyipc.Lock()))
    with polyipc.Segment(64) as segment:
        asyncio.run(main(segment.lock))


def test_condition_with_a_thread() -> None:
    async def main() -> None:
        condition = aio.Condition()
        plain = condition.sync

        def notify() -> None:
            with plain:
                plain.notify()

        async with condition:
            thread = InThread(notify)
            assert await condition.wait(10)
        thread.result()

        def wait() -> bool:
            with plain:
                return plain.wait(10)

        thread = InThread(wait)
        await so(lambda: plain.stat().waiters)
        async with condition:
            condition.notify()
        assert await asyncio.get_running_loop().run_in_executor(None, thread.result)

    asyncio.run(main())


def test_condition_cancelled() -> None:
    async def main() -> None:
        condition = aio.Condition()

        async def wait() -> str:
            async with condition:
                try:
                    await condition.wait()
                except asyncio.CancelledError:
                    condition._notify("notify", 0)  # which the owner may
                    raise
            return "notified"

        # Without a notification, and while another holds the lock.
        waiting = await begun(wait())
        async with condition:
            waiting.cancel()
            await asyncio.sleep(0.01)
            assert not waiting.done()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert condition.sync.stat().waiters == 0
        # Notified, then cancelled: the other gets it.
        for _ in range(20):
            first, second = await begun(wait()), await begun(wait())
            async with condition:
                condition.notify()
                first.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await first
            assert await asyncio.wait_for(second, 5) == "notified"

    asyncio.run(main())


def test_barrier() -> None:
    async def main() -> None:
        actions = 0

        async def action() -> None:
            nonlocal actions
            await asyncio.sleep(0)
            actions += 1

        barrier = aio.Barrier(3, action)
        assert barrier.parties == 3
        for _ in range(5):
            first = await begun(barrier.wait())
            gone = await begun(barrier.wait())
            await cancelled(gone)  # it has not arrived
            await so(lambda: barrier.n_waiting == 1)
            second = await begun(barrier.wait())
            assert sorted(await asyncio.gather(first, second, barrier.wait())) == [0, 1, 2]
        assert actions == 5
        waiting = await begun(barrier.wait())
        await so(lambda: barrier.n_waiting == 1)
        with pytest.raises(threading.BrokenBarrierError):
            await barrier.wait(0.01)
        with pytest.raises(polyipc.BrokenBarrierError):
            await waiting
        assert barrier.broken
        barrier.reset()
        waiting = await begun(barrier.wait())
        await so(lambda: barrier.n_waiting == 1)
        barrier.abort()
        with pytest.raises(polyipc.BrokenBarrierError):
            await waiting

        def bad() -> None:
            raise KeyError

        one = aio.Barrier(1, bad)
        with pytest.raises(KeyError):
            await one.wait()
        assert one.broken

    asyncio.run(main())


def test_rwlock() -> None:
    async def main() -> None:
        table = aio.RWLock()
        async with table.read(), table.read():
            writer = await begun(table.write_lock())
            await so(lambda: table.stat().waiters)
            assert not await table.read_lock(0.01)  # a writer waits
            reader = await begun(table.read_lock())
        assert await writer
        assert not await table.write_lock(0)
        table.write_unlock()
        assert await reader
        writer = await begun(table.write_lock())
        await cancelled(writer)
        async with table.read():  # it keeps nobody out
            pass
        table.read_unlock()
        async with table.write():
            pass

    asyncio.run(main())


def test_join() -> None:
    async def main() -> None:
        async with aio.Queue[int]() as q:
            await q.join()
            await q.put(1)
            with pytest.raises(polyipc.TimedOutError):
                await q.join(0)
            with pytest.raises(TimeoutError):
                await q.join(0.01)
            joining = [await begun(q.join()) for _ in range(3)]
            await cancelled(joining.pop())
            await q.get()
            q.task_done()
            await asyncio.gather(*joining)

    asyncio.run(main())


def test_owner_died() -> None:
    taking = "import polyipc, os; polyipc.Lock.open('l').acquire(); os._exit(0)"

    async def main() -> None:
        lock = aio.Lock(name="l")
        with program(taking):
            pass
        assert await lock.acquire()
        assert lock.owner_died
        lock.release()
        lock.sync.unlink()
        assert await lock.acquire()
        died = lock.owner_died
        assert not died

    asyncio.run(main())


def test_loop_closed_with_waiters() -> None:
    """What tasks were about to get when their loop was closed is not lost."""
    lock, condition = polyipc.Lock(), polyipc.Condition()
    a, c = aio.Lock(lock), aio.Condition(condition)
    lock.acquire()

    async def wait() -> None:
        await c.acquire()
        await c.wait()

    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(a.acquire()), loop.create_task(wait())]
    loop.run_until_complete(so(lambda: condition.stat().waiters))
    with condition:
        condition.notify()
    loop.close()
    lock.release()
    assert lock.acquire(timeout=5)
    assert condition.acquire(timeout=5)
    assert condition.stat().waiters == 0
    for task in tasks:
        with contextlib.suppress(RuntimeError):
            task.cancel()
    del tasks, task, loop
    gc.collect()
    assert lock.locked()


def test_forked_child_of_a_running_loop() -> None:
    lock = aio.Lock()

    async def take() -> None:
        async with lock:
            pass

    async def main() -> None:
        await lock.acquire()
        waiting = await begun(lock.acquire())

        def child() -> None:
            asyncio._set_running_loop(None)
            asyncio.run(take())

        def run() -> None:
            thread = threading.Thread(target=child)
            thread.start()
            thread.join()

        pid = fork(run)
        lock.release()
        assert await asyncio.wait_for(waiting, 10)
        lock.release()
        reap(pid)
        async with lock:
            pass

    asyncio.run(main())
