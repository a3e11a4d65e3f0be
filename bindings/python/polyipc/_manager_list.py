"""Lists of a manager."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, MutableSequence
from typing import Any, Callable, overload

from polyipc._manager_proxy import Proxy
from polyipc._manager_watch import Watch


class ListProxy(Proxy, MutableSequence[Any], of="list"):
    """A list, as Python has them; its values are what MessagePack carries.

    Each method is done as a whole. append, extend and insert return the new length. A value that is
    got is a copy: to change one in place, keep a list or dict of the manager in it.
    list == other compares the values.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    # ---- one index, or a slice ----

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._ask(b"slice", bounds(index))
        return self._ask(b"get", [operator.index(index)])

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(index, slice):
            self._ask(b"set_slice", [*bounds(index), self._each(_plain(value))])
        else:
            self._ask(b"set", [operator.index(index), value])

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            self._ask(b"delete_slice", bounds(index))
        else:
            self._ask(b"delete", [operator.index(index)])

    def get(self, index: int) -> Any:
        """Do list[index]."""
        return self._ask(b"get", [index])

    def set(self, index: int, value: Any) -> None:
        """Do list[index] = value."""
        self._ask(b"set", [index, value])

    def append(self, value: Any) -> int:  # type: ignore[override]
        """Add a value at the end and return the new length."""
        return self._ask(b"append", [value])  # type: ignore[no-any-return]

    def extend(self, values: Iterable[Any]) -> int:  # type: ignore[override]
        """Add values at the end, all at once, and return the new length."""
        return self._ask(b"extend", [self._each(_plain(values))])  # type: ignore[no-any-return]

    def insert(self, index: int, value: Any) -> int:  # type: ignore[override]
        """Put a value before the index and return the new length."""
        return self._ask(b"insert", [index, value])  # type: ignore[no-any-return]

    def pop(self, index: int = -1) -> Any:
        """Remove the value at the index and return it; IndexError if there is none."""
        return self._ask(b"pop", [index])

    def remove(self, value: Any) -> None:
        """Remove the first value that is equal; ValueError if there is none."""
        self._ask(b"remove", [value])

    def increment(self, index: int, by: float = 1) -> Any:
        """Add to the value at the index and return the new one."""
        return self._ask(b"increment", [index, by])

    def compare_and_set(self, index: int, expected: Any, value: Any) -> bool:
        """Set the value at the index if it is equal to expected, and report whether it was."""
        return self._ask(b"compare_and_set", [index, expected, value])  # type: ignore[no-any-return]

    def pop_if(self, index: int, expected: Any) -> bool:
        """Remove the value at the index if it is equal to expected, and report whether it was."""
        return self._ask(b"pop_if", [index, expected])  # type: ignore[no-any-return]

    # ---- all ----

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return where the first value is that is equal; ValueError if there is none."""
        return self._ask(b"index", [value, start, stop])  # type: ignore[no-any-return]

    def count(self, value: Any) -> int:
        """Return how many values are equal."""
        return self._ask(b"count", [value])  # type: ignore[no-any-return]

    def __contains__(self, value: object) -> bool:
        return self._ask(b"contains", [value])  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return self._ask(b"len", [])  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Remove all values."""
        self._ask(b"clear", [])

    def reverse(self) -> None:
        """Turn the order round."""
        self._ask(b"reverse", [])

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort it. With a key that is done here: what others change meanwhile is lost."""
        if key is None:
            self._ask(b"sort", [bool(reverse)])
        else:
            self[:] = sorted(self.copy(), key=key, reverse=reverse)

    def copy(self) -> list[Any]:
        """Return all of it as a Python list."""
        return self._ask(b"copy", [])  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        position = 0
        while position is not None:
            position, values = self._ask(b"scan", [position, 1000])
            yield from values

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.copy())

    def __add__(self, other: Iterable[Any]) -> list[Any]:
        if not isinstance(other, (list, ListProxy)):
            return NotImplemented
        return [*self.copy(), *other]

    def __radd__(self, other: list[Any]) -> list[Any]:
        return [*other, *self.copy()]

    def __iadd__(self, other: Iterable[Any]) -> ListProxy:
        self.extend(other)
        return self

    def __mul__(self, count: int) -> list[Any]:
        return self.copy() * count

    __rmul__ = __mul__

    def __imul__(self, count: int) -> ListProxy:
        self._ask(b"multiply", [operator.index(count)])
        return self

    def __eq__(self, other: object) -> bool:
        if self._same(other):
            return True
        if isinstance(other, ListProxy):
            other = other.copy()
        if not isinstance(other, list):
            return NotImplemented
        return self._equals(other)

    def __str__(self) -> str:
        return repr(self.copy())

    def watch(self, *, timeout: float | None = None) -> Watch:
        """Return an iterator over what is in it now and how it changes; see Watch.

        timeout -- seconds to wait for each change; TimedOutError when they are over
        """
        return Watch(self, timeout)


def bounds(index: slice) -> list[Any]:
    """Return a slice as the arguments that the server takes."""
    return [None if x is None else operator.index(x) for x in (index.start, index.stop, index.step)]


def _plain(values: Iterable[Any]) -> Iterable[Any]:
    """Return values in one piece, as they are now."""
    return values.copy() if isinstance(values, ListProxy) else values
