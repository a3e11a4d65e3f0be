"""What makes a manager's objects, or opens them by their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from polyipc import errors
from polyipc._manager_cells import ArrayProxy, CounterProxy, NamespaceProxy, ValueProxy
from polyipc._manager_dict import DictProxy, Entries
from polyipc._manager_list import ListProxy
from polyipc._manager_queue import JoinableQueueProxy, QueueProxy
from polyipc._manager_set import SetProxy
from polyipc._manager_sync import (
    BarrierProxy,
    BoundedSemaphoreProxy,
    ConditionProxy,
    EventProxy,
    LockProxy,
    RLockProxy,
    SemaphoreProxy,
)


class Makes:
    """Each method opens the object of a name, or makes it; without a name it makes a new one.

    Of an object that is there the other arguments are not looked at. WrongKindError if it is of
    another type.
    """

    __slots__ = ()

    def _own(self, method: bytes, args: list[Any], named: dict[str, Any] | None = None) -> Any:
        """Call a method of the manager itself."""
        raise NotImplementedError

    def _each(self, values: Iterable[Any]) -> list[Any]:
        """Return an argument whose values the server takes apart."""
        raise NotImplementedError

    def _pairs(self, entries: Any) -> dict[Any, Any]:
        """Return the same for what dict() takes."""
        raise NotImplementedError

    def create(self, type_name: str, *args: Any, name: str | None = None, **named: Any) -> Any:
        """Make or open an object of any type; what is left over goes to the type.

        name -- 1 to 128 of [A-Za-z0-9._-]; None: none. See open, for objects that are there
        """
        if name is None:
            return self._own(b"create", [type_name, *args], named)
        if not isinstance(name, str):
            raise TypeError(
                f"the name of a {type_name} is text, not {type(name).__name__}: "
                "the name comes first, None for none, then what is in it"
            )
        return self._own(b"open", [name, type_name, *args], named)

    def open(self, name: str) -> Any:
        """Return a proxy of the object of that name; NotFoundError if there is none."""
        return self._own(b"open", [name, None])

    def _make(self, type_name: str, name: str | None, args: list[Any]) -> Any:
        return self.create(type_name, *args, name=name)

    def dict(self, name: str | None = None, entries: Entries = (), /, **named: Any) -> DictProxy:
        """Return a dict; entries and keywords as of Python's."""
        plain = entries.copy() if isinstance(entries, DictProxy) else entries
        return self._make("dict", name, [self._pairs({**dict(plain), **named})])  # type: ignore[no-any-return]

    def list(self, name: str | None = None, values: Iterable[Any] = ()) -> ListProxy:
        """Return a list."""
        return self._make("list", name, [self._each(values)])  # type: ignore[no-any-return]

    def set(self, name: str | None = None, values: Iterable[Any] = ()) -> SetProxy:
        """Return a set."""
        return self._make("set", name, [self._each(values)])  # type: ignore[no-any-return]

    def Namespace(self, name: str | None = None, /, **named: Any) -> NamespaceProxy:  # noqa: N802
        """Return a namespace with these attributes."""
        if name is None:
            return self._own(b"create", ["namespace"], named)  # type: ignore[no-any-return]
        return self._own(b"open", [name, "namespace"], named)  # type: ignore[no-any-return]

    def Value(  # noqa: N802
        self, name: str | None = None, typecode: str | None = None, value: Any = None
    ) -> ValueProxy:
        """Return a value of a type code of array, or of None: any value."""
        args = [typecode] if value is None else [typecode, value]
        return self._make("value", name, args)  # type: ignore[no-any-return]

    def Array(  # noqa: N802
        self, name: str | None = None, typecode: str | None = None, values: Iterable[Any] | int = 0
    ) -> ArrayProxy:
        """Return an array of values, or of so many zeros."""
        size_or_values = values if isinstance(values, int) else self._each(values)
        return self._make("array", name, [typecode, size_or_values])  # type: ignore[no-any-return]

    def counter(self, name: str | None = None, value: int = 0) -> CounterProxy:
        """Return a counter."""
        return self._make("counter", name, [value])  # type: ignore[no-any-return]

    def Queue(self, name: str | None = None, maxsize: int = 0) -> QueueProxy:  # noqa: N802
        """Return a queue for so many items; 0: for any number."""
        return self._make("queue", name, [maxsize])  # type: ignore[no-any-return]

    def JoinableQueue(self, name: str | None = None, maxsize: int = 0) -> JoinableQueueProxy:  # noqa: N802
        """Return a queue that counts what is done."""
        return self._make("joinable_queue", name, [maxsize])  # type: ignore[no-any-return]

    def Lock(self, name: str | None = None) -> LockProxy:  # noqa: N802
        """Return a lock."""
        return self._make("lock", name, [])  # type: ignore[no-any-return]

    def RLock(self, name: str | None = None) -> RLockProxy:  # noqa: N802
        """Return a lock that its thread may acquire again."""
        return self._make("rlock", name, [])  # type: ignore[no-any-return]

    def Semaphore(self, name: str | None = None, value: int = 1) -> SemaphoreProxy:  # noqa: N802
        """Return a semaphore."""
        return self._make("semaphore", name, [value])  # type: ignore[no-any-return]

    def BoundedSemaphore(  # noqa: N802
        self, name: str | None = None, value: int = 1
    ) -> BoundedSemaphoreProxy:
        """Return a bounded semaphore."""
        return self._make("bounded_semaphore", name, [value])  # type: ignore[no-any-return]

    def Condition(  # noqa: N802
        self, name: str | None = None, lock: LockProxy | RLockProxy | None = None
    ) -> ConditionProxy:
        """Return a condition of a lock; None: of an rlock of its own."""
        return self._make("condition", name, [] if lock is None else [lock])  # type: ignore[no-any-return]

    def Event(self, name: str | None = None) -> EventProxy:  # noqa: N802
        """Return an event."""
        return self._make("event", name, [])  # type: ignore[no-any-return]

    def Barrier(  # noqa: N802
        self, name: str | None = None, parties: int = 0, timeout: float | None = None
    ) -> BarrierProxy:
        """Return a barrier; timeout is that of waits that have none."""
        if parties < 1:
            raise errors.InvalidError(f"parties {parties}: give how many have to come, at least 1")
        return self._make("barrier", name, [parties] if timeout is None else [parties, timeout])  # type: ignore[no-any-return]
