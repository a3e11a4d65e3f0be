"""Locks of a manager and their kin."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any, Callable, TypeVar

from polyipc import _waiting
from polyipc._manager_proxy import Proxy

Self = TypeVar("Self", bound="_Held")
T = TypeVar("T")

_DIED = 2  # what an acquire returns of a lock whose former owner died with it


class _Held(Proxy):
    """What is acquired and released, and does both as a context manager.

    What a client holds that dies or closes is released at once.
    """

    __slots__ = ("owner_died",)

    owner_died: bool
    """Whether the former owner died with it, as the latest acquire of this proxy found."""

    def _prepare(self) -> None:
        self.owner_died = False

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it, and report whether that came to pass in time.

        timeout -- seconds to wait; None: for ever; 0 or less: not at all. Not looked at unless
            block.
        """
        if not block:
            when: list[Any] = [False]
        else:
            when = [] if timeout is None else [True, max(0.0, timeout)]
        return self._ask(b"acquire", when, self._acquired)  # type: ignore[no-any-return]

    def _acquired(self, found: Any) -> bool:
        if found:
            self.owner_died = found == _DIED
        return bool(found)

    def release(self) -> None:
        """Give it back."""
        self._ask(b"release", [])

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


class LockProxy(_Held, of="lock"):
    """Mutual exclusion. Anybody may release it; RuntimeError if it is not held."""

    __slots__ = ()

    def locked(self) -> bool:
        """Report whether somebody has it now."""
        return self._ask(b"locked", [])  # type: ignore[no-any-return]


class RLockProxy(_Held, of="rlock"):
    """A lock that its thread may acquire again. Only that may release it, else AssertionError."""

    __slots__ = ()

    def locked(self) -> bool:
        """Report whether some thread has it now."""
        return self._ask(b"locked", [])  # type: ignore[no-any-return]


class SemaphoreProxy(_Held, of="semaphore"):
    """Permits."""

    __slots__ = ()

    def release(self, n: int = 1) -> None:
        """Give n permits back."""
        self._ask(b"release", [n])

    def get_value(self) -> int:
        """Return how many permits are free now."""
        return self._ask(b"get_value", [])  # type: ignore[no-any-return]


class BoundedSemaphoreProxy(SemaphoreProxy, of="bounded_semaphore"):
    """A semaphore that never has more permits free than it was made with: a ValueError."""

    __slots__ = ()


class ConditionProxy(_Held, of="condition"):
    """Lets those who have its lock wait for others to notify them.

    wait, notify and notify_all raise RuntimeError for who does not have it.
    """

    __slots__ = ()

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait to be notified, acquire it again; report whether it was notified.

        The lock is held when this returns or raises, unless the manager is gone.

        timeout -- seconds to wait to be notified; None: for ever
        """
        try:
            return self._ask(b"wait", [] if timeout is None else [max(0.0, timeout)])  # type: ignore[no-any-return]
        except (KeyboardInterrupt, TimeoutError):
            # A signal handler, or the calls' own deadline: the server released the lock.
            with contextlib.suppress(Exception):
                self._link.run(self._object, b"acquire", b"\x90", b"", None)
            raise

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
        """Wake up to n of those who wait, the longest first."""
        self._ask(b"notify", [n])

    def notify_all(self) -> None:
        """Wake all who wait."""
        self._ask(b"notify_all", [])


class EventProxy(Proxy, of="event"):
    """A flag that many may wait for."""

    __slots__ = ()

    def is_set(self) -> bool:
        """Report whether it is set."""
        return self._ask(b"is_set", [])  # type: ignore[no-any-return]

    def set(self) -> None:
        """Set it: all who wait go on."""
        self._ask(b"set", [])

    def clear(self) -> None:
        """Unset it."""
        self._ask(b"clear", [])

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set; report whether it was in time."""
        return self._ask(b"wait", [] if timeout is None else [max(0.0, timeout)])  # type: ignore[no-any-return]


class BarrierProxy(Proxy, of="barrier"):
    """Lets a number of parties wait for each other."""

    __slots__ = ()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for all parties; return 0 to parties - 1, each to one of them.

        timeout -- seconds; None: that of the barrier. When they are over the barrier breaks

        Raises BrokenBarrierError.
        """
        return self._ask(b"wait", [] if timeout is None else [timeout])  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Make it as new; who waits gets a BrokenBarrierError."""
        self._ask(b"reset", [])

    def abort(self) -> None:
        """Break it: who waits, or comes until it is reset, gets a BrokenBarrierError."""
        self._ask(b"abort", [])

    @property
    def parties(self) -> int:
        """How many have to come."""
        return self._ask(b"parties", [])  # type: ignore[no-any-return]

    @property
    def n_waiting(self) -> int:
        """How many wait now."""
        return self._ask(b"n_waiting", [])  # type: ignore[no-any-return]

    @property
    def broken(self) -> bool:
        """Whether it is broken."""
        return self._ask(b"broken", [])  # type: ignore[no-any-return]
