"""Locks, semaphores and reader-writer locks."""

from __future__ import annotations

import functools
import weakref
from types import TracebackType
from typing import Any, Callable, TypeVar

from polyipc import _arguments, errors
from polyipc._c import library
from polyipc._c import sync as c
from polyipc._handle import Keep
from polyipc._sync_base import DIED, INTERRUPTED, INVALID, OK, TIMEOUT, Plain, take

Self = TypeVar("Self", bound="Held")
S = TypeVar("S", bound="Semaphore")


class Held(Plain):
    """What is acquired and released, and does both as a context manager.

    An object's acquire and release are builtin functions that the library makes. They call those of
    the class for what cannot be done at once.
    """

    __slots__ = ("__dict__", "_c_acquire", "_c_died", "_c_held", "_c_release")
    _c_acquire: Callable[[int], int]
    _c_release: Callable[[], int]
    _c_died: Callable[..., int]
    _c_held: Callable[..., tuple[int, int]]

    def _bound(self, functions: tuple[Callable[..., int], ...]) -> None:
        self._c_acquire, self._c_release = functions[:2]
        # The functions keep the handle, not the object, which would never go then.
        me = weakref.ref(self)
        again = functools.partial(self._again, self._keep, self._id, self._name, self._root)
        slow = (
            functools.partial(_slowly, me, again, "acquire"),
            functools.partial(_slowly, me, again, "release"),
        )
        acquire, release, self._c_died, self._c_held = c.direct(self._type, self._id, *slow)
        self.__dict__.update(acquire=acquire, release=release)

    @classmethod
    def _again(cls: type[Self], keep: Keep, number: int, name: str, root: str | None) -> Self:
        """Return what works for an object that is gone, but of whose functions one is left."""
        self = cls.__new__(cls)
        self._prepare()
        self._keep = keep
        self._id, self._name, self._root = number, name, root
        self._c_acquire, self._c_release = c.bind(cls._type, number)[:2]
        self._c_died = lambda *_: 0  # nobody can ask
        self._c_held = lambda *_: (0, 0)
        return self

    @property
    def owner_died(self) -> bool:
        """Whether the former owner died with it, as the latest acquire of this object found.

        What it protects may be half changed then. Only that acquire is told.
        """
        return self._c_died() != 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it, and report whether that came to pass in time.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all. Not looked at unless
            block.

        Raises ClosedError, CorruptError.
        """
        status = take(self._c_acquire, block, timeout)
        if not self._acquired(status, block):
            return False
        self._c_held(1)
        return True

    def _acquired(self, status: int, block: bool = True) -> bool:
        """Report what a status says, and go on after a signal."""
        if status == INTERRUPTED:
            library.run_signal_handlers()
            status = take(self._c_acquire, block, None)
        if status in (OK, DIED):
            self._c_died(int(status == DIED))
            return True
        if status != TIMEOUT:
            raise self._failure(status, "acquire")
        return False

    def release(self) -> None:
        """Give it back."""
        status = self._c_release()
        if status != OK:
            raise self._not_released(status)
        self._c_held(-1)

    def _not_released(self, status: int) -> Exception:
        return self._failure(status, "release")

    def __enter__(self: Self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _slowly(
    me: weakref.ref[Held], again: Callable[[], Held], verb: str, *args: Any, **keywords: Any
) -> Any:
    """Call the class's own function for what the builtin one could not do at once."""
    it = me()
    if it is None:
        it = again()
    return getattr(type(it), verb)(it, *args, **keywords)


class Lock(Held):
    """Mutual exclusion, as multiprocessing.Lock: any thread of any process may release it.

    A process that has it and dies loses it to the next one who acquires it: owner_died.
    """

    __slots__ = ()
    _kind = _type = "lock"

    def locked(self) -> bool:
        """Report whether somebody has it now."""
        return bool(self._told("locked"))


class Owned(Held):
    """What a thread owns and may acquire again."""

    __slots__ = ()

    def _not_released(self, status: int) -> Exception:
        failure = self._failure(status, "release")
        return errors.NotOwnedError(str(failure)) if status == INVALID else failure

    def _is_owned(self) -> bool:
        return bool(self._told("owned"))


class RLock(Owned):
    """A lock that its thread may acquire again, as multiprocessing.RLock.

    It is free when it was released as often. Only the thread that has it may release it:
    NotOwnedError, which is an AssertionError.
    """

    __slots__ = ()
    _kind = _type = "rlock"

    def locked(self) -> bool:
        """Report whether some thread has it now."""
        return self.stat().holder != 0 or self._is_owned()


class Semaphore(Held):
    """Permits that any process acquires and releases, as multiprocessing.Semaphore."""

    __slots__ = ("_c_value",)
    _kind = _type = "semaphore"

    def _bound(self, functions: tuple[Callable[..., int], ...]) -> None:
        super()._bound(functions)
        self._c_value = functions[2]

    def __init__(
        self,
        value: int = 1,
        *,
        reclaim: bool = False,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open the semaphore of that name, which was made with the same options, or make it.

        value -- permits to begin with: 0 to 2**31-1
        reclaim -- whether the permits that a process has acquired and not released return when it
            dies; a permit is then to be released by the process that acquired it
        name, transient, root -- as in Lock()
        """
        self._open("open_or_create", name, transient, root, value, reclaim)

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
        """Make one; ExistsError if there is one of that name. Otherwise as Semaphore()."""
        self = cls.__new__(cls)
        self._open("create", name, transient, root, value, reclaim)
        return self

    def release(self, n: int = 1) -> None:
        """Give n permits back; InvalidError, a ValueError, if that would be too many."""
        status = self._c_release() if n == 1 else self._release(n)
        if status != OK:
            raise self._failure(status, "release")
        self._c_held(-n)

    def _release(self, n: int) -> int:
        if not 0 < n < 2**31:
            raise errors.InvalidError(f"release {n} permits: give 1 to 2**31-1")
        return c.call(f"{self._type}_release", self._id, n)

    def get_value(self) -> int:
        """Return how many permits are free now."""
        value = self._c_value()
        if value < 0:
            raise self._failure(-value, "look at")
        return value


class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits free than it was made with: a ValueError."""

    __slots__ = ()
    _kind = "bounded semaphore"
    _type = "bounded_semaphore"


class RWLock(Plain):
    """Held by any number of readers or by one writer.

        with table.read(): ...
        with table.write(): ...

    A writer that waits lets no new readers in, so who has a read lock must not wait for another
    one; readers that waited while a writer was in come before the next writer. Both locks belong to
    the process. What a process holds when it dies ends; the next writer is told if it was a
    writer's: owner_died.
    """

    __slots__ = ("_c_read_lock", "_c_read_unlock", "_c_write_lock", "_c_write_unlock", "owner_died")
    _kind = _type = "rwlock"

    owner_died: bool
    """Whether a writer died with it, as the latest write_lock of this object found."""

    def _bound(self, functions: tuple[Callable[..., int], ...]) -> None:
        self._c_read_lock, self._c_read_unlock, self._c_write_lock, self._c_write_unlock = functions
        self.owner_died = False

    def read_lock(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take a read lock, and report whether that came to pass in time: as Lock.acquire."""
        status = take(self._c_read_lock, block, timeout)
        if status in (OK, TIMEOUT):
            return status == OK
        raise self._failure(status, "read-lock")

    def read_unlock(self) -> None:
        """Give a read lock of this process back; InvalidError, a ValueError, if it has none."""
        self._check(self._c_read_unlock(), "read-unlock")

    def write_lock(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take the write lock, and report whether that came to pass in time: as Lock.acquire."""
        status = take(self._c_write_lock, block, timeout)
        if status in (OK, DIED):
            self.owner_died = status == DIED
            return True
        if status == TIMEOUT:
            return False
        raise self._failure(status, "write-lock")

    def write_unlock(self) -> None:
        """Give the write lock back; InvalidError, a ValueError, if it is not this process's."""
        self._check(self._c_write_unlock(), "write-unlock")

    def read(self) -> Side:
        """Return a context manager that holds a read lock."""
        return Side(self.read_lock, self.read_unlock)

    def write(self) -> Side:
        """Return a context manager that holds the write lock."""
        return Side(self.write_lock, self.write_unlock)


class Side:
    """One side of an RWLock, held within a with block."""

    __slots__ = ("_lock", "_unlock")

    def __init__(self, lock: Callable[[], bool], unlock: Callable[[], None]) -> None:
        self._lock, self._unlock = lock, unlock

    def __enter__(self) -> None:
        self._lock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unlock()
