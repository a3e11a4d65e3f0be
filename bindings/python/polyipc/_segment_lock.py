"""The lock that every segment has."""

# ruff: noqa: SLF001 - it is a part of its segment

from __future__ import annotations

import functools
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable

from polyipc import _waiting, errors
from polyipc._c import library
from polyipc._c import segment as c
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._segment import Segment

_OK, _TIMEOUT, _INVALID = int(Status.OK), int(Status.TIMEOUT), int(Status.INVALID)
_DIED, _INTERRUPTED = int(Status.OWNER_DIED), int(Status.INTERRUPTED)


class SegmentLock:
    """The lock that every segment has, like an RLock: its thread may acquire it again.

    An object's acquire and release are builtin functions, which call those of the class for what
    cannot be done at once.
    """

    __slots__ = (
        *("__dict__", "__weakref__", "_c_acquire", "_c_died", "_c_held", "_c_release", "_segment"),
    )
    _c_died: Callable[..., int]

    def __init__(self, segment: Segment) -> None:
        """Only for Segment."""
        self._segment = segment
        self._c_acquire, self._c_release = c.lock(segment._id)
        me = weakref.ref(self)  # the functions keep the segment, not the lock
        slow = (functools.partial(_slowly, me, segment, verb) for verb in ("acquire", "release"))
        acquire, release, self._c_died, self._c_held = c.direct(segment._id, *slow)
        self.__dict__.update(acquire=acquire, release=release)

    def __reduce__(self) -> tuple[Any, ...]:
        return _lock_of, (self._segment,)

    @property
    def owner_died(self) -> bool:
        """Whether the former owner died with it, as the latest acquire of this object found.

        What it protects may be half changed then. Only that acquire is told.
        """
        return self._c_died() != 0

    @property
    def _id(self) -> int:
        return self._segment._id

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it, and report whether that came to pass in time.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all. Not looked at unless
            block.

        Raises ClosedError, CorruptError.
        """
        if timeout is None:
            status = self._c_acquire(-1 if block else 0)
        else:
            status = _waiting.call(self._c_acquire, block=block, timeout=max(0.0, timeout))
        self._c_died(0)
        if status != _OK and not self._acquired(status, block):
            return False
        self._c_held(1)
        return True

    def _acquired(self, status: int, block: bool = True) -> bool:
        """Report what a status says that is not plainly OK, and go on after a signal."""
        if status == _INTERRUPTED:
            library.run_signal_handlers()
            status = _waiting.call(self._c_acquire, block=block, timeout=None)
        if status == _DIED:
            self._c_died(1)
        elif status not in (_OK, _TIMEOUT):
            raise self._failure(status, "lock")
        return status != _TIMEOUT

    def release(self) -> None:
        """Give it back. Only the thread that has it may: an AssertionError."""
        status = self._c_release()
        if status:
            raise self._not_released(status)
        self._c_held(-1)

    def _not_released(self, status: int) -> Exception:
        return self._failure(status, "unlock")

    def _failure(self, status: int, operation: str) -> Exception:
        failure = self._segment._failure(status, operation)
        return errors.NotOwnedError(str(failure)) if status == _INVALID else failure

    def _is_owned(self) -> bool:
        return bool(self._c_held()[1])

    def __enter__(self) -> Any:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _lock_of(segment: Segment) -> SegmentLock:
    return segment.lock


def _slowly(
    me: weakref.ref[SegmentLock], segment: Segment, verb: str, *args: Any, **keywords: Any
) -> Any:
    """Call the lock's own function for what the builtin one could not do at once."""
    lock = me() or segment.lock
    return getattr(type(lock), verb)(lock, *args, **keywords)
