"""Queues of a manager."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from polyipc import errors
from polyipc._manager_proxy import Proxy


class QueueProxy(Proxy, of="queue"):
    """A queue, as Python has them; its items are what MessagePack carries.

    An item is a client's once it has read it: that of one who dies before goes back. What a client
    leases and does not ack goes back, too.
    """

    __slots__ = ()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put an item. Raises Full, a queue.Full, without room in time; ShutDown."""
        self._ask(b"put", [item, *_when(block, timeout)])

    def put_nowait(self, item: Any) -> None:
        """Put an item if there is room."""
        self._ask(b"put", [item, False])

    def put_many(
        self, items: Iterable[Any], block: bool = True, timeout: float | None = None
    ) -> None:
        """Put all items or none; ValueError if they never fit. Otherwise as put."""
        self._ask(b"put_many", [self._each(items), *_when(block, timeout)])

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest item. Raises Empty, a queue.Empty, without one in time; ShutDown."""
        return self._ask(b"get", _when(block, timeout))

    def get_nowait(self) -> Any:
        """Take the oldest item if there is one."""
        return self._ask(b"get", [False])

    def get_many(self, count: int, block: bool = True, timeout: float | None = None) -> list[Any]:
        """Wait for one item, and take up to count. Otherwise as get."""
        return self._ask(b"get_many", [count, *_when(block, timeout)])  # type: ignore[no-any-return]

    def lease(self, block: bool = True, timeout: float | None = None) -> QueueLease:
        """Take the oldest item until it is acked. Otherwise as get."""
        return self._ask(b"lease", _when(block, timeout), self._leased)  # type: ignore[no-any-return]

    def _leased(self, found: Any) -> QueueLease:
        number, item, deliveries = found
        return QueueLease(self, number, item, deliveries)

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator that gets items until the queue is shut down."""
        try:
            while True:
                yield self.get()
        except errors.ShutDown:
            return

    def qsize(self) -> int:
        """Return how many items are in it."""
        return self._ask(b"qsize", [])  # type: ignore[no-any-return]

    def empty(self) -> bool:
        """Report whether no item is in it."""
        return self._ask(b"empty", [])  # type: ignore[no-any-return]

    def full(self) -> bool:
        """Report whether there is no room."""
        return self._ask(b"full", [])  # type: ignore[no-any-return]

    @property
    def maxsize(self) -> int:
        """How many items there is room for; 0: any number."""
        return self._ask(b"maxsize", [])  # type: ignore[no-any-return]

    def shutdown(self, immediate: bool = False) -> None:
        """Have puts fail with ShutDown, and gets when it is empty.

        immediate -- whether to drop what is in it
        """
        self._ask(b"shutdown", [bool(immediate)])


class JoinableQueueProxy(QueueProxy, of="joinable_queue"):
    """A queue that counts which items are done."""

    __slots__ = ()

    def task_done(self) -> None:
        """Say that an item that was taken is done; ValueError if said too often. ack does, too."""
        self._ask(b"task_done", [])

    def join(self, timeout: float | None = None) -> None:
        """Wait until all items that were put are done. Raises TimedOutError."""
        if not self._ask(b"join", [timeout] if timeout is not None else []):
            raise errors.TimedOutError(f"join a manager's queue: not done in {timeout} seconds")


class QueueLease:
    """An item that is given back unless it is acked; as a context manager it acks, or gives back.

    It is given back, too, when its client dies or closes.
    """

    __slots__ = ("_number", "_queue", "deliveries", "value")

    def __init__(self, queue: QueueProxy, number: int, value: Any, deliveries: int) -> None:
        self._queue, self._number = queue, number
        self.value, self.deliveries = value, deliveries

    def ack(self) -> None:
        """Say that the item is done with; LeaseLostError if it was given back."""
        self._queue._ask(b"ack", [self._number])

    def nack(self) -> None:
        """Give the item back: it comes first again. LeaseLostError if it was already."""
        self._queue._ask(b"nack", [self._number])

    def __enter__(self) -> QueueLease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.ack()
        else:
            self.nack()


def _when(block: bool, timeout: float | None) -> list[Any]:
    """Return the arguments that say how long to wait."""
    if block:
        return [] if timeout is None else [True, timeout]
    return [False]
