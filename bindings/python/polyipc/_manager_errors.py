"""What the failure of a manager's call is in Python."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from polyipc import errors
from polyipc._c import library
from polyipc.errors import Status

_OTHERS: dict[str, type[BaseException]] = {
    "Empty": errors.Empty,
    "Full": errors.Full,
    "ShutDown": errors.ShutDown,
    "BrokenBarrierError": errors.BrokenBarrierError,
}

# Those that stop a program are not raised because of what happens elsewhere.
_STOPPING = (KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, StopAsyncIteration)


class RemoteTraceback(Exception):  # noqa: N818 - as multiprocessing calls it
    """The traceback of where a failed method ran: the __cause__ of what the call raises."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def of_status(status: int, what: str) -> errors.Error:
    """Return the exception for a status, not raised; what says what was tried."""
    if status in (Status.CLOSED, Status.BAD_HANDLE):
        return errors.ClosedError(
            f"{what}: the manager is closed in this process: connect again", Status.CLOSED
        )
    if status in (Status.TIMEOUT, Status.EMPTY, Status.FULL, Status.CANCELLED, Status.SHUTDOWN):
        return errors.of_status(status, f"{what}: {_ORDINARY[status]}")
    return errors.of_status(status, f"{what}: {library.detail()}")


_ORDINARY: dict[int, str] = {
    Status.TIMEOUT: "the time is over",
    Status.EMPTY: "no item is there",
    Status.FULL: "there is no room",
    Status.CANCELLED: "it was cancelled",
    Status.SHUTDOWN: "the queue is shut down",
}


def remote(details: Any, key: Sequence[Any] = ()) -> BaseException:
    """Return the exception that a method failed with, not raised.

    details -- type, message and traceback, as the object's host wrote them
    key -- the first argument of the call, which is what a KeyError is about
    """
    type_name, message, traceback = details if details else ("", "the method failed", "")
    kind = _OTHERS.get(type_name) or getattr(builtins, type_name, None)
    error: Any
    if kind is KeyError and key and not traceback:
        error = KeyError(key[0])
    elif isinstance(kind, type) and issubclass(kind, BaseException):
        error = _made(kind, message)
    else:
        error = None
    if error is None:
        error = errors.RemoteError(f"{type_name}: {message}" if type_name else message)
    error.type_name, error.traceback = type_name, traceback
    if traceback:
        error.__cause__ = RemoteTraceback(traceback)
    return error  # type: ignore[no-any-return]


def _made(kind: type[BaseException], message: str) -> BaseException | None:
    if issubclass(kind, _STOPPING):
        return None
    try:
        return kind(message) if message else kind()
    except TypeError:  # a UnicodeError wants more
        return None
