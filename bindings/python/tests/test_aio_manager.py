from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from managed_tasks import Greeter, run
from tasks import SEED, begun, cancelled, so

import polyipc
from polyipc import aio, manager
from polyipc.aio import manager as aio_manager


def test_objects() -> None:
    async def main(m: aio_manager.Manager) -> None:
        d = await m.dict("d", {"a": 1}, b=2)
        assert await d["a"] == 1
        await d.set("c", 3)
        await d.setitem("e", 5)
        assert await d.increment("a") == 2
        assert await d.len() == 4
        assert await d.contains("b")
        await d.delitem("e")
        assert await d.copy() == {"a": 2, "b": 2, "c": 3}
        assert [x async for x in d] == ["a", "b", "c"]
        with pytest.raises(KeyError):
            await d["nothing"]
        with pytest.raises(AttributeError, match="nonsense"):
            d.nonsense()
        values = await m.list(None, [3, 1, 2])
        await values.sort()
        assert await values[0:2] == [1, 2]
        await d.set("live", values)  # a proxy as an argument, and within a result
        again = await d["live"]
        assert again == values
        await again.append(9)
        assert await values.copy() == [1, 2, 3, 9]
        n = await m.Namespace("n", x=1)
        assert await n.x == 1
        await n.setattr("y", 2)
        assert await n.y == 2
        value = await m.Value(None, "i", 7)
        assert await value.value == 7
        counter = await m.counter()
        assert await asyncio.gather(*(counter.increment() for _ in range(50))) == [*range(1, 51)]
        assert set(await m.names()) >= {"d", "n"}
        assert await m.ping(5) == 5
        with pytest.raises(polyipc.NotFoundError):
            await m.open("nothing")
        with pytest.raises(AttributeError):
            m.nonsense()

    run(main)


def test_many_calls_under_way() -> None:
    async def main(m: aio_manager.Manager) -> None:
        q = await m.Queue()
        gets = [await begun(q.get()) for _ in range(200)]
        await asyncio.gather(*(q.put(i) for i in range(200)))
        assert sorted(await asyncio.gather(*gets)) == list(range(200))

    run(main)


def test_queue() -> None:
    async def main(m: aio_manager.Manager) -> None:
        q = await m.Queue("q", 2)
        assert await q.maxsize == 2
        getting = await begun(q.get())
        await q.put(1)
        assert await getting == 1
        with pytest.raises(polyipc.Empty):
            await q.get(timeout=0.01)
        getting = await begun(q.get())
        await cancelled(getting)
        await q.put(2)
        assert await q.qsize() == 1
        async with await q.lease() as lease:
            assert lease.value == 2
        await q.put_many([3, 4])
        putting = await begun(q.put(5))
        await q.get()
        await putting
        await q.shutdown()
        assert [x async for x in q] == [4, 5]

    run(main)


def test_locks_belong_to_tasks() -> None:
    async def main(m: aio_manager.Manager) -> None:
        lock = await m.RLock()
        async with lock, lock:

            async def other() -> str:
                async with lock:
                    return "had it"

            waiting = await begun(other())
            gone = await begun(other())
            await cancelled(gone)
            assert not waiting.done()
        assert await waiting == "had it"
        assert await lock.acquire(False)
        await lock.release()

    run(main)


def test_a_release_is_not_cancelled() -> None:
    async def main(m: aio_manager.Manager) -> None:
        lock, q = await m.Lock(), await m.Queue()
        for _ in range(50):
            await lock.acquire()
            releasing = asyncio.create_task(lock.release())
            await asyncio.sleep(0)
            await cancelled(releasing)
            assert not await lock.locked()
        await q.put(1)
        lease = await q.lease()
        acking = asyncio.create_task(lease.nack())
        await asyncio.sleep(0)
        await cancelled(acking)
        assert await q.get(False) == 1

    run(main)


def test_condition() -> None:
    async def main(m: aio_manager.Manager) -> None:
        condition = await m.Condition()
        entered = 0

        async def wait() -> bool:
            nonlocal entered
            async with condition:
                entered += 1
                found: bool = await condition.wait(10)
                return found

        waiting, gone = asyncio.create_task(wait()), asyncio.create_task(wait())
        await so(lambda: entered == 2)
        async with condition:
            gone.cancel()
            await asyncio.sleep(0.01)
            assert not gone.done()  # it has to have the lock again
        with pytest.raises(asyncio.CancelledError):
            await gone
        async with condition:
            await condition.notify()
        assert await waiting
        async with condition:
            assert not await condition.wait(0.01)
            assert await condition.wait_for(lambda: 5) == 5

    run(main)


def test_watch() -> None:
    async def main(m: aio_manager.Manager) -> None:
        d = await m.dict("d")
        async with d.watch() as changes:
            assert (await changes.next()).what == "snapshot"
            nexts = await begun(changes.next())
            await cancelled(nexts)
            await d.set("a", 1)
            change = await changes.next(5)
            assert (change.what, change.key, change.value) == ("set", "a", 1)
            with pytest.raises(polyipc.TimedOutError):
                await changes.next(0.01)
            for i in range(100):
                await d.set("n", i)
            seen = []
            async for change in changes:
                seen.append(change.value)
                if change.value == 99:
                    break
            assert seen == list(range(100))
        with pytest.raises(StopAsyncIteration):
            await changes.__anext__()

    run(main)


def test_hosted() -> None:
    async def main(m: aio_manager.Manager) -> None:
        m.sync.register("greeter", Greeter)
        g = await m.create("greeter", name="g")
        assert await g.greet("ann", loud=True) == "HELLO ANN"
        with pytest.raises(ZeroDivisionError):
            await g.fail()

    run(main)


def test_wraps_a_manager_and_shares_it() -> None:
    with manager.Server("m"), manager.connect("m") as plain:
        d = plain.dict("d")

        async def main() -> None:
            m = aio_manager.Manager(plain)
            assert await m.over(d).increment("a") == 1
            d.increment("a")  # the same connection
            assert await (await m.open("d"))["a"] == 2

        asyncio.run(main())
        asyncio.run(main_again(aio_manager.Manager(plain)))


async def main_again(m: aio_manager.Manager) -> None:
    assert await (await m.open("d"))["a"] == 2


def test_server_dies() -> None:
    async def main() -> None:
        server = manager.Server("m")
        m = await aio.connect("m")
        q = await m.Queue()
        waiting = [await begun(q.get()) for _ in range(3)]
        watching = await begun(_second((await m.dict()).watch()))
        server.close()
        for task in [*waiting, watching]:
            with pytest.raises((polyipc.PeerDiedError, polyipc.ClosedError)):
                await asyncio.wait_for(task, 10)
        with pytest.raises((polyipc.PeerDiedError, polyipc.ClosedError)):
            await q.put(1)
        m.close()
        with pytest.raises(polyipc.ClosedError):
            await q.put(1)

    asyncio.run(main())


async def _second(watch: aio_manager.Watch) -> Any:
    await watch.next()
    return await watch.next()


def test_random_cancellations() -> None:
    """Gets, puts and acquires that are given up at any time: nothing is lost, doubled or held."""
    chance = random.Random(SEED)
    print("POLYIPC_SEED", SEED)
    got: list[int] = []
    maybe: set[int] = set()
    put: set[int] = set()

    async def main(m: aio_manager.Manager) -> None:
        q, lock, count = await m.Queue(None, 5), await m.Lock(), await m.counter()

        async def locked() -> None:
            async with lock:
                await count.increment()

        async def one(item: int) -> None:
            kind = chance.randrange(3)
            task = asyncio.create_task((q.get, lambda: q.put(item), locked)[kind]())
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            await asyncio.sleep(chance.random() * 0.002)
            task.cancel()
            try:
                found = await task
            except asyncio.CancelledError:
                if kind == 1:
                    maybe.add(item)  # it was sent, and may have been put
            else:
                if kind == 0:
                    got.append(found)
                elif kind == 1:
                    put.add(item)

        async def work(number: int) -> None:
            for i in range(150):
                await one(number * 1000 + i)

        await asyncio.gather(*(work(i) for i in range(10)))
        assert await lock.acquire(True, 10)
        await lock.release()
        while True:
            try:
                got.append(await q.get(timeout=0.2))
            except polyipc.Empty:
                break

    run(main)
    assert len(got) == len(set(got))
    assert put <= set(got) <= put | maybe
