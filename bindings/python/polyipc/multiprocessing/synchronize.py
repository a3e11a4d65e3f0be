"""multiprocessing.synchronize on top of polyipc.sync.

Each class takes ctx, as multiprocessing's do, and the options of polyipc's class of that name. Its
acquire and release are builtin functions, as they are there.
"""

from __future__ import annotations

import os
import threading
from multiprocessing import synchronize as _theirs
from typing import Any

from polyipc import sync as native
from polyipc.multiprocessing import _rest
from polyipc.multiprocessing._semlock import (
    RECURSIVE_MUTEX,
    SEM_VALUE_MAX,
    SEMAPHORE,
    ConditionLock,
    Seen,
    SemLock,
    heed_tracker,
)

__all__ = [
    "RECURSIVE_MUTEX",
    "SEMAPHORE",
    "SEM_VALUE_MAX",
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "Lock",
    "RLock",
    "SemLock",
    "Semaphore",
]


class Lock(SemLock, native.Lock):
    """A lock that any thread of any process may release."""

    def __init__(self, *, ctx: Any = None, **options: Any) -> None:
        heed_tracker(ctx)
        native.Lock.__init__(self, **options)

    __repr__ = _theirs.Lock.__repr__

    def _value(self) -> int:
        return 0 if native.Lock.locked(self) else 1


class RLock(SemLock, native.RLock):
    """A lock that its thread may acquire again."""

    _semkind = RECURSIVE_MUTEX

    def __init__(self, *, ctx: Any = None, **options: Any) -> None:
        heed_tracker(ctx)
        native.RLock.__init__(self, **options)

    __repr__ = _theirs.RLock.__repr__

    def _value(self) -> int:
        return 0 if native.RLock.locked(self) else 1

    def _held(self) -> tuple[int, bool]:
        return _depth(self), self._is_owned()


class Semaphore(SemLock, native.Semaphore):
    """Permits that any process acquires and releases."""

    def __init__(self, value: int = 1, *, ctx: Any = None, **options: Any) -> None:
        heed_tracker(ctx)
        native.Semaphore.__init__(self, value, **options)

    __repr__ = _theirs.Semaphore.__repr__

    def _most(self) -> int:
        return SEM_VALUE_MAX

    _value = native.Semaphore.get_value


class BoundedSemaphore(SemLock, native.BoundedSemaphore):
    """A semaphore that never has more permits free than it was made with."""

    def __init__(self, value: int = 1, *, ctx: Any = None, **options: Any) -> None:
        heed_tracker(ctx)
        native.BoundedSemaphore.__init__(self, value, **options)

    __repr__ = _theirs.BoundedSemaphore.__repr__

    def _most(self) -> int:
        return self.stat().limit

    _value = native.Semaphore.get_value


class Condition(native.Condition):
    """Lets those who have its lock wait for others to notify them.

    lock -- a Lock or RLock of this module, or what get_lock of a Value or Array returns; None: its
        own, which is an RLock
    """

    def __init__(self, lock: Any = None, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(lock, **options)

    __repr__ = _theirs.Condition.__repr__

    def __enter__(self) -> Any:
        return self.acquire()

    @property
    def _lock(self) -> Any:
        return self._given or ConditionLock(self)

    def _own_depth(self) -> tuple[int, bool]:
        """Return how often this process has its own lock, and whether this thread is the one."""
        return _depth(self), super()._is_owned()

    def _is_owned(self) -> bool:
        lock = self._given
        return lock._held()[1] if isinstance(lock, Seen) else super()._is_owned()

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait to be notified, acquire it again; report whether it was notified.

        AssertionError without the lock. Otherwise as polyipc.Condition.wait.
        """
        self._must_own("wait for")
        return super().wait(timeout)

    # What the three semaphores would say that multiprocessing makes a condition of.

    @property
    def _sleeping_count(self) -> _Count:
        return _Count(self.stat().value)

    @property
    def _woken_count(self) -> _Count:
        return _Count(0)

    @property
    def _wait_semaphore(self) -> _Count:
        return _Count(0)


class _Count:
    """The value of a semaphore that is not there."""

    def __init__(self, value: int) -> None:
        self._now = value

    def get_value(self) -> int:
        return self._now

    _get_value = get_value

    @property
    def _semlock(self) -> _Count:
        return self


def _depth(lock: Any) -> int:
    """Return how often a thread of this process has acquired a lock of threads."""
    now = lock.stat()
    depth: int = now.depth if now.holder == os.getpid() else 0
    return depth


class Event(native.Event):
    """A flag to wait for."""

    def __init__(self, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(**options)

    __repr__ = _theirs.Event.__repr__


class Barrier(native.Barrier):
    """Lets nobody pass until as many wait as it has parties."""

    def __init__(
        self,
        parties: int,
        action: Any = None,
        timeout: float | None = None,
        *,
        ctx: Any = None,  # noqa: ARG002
        **options: Any,
    ) -> None:
        super().__init__(parties, action, timeout, **options)

    __repr__ = threading.Barrier.__repr__


__getattr__, __dir__ = _rest.of(_theirs, globals())
