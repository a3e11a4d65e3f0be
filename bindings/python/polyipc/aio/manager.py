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
import functools
import time
from collections.abc import AsyncIterator, Iterator
from types import MemberDescriptorType, TracebackType
from typing import Any, Callable

from polyipc import _arguments, _waiting, errors, manager
from polyipc._codec_types import Live
from polyipc._codec_values import Ref
from polyipc._manager import Key
from polyipc._manager_make import Makes
from polyipc._manager_proxy import Hosted
from polyipc._manager_queue import QueueLease
from polyipc.aio._calls import Calls, deadline, insist
from polyipc.aio._locks import acting
from polyipc.aio._manager_watch import Lease, Watch
from polyipc.aio._waits import until

__all__ = ["Batch", "Lease", "Manager", "Proxy", "Reply", "Watch", "connect"]

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
    tls_ca: _arguments.Path | None = None,
    tls_cert: _arguments.Path | None = None,
    tls_key: _arguments.Path | None = None,
    tls_server_name: str | None = None,
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
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_server_name=tls_server_name,
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
    call; deadline sets one for a block.
    """

    __slots__ = ("__weakref__", "_calls", "sync")

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

    # ---- calls ----

    @property
    def timeout(self) -> float | None:
        """Seconds that each call may take; None: any time."""
        return self.sync.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self.sync.timeout = seconds

    def deadline(self, seconds: float) -> Deadline:
        """Return an async context manager in which calls may take so long all together.

        They are those of the task, and of tasks that it makes within. TimedOutError when the time
        is over. Locks and leases are given back all the same.
        """
        return Deadline(_waiting.checked(seconds))

    def submit(
        self, method: Callable[..., Any], /, *args: Any, **named: Any
    ) -> asyncio.Future[Any]:
        """Begin a call of a method of a proxy, for this task, and return its future.

        To cancel that is to cancel the call. Keep it, as asyncio wants tasks to be kept.
        """
        with acting():
            begun: asyncio.Future[Any] = asyncio.ensure_future(method(*args, **named))
        return begun

    def batch(self) -> Batch:
        """Return what collects calls and sends them in one message."""
        return Batch(self)

    # ---- the connection ----

    @property
    def name(self) -> str:
        """The server's name or address."""
        return self.sync.name

    @property
    def client(self) -> int:
        """The number that the server knows this client by."""
        return self.sync.client

    @property
    def pickle(self) -> bool:
        """Whether pickles pass."""
        return self.sync.pickle

    async def reconnect(self, timeout: float | None = None) -> None:
        """Connect anew, in a thread meanwhile: polyipc.manager.Manager.reconnect.

        Tasks that wait for the former connection get ClosedError.
        """
        again = functools.partial(self.sync.reconnect, timeout)
        await asyncio.get_running_loop().run_in_executor(None, again)

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


class Deadline:
    """What limits the calls of a block."""

    __slots__ = ("_before", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __aenter__(self) -> None:
        self._before = deadline.get()
        at = time.monotonic() + self._seconds
        deadline.set(at if self._before is None else min(at, self._before))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        deadline.set(self._before)


class Method:
    """A method of a proxy: a coroutine, or what a batch is given."""

    __slots__ = ("__name__", "__self__")

    def __init__(self, proxy: Proxy, name: str) -> None:
        self.__self__, self.__name__ = proxy, name

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it."""
        proxy = self.__self__
        if isinstance(proxy.sync, Hosted):
            return proxy._call(self.__name__, args, named)
        name = _SPELLED.get(self.__name__, self.__name__)
        return proxy._run(getattr(type(proxy.sync), name), *args, **named)


class Reply:
    """What one call of a batch will have returned."""

    __slots__ = ("_of", "_reply")

    def __init__(self, of: Manager, reply: manager.Reply) -> None:
        self._of, self._reply = of, reply

    def result(self) -> Any:
        """Return the result, or raise what the call raised; RuntimeError before the batch ran."""
        return self._of._over(self._reply.result())


class Batch:
    """Calls that are sent in one message as the async with block ends, and done at one go.

        async with m.batch() as batch:
            for key in keys:
                batch.add(scores.increment, key)
        totals = batch.results()

    None of them waits: what would wait fails with TimedOutError, Empty or Full.
    """

    def __init__(self, of: Manager) -> None:
        self._of, self._batch = of, of.sync.batch()

    def add(self, method: Callable[..., Any], /, *args: Any, **named: Any) -> Reply:
        """Add a call of a method of a proxy. It is made as the block ends."""
        proxy = getattr(method, "__self__", None)
        if not isinstance(proxy, Proxy):
            raise TypeError(f"{method!r}: give a method of one of this manager's proxies")
        name = method.__name__
        known = not isinstance(proxy.sync, Hosted)
        of = getattr(proxy.sync, _SPELLED.get(name, name) if known else name)
        return Reply(self._of, self._batch.add(of, *args, **named))

    def results(self) -> list[Any]:
        """Return the results of all calls, in order; raise the first failure."""
        return [self._of._over(result) for result in self._batch.results()]

    def __len__(self) -> int:
        return len(self._batch)

    async def __aenter__(self) -> Batch:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and len(self._batch):
            await self._of._current().batch(self._batch)


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
            return Method(self, name)
        found = getattr(type(proxy), _SPELLED.get(name, name), None)
        if isinstance(found, property) and found.fget is not None:
            return self._run(found.fget)
        if isinstance(found, MemberDescriptorType):  # owner_died
            return getattr(proxy, name)
        if found is None and not isinstance(proxy, manager.NamespaceProxy):
            raise AttributeError(f"a {proxy._type} has no attribute {name!r}")
        if found is None:
            return self._run(lambda it: getattr(it, name))
        return Method(self, name)

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
        if isinstance(self.sync, manager.ConditionProxy):
            return await self._manager._current().notified(self.sync, *args, **named)
        of: Any = type(self.sync)
        return await self._run(of.wait, *args, **named)

    async def wait_for(self, *args: Any, **named: Any) -> Any:
        """Wait in a condition until a predicate is true, asked with the lock held.

        It is a function, also one that returns something to await. Returns what it said.
        """
        if isinstance(self.sync, Hosted):
            return await self._call("wait_for", args, named)
        if not isinstance(self.sync, manager.ConditionProxy):
            raise AttributeError(f"a {self.sync._type} has no attribute 'wait_for'")
        return await self._wait_for(*args, **named)

    async def _wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        return await until(predicate, self.wait, timeout)

    async def release(self, *args: Any, **named: Any) -> Any:
        """Give it back. When this is cancelled, it has."""
        if isinstance(self.sync, Hosted):
            return await self._call("release", args, named)
        of: Any = type(self.sync)
        return await insist(self._run(of.release, *args, **named))

    def __contains__(self, key: object) -> bool:
        raise TypeError("`in` cannot be awaited: await it.contains(key)")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("`for` cannot be awaited: use async for")

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
