from __future__ import annotations

import asyncio
from typing import Any

import pytest
from managed_tasks import Greeter, run
from tasks import begun, cancelled

import polyipc
from polyipc import aio, manager
from polyipc.aio import manager as aio_manager


def test_batch() -> None:
    async def main(m: aio_manager.Manager) -> None:
        scores, q, lists = await m.dict("scores"), await m.Queue(), await m.dict()
        m.sync.register("greeter", Greeter)
        greeter = await m.create("greeter")
        async with m.batch() as batch:
            added = [batch.add(scores.increment, "ann") for _ in range(3)]
            batch.add(scores.setitem, "bob", 7)
            batch.add(lists.set, "live", scores)
            batch.add(lists.get, "live")
            nothing = batch.add(q.get, False)
            hello = batch.add(greeter.greet, "ann", loud=True)  # which has to wait for its host
            assert len(batch) == 8
            with pytest.raises(RuntimeError):
                nothing.result()
        assert [reply.result() for reply in added] == [1, 2, 3]
        assert await scores["bob"] == 7
        with pytest.raises(polyipc.Empty):
            nothing.result()
        with pytest.raises(polyipc.TimedOutError, match="outside of a batch"):
            hello.result()
        with pytest.raises(polyipc.Empty):
            batch.results()
        async with m.batch() as batch:
            batch.add(lists.get, "live")
        (again,) = batch.results()
        assert await again.increment("ann") == 4
        with pytest.raises(TypeError, match="one of this manager's proxies"):
            m.batch().add(print, 1)
        with pytest.raises(ZeroDivisionError):
            async with m.batch() as batch:
                batch.add(scores.increment, "ann")
                raise ZeroDivisionError
        assert await scores["ann"] == 4
        async with m.batch():  # of nothing
            pass

    run(main)


def test_deadline() -> None:
    async def main(m: aio_manager.Manager) -> None:
        q, lock, condition = await m.Queue(), await m.Lock(), await m.Condition()
        async with m.deadline(0.05):
            async with m.deadline(60):
                with pytest.raises(polyipc.TimedOutError):
                    await q.get()
            with pytest.raises(polyipc.TimedOutError, match="over"):
                await q.qsize()
            unlimited = asyncio.create_task(q.put(1))  # a task made within
            with pytest.raises(polyipc.TimedOutError):
                await unlimited
        assert await q.qsize() == 0
        async with m.deadline(0.05), lock:
            await asyncio.sleep(0.1)
        assert not await lock.locked()
        async with condition, condition:  # held twice
            pass
        async with condition:
            async with m.deadline(0.05):
                with pytest.raises(polyipc.TimedOutError):
                    await condition.wait()
                await asyncio.sleep(0.1)
                with pytest.raises(polyipc.TimedOutError):
                    await condition.wait()  # which was not begun
            await condition.notify()  # as who has the lock may
        assert await asyncio.create_task(condition.acquire(False))

    run(main)


def test_timeout() -> None:
    async def main(m: aio_manager.Manager) -> None:
        q, condition = await m.Queue(), await m.Condition(None, await m.Lock())
        m.timeout = 0.05
        assert m.sync.timeout == m.timeout == 0.05
        with pytest.raises(polyipc.TimedOutError):
            await q.get()
        m.timeout = None  # what has nothing to wait for may still take longer on a busy machine
        async with condition:
            m.timeout = 0.05
            with pytest.raises(polyipc.TimedOutError):
                await condition.wait()
            m.timeout = None
            await condition.notify()
        await q.put(1)
        assert await q.get() == 1

    run(main)


def test_wait_for() -> None:
    async def main(m: aio_manager.Manager) -> None:
        condition, items = await m.Condition(), await m.list()
        asked = 0

        def never() -> bool:
            nonlocal asked
            asked += 1
            return False

        async with condition:
            assert await condition.wait_for(never, 0.05) is False
        assert asked == 2

        async def take() -> Any:
            async with condition:
                await condition.wait_for(items.len)
                return await items.pop()

        takers = [await begun(take()) for _ in range(3)]
        await cancelled(takers.pop(1))  # which has the lock as it leaves
        for i in range(2):
            async with condition:
                await items.append(i)
                await condition.notify_all()
        assert sorted(await asyncio.gather(*takers)) == [0, 1]
        with pytest.raises(AttributeError):
            await items.wait_for(never)

    run(main)


def test_what_cannot_be_awaited() -> None:
    async def main(m: aio_manager.Manager) -> None:
        d = await m.dict(None, {"a": 1})
        with pytest.raises(TypeError, match="contains"):
            assert "a" in d
        with pytest.raises(TypeError, match="async for"):
            list(d)
        with pytest.raises(AttributeError):
            m.timeuot = 1  # type: ignore[attr-defined]
        lock = await m.Lock()
        async with lock:
            assert lock.owner_died is False

    run(main)


def test_submit() -> None:
    async def main(m: aio_manager.Manager) -> None:
        q, lock = await m.Queue(), await m.RLock()
        await m.submit(lock.acquire)  # for this task
        later = m.submit(q.get)
        await q.put(1)
        assert await later == 1
        await lock.release()

    run(main)


def test_reconnect() -> None:
    async def main(m: aio_manager.Manager) -> None:
        q, lock = await m.Queue("q"), await m.Lock("l")
        await lock.acquire()
        waiting = await begun(q.get())
        before = m.client
        await m.reconnect()
        with pytest.raises((polyipc.PeerDiedError, polyipc.ClosedError)):
            await asyncio.wait_for(waiting, 10)
        assert (m.name, m.pickle, m.client != before) == ("m", False, True)
        again = await m.open("l")
        assert await again.acquire(True, 10)  # what the former connection had is given back

    run(main)


def test_connect_says_what_is_wrong() -> None:
    async def main() -> None:
        with pytest.raises(polyipc.InvalidError):
            await aio.connect("m", tls_ca="/nothing")

    with manager.Server("m"):
        asyncio.run(main())
