"""What polyipc.aio is over: the same names as polyipc, and every object that has them."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from running import InThread

import polyipc
from polyipc import aio, manager, multiprocessing
from polyipc._manager_make import Makes
from polyipc.aio import manager as aio_manager

# What a class of polyipc has and its namesake for loops has not, and why.
WITHOUT = {
    "*": {
        "__enter__": "what waits to be entered is entered with async with",
        "__exit__": "likewise",
    },
    "Queue": {
        "__iter__": "async for",
        "join_thread": "does nothing; of programs that were multiprocessing's",
        "cancel_join_thread": "likewise",
    },
    "Manager": {
        "register": "methods of hosted types run in threads: sync has it",
        "adopt": "likewise",
        "serve": "likewise",
    },
}
# A wait here has a timeout, and its first argument is no block: what does not wait has a name.
BLOCK = {"block"}


def public(cls: Any) -> set[str]:
    """The names that users see, and those that Python gives them words for."""
    words = {"__enter__", "__exit__", "__iter__", "__next__", "__len__", "__contains__"}
    return {n for n in dir(cls) if not n.startswith("_") or n in words}


@pytest.mark.parametrize(
    "name", [n for n in aio.__all__ if inspect.isclass(getattr(aio, n))] + ["Manager", "Batch"]
)
def test_the_same_names(name: str) -> None:
    of, there = (manager, aio_manager) if name in ("Manager", "Batch") else (polyipc, aio)
    plain, ours = getattr(of, name), getattr(there, name)
    made = {n for n in public(plain) if n in public(Makes)} if of is manager else set()
    missing = public(plain) - public(ours) - made
    if of is manager:
        missing -= aio_manager._OWN
    reasons = {**WITHOUT["*"], **WITHOUT.get(name, {})}
    assert not missing - set(reasons)
    assert not set(WITHOUT.get(name, ())) - missing, "no exceptions any more"
    for method in (public(plain) & public(ours)) - {"open", "create"}:
        if method.startswith("__") or not callable(getattr(plain, method)):
            continue
        theirs = [p for p in inspect.signature(getattr(plain, method)).parameters if p not in BLOCK]
        assert [*inspect.signature(getattr(ours, method)).parameters] == theirs, method


@pytest.mark.parametrize("name", ["connect", "Pipe", "wait", "writable"])
def test_the_same_arguments(name: str) -> None:
    plain = getattr(manager if name == "connect" else polyipc, name)
    signature = inspect.signature(getattr(aio, name))
    assert [*signature.parameters] == [*inspect.signature(plain).parameters]


def test_condition_of_a_segment() -> None:
    """Its lock belongs to a task, beside threads that use it as theirs."""

    async def main() -> None:
        with polyipc.Segment(64) as segment:
            condition, lock = aio.Condition(segment.lock), aio.RLock(segment.lock)
            plain = condition.sync

            def notify() -> None:
                with plain:
                    plain.notify()

            async with condition, lock:
                assert lock.locked()
                assert not segment.lock.acquire(False)  # the thread does not have it
                with pytest.raises(polyipc.NotOwnedError):
                    plain.notify()
                thread = InThread(notify)
                assert await condition.wait(10)
                assert await condition.wait_for(_soon, 10)
            with pytest.raises(polyipc.NotOwnedError):
                lock.release()
            thread.result()
            assert not lock.locked()
            assert segment.lock.acquire(False)
            segment.lock.release()
            again = aio.Condition(plain)
            async with again:
                again.notify_all()

    async def _soon() -> str:
        await asyncio.sleep(0)
        return "so"

    asyncio.run(main())


def test_objects_of_the_drop_in() -> None:
    async def main() -> None:
        lock, permits = multiprocessing.Lock(), multiprocessing.BoundedSemaphore(2)
        async with aio.Lock(lock), aio.BoundedSemaphore(permits):
            assert lock._semlock._count() == 1
            assert permits.get_value() == 1
        assert lock._semlock._count() == 0
        with pytest.raises(TypeError):
            aio.Semaphore(permits)
        async with aio.RLock(multiprocessing.RLock()), aio.Condition(multiprocessing.Lock()):
            pass
        event, barrier = multiprocessing.Event(), multiprocessing.Barrier(1)
        event.set()
        assert await aio.Event(event).wait()
        assert await aio.Barrier(barrier).wait() == 0
        condition = aio.Condition(multiprocessing.Condition())
        async with condition:
            assert not await condition.wait(0.01)

    asyncio.run(main())
