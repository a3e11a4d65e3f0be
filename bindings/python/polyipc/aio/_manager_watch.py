"""What a manager's objects hand to the tasks of a loop: leases, and changes to watch."""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING

from polyipc import errors, manager
from polyipc._c.manager import SELF
from polyipc._manager_queue import QueueLease
from polyipc._manager_watch import Change, change_of
from polyipc.aio import _loop
from polyipc.aio._calls import Question, insist
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc.aio.manager import Manager

_NOT_YET = (int(Status.TIMEOUT), int(Status.EMPTY), int(Status.INTERRUPTED))


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
        news, end = calls.current(), _loop.end_of(timeout)
        link = news.link
        while True:
            found = link.calls.next_event(self._subscription, 0)
            if type(found) is bytes:
                return change_of(self._manager.sync._read(link, found))
            if found not in _NOT_YET:
                raise link.failure(found, "watch")
            if end is not None and end <= _loop.now():
                raise link.failure(int(Status.TIMEOUT), "watch")
            await news.told(self._subscription, end, events=True)

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
