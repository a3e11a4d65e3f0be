"""Calls that wait: seconds as Python has them, and signals.

A call into the library takes nanoseconds in an int64: 0 tries, FOREVER waits for ever. It comes
back early, with INTERRUPTED, when Python ought to run its signal handlers; the loop here has them
run and then waits for the time that is left (PEP 475). A handler that raises, such as the one of
Ctrl-C, leaves the loop.
"""

from __future__ import annotations

import math
import time
from typing import Any, Callable

from polyipc._c import library
from polyipc.errors import InvalidError, Status

FOREVER = -1
TRY = 0

_LONGEST = 2**62  # nanoseconds: 146 years

_INTERRUPTED = int(Status.INTERRUPTED)
_TIMEOUT = int(Status.TIMEOUT)
_EMPTY = int(Status.EMPTY)
_FULL = int(Status.FULL)


def nanoseconds(seconds: float) -> int:
    """Return how long a call is to wait for so many seconds: rounded up, at most _LONGEST."""
    return math.ceil(seconds * 1e9) if seconds < 4e9 else _LONGEST


def checked(timeout: float) -> float:
    """Return timeout, which may be infinite; ValueError if it is negative."""
    if not timeout >= 0:  # nor NaN
        raise InvalidError(
            f"timeout {timeout!r}: give seconds, 0 or more, or None to wait for ever"
        )
    return timeout


def call(function: Callable[..., Any], *args: object, block: bool, timeout: float | None) -> Any:
    """Return function(*args, nanoseconds), called as often as it takes.

    As with Python's queues, timeout is not looked at if block is false.
    """
    if not block or timeout is None:
        wait = FOREVER if block else TRY
        while _is(result := function(*args, wait), _INTERRUPTED):
            library.run_signal_handlers()
        return result
    deadline = time.monotonic() + checked(timeout)
    left = timeout
    while True:
        result = function(*args, nanoseconds(left))
        if _is(result, _INTERRUPTED):
            library.run_signal_handlers()
        elif not _is(result, _TIMEOUT):
            return result
        left = deadline - time.monotonic()
        if left > 0:
            continue
        if _is(result, _INTERRUPTED):  # then there was no try at the end of the time
            result = function(*args, TRY)
        return _TIMEOUT if _is(result, _EMPTY) or _is(result, _FULL) else result


def _is(result: object, status: int) -> bool:
    """Report whether a result is that status; comparing bytes with ints may be a warning."""
    return type(result) is int and result == status


class Left:
    """The time that is left for several calls together."""

    def __init__(self, timeout: float | None) -> None:
        self._deadline = None if timeout is None else time.monotonic() + checked(timeout)

    def seconds(self) -> float | None:
        """Return how many; None for ever."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
