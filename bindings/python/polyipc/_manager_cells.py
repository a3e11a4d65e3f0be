"""Namespaces, values, arrays and counters of a manager."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any, overload

from polyipc._manager_list import bounds
from polyipc._manager_proxy import Proxy
from polyipc._manager_watch import Watch


class NamespaceProxy(Proxy, of="namespace"):
    """A namespace: its attributes are those of the object, but for those that begin with "_".

    What it can do besides begins with "_", as with namedtuples: _increment, _compare_and_set,
    _update, _names, _asdict, _watch.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return self._ask(b"get", [name])

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._ask(b"set", [name, value])

    def __delattr__(self, name: str) -> None:
        if name.startswith("_"):
            object.__delattr__(self, name)
        else:
            self._ask(b"delete", [name])

    def __contains__(self, name: object) -> bool:
        return self._ask(b"contains", [name])  # type: ignore[no-any-return]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names()]

    def __str__(self) -> str:
        return f"Namespace({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

    def _names(self) -> list[str]:
        """Return the names of the attributes."""
        return self._ask(b"names", [])  # type: ignore[no-any-return]

    def _asdict(self) -> dict[str, Any]:
        """Return all of it as a Python dict."""
        return self._ask(b"copy", [])  # type: ignore[no-any-return]

    def _update(self, **named: Any) -> None:
        """Set many attributes at once."""
        self._ask_named(b"update", [], named)

    def _increment(self, name: str, by: float = 1) -> Any:
        """Add to an attribute, a missing one counting as 0, and return the new value."""
        return self._ask(b"increment", [name, by])

    def _compare_and_set(self, name: str, expected: Any, value: Any) -> bool:
        """Set an attribute if it is equal to expected, and report whether it was."""
        return self._ask(b"compare_and_set", [name, expected, value])  # type: ignore[no-any-return]

    def _watch(self, *, timeout: float | None = None) -> Watch:
        """Return an iterator over its attributes and how they change; see Watch."""
        return Watch(self, timeout)


class _Cell(Proxy):
    """One value."""

    __slots__ = ()

    def get(self) -> Any:
        """Return the value."""
        return self._ask(b"get", [])

    def set(self, value: Any) -> None:
        """Set the value."""
        self._ask(b"set", [value])

    @property
    def value(self) -> Any:
        """The value."""
        return self.get()

    @value.setter
    def value(self, value: Any) -> None:
        self.set(value)

    def exchange(self, value: Any) -> Any:
        """Set the value and return the former one."""
        return self._ask(b"exchange", [value])

    def increment(self, by: float = 1) -> Any:
        """Add to the value and return the new one."""
        return self._ask(b"increment", [by])

    def compare_and_set(self, expected: Any, value: Any) -> bool:
        """Set the value if it is equal to expected, and report whether it was."""
        return self._ask(b"compare_and_set", [expected, value])  # type: ignore[no-any-return]


class ValueProxy(_Cell, of="value"):
    """A value, of a type code of array or of any type."""

    __slots__ = ()

    @property
    def typecode(self) -> str | None:
        """The type code that it was made with."""
        return self._ask(b"typecode", [])  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return f"Value({self.typecode!r}, {self.get()!r})"


class CounterProxy(_Cell, of="counter"):
    """An integer of 64 bits; OverflowError beyond."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"Counter({self.get()!r})"


class ArrayProxy(Proxy, of="array"):
    """An array: values of one type code, whose number stays."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

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
            self._ask(b"set_slice", [*bounds(index), self._each(value)])
        else:
            self._ask(b"set", [operator.index(index), value])

    def get(self, index: int) -> Any:
        """Do array[index]."""
        return self._ask(b"get", [index])

    def set(self, index: int, value: Any) -> None:
        """Do array[index] = value."""
        self._ask(b"set", [index, value])

    def increment(self, index: int, by: float = 1) -> Any:
        """Add to the value at the index and return the new one."""
        return self._ask(b"increment", [index, by])

    def compare_and_set(self, index: int, expected: Any, value: Any) -> bool:
        """Set the value at the index if it is equal to expected, and report whether it was."""
        return self._ask(b"compare_and_set", [index, expected, value])  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return self._ask(b"len", [])  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.copy())

    def copy(self) -> list[Any]:
        """Return all of it as a Python list."""
        return self._ask(b"copy", [])  # type: ignore[no-any-return]

    @property
    def typecode(self) -> str | None:
        """The type code that it was made with."""
        return self._ask(b"typecode", [])  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        if self._same(other):
            return True
        if not isinstance(other, Iterable):
            return NotImplemented
        return self.copy() == list(other)

    def __str__(self) -> str:
        return f"Array({self.typecode!r}, {self.copy()!r})"
