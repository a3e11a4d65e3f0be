"""Locks, semaphores and reader-writer locks for the tasks of a loop."""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

import asyncio
import contextlib
import contextvars
import weakref
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Callable, TypeVar

from polyipc import _arguments, errors, sync
from polyipc._c import loop as c
from polyipc._segment_lock import SegmentLock
from polyipc._sync_base import DIED, INVALID, OK, take
from polyipc._sync_stat import SyncStat
from polyipc.aio import _loop, _pending
from polyipc.aio._base import Over
from polyipc.aio._pending import Outcome, Want, tried

H = TypeVar("H", bound=Any)
Self = TypeVar("Self", bound="Plain[Any]")
S = TypeVar("S", bound="Semaphore")
Opened = TypeVar("Opened", bound="Sync[Any]")

_owners: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()


_acting: contextvars.ContextVar[int] = contextvars.ContextVar("polyipc_owner", default=0)


@contextlib.contextmanager
def acting() -> Iterator[None]:
    """Return a context manager within which tasks are made that act as the running one."""
    token = _acting.set(owner())
    try:
        yield
    finally:
        _acting.reset(token)


def owner() -> int:
    """Return the number by which the running task owns locks; 0 outside of tasks."""
    other = _acting.get()
    if other:
        return other
    task = asyncio.current_task() if _loop.running() else None
    if task is None:
        return 0
    number = _owners.get(task)
    if number is None:
        number = _owners[task] = c.owner()
    return number


class Sync(Over[H]):
    """What the objects of this module have in common."""

    __slots__ = ()

    @classmethod
    def open(
        cls: type[Opened],
        name: str,
        *,
        root: _arguments.Path | None = None,
    ) -> Opened:
        """Open one; NotFoundError if there is none of that name."""
        return cls._over(cls._of.open(name, root=root))

    def stat(self) -> SyncStat:
        """Return how things stand, without stopping anybody."""
        found: SyncStat = self.sync.stat()
        return found


class Plain(Sync[H]):
    """One that is made without further options."""

    __slots__ = ()

    def __init__(
        self,
        over: H | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Use an object of polyipc, or open the one of that name, or make it.

        over -- the object to use, else the other options count, as in polyipc.Lock()
        """
        if over is None:
            over = self._of(name=name, transient=transient, root=root)
        self._begin(checked(over, self._of))

    @classmethod
    def create(
        cls: type[Self],
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Make one; ExistsError if there is one of that name."""
        return cls._over(cls._of.create(name=name, transient=transient, root=root))


def checked(over: H, of: type[Any]) -> H:
    """Return an object that is of the class, or of the drop-in's; a segment's lock is an RLock."""
    if of is sync.RLock and isinstance(over, SegmentLock):
        return over
    if not isinstance(over, of) or over._type != of._type:
        raise TypeError(f"{over!r}: give a polyipc.{of.__name__}")
    return over


class Held(Plain[H]):
    """What is acquired and released, and does both with async with."""

    __slots__ = ("owner_died",)

    owner_died: bool
    """Whether the former owner died with it, as the latest acquire of this object found."""

    def _begin(self, over: H) -> None:
        super()._begin(over)
        self.owner_died = False

    async def acquire(self, timeout: float | None = None) -> bool:
        """Take it, and report whether that came to pass in time. One that is cancelled has not.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all
        """
        handle = self.sync
        want = Want(handle, self._attempt, self._undo)
        return self._got(await _pending.waits().line(handle, c.ACQUIRED).get(want, timeout))

    def _attempt(self) -> Outcome | None:
        handle = self.sync
        return tried(handle, take(handle._c_acquire, False, None), "acquire")

    def _undo(self) -> None:
        handle = self.sync
        handle._check(handle._c_release(), "release")

    def _got(self, found: Outcome | None) -> bool:
        if found is None:
            return False
        self.owner_died = found[0] != 0
        self.sync._c_held(1)  # which the release of sync takes back
        return True

    def release(self) -> None:
        """Give it back."""
        self.sync.release()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


class Lock(Held[sync.Lock]):
    """Mutual exclusion of tasks, threads and processes: any of them may release it.

    A process that has it and dies loses it to the next one who acquires it: owner_died.
    """

    __slots__ = ()
    _of = sync.Lock

    def locked(self) -> bool:
        """Report whether somebody has it now."""
        return self.sync.locked()


class Owned(Held[H]):
    """What a task owns and may acquire again."""

    __slots__ = ()

    async def acquire(self, timeout: float | None = None) -> bool:
        """Take it, once more if this task has it; report whether that came to pass in time.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all
        """
        handle, me = self.sync, owner()

        def attempt() -> Outcome | None:
            status, died = c.acquire_as(handle._id, me)
            return tried(handle, DIED if died else status, "acquire")

        def undo() -> None:
            c.release_as(handle._id, me)

        if self._is_owned():
            return self._got(attempt())
        want = Want(handle, attempt, undo, me)
        return self._got(await _pending.waits().line(handle, c.ACQUIRED).get(want, timeout))

    def _got(self, found: Outcome | None) -> bool:
        if found is not None:
            self.owner_died = found[0] != 0
        return found is not None

    def release(self) -> None:
        """Give it back. NotOwnedError, an AssertionError, if this task does not have it."""
        handle = self.sync
        status = c.release_as(handle._id, owner())
        if status != OK:
            failure: Exception = handle._failure(status, "release")
            raise errors.NotOwnedError(str(failure)) if status == INVALID else failure

    def _is_owned(self) -> bool:
        handle = self.sync
        status, owned = c.owned_by(handle._id, owner())
        if status != OK:
            raise handle._failure(status, "look at")
        return owned


class RLock(Owned[Any]):
    """A lock that its task may acquire again. It is free when it was released as often.

    RLock(segment.lock) is over the lock of a segment, whose name and end are the segment's.

    The owner is the task: neither another task of the thread has it, nor the thread itself, when it
    uses sync. Only the task that has it may release it.
    """

    __slots__ = ()
    _of = sync.RLock

    def locked(self) -> bool:
        """Report whether somebody has it now."""
        lock = self.sync
        if isinstance(lock, SegmentLock):
            return bool(lock._segment.stat().holder)
        return bool(lock.stat().holder)


class Semaphore(Held[Any]):
    """Permits that any task of any process acquires and releases."""

    __slots__ = ()
    _of = sync.Semaphore

    def __init__(
        self,
        value: int | sync.Semaphore = 1,
        *,
        reclaim: bool = False,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Use a semaphore, or open the one of that name, or make it.

        value -- that, or the object to use; else as in polyipc.Semaphore()
        """
        if isinstance(value, int):
            value = self._of(value, reclaim=reclaim, name=name, transient=transient, root=root)
        self._begin(checked(value, self._of))

    @classmethod
    def create(
        cls: type[S],
        value: int = 1,
        *,
        reclaim: bool = False,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> S:
        """Make one; ExistsError if there is one of that name."""
        return cls._over(
            cls._of.create(value, reclaim=reclaim, name=name, transient=transient, root=root)
        )

    def release(self, n: int = 1) -> None:
        """Give n permits back; InvalidError, a ValueError, if that would be too many."""
        self.sync.release(n)

    def get_value(self) -> int:
        """Return how many permits are free now."""
        value: int = self.sync.get_value()
        return value

    def locked(self) -> bool:
        """Report whether no permit is free now."""
        return self.get_value() == 0


class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits free than it was made with: a ValueError."""

    __slots__ = ()
    _of = sync.BoundedSemaphore


class RWLock(Plain[sync.RWLock]):
    """Held by any number of readers or by one writer.

        async with table.read(): ...
        async with table.write(): ...

    The locks are the process's. As with polyipc.RWLock, who has a read lock must not wait for
    another one: a writer may have come in between.
    """

    __slots__ = ("owner_died",)
    _of = sync.RWLock

    owner_died: bool
    """Whether a writer died with it, as the latest write_lock of this object found."""

    def _begin(self, over: sync.RWLock) -> None:
        super()._begin(over)
        self.owner_died = False

    async def read_lock(self, timeout: float | None = None) -> bool:
        """Take a read lock, and report whether that came to pass in time: as Lock.acquire."""
        lock = self.sync
        take_it: Callable[[int], int] = lock._c_read_lock
        return await self._lock(c.READ_LOCKED, take_it, lock.read_unlock, timeout) is not None

    def read_unlock(self) -> None:
        """Give a read lock of this process back; InvalidError, a ValueError, if it has none."""
        self.sync.read_unlock()

    async def write_lock(self, timeout: float | None = None) -> bool:
        """Take the write lock, and report whether that came to pass in time: as Lock.acquire."""
        lock = self.sync
        take_it: Callable[[int], int] = lock._c_write_lock
        found = await self._lock(c.WRITE_LOCKED, take_it, lock.write_unlock, timeout)
        if found is not None:
            self.owner_died = found[0] != 0
        return found is not None

    def write_unlock(self) -> None:
        """Give the write lock back; InvalidError, a ValueError, if it is not this process's."""
        self.sync.write_unlock()

    async def _lock(
        self,
        verb: int,
        take_it: Callable[[int], int],
        undo: Callable[[], None],
        timeout: float | None,
    ) -> Outcome | None:
        handle = self.sync
        want = Want(handle, lambda: tried(handle, take(take_it, False, None), "lock"), undo)
        return await _pending.waits().line(handle, verb).get(want, timeout)

    def read(self) -> Side:
        """Return what holds a read lock within async with."""
        return Side(self.read_lock, self.read_unlock)

    def write(self) -> Side:
        """Return what holds the write lock within async with."""
        return Side(self.write_lock, self.write_unlock)


class Side:
    """One side of an RWLock, held within an async with block."""

    __slots__ = ("_lock", "_unlock")

    def __init__(self, lock: Callable[[], Any], unlock: Callable[[], None]) -> None:
        self._lock, self._unlock = lock, unlock

    async def __aenter__(self) -> None:
        await self._lock()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unlock()
