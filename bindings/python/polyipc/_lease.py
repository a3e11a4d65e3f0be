"""A message that one process works on and the queue still owns."""

# ruff: noqa: SLF001 - a lease is a part of its queue
from __future__ import annotations

import contextlib
import os
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Generic, TypeVar

from polyipc import errors

if TYPE_CHECKING:
    from polyipc.queue import Queue

T = TypeVar("T")

_UNREAD = object()


class Lease(Generic[T]):
    """A leased message: queue.lease() returns it.

    As a context manager it acks when the block ends well, and nacks when the block raises. A lease
    that is dropped without either is given back, with a ResourceWarning. When the process dies, its
    leases go back by themselves; a forked child does not have them.
    """

    __slots__ = ("_format", "_held", "_lease", "_pid", "_queue", "_value", "body", "deliveries")

    body: bytes
    """The message's bytes, as they were put."""
    deliveries: int
    """1 the first time, 2 after one redelivery, ...; stays at 4095."""

    def __init__(
        self, queue: Queue[T], body: bytes, form: int, lease: bytes, deliveries: int
    ) -> None:
        self._queue = queue
        self._format = form
        self._lease = lease
        self._value: object = _UNREAD
        self._pid = os.getpid()
        self._held = True
        self.body = body
        self.deliveries = deliveries

    @property
    def value(self) -> T:
        """The message as the object that was put; bytes for a put_bytes.

        Raises DecodeError if it cannot be read, at each use; the lease is then still held.
        """
        if self._value is _UNREAD:
            self._value = self._queue._read((self.body, self._format), (self.body,))
        return self._value  # type: ignore[return-value]

    def ack(self) -> None:
        """Say that the work is done: the message goes, and counts as one task_done.

        Raises LeaseLostError if this lease is not held any more, ClosedError.
        """
        self._end(self._queue._calls.ack, "ack a lease of")

    def nack(self) -> None:
        """Give the message back, to be delivered again before newer ones.

        Raises LeaseLostError if this lease is not held any more, ClosedError.
        """
        self._end(self._queue._calls.nack, "nack a lease of")

    def _end(self, function: Callable[[bytes], int], operation: str) -> None:
        status = function(self._lease)
        if status == 0 or status == errors.Status.LEASE_LOST:
            self._held = False
        if status != 0:
            raise self._queue._failure(status, operation)

    def __enter__(self) -> Lease[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._held:
            return  # the block has decided itself
        if kind is None:
            self.ack()
            return
        # If lost or closed it has gone back; the block's exception matters more.
        with contextlib.suppress(errors.Error):
            self.nack()

    def __del__(self) -> None:
        if getattr(self, "_held", False) and self._pid == os.getpid():
            self._held = False
            # What fails here has been lost or closed before, and so is back in the queue.
            if self._queue._calls.nack(self._lease) == 0:
                text = f"{self!r} was dropped without ack or nack: its message went back"
                warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        held = "held" if self._held else "ended"
        return f"<polyipc.Lease of {self._queue._name!r}, delivery {self.deliveries}, {held}>"
