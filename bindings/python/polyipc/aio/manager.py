"""A manager's objects for the tasks of a loop.

    from polyipc.aio import manager

    m = await manager.connect("scores")
    points = await m.dict("points")
    await points.set("ann", 3)
    print(await points.increment("ann"), await points["ann"])

    async for change in points.watch():
        ...

What a method of polyipc.manager does and raises, it does and raises here, where each is a
coroutine, properties too. Of len(d), key in d, d[key] = value and del d[key], which cannot be
awaited, there are d.len(), d.contains(key), d.setitem(key, value), d.delitem(key). Locks are
acquired with async with; an RLock belongs to the task.

A call that is cancelled is given up at the server, and what it was given goes back.
"""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Coroutine
from types import TracebackType
from typing import Any, Callable

from polyipc import _arguments, errors, manager
from polyipc._c.manager import SELF
from polyipc._codec_types import Live, Ref
from polyipc._manager import Key
from polyipc._manager_make import Makes
from polyipc._manager_proxy import Hosted
from polyipc._manager_queue import QueueLease
from polyipc._manager_watch import Change, change_of
from polyipc.aio._calls import Calls, Question
from polyipc.aio._locks import acting
from polyipc.errors import Status

__all__ = ["Lease", "Manager", "Proxy", "Watch", "connect"]

_NOT_YET = (int(Status.TIMEOUT), int(Status.EMPTY), int(Status.INTERRUPTED))

# What Python spells without a name.
_SPELLED = {
    name: f"__{name}__"
    for name in ("len", "contains", "getitem", "setitem", "delitem", "setattr", "delattr")
}
_OWN = frozenset(("names", "types", "unlink", "stat", "ping", "stop"))


async def connect(
    name: str,
    *,
    key: Key | None = None,
    root: _arguments.Path | None = None,
    pickle: bool = False,
    trust_group: bool = False,
    timeout: float | None = None,
) -> Manager:
    """Connect to a manager's server: polyipc.manager.connect, in a thread meanwhile."""
    begin = functools.partial(
        manager.connect,
        name,
        key=key,
        root=root,
        pickle=pickle,
        trust_group=trust_group,
        timeout=timeout,
    )
    return Manager(await asyncio.get_running_loop().run_in_executor(None, begin))


class Manager:
    """A connection to a server, in one loop. sync is the polyipc.manager.Manager that it is over.

    Its methods are coroutines: dict, list, set, Namespace, Value, Array, counter, Queue, Lock and
    so on, create, open; names, types, unlink, stat, ping, stop. timeout is that of sync, for each
    call; for the calls of a block there are asyncio.timeout and wait_for.
    """

    def __init__(self, sync: manager.Manager) -> None:
        self.sync = sync
        self._calls: Calls | None = None

    def _current(self) -> Calls:
        if self._calls is None:
            self._calls = Calls(self.sync)
        return self._calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        of: Any = manager.Manager if name in _OWN else Makes
        function = None if name.startswith("_") else getattr(of, name, None)
        if function is None:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

        async def call(*args: Any, **named: Any) -> Any:
            return self._over(await self._current().run(None, function, (args, named)))

        return call

    def over(self, proxy: manager.Proxy) -> Proxy:
        """Return a proxy of polyipc.manager, of this connection, for the tasks of the loop."""
        return Proxy(self, proxy)

    def _over(self, value: Any) -> Any:
        """Return a result with proxies for tasks in it."""
        if isinstance(value, manager.Proxy):
            return Proxy(self, value)
        if isinstance(value, QueueLease):
            return Lease(self, value)
        if type(value) in (list, tuple):
            return type(value)(self._over(v) for v in value)
        if type(value) is dict:
            return {k: self._over(v) for k, v in value.items()}
        return value

    @property
    def closed(self) -> bool:
        """Whether it was closed in this process."""
        return self.sync.closed

    def close(self) -> None:
        """End the connection: what this client held is given back, and calls raise ClosedError."""
        self.sync.close()

    async def __aenter__(self) -> Manager:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<polyipc.aio.manager.Manager over {self.sync!r}>"


class Proxy(Live):
    """A proxy whose methods are coroutines. sync is the proxy of polyipc.manager that it is over.

    It may be an argument, as that one.
    """

    __slots__ = ("_manager", "sync")

    def __init__(self, manager: Manager, sync: manager.Proxy) -> None:
        self._manager, self.sync = manager, sync

    def _reference(self) -> Ref:
        return self.sync._reference()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        proxy = self.sync
        if isinstance(proxy, Hosted):
            return lambda *args, **named: self._call(name, args, named)
        found = getattr(type(proxy), _SPELLED.get(name, name), None)
        if isinstance(found, property) and found.fget is not None:
            return self._run(found.fget)
        if found is None and not isinstance(proxy, manager.NamespaceProxy):
            raise AttributeError(f"a {proxy._type} has no attribute {name!r}")
        if found is None:
            return self._run(lambda it: getattr(it, name))
        return functools.partial(self._run, found)

    async def _run(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        of = self._manager
        return of._over(await of._current().run(self.sync, function, (args, named)))

    async def _call(self, name: str, args: Any, named: Any) -> Any:
        of = self._manager
        return of._over(await of._current().call(self.sync, name, (args, named)))

    def __getitem__(self, key: Any) -> Any:
        """Return what is awaited for the value."""
        of: Any = type(self.sync)
        return self._run(of.__getitem__, key)

    def watch(self, *args: Any, **named: Any) -> Any:
        """Return an async iterator over what is in it now and how it changes: Watch."""
        if isinstance(self.sync, Hosted):
            return self._call("watch", args, named)
        return Watch(self._manager, self.sync, *args, **named)

    async def wait(self, *args: Any, **named: Any) -> Any:
        """Wait: of a condition, an event, a barrier.

        Of a condition the lock is held when this returns, or is cancelled.
        """
        if isinstance(self.sync, Hosted):
            return await self._call("wait", args, named)
        of: Any = type(self.sync)
        try:
            return await self._run(of.wait, *args, **named)
        except asyncio.CancelledError:
            if isinstance(self.sync, manager.ConditionProxy):
                await insist(self._run(type(self.sync).acquire))
            raise

    async def release(self, *args: Any, **named: Any) -> Any:
        """Give it back. When this is cancelled, it has."""
        if isinstance(self.sync, Hosted):
            return await self._call("release", args, named)
        of: Any = type(self.sync)
        return await insist(self._run(of.release, *args, **named))

    def __aiter__(self) -> AsyncIterator[Any]:
        """Iterate: over a queue's items until it is shut down, or over a copy."""
        return self._items()

    async def _items(self) -> AsyncIterator[Any]:
        if not isinstance(self.sync, manager.QueueProxy):
            for item in await self.copy():
                yield item
            return
        while True:
            try:
                item = await self.get()
            except errors.ShutDown:
                return
            yield item

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.release()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and self.sync._same(other.sync)

    def __hash__(self) -> int:
        return hash((self.sync._link.epoch, self.sync._object))

    def __repr__(self) -> str:
        return f"<polyipc.aio.manager.Proxy over {self.sync!r}>"


async def insist(calling: Coroutine[Any, Any, Any]) -> Any:
    """Return what a call returns that is made to its end, for this task, which may be cancelled."""
    with acting():
        running = asyncio.ensure_future(calling)
    cancelled = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as e:
            cancelled = cancelled or e
    error = running.exception()
    if cancelled is not None:
        raise cancelled
    if error is not None:
        raise error
    return running.result()


class Lease:
    """An item of a queue that is given back unless it is acked, as async with does it."""

    __slots__ = ("_manager", "_sync", "deliveries", "value")

    def __init__(self, of: Manager, sync: QueueLease) -> None:
        self._manager, self._sync = of, sync
        self.value, self.deliveries = sync.value, sync.deliveries

    async def ack(self) -> None:
        """Say that the item is done with; LeaseLostError if it was given back."""
        await self._end(b"ack")

    async def nack(self) -> None:
        """Give the item back: it comes first again. LeaseLostError if it was already."""
        await self._end(b"nack")

    async def _end(self, method: bytes) -> None:
        queue = self._sync._queue
        question = Question(queue._object, method, [self._sync._number], {})
        await insist(self._manager._current().answer(question, f"queue.{method.decode()}"))

    async def __aenter__(self) -> Lease:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await (self.ack() if kind is None else self.nack())


class Watch:
    """An async iterator over changes, which first shows all of the object: polyipc.manager.Watch.

    It begins with the first change that is asked for. Cancelled there it has taken none.
    """

    def __init__(self, of: Manager, proxy: manager.Proxy, timeout: float | None = None) -> None:
        self._manager, self._proxy, self._timeout = of, proxy, timeout
        self._subscription: int | None = None
        self._closed = False

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Change:
        if self._closed:
            raise StopAsyncIteration
        return await self.next(self._timeout)

    async def next(self, timeout: float | None = None) -> Change:
        """Wait for the next change, for so many seconds; None: for ever.

        Raises TimedOutError; PeerDiedError when the server died; ClosedError.
        """
        calls = self._manager._current()
        if self._subscription is None:
            question = Question(SELF, b"watch", [self._proxy._object], {})
            self._subscription = await calls.answer(question, "watch")
        link = calls.current()
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        while True:
            found = link.calls.next_event(self._subscription, 0)
            if type(found) is bytes:
                return change_of(self._manager.sync._read(link, found))
            if found not in _NOT_YET:
                raise link.failure(found, "watch")
            left = None if end is None else end - loop.time()
            if left is not None and left <= 0:
                raise link.failure(int(Status.TIMEOUT), "watch")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(calls.told(self._subscription, events=True), left)

    async def close(self) -> None:
        """End the watch."""
        subscription, closed = self._subscription, self._closed
        self._closed = True
        if not closed and subscription is not None:
            with contextlib.suppress(errors.PeerDiedError, errors.ClosedError):
                question = Question(SELF, b"unwatch", [subscription], {})
                await self._manager._current().answer(question, "unwatch")

    async def __aenter__(self) -> Watch:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
