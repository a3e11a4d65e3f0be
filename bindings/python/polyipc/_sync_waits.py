"""Conditions, events and barriers: what one waits for others at."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from polyipc import _arguments, _waiting, errors
from polyipc._c import library
from polyipc._c import sync as c
from polyipc._handle import Waitable
from polyipc._segment_lock import SegmentLock
from polyipc._sync_base import INTERRUPTED, INVALID, OK, TIMEOUT, Plain, Sync, take
from polyipc._sync_locks import Lock, Owned, RLock
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._codec_values import Ref

T = TypeVar("T")
B = TypeVar("B", bound="Barrier")


class Condition(Owned):
    """Lets those who have its lock wait for others to notify them, as multiprocessing.Condition.

    A notification goes to the one who waits longest and lives; if that process dies before it has
    the lock again, the next one gets it. More than those notified may wake: wait in a loop, or with
    wait_for.
    """

    __slots__ = ("_given",)
    _kind = _type = "condition"
    _given: Lock | RLock | SegmentLock | None

    def __init__(
        self,
        lock: Lock | RLock | SegmentLock | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open the condition of that name, or make it.

        lock -- whose release wait waits with: all who use the condition give the same one; None:
            the condition's own, which is an rlock
        name, transient, root -- as in Lock()
        """
        self._use(lock)
        self._open("open_or_create", name, transient, root)

    def _use(self, lock: Lock | RLock | SegmentLock | None) -> None:
        if lock is not None and not isinstance(lock, (Lock, RLock, SegmentLock)):
            raise TypeError(
                f"lock {lock!r}: give a polyipc Lock or RLock, a segment's lock, or None"
            )
        self._given = lock

    def _bound(self, functions: tuple[Callable[..., int], ...]) -> None:
        super()._bound(functions)
        self._borrow()

    def _prepare(self) -> None:
        self._given = None

    def _borrow(self) -> None:
        """Acquire and release the lock that was given instead of the own one."""
        lock = self._given
        if lock is not None:
            for name in ("_c_acquire", "_c_release", "_c_died", "_c_held"):
                setattr(self, name, getattr(lock, name))
            self.__dict__.update(acquire=lock.acquire, release=lock.release)

    def _reference(self) -> Ref:
        if self._given is not None:
            raise TypeError(
                "a condition with a lock of others cannot go into a message by itself: send one "
                "that has its own, or use pickle=True"
            )
        return super()._reference()

    def __reduce__(self) -> tuple[Any, ...]:
        reduced = super().__reduce__()
        return (*reduced, (None, {"_given": self._given})) if self._given else reduced

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        self._given = state[1]["_given"]
        self._borrow()

    def _not_released(self, status: int) -> Exception:
        if self._given is not None:
            return self._given._not_released(status)  # noqa: SLF001
        return super()._not_released(status)

    def _is_owned(self) -> bool:
        if isinstance(self._given, Lock):
            return self._given.locked()
        if self._given is not None:
            return self._given._is_owned()  # noqa: SLF001
        return super()._is_owned()

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait to be notified, acquire it again; report whether it was notified.

        The lock is held when this returns or raises, whatever ended the wait: to get it, the call
        may last longer than timeout. A Ctrl-C is raised then.

        timeout -- seconds to wait to be notified, None: for ever

        Raises NotOwnedError, an AssertionError, without the lock; LimitError when 1024 threads
        wait; ClosedError, CorruptError, without the lock then.
        """
        left = _waiting.Left(None if timeout is None else max(0.0, timeout))
        lock = 0 if self._given is None else self._given._id  # noqa: SLF001
        waiting = c.Waiting()
        try:
            while True:
                seconds = left.seconds()
                ns = _waiting.FOREVER if seconds is None else _waiting.nanoseconds(seconds)
                status, died = c.condition_wait(self._id, lock, waiting, ns)
                if status != INTERRUPTED:
                    break
                library.run_signal_handlers()
        except BaseException:
            # From a signal handler, which Python may run anywhere in here.
            while waiting.phase != 0:
                with contextlib.suppress(BaseException):
                    c.condition_wait(self._id, lock, waiting, _waiting.TRY)
            self._mine_again()
            raise
        if status in (OK, TIMEOUT):
            self._c_died(int(died))
            self._mine_again()
        if status == INVALID:
            raise errors.NotOwnedError(str(self._failure(status, "wait for")))
        if status not in (OK, TIMEOUT):
            raise self._failure(status, "wait for")
        return status == OK

    def _mine_again(self) -> None:
        """Note that this thread has the lock, which others may have had while it waited."""
        self._c_held(-1)
        self._c_held(1)

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until predicate() is true, asked with the lock held; return what it said."""
        left = _waiting.Left(None if timeout is None else max(0.0, timeout))
        result = predicate()
        while not result:
            seconds = left.seconds()
            if seconds is not None and seconds <= 0:
                break
            self.wait(seconds)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake up to n of those who wait, the longest first. NotOwnedError without the lock."""
        if n < 0:
            raise errors.InvalidError(f"notify {n}: give 0 or more")
        self._notify("notify", min(n, 2**31 - 1))

    def notify_all(self) -> None:
        """Wake all who wait. NotOwnedError without the lock."""
        self._notify("notify_all")

    def _must_own(self, operation: str) -> None:
        if not self._is_owned():
            what = f'{operation} {self._kind} "{self._name}"'
            raise errors.NotOwnedError(
                f"{what}: this thread does not have its lock: acquire it first"
            )

    def _notify(self, verb: str, *arguments: int) -> None:
        self._must_own("notify")
        self._check(c.call(f"condition_{verb}", self._id, *arguments), "notify")


class Event(Plain, Waitable):
    """A flag to wait for, as multiprocessing.Event.

    If it is set and cleared again at once, all who waited wake nevertheless. polyipc.wait and event
    loops find it readable while it is set.
    """

    __slots__ = ("_c_clear", "_c_set", "_c_wait")
    _kind = _type = "event"

    def _bound(self, functions: tuple[Callable[..., int], ...]) -> None:
        self._c_wait, self._c_set, self._c_clear = functions

    def set(self) -> None:
        """Set the flag and wake all who wait."""
        self._check(self._c_set(), "set")

    def clear(self) -> None:
        """Take the flag back."""
        self._check(self._c_clear(), "clear")

    def is_set(self) -> bool:
        """Report whether the flag is set now."""
        return bool(self._told("is_set"))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set, and report whether that came to pass in time.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all
        """
        status = take(self._c_wait, True, timeout)
        if status in (OK, TIMEOUT):
            return status == OK
        raise self._failure(status, "wait for")


class Barrier(Sync):
    """Lets nobody pass until as many wait as it has parties, as multiprocessing.Barrier.

    Who dies while it waits has not arrived: another takes its part. Who gives up breaks the
    barrier: BrokenBarrierError for all, until reset.
    """

    __slots__ = ("_action", "_timeout")
    _kind = _type = "barrier"
    _action: Callable[[], object] | None
    _timeout: float | None

    def __init__(
        self,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open the barrier of that name, which was made for as many parties, or make it.

        parties -- how many have to wait: 1 to 1000
        action -- what this process does before all pass, if it is the last to arrive
        timeout -- of wait, in seconds, where that gives none
        name, transient, root -- as in Lock()
        """
        self._action, self._timeout = action, timeout
        self._open("open_or_create", name, transient, root, parties)

    @classmethod
    def create(
        cls: type[B],
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> B:
        """Make one; ExistsError if there is one of that name. Otherwise as Barrier()."""
        self = cls.__new__(cls)
        self._action, self._timeout = action, timeout
        self._open("create", name, transient, root, parties)
        return self

    def _prepare(self) -> None:
        self._action = self._timeout = None

    def __reduce__(self) -> tuple[Any, ...]:
        make, arguments = super().__reduce__()
        return make, arguments, (None, {"_action": self._action, "_timeout": self._timeout})

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the others; return this party's number in the round, from 0, each given once.

        BrokenBarrierError, which is threading's too, if the time is over, which breaks the barrier,
        or somebody else broke or reset it. What action raises breaks it as well.
        """
        arrival = c.Arrival(self._id, self._action is not None)
        timeout = self._timeout if timeout is None else timeout
        try:
            self._passed(take(arrival.wait, True, timeout), "wait at")
            if arrival.turn != 0 and self._action is not None:
                self._action()
                self._passed(arrival.end(), "pass")
        except BaseException:
            if arrival.turn != 0:  # also if a signal handler raised before the action began
                self.abort()
            raise
        return arrival.index

    def _passed(self, status: int, operation: str) -> None:
        if status == TIMEOUT:
            what = f'{operation} {self._kind} "{self._name}"'
            raise errors.BrokenBarrierError(f"{what}: the time is over, which broke it: reset it")
        if status == Status.BROKEN:
            raise errors.BrokenBarrierError(library.detail())
        self._check(status, operation)

    def abort(self) -> None:
        """Break the barrier: who waits and who comes gets BrokenBarrierError, until a reset."""
        self._check(c.call("barrier_abort", self._id), "abort")

    def reset(self) -> None:
        """Make the barrier as new. Who waits gets BrokenBarrierError."""
        self._check(c.call("barrier_reset", self._id), "reset")

    @property
    def parties(self) -> int:
        """How many have to wait."""
        return self.stat().limit

    @property
    def n_waiting(self) -> int:
        """How many wait now."""
        return self._waiting()[0]

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken."""
        return self._waiting()[1]

    def _waiting(self) -> tuple[int, bool]:
        status, waiting, broken = c.barrier_waiting(self._id)
        self._check(status, "look at")
        return waiting, broken
