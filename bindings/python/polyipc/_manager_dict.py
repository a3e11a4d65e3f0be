"""Dicts of a manager."""

from __future__ import annotations

from collections.abc import (
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    MutableMapping,
    ValuesView,
)
from typing import Any, Union

from polyipc._manager_proxy import Proxy
from polyipc._manager_watch import Watch

Entries = Union[Mapping[Any, Any], Iterable[Any]]

_MISSING: Any = object()


class DictProxy(Proxy, MutableMapping[Any, Any], of="dict"):
    """A dict, as Python has them; its keys and values are what MessagePack carries.

    Each method is done as a whole. increment, compare_and_set, add, pop_if, setdefault and pop need
    no lock for that reason. A value that is got is a copy: to change one in place, keep a list or
    dict of the manager in it.

    Iteration fetches many items at a time, and fails with RuntimeError if keys were added or
    removed meanwhile. dict == other compares the items.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    # ---- one key ----

    def __getitem__(self, key: Any) -> Any:
        return self._ask(b"getitem", [key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask(b"set", [key, value])

    def __delitem__(self, key: Any) -> None:
        self._ask(b"delete", [key])

    def __contains__(self, key: object) -> bool:
        return self._ask(b"contains", [key])  # type: ignore[no-any-return]

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the key's value, or default."""
        return self._ask(b"get", [key, default] if default is not None else [key])

    def set(self, key: Any, value: Any) -> None:
        """Do dict[key] = value."""
        self._ask(b"set", [key, value])

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return the key's value; if there is none, default, which it is from now on."""
        return self._ask(b"setdefault", [key, default])

    def pop(self, key: Any, default: Any = _MISSING) -> Any:
        """Remove the key and return its value, or default; KeyError without a default."""
        return self._ask(b"pop", [key] if default is _MISSING else [key, default])

    def popitem(self) -> tuple[Any, Any]:
        """Remove the pair that was added last and return it; KeyError if there is none."""
        return self._ask(b"popitem", [], tuple)  # type: ignore[no-any-return]

    def increment(self, key: Any, by: float = 1) -> Any:
        """Add to the key's value, a missing one counting as 0, and return the new one."""
        return self._ask(b"increment", [key, by])

    def compare_and_set(self, key: Any, expected: Any, value: Any) -> bool:
        """Set the key's value if it is equal to expected, and report whether it was."""
        return self._ask(b"compare_and_set", [key, expected, value])  # type: ignore[no-any-return]

    def add(self, key: Any, value: Any) -> bool:
        """Set the key's value if it has none, and report whether it had none."""
        return self._ask(b"add", [key, value])  # type: ignore[no-any-return]

    def pop_if(self, key: Any, expected: Any) -> bool:
        """Remove the key if its value is equal to expected, and report whether it was."""
        return self._ask(b"pop_if", [key, expected])  # type: ignore[no-any-return]

    # ---- many ----

    def update(self, entries: Entries = (), /, **named: Any) -> None:  # type: ignore[override]
        """Set the values of many keys at once: of a mapping or of pairs, and of keywords."""
        pairs = self._pairs(_plain(entries))
        if named:
            self._ask_named(b"update", [pairs], named)
        else:
            self._ask(b"update", [pairs])

    def clear(self) -> None:
        """Remove all keys."""
        self._ask(b"clear", [])

    def copy(self) -> dict[Any, Any]:
        """Return all of it as a Python dict."""
        return self._ask(b"copy", [])  # type: ignore[no-any-return]

    def keys(self) -> KeysView[Any]:
        """Return a view of the keys."""
        return _Keys(self)

    def values(self) -> ValuesView[Any]:
        """Return a view of the values."""
        return _Values(self)

    def items(self) -> ItemsView[Any, Any]:
        """Return a view of the pairs."""
        return _Items(self)

    def __len__(self) -> int:
        return self._ask(b"len", [])  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in scan(self))

    def __reversed__(self) -> Iterator[Any]:
        return reversed(list(self))

    def __or__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        return {**self.copy(), **_plain(other)}

    def __ror__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        return {**other, **self.copy()}

    def __ior__(self, other: Entries) -> DictProxy:
        self.update(other)
        return self

    def __eq__(self, other: object) -> bool:
        if self._same(other):
            return True
        if isinstance(other, DictProxy):
            other = other.copy()
        if not isinstance(other, Mapping):
            return NotImplemented
        return self._equals(dict(other))

    def __str__(self) -> str:
        return repr(self.copy())

    def watch(self, *, timeout: float | None = None) -> Watch:
        """Return an iterator over what is in it now and how it changes; see Watch.

        timeout -- seconds to wait for each change; TimedOutError when they are over
        """
        return Watch(self, timeout)


def _plain(other: Any) -> Any:
    """Return what dict() takes without asking the server for one key after the other."""
    return other.copy() if isinstance(other, DictProxy) else other


def scan(proxy: Proxy) -> Iterator[Any]:
    """Return an iterator over items, fetched many at a time; RuntimeError if the keys change."""
    position, version = 0, None
    while position is not None:
        version, position, items = proxy._ask(b"scan", [position, 1000, version])
        yield from items


class _Keys(KeysView[Any]):
    def __reversed__(self) -> Iterator[Any]:
        return reversed(list(self))

    def __repr__(self) -> str:
        return f"dict_keys({list(self)})"


class _Values(ValuesView[Any]):
    _mapping: DictProxy

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in scan(self._mapping))

    def __contains__(self, value: object) -> bool:
        return any(v is value or v == value for v in self)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(list(self))

    def __repr__(self) -> str:
        return f"dict_values({list(self)})"


class _Items(ItemsView[Any, Any]):
    _mapping: DictProxy

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return (tuple(pair) for pair in scan(self._mapping))

    def __reversed__(self) -> Iterator[tuple[Any, Any]]:
        return reversed(list(self))

    def __repr__(self) -> str:
        return f"dict_items({list(self)})"
