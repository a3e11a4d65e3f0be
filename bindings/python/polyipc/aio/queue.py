"""Queues for the tasks of a loop."""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable, TypeVar

from polyipc import _arguments, errors
from polyipc._c import loop as c
from polyipc._c import queue as c_queue
from polyipc._codec_types import ReferencesMetError
from polyipc._lease import Lease
from polyipc._messages import MSGPACK, Buffer
from polyipc._stat import QueueStat
from polyipc.aio import _loop, _pending
from polyipc.aio._base import Closing
from polyipc.aio._pending import Outcome, Want, tried
from polyipc.errors import Status
from polyipc.queue import Queue as SyncQueue

T = TypeVar("T")
Self = TypeVar("Self", bound="Queue[Any]")

_TOGETHER = 64  # messages that put_many puts at a time


class Queue(Closing[SyncQueue[T]]):
    """A polyipc.Queue whose put, get, lease and join are coroutines: Queue(queue), or as that one.

    A call that is cancelled, or raises, has taken no message and put none. Tasks of one loop get
    in the order in which they began to wait.
    """

    __slots__ = ()
    _of = SyncQueue

    def __init__(
        self,
        maxsize: int | SyncQueue[T] = 0,
        *,
        name: str | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> None:
        """Use a queue, or open the queue of that name, or make it, as polyipc.Queue does.

        maxsize -- that, or the polyipc.Queue to use; else as in polyipc.Queue()
        """
        if isinstance(maxsize, SyncQueue):
            self._begin(maxsize)
            return
        self._begin(
            SyncQueue(
                maxsize,
                name=name,
                capacity=capacity,
                transient=transient,
                pickle=pickle,
                trust_group=trust_group,
                root=root,
            )
        )

    @classmethod
    def create(
        cls: type[Self],
        maxsize: int = 0,
        *,
        name: str | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Make a queue; ExistsError if there is one of that name. Otherwise as polyipc.Queue()."""
        return cls._over(
            SyncQueue.create(
                maxsize,
                name=name,
                capacity=capacity,
                transient=transient,
                pickle=pickle,
                trust_group=trust_group,
                root=root,
            )
        )

    @classmethod
    def open(
        cls: type[Self],
        name: str,
        *,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Open a queue; NotFoundError if there is none. Otherwise as polyipc.Queue()."""
        return cls._over(SyncQueue.open(name, pickle=pickle, trust_group=trust_group, root=root))

    # ---- putting ----

    async def put(self, obj: T, timeout: float | None = None) -> None:
        """Put obj, waiting for room. It is packed as the call begins.

        timeout -- seconds to wait; None: for ever. Full when they are over. Otherwise as the put of
            polyipc.Queue
        """
        q = self.sync
        try:
            body = q._pack(obj)
        except ReferencesMetError:
            await self._put(lambda: q.put(obj, False), timeout)
            return
        await self._put(lambda: q._put(body, MSGPACK, False, None), timeout)

    async def put_bytes(self, data: Buffer, timeout: float | None = None) -> None:
        """Put bytes as they are. Nobody may change them before this returns. Otherwise as put."""
        q = self.sync
        await self._put(lambda: q.put_bytes(data, False), timeout)

    def put_nowait(self, obj: T) -> None:
        """Put obj if there is room, else raise Full."""
        self.sync.put(obj, False)

    async def put_many(self, objects: Iterable[T], timeout: float | None = None) -> None:
        """Put objects in order, as many at a time as there is room for.

        What was put before this was cancelled, or raised, stays put: the exception says in its
        attribute put how many those are. CancelledError, too; but from Python 3.9 and 3.10 who
        awaits a task gets another one, without it.

        timeout -- seconds for all of them together. Otherwise as put
        """
        q, rest, put = self.sync, list(objects), 0
        end = _loop.end_of(timeout)

        def some() -> int:
            part = rest[put : put + _TOGETHER]
            try:
                q.put_many(part, False)
            except errors.Full as e:
                if e.put == 0:
                    raise
                return e.put
            return len(part)

        try:
            while put < len(rest):
                left = None if end is None else max(0.0, end - _loop.now())
                put += await self._put(some, left)
        except BaseException as e:
            # Of the last step, which may have put some as well.
            setattr(e, "put", put + getattr(e, "put", 0))  # noqa: B010 - no class of ours has it
            raise

    async def _put(self, attempt: Callable[[], Any], timeout: float | None) -> Any:
        return await _loop.until(self.sync, _loop.WRITABLE, attempt, errors.Full, timeout)

    # ---- getting ----

    async def get(self, timeout: float | None = None) -> T:
        """Take the oldest message, waiting for one.

        timeout -- seconds to wait; None: for ever. Empty when they are over. Otherwise as the get
            of polyipc.Queue
        """
        q = self.sync
        found: T = await self._get(lambda: q.get(False), timeout)
        return found

    async def get_bytes(self, timeout: float | None = None) -> bytes:
        """Take the oldest message as the bytes it was put as. Otherwise as get."""
        q = self.sync
        found: bytes = await self._get(lambda: q.get_bytes(False), timeout)
        return found

    def get_nowait(self) -> T:
        """Take the oldest message if there is one, else raise Empty."""
        return self.sync.get(False)

    async def get_many(self, max_count: int, timeout: float | None = None) -> list[T]:
        """Wait for one message, then take what else is there: 1 to max_count. Otherwise as get."""
        q = self.sync
        found: list[T] = await self._get(lambda: q.get_many(max_count, False), timeout)
        return found

    async def lease(self, timeout: float | None = None) -> Lease[T]:
        """Take the oldest message, but leave it the queue's until it is acked. Otherwise as get.

            with await queue.lease() as lease:
                await work(lease.value)

        acks when the block ends, and gives the message back when it raises, or is cancelled.
        """
        q = self.sync
        found: Lease[T] = await self._get(lambda: q.lease(False), timeout)
        return found

    def __aiter__(self: Self) -> Self:
        """Get messages until the queue is shut down and empty."""
        return self

    async def __anext__(self) -> T:
        try:
            return await self.get()
        except errors.ShutDown:
            raise StopAsyncIteration from None

    async def _get(self, attempt: Callable[[], Any], timeout: float | None) -> Any:
        return await _loop.until(self.sync, _loop.READABLE, attempt, errors.Empty, timeout)

    # ---- keeping count, ending ----

    def qsize(self) -> int:
        """Return how many messages a get could take now."""
        return self.sync.qsize()

    def empty(self) -> bool:
        """Return whether a get would find nothing now."""
        return self.sync.empty()

    def full(self) -> bool:
        """Return whether a put would find no room now."""
        return self.sync.full()

    def task_done(self) -> None:
        """Say that the work on a message that a get took is done. A lease's ack does it itself."""
        self.sync.task_done()

    async def join(self, timeout: float | None = None) -> None:
        """Wait until every message is done that was put: acked, or gotten and task_done.

        timeout -- seconds; None: for ever. TimedOutError when they are over
        """
        q = self.sync

        def attempt() -> Outcome | None:
            status = c_queue.join(q._id, 0)
            return None if status == Status.TIMEOUT else tried(q, status, "join")

        line = _pending.waits().line(q, c.JOINED)
        if await line.get(Want(q, attempt, lambda: None), timeout) is None:
            raise q._failure(Status.TIMEOUT, "join")

    def fileno(self) -> int:
        """Return a descriptor, sync's: readable when a get would not wait."""
        return self.sync.fileno()

    def stat(self) -> QueueStat:
        """Return a consistent snapshot of the queue's state and counters."""
        return self.sync.stat()

    def shutdown(self, immediate: bool = False) -> None:
        """End the queue for all processes and for good: polyipc.Queue.shutdown."""
        self.sync.shutdown(immediate)
