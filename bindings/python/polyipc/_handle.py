"""The part that all kinds of objects have in common: a handle of the library, closed in time."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, ClassVar, TypeVar

from polyipc import _arguments, errors
from polyipc._c import library
from polyipc._c import reference as c_reference
from polyipc._c import segment as c_segment
from polyipc._c import wait as c_wait
from polyipc._codec_types import Referable
from polyipc.codec import packing
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._codec_values import Ref

Self = TypeVar("Self", bound="Handle")

# How to close each handle that is open in this process: the function, and its argument.
_open: set[tuple[Callable[[int], int], int]] = set()
_ending = False
_here = object()
"""Another one in each process, and when all is closed."""

# What is part of normal work: the sentence is made here, without asking the library for its own.
_ORDINARY: dict[int, str] = {
    Status.TIMEOUT: "the time is over",
    Status.EMPTY: "no message is there",
    Status.FULL: "there is no room",
}


class Keep:
    """Keeps a handle open, which is closed when nobody has this object any more."""

    __slots__ = ("__weakref__",)


class Handle(Referable):
    """Owns the handle of an open object: close, with, and what happens if neither is used.

    It works in a forked child too, where it is the child's own: to close it ends nothing here.
    """

    __slots__ = (
        *("__weakref__", "_finalizer", "_id", "_keep", "_name", "_pickle", "_polled", "_root"),
        "_trust_group",
    )

    _kind: ClassVar[str]
    """The object's kind as in sentences."""

    _id: int  # 0 when closed
    _name: str
    _root: str | None
    _pickle: bool
    _trust_group: bool
    _polled: tuple[object, int]  # where that was so, and the descriptor for event loops

    def _own(self, number: int, close: Callable[[int], int]) -> None:
        """Take over a handle. It is closed with this object, at the latest when Python exits.

        What goes on without this object, as its builtin functions do, has its keep.
        """
        self._id = number
        self._polled = (None, -1)
        self._keep = Keep()
        _open.add((close, number))
        self._finalizer = weakref.finalize(self._keep, _close, close, number)

    def close(self) -> None:
        """End this object's use of what it has open; others go on. Again is allowed.

        Other threads waiting in it get a ClosedError, a ValueError, as every later call does. A
        transient object without another user goes.
        """
        closer = self._finalizer.detach()
        if closer is not None:
            _, close, arguments, _ = closer
            self._id = 0
            status = close(*arguments)
            if status != Status.BAD_HANDLE:
                self._check(status, "close")

    def unlink(self) -> None:
        """Remove the object's name. Who has it open goes on using it; it goes with the last.

        Works on a closed object, and again. unlink of its module does it by name.
        """
        status = self._remove(_arguments.name(self._name), self._root_for_c())
        self._check(status, "unlink")

    @staticmethod
    def _remove(name: bytes, root: bytes | None) -> int:
        """Remove a name: the function of C."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The name that opens the object; a UUID if it is anonymous."""
        return self._name

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = "" if self._id else ", closed"
        return f"<polyipc.{type(self).__name__} {self._name!r}{closed}>"

    @classmethod
    def _reopen(
        cls: type[Self], name: str, pickle: bool, trust_group: bool, root: str | None
    ) -> Self:
        """Open the object again, in another process perhaps."""
        raise NotImplementedError

    def _reference(self) -> Ref:
        """Return the reference to it that goes into a message."""
        status, found = c_reference.of(self._id)
        self._check(status, "refer to")
        import uuid

        from polyipc._codec_values import Ref

        return Ref(found.kind, uuid.UUID(bytes=found.uuid), found.name.decode())

    def _poll_fd(self, events: int) -> int:
        """Return the descriptor for event loops."""
        status, fd = c_wait.poll_fd(self._kind, self._id, events)
        self._check(status, "poll")
        return fd

    def _wait_item(self, events: int = c_wait.READABLE) -> tuple[int, int, int]:
        """Return what polyipc.wait waits for."""
        self._check(0 if self._id else Status.CLOSED, "wait for")
        return self._id, 0, events

    def __reduce__(self) -> tuple[Any, ...]:
        self._pickled()
        return _reopened, (_keeper(self._id), self._reopen, self._reopen_with())

    def _reopen_with(self) -> tuple[Any, ...]:
        """Return the arguments of _reopen."""
        return self._name, self._pickle, self._trust_group, self._root

    def _pickled(self) -> None:
        """Do what pickling begins with."""
        self._check(0 if self._id else Status.CLOSED, "pickle")
        if packing.met is not None:  # the message holds the object until it is read
            packing.met.append(self._reference())

    def _root_for_c(self) -> bytes | None:
        return _arguments.root_for_c(self._root)

    def _check(self, status: int, operation: str) -> None:
        if status != 0:
            raise self._failure(status, operation)

    def _failure(
        self, status: int, operation: str, expired: type[errors.Error] = errors.TimedOutError
    ) -> errors.Error:
        """Return the exception for a failed call, not raised; expired is for want of time."""
        what = f'{operation} {self._kind} "{self._name}"'
        ordinary = _ORDINARY.get(status)
        if ordinary is not None:
            return expired(f"{what}: {ordinary}", Status(status))
        if status in (Status.CLOSED, Status.BAD_HANDLE):
            _end_daemon()
            why = "it is closed in this process: open it again"
            return errors.ClosedError(f"{what}: {why}", Status.CLOSED)
        return errors.of_status(status, library.detail())


class Waitable(Handle):
    """One that polyipc.wait and event loops can wait for."""

    __slots__ = ()

    def fileno(self) -> int:
        """Return a descriptor for select, poll and epoll: readable when a get would not wait.

        It belongs to the object. See polyipc.wait, which takes the object as it is; its writable is
        the same for put. Raises LimitError, ClosedError.
        """
        # CPython's wait asks each time, and it is the same one until the object is closed.
        where, fd = self._polled
        if where is not _here or not self._finalizer.alive:
            where = _here
            fd = self._poll_fd(c_wait.READABLE)
            self._polled = (where, fd)
        return fd


def _keeper(number: int) -> Any:
    """Return what keeps an object for a process that multiprocessing is starting; else None.

    It is a duplicate of the object's descriptor: this process may close the object before that one
    has opened it, and it neither goes nor, being a pipe's end, seems to be gone.
    """
    context = sys.modules.get("multiprocessing.context")
    popen = context.get_spawning_popen() if context is not None else None
    if popen is None:
        return None
    return popen.DupFd(popen.duplicate_for_child(library.descriptor(number)))


def _reopened(keeper: Any, reopen: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Return the object that a pickle stands for."""
    descriptor = None if keeper is None else keeper.detach()
    try:
        return reopen(*arguments)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _close(close: Callable[[int], int], number: int) -> int:
    """Close a handle, of which an object says that nobody has it any more."""
    _open.discard((close, number))
    return close(number)


def any_open() -> bool:
    """Report whether this process has an object open."""
    return bool(_open)


def close_all() -> None:
    """Close all that is open, where a process ends without what Python does at exit.

    So do the children of multiprocessing, some of which are the last to have an object open.
    Threads that Python would wait for are waited for first: they may still use it.
    """
    global _ending, _here
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    _ending = True
    _here = object()
    while _open:
        close, number = _open.pop()
        close(number)
    c_segment.leave()


def _in_child() -> None:
    global _here
    _here = object()


os.register_at_fork(after_in_child=_in_child)


def _end_daemon() -> None:
    """End a daemon thread whose object is closed because the program ends, as daemon threads end.

    Objects are closed at exit, so that transient ones go; no thread is to print a traceback then.
    """
    ends = _ending or not threading.main_thread().is_alive()
    if threading.current_thread().daemon and ends:
        raise SystemExit
