"""Conditions, events and barriers for the tasks of a loop."""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any, Callable, TypeVar, overload

from polyipc import _arguments, errors, sync
from polyipc._c import loop as c
from polyipc._c import sync as c_sync
from polyipc._segment_lock import SegmentLock
from polyipc._sync_base import INVALID
from polyipc.aio import _loop, _pending
from polyipc.aio._locks import Lock, Owned, Plain, RLock, Sync, checked, owner
from polyipc.aio._pending import Outcome
from polyipc.errors import Status

T = TypeVar("T")
B = TypeVar("B", bound="Barrier")


class NotYetError(Exception):
    """What is waited for is not so yet."""


class Event(Plain[sync.Event]):
    """A flag to wait for. If it is set and cleared again at once, all who waited wake."""

    __slots__ = ()
    _of = sync.Event

    def set(self) -> None:
        """Set the flag and wake all who wait."""
        self.sync.set()

    def clear(self) -> None:
        """Take the flag back."""
        self.sync.clear()

    def is_set(self) -> bool:
        """Report whether the flag is set now."""
        return self.sync.is_set()

    def fileno(self) -> int:
        """Return a descriptor, sync's: readable while the flag is set."""
        return self.sync.fileno()

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set, and report whether that came to pass in time.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all
        """
        began = self._mark()

        def attempt() -> bool:
            mark = self._mark()
            if mark == began and mark % 2 == 0:
                raise NotYetError
            return True

        try:
            return await _loop.until(self.sync, _loop.READABLE, attempt, NotYetError, timeout)
        except NotYetError:
            return False

    def _mark(self) -> int:
        event = self.sync
        status, mark = c.event_mark(event._id)
        event._check(status, "wait for")
        return mark


class Condition(Owned[sync.Condition]):
    """Lets those who have its lock wait for others to notify them.

    The lock is the condition's own, which belongs to a task as an RLock, or one that all who use
    the condition give: a Lock or RLock of polyipc.aio or polyipc, or a segment's lock. More than
    those notified may wake: wait in a loop, or with wait_for.
    """

    __slots__ = ("_lock",)
    _of = sync.Condition
    _lock: Lock | RLock | None

    def __init__(
        self,
        lock: Lock | RLock | sync.Lock | sync.RLock | SegmentLock | sync.Condition | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Use a condition, or open the one of that name, or make it.

        lock -- whose release wait waits with; None: the condition's own; or the polyipc.Condition
            to use. Otherwise as in polyipc.Condition()
        """
        if isinstance(lock, sync.Condition):
            self._begin(lock)
            return
        under: Any = lock.sync if isinstance(lock, (Lock, RLock)) else lock
        self._begin(sync.Condition(under, name=name, transient=transient, root=root))

    def _begin(self, over: sync.Condition) -> None:
        super()._begin(over)
        given = over._given
        self._lock = None
        if given is not None:
            self._lock = Lock(given) if isinstance(given, sync.Lock) else RLock(given)

    async def acquire(self, timeout: float | None = None) -> bool:
        """Take the lock, and report whether that came to pass in time: as that lock's acquire."""
        lock = self._lock
        if lock is None:
            return await super().acquire(timeout)
        got = await lock.acquire(timeout)
        self.owner_died = lock.owner_died
        return got

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is None:
            super().release()
        else:
            self._lock.release()

    def _is_owned(self) -> bool:
        lock = self._lock
        if lock is None:
            return super()._is_owned()
        return lock.locked() if isinstance(lock, Lock) else lock._is_owned()

    async def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait to be notified, acquire it again; report whether it was notified.

        The lock is held when this returns, or is cancelled: to get it, the call may last longer
        than timeout, and longer than it takes to cancel it. One that is cancelled leaves its
        notification to another.

        timeout -- seconds to wait to be notified, None: for ever

        Raises NotOwnedError, an AssertionError, without the lock; LimitError when 1024 wait, or
        1000 in this process; ClosedError, CorruptError, without the lock then.
        """
        handle, loop = self.sync, asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        pending = _pending.waits().pending()
        status, wait = pending.begin(
            c.NOTIFIED,
            handle._id,
            _teller(future),
            lock=0 if self._lock is None else self._lock.sync._id,
            owner=owner(),
        )
        if status == INVALID:
            raise errors.NotOwnedError(str(handle._failure(status, "wait for")))
        handle._check(status, "wait for")
        del pending  # it is the loop's alone, and ends with it
        timer = None if timeout is None else loop.call_later(max(0.0, timeout), _interrupt, wait)
        cancelled = None
        try:
            while not future.done():
                try:
                    await asyncio.shield(future)
                except asyncio.CancelledError as e:
                    cancelled = e
                    _interrupt(wait)
        except BaseException:  # the coroutine is closed
            _cancel(wait)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if cancelled is not None and future.exception() is not None:
            raise cancelled
        notified, died = future.result()
        self.owner_died = died != 0
        if cancelled is not None:
            if notified:
                self.notify()
            raise cancelled
        return notified != 0

    @overload
    async def wait_for(
        self, predicate: Callable[[], Awaitable[T]], timeout: float | None = None
    ) -> T: ...

    @overload
    async def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T: ...

    async def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until predicate() is true, asked with the lock held; return what it said.

        predicate -- a function, also one that returns something to await
        """
        return await until(predicate, self.wait, timeout)

    def notify(self, n: int = 1) -> None:
        """Wake up to n of those who wait, the longest first. NotOwnedError without the lock."""
        if n < 0:
            raise errors.InvalidError(f"notify {n}: give 0 or more")
        self._notify("notify", min(n, 2**31 - 1))

    def notify_all(self) -> None:
        """Wake all who wait. NotOwnedError without the lock."""
        self._notify("notify_all")

    def _notify(self, verb: str, *arguments: int) -> None:
        handle = self.sync
        if not self._is_owned():
            raise errors.NotOwnedError(
                f'notify condition "{handle.name}": this task does not have its lock: acquire it '
                "first"
            )
        handle._check(c_sync.call(f"condition_{verb}", handle._id, *arguments), "notify")


async def until(
    predicate: Callable[[], Any], wait: Callable[[float | None], Any], timeout: float | None
) -> Any:
    """Wait again and again until a predicate is true, or the time is over; return what it said."""
    end = _loop.end_of(timeout)
    while True:
        result = predicate()
        if inspect.isawaitable(result):
            result = await result
        left = None if end is None else end - _loop.now()
        if result or (left is not None and left <= 0):
            return result
        await wait(left)


def _interrupt(wait: int) -> None:
    pending = _pending.waits().known()
    if pending is not None:
        pending.interrupt(wait)


def _cancel(wait: int) -> None:
    """Leave nothing of a wait. Behind its loop's end there is nothing."""
    if _loop.running():
        pending = _pending.waits().known()
        if pending is not None:
            pending.cancel(wait)


def _teller(future: asyncio.Future[Outcome]) -> Callable[[c.Ended, str], None]:
    """Return what makes a future say how a wait ended."""

    def tell(ended: c.Ended, detail: str) -> None:
        if future.done():
            return
        if ended.status == 0:
            future.set_result((ended.first, ended.second))
        else:
            future.set_exception(errors.of_status(ended.status, detail))

    return tell


def turn_of(future: asyncio.Future[Outcome]) -> int:
    """Return the turn of a wait at a barrier that was told of."""
    told = future.done() and not future.cancelled() and future.exception() is None
    return future.result()[1] if told else 0


class Barrier(Sync[sync.Barrier]):
    """Lets nobody pass until as many wait as it has parties: tasks, threads and processes.

    Whose wait is cancelled, or who dies while waiting, has not arrived: another takes its part. Who
    gives up by a timeout breaks the barrier: BrokenBarrierError for all, until reset.
    """

    __slots__ = ("_action", "_timeout")
    _of = sync.Barrier
    _action: Callable[[], object] | None
    _timeout: float | None

    def __init__(
        self,
        parties: int | sync.Barrier,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Use a barrier, or open the one of that name, or make it.

        parties -- that, or the polyipc.Barrier to use
        action -- what this process does before all pass, if it is the last to arrive: a function,
            also one that returns something to await
        timeout -- of wait, in seconds, where that gives none
        name, transient, root -- as in polyipc.Barrier()
        """
        if isinstance(parties, int):
            parties = self._of(parties, name=name, transient=transient, root=root)
        self._begin(checked(parties, self._of))
        self._action, self._timeout = action or self._action, timeout or self._timeout

    def _begin(self, over: sync.Barrier) -> None:
        super()._begin(over)
        self._action, self._timeout = over._action, over._timeout

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
        made = cls._of.create(parties, action, timeout, name=name, transient=transient, root=root)
        return cls._over(made)

    async def wait(self, timeout: float | None = None) -> int:
        """Wait for the others; return this party's number in the round, from 0, each given once.

        BrokenBarrierError, which is threading's too, if the time is over, which breaks the barrier,
        or somebody else broke or reset it. What action raises breaks it as well.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        status, wait = (
            _pending.waits()
            .pending()
            .begin(
                c.PASSED if self._action is None else c.TURN,
                self.sync._id,
                _teller(future),
                timeout=self._timeout if timeout is None else timeout,
            )
        )
        self._check(status)
        try:
            index, turn = await future
        except errors.TimedOutError:
            what = f'wait at barrier "{self.name}"'
            raise errors.BrokenBarrierError(
                f"{what}: the time is over, which broke it: reset it"
            ) from None
        except errors.BrokenError as e:
            raise errors.BrokenBarrierError(str(e)) from None
        except BaseException:
            # The arrival is taken back, unless the round ended meanwhile.
            _cancel(wait)
            if turn_of(future) != 0:
                self.abort()
            raise
        if turn != 0 and self._action is not None:
            try:
                done = self._action()
                if inspect.isawaitable(done):
                    await done
                self._check(c_sync.call("barrier_pass", self.sync._id, turn))
            except BaseException:
                self.abort()
                raise
        return index

    def _check(self, status: int) -> None:
        if status == Status.BROKEN:
            raise errors.BrokenBarrierError(str(self.sync._failure(status, "wait at")))
        self.sync._check(status, "wait at")

    def abort(self) -> None:
        """Break the barrier: who waits and who comes gets BrokenBarrierError, until a reset."""
        self.sync.abort()

    def reset(self) -> None:
        """Make the barrier as new. Who waits gets BrokenBarrierError."""
        self.sync.reset()

    @property
    def parties(self) -> int:
        """How many have to wait."""
        return self.sync.parties

    @property
    def n_waiting(self) -> int:
        """How many wait now."""
        return self.sync.n_waiting

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken."""
        return self.sync.broken
