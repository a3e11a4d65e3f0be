"""What CPython's own code looks for in the locks of multiprocessing: their _semlock.

Conditions, queues and reprs of CPython ask it who has a lock. Ours knows that from the lock, so it
is made when somebody asks.
"""

from __future__ import annotations

import sys
from multiprocessing import synchronize as _theirs
from typing import Any

from polyipc._segment_lock import SegmentLock
from polyipc._sync_locks import Held

__all__ = ["SEM_VALUE_MAX", "ConditionLock", "Seen", "SemLock", "ValueLock", "View"]

RECURSIVE_MUTEX, SEMAPHORE = range(2)
SEM_VALUE_MAX = 2**31 - 1


def heed_tracker(ctx: Any) -> None:
    """Restart multiprocessing's resource tracker, with its warning, if it died.

    Locks of ours need none. But making one is where multiprocessing notices, except under fork.
    """
    module = sys.modules.get("multiprocessing.resource_tracker")
    if ctx is None or module is None or ctx.get_start_method() == "fork":
        return
    if module._resource_tracker._fd is not None:  # else nobody has started it
        module.ensure_running()


class View:
    """A lock or semaphore as a _multiprocessing.SemLock shows it."""

    __slots__ = ("_lock", "kind")
    SEM_VALUE_MAX = SEM_VALUE_MAX

    # Made each time that a queue of CPython's asks whether it is full: what else it has is looked
    # up by who wants it.
    def __init__(self, lock: Any, kind: int) -> None:
        self._lock = lock
        self.kind = kind

    @property
    def acquire(self) -> Any:
        """Its acquire."""
        return self._lock.acquire

    @property
    def release(self) -> Any:
        """Its release."""
        return self._lock.release

    @property
    def maxvalue(self) -> int:
        """How often it could be acquired if nobody had it."""
        most: int = self._lock._most()
        return most

    @property
    def handle(self) -> int:
        """The library's number for it."""
        number: int = self._lock._id
        return number

    @property
    def name(self) -> str:
        """The name that opens it, in any language."""
        name: str = self._lock.name
        return name

    def __enter__(self) -> Any:
        return self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _get_value(self) -> int:
        """Return how often it could be acquired now."""
        value: int = self._lock._value()
        return value

    def _is_zero(self) -> bool:
        return bool(self._lock._value() == 0)

    def _count(self) -> int:
        """Return how often this process has acquired it and not released."""
        count: int = self._lock._held()[0]
        return count

    def _is_mine(self) -> bool:
        """Report whether this thread has it."""
        mine: bool = self._lock._held()[1]
        return mine

    def _after_fork(self) -> None:
        """Do nothing: a forked child holds nothing, and ours know that."""


class Seen:
    """What has a _semlock, by saying how often it could be acquired and who has it."""

    __slots__ = ()
    _semkind = SEMAPHORE

    @property
    def _semlock(self) -> View:
        return View(self, self._semkind)

    def _most(self) -> int:
        """Return how often it could be acquired if nobody had it."""
        return 1

    def _value(self) -> int:
        """Return how often it could be acquired now."""
        raise NotImplementedError

    def _held(self) -> tuple[int, bool]:
        """Return how often this process has it, and whether this thread is the one."""
        raise NotImplementedError

    def locked(self) -> bool:
        """Report whether an acquire would have to wait now."""
        return self._value() == 0


class SemLock(Seen, Held):
    """What the locks and semaphores of multiprocessing have in common."""

    __slots__ = ()

    def _held(self) -> tuple[int, bool]:
        count, mine = self._c_held()
        return count, bool(mine)

    def __enter__(self) -> Any:
        return self.acquire()


class _Recursive(Seen):
    """What looks like an RLock without being one."""

    __slots__ = ()
    _semkind = RECURSIVE_MUTEX

    def __repr__(self) -> str:
        text: str = _theirs.RLock.__repr__(self)
        return text.replace(type(self).__name__, "RLock", 1)


class ValueLock(_Recursive, SegmentLock):
    """The lock of a Value or an Array, which is that of its segment."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return ValueLock, (self._segment,)

    @property
    def name(self) -> str:
        """The name of the segment."""
        return self._segment.name

    def _value(self) -> int:
        return 0 if self._segment.stat().holder else 1

    def _held(self) -> tuple[int, bool]:
        count, mine = self._c_held()
        return count, bool(mine)


class ConditionLock(_Recursive):
    """The lock that a condition has of its own."""

    def __init__(self, condition: Any) -> None:
        self._condition = condition
        self._id, self.name = condition._id, condition.name
        self.acquire, self.release = condition.acquire, condition.release

    def __enter__(self) -> Any:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _value(self) -> int:
        return 0 if self._condition.stat().holder else 1

    def _held(self) -> tuple[int, bool]:
        held: tuple[int, bool] = self._condition._own_depth()
        return held
