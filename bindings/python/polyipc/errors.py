"""What polyipc raises: one base class, and beneath it the exceptions that programmers expect.

Every class here is an Error and, where Python has a word for the thing, also that: a full queue is
a queue.Full, a missing one a FileNotFoundError. So code written for multiprocessing goes on
working, and new code may catch polyipc.Error. Objects that cannot be put are a plain TypeError.
"""

from __future__ import annotations

import enum
import errno
import queue
import sys
import threading
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 13):
    _ShutDownBase = queue.ShutDown
else:
    _ShutDownBase = Exception


class Status(enum.IntEnum):
    """Why a call failed: the numbers of the C header polyipc/status.h, which never change."""

    OK = 0
    TIMEOUT = 1
    EMPTY = 2
    FULL = 3
    CLOSED = 4
    SHUTDOWN = 5
    INTERRUPTED = 6
    CANCELLED = 7
    EXISTS = 8
    NOT_FOUND = 9
    GONE = 10
    MISMATCH = 11
    WRONG_KIND = 12
    BAD_HANDLE = 13
    INVALID = 14
    TOO_SMALL = 15
    TOO_LARGE = 16
    NO_SPACE = 17
    NO_MEMORY = 18
    DENIED = 19
    CORRUPT = 20
    VERSION = 21
    LEASE_LOST = 22
    OWNER_DIED = 23
    PEER_DIED = 24
    BROKEN = 25
    END_OF_FILE = 26
    UNSUPPORTED = 27
    LIMIT = 28
    INTERNAL = 29
    REMOTE_ERROR = 30


class Error(Exception):
    """Base of all exceptions of polyipc. str() is a sentence: operation, object, cause and cure."""

    status = Status.INTERNAL
    """Why, for programs. Most classes have one status of their own."""

    def __init__(self, text: str, status: Status | None = None) -> None:
        super().__init__(text)
        if status is not None:
            self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.status), self.__dict__


class _SystemError(Error, OSError):
    """Base of those that are an OSError with an errno."""

    _errno = errno.EIO

    def __init__(self, text: str, status: Status | None = None) -> None:
        super().__init__(text, status)
        self.errno, self.strerror = self._errno, text

    def __str__(self) -> str:
        return str(self.args[0])  # OSError's own would put the errno before it


class Full(Error, queue.Full):  # noqa: N818 - the name that Python's queues made known
    """There was no room for the message, or none in time. Nothing was put, or see put."""

    status = Status.FULL
    put = 0
    """After a put_many: how many of its messages are in the queue all the same."""


class Empty(Error, queue.Empty):  # noqa: N818
    """There was no message, or none in time."""

    status = Status.EMPTY


class ShutDown(Error, _ShutDownBase):  # noqa: N818
    """The queue was shut down: for a put at once, for a get when nothing is left."""

    status = Status.SHUTDOWN
    put = 0
    """After a put_many: how many of its messages are in the queue all the same."""


class TimedOutError(_SystemError, TimeoutError):
    """A join took longer than its timeout."""

    status = Status.TIMEOUT
    _errno = errno.ETIMEDOUT


class ClosedError(Error, ValueError):
    """The queue object was closed in this process, before the call or during it."""

    status = Status.CLOSED


class ExistsError(_SystemError, FileExistsError):
    """create met an object of that name."""

    status = Status.EXISTS
    _errno = errno.EEXIST


class NotFoundError(_SystemError, FileNotFoundError):
    """open met no object of that name, or the object is gone for good."""

    status = Status.NOT_FOUND
    _errno = errno.ENOENT


class GoneError(NotFoundError):
    """An object that a message refers to is not there any more; or a reference to it is not held.

    Of a message that was taken, taken has the bytes.
    """

    status = Status.GONE
    taken: tuple[bytes, ...] = ()


class MismatchError(Error, ValueError):
    """The object exists with other options than those asked for."""

    status = Status.MISMATCH


class WrongKindError(Error, ValueError):
    """The name belongs to an object of another kind."""

    status = Status.WRONG_KIND


class InvalidError(Error, ValueError):
    """An argument is out of its range."""

    status = Status.INVALID


class NotOwnedError(InvalidError, AssertionError):
    """A lock of threads was released, or a condition used, by a thread that does not have it."""


class BrokenBarrierError(Error, threading.BrokenBarrierError):
    """The barrier is broken: a wait timed out, or somebody aborted or reset it."""

    status = Status.BROKEN


class TooLargeError(Error, ValueError):
    """The message or name is over a limit that waiting cannot lift."""

    status = Status.TOO_LARGE


class NoSpaceError(_SystemError):
    """The root's filesystem, or a data file's, has no room left. Nothing was put or made."""

    status = Status.NO_SPACE
    _errno = errno.ENOSPC


class NoMemoryError(Error, MemoryError):
    """The process cannot map or allocate memory."""

    status = Status.NO_MEMORY


class DeniedError(_SystemError, PermissionError):
    """The operating system refused access."""

    status = Status.DENIED
    _errno = errno.EACCES


class CorruptError(_SystemError):
    """Shared bytes do not make sense: damaged, truncated, or written by something hostile."""

    status = Status.CORRUPT


class VersionError(_SystemError):
    """The object was made by a version of polyipc with another layout."""

    status = Status.VERSION
    _errno = errno.EPROTO


class LeaseLostError(Error, LookupError):
    """The lease is not held any more: acked, given back, discarded, or of before a fork."""

    status = Status.LEASE_LOST


class UnsupportedError(_SystemError):
    """What was asked for is beyond this machine, kernel, filesystem or build."""

    status = Status.UNSUPPORTED
    _errno = errno.ENOTSUP


class LimitError(_SystemError):
    """A table is full: descriptors, handles, or processes in the root."""

    status = Status.LIMIT
    _errno = errno.EMFILE


class BrokenError(_SystemError, BrokenPipeError):
    """Nobody is left at the other end of the pipe. Nothing was sent."""

    status = Status.BROKEN
    _errno = errno.EPIPE


class EndOfFileError(Error, EOFError):
    """Nobody is left at the other end of the pipe, and all that it sent has been received."""

    status = Status.END_OF_FILE


class ClosedConnectionError(ClosedError, OSError):
    """The pipe's end or the manager was closed in this process, before the call or during it."""


class WrongEndError(InvalidError, OSError):
    """A one-way pipe goes the other way: the end in use does not send, or not receive."""


class InternalError(Error, RuntimeError):
    """A defect in polyipc itself; please report it."""

    status = Status.INTERNAL


class PeerDiedError(_SystemError, ConnectionResetError):
    """The manager's server died or stopped; the call may have run.

    manager.reconnect() tries for a new one.
    """

    status = Status.PEER_DIED
    _errno = errno.ECONNRESET


class CancelledError(Error):
    """The call was cancelled before it had a result."""

    status = Status.CANCELLED


class RemoteError(Error):
    """The method of a manager's object failed with an exception that has no counterpart here.

    Where Python has the exception, that is raised instead; both have these attributes.
    """

    status = Status.REMOTE_ERROR
    type_name = ""
    """The exception's type, as the object's host names it."""
    traceback = ""
    """The host's traceback; may be empty."""


class DecodeError(Error, ValueError):
    """A message was taken from the queue but cannot be made a Python object; see __cause__.

    It is not lost: taken has what the call took.
    """

    status = Status.INVALID
    taken: tuple[bytes, ...] = ()
    """The bodies of all messages that the call took, in order, those that are fine included."""


_CLASSES: Mapping[Status, type[Error]] = {
    **{
        kind.status: kind
        for kind in (
            *(Full, Empty, ShutDown, TimedOutError, ClosedError, ExistsError, NotFoundError),
            *(MismatchError, WrongKindError, InvalidError, TooLargeError, NoSpaceError),
            *(NoMemoryError, DeniedError, CorruptError, VersionError, LeaseLostError),
            *(UnsupportedError, LimitError, InternalError, BrokenError, EndOfFileError),
            *(PeerDiedError, CancelledError, RemoteError),
        )
    },
    Status.BAD_HANDLE: ClosedError,
    Status.GONE: GoneError,
}


def of_status(status: int, text: str) -> Error:
    """Return the exception for a failed call, not raised."""
    try:
        known = Status(status)
    except ValueError:
        return InternalError(f"{text} (unknown status {status})")
    return _CLASSES.get(known, InternalError)(text, known)
