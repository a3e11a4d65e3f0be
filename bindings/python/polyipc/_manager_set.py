"""Sets of a manager."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, MutableSet
from collections.abc import Set as AnySet
from typing import Any

from polyipc._manager_dict import scan
from polyipc._manager_proxy import Proxy

Values = Iterable[Any]


class SetProxy(Proxy, MutableSet[Any], of="set"):
    """A set, as Python has them; its members are what MessagePack carries and Python can hash.

    Each method is done as a whole. add and discard report whether they changed something. What
    computes a new set returns Python's own. Iteration fails with RuntimeError if the size changed.
    set == other compares the members.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    # ---- one member ----

    def add(self, value: Any) -> bool:  # type: ignore[override]
        """Add a member, and report whether it was missing."""
        return self._ask(b"add", [value])  # type: ignore[no-any-return]

    def discard(self, value: Any) -> bool:  # type: ignore[override]
        """Remove a member, and report whether it was there."""
        return self._ask(b"discard", [value])  # type: ignore[no-any-return]

    def remove(self, value: Any) -> None:
        """Remove a member; KeyError if it is not there."""
        self._ask(b"remove", [value])

    def pop(self) -> Any:
        """Remove some member and return it; KeyError if there is none."""
        return self._ask(b"pop", [])

    def __contains__(self, value: object) -> bool:
        return self._ask(b"contains", [value])  # type: ignore[no-any-return]

    # ---- all ----

    def __len__(self) -> int:
        return self._ask(b"len", [])  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return scan(self)

    def clear(self) -> None:
        """Remove all members."""
        self._ask(b"clear", [])

    def copy(self) -> set[Any]:
        """Return all of it as a Python set."""
        return self._ask(b"copy", [])  # type: ignore[no-any-return]

    def update(self, *others: Values) -> None:
        """Add the members of others."""
        self._ask(b"update", [self._values(o) for o in others])

    def intersection_update(self, *others: Values) -> None:
        """Keep what is in all others, too."""
        self._ask(b"intersection_update", [self._values(o) for o in others])

    def difference_update(self, *others: Values) -> None:
        """Remove what is in others."""
        self._ask(b"difference_update", [self._values(o) for o in others])

    def symmetric_difference_update(self, other: Values) -> None:
        """Keep what is in only one of the two."""
        self._ask(b"symmetric_difference_update", [self._values(other)])

    def union(self, *others: Values) -> builtins.set[Any]:
        """Return what is in it or in others."""
        return self._ask(b"union", [self._values(o) for o in others])  # type: ignore[no-any-return]

    def intersection(self, *others: Values) -> builtins.set[Any]:
        """Return what is in it and in all others."""
        return self._ask(b"intersection", [self._values(o) for o in others])  # type: ignore[no-any-return]

    def difference(self, *others: Values) -> builtins.set[Any]:
        """Return what is in it and in none of the others."""
        return self._ask(b"difference", [self._values(o) for o in others])  # type: ignore[no-any-return]

    def symmetric_difference(self, other: Values) -> builtins.set[Any]:
        """Return what is in only one of the two."""
        return self._ask(b"symmetric_difference", [self._values(other)])  # type: ignore[no-any-return]

    def isdisjoint(self, other: Values) -> bool:
        """Report whether the two have no member in common."""
        return self._ask(b"isdisjoint", [self._values(other)])  # type: ignore[no-any-return]

    def issubset(self, other: Values) -> bool:
        """Report whether other has all members."""
        return self._ask(b"issubset", [self._values(other)])  # type: ignore[no-any-return]

    def issuperset(self, other: Values) -> bool:
        """Report whether this has all members of other."""
        return self._ask(b"issuperset", [self._values(other)])  # type: ignore[no-any-return]

    # ---- operators, which want sets ----

    def __and__(self, other: AnySet[Any]) -> builtins.set[Any]:
        return self.intersection(other) if isinstance(other, AnySet) else NotImplemented

    __rand__ = __and__

    def __or__(self, other: AnySet[Any]) -> builtins.set[Any]:
        return self.union(other) if isinstance(other, AnySet) else NotImplemented

    __ror__ = __or__

    def __xor__(self, other: AnySet[Any]) -> builtins.set[Any]:
        return self.symmetric_difference(other) if isinstance(other, AnySet) else NotImplemented

    __rxor__ = __xor__

    def __sub__(self, other: AnySet[Any]) -> builtins.set[Any]:
        return self.difference(other) if isinstance(other, AnySet) else NotImplemented

    def __rsub__(self, other: AnySet[Any]) -> builtins.set[Any]:
        return set(other) - self.copy() if isinstance(other, AnySet) else NotImplemented

    def __ior__(self, other: AnySet[Any]) -> SetProxy:
        self.update(other)
        return self

    def __iand__(self, other: AnySet[Any]) -> SetProxy:
        self.intersection_update(other)
        return self

    def __isub__(self, other: AnySet[Any]) -> SetProxy:
        self.difference_update(other)
        return self

    def __ixor__(self, other: AnySet[Any]) -> SetProxy:
        self.symmetric_difference_update(other)
        return self

    def __le__(self, other: AnySet[Any]) -> bool:
        return self.issubset(other) if isinstance(other, AnySet) else NotImplemented

    def __ge__(self, other: AnySet[Any]) -> bool:
        return self.issuperset(other) if isinstance(other, AnySet) else NotImplemented

    def __lt__(self, other: AnySet[Any]) -> bool:
        return self.copy() < set(other) if isinstance(other, AnySet) else NotImplemented

    def __gt__(self, other: AnySet[Any]) -> bool:
        return self.copy() > set(other) if isinstance(other, AnySet) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if self._same(other):
            return True
        if not isinstance(other, AnySet):
            return NotImplemented
        return self._equals(set(other))

    def __str__(self) -> str:
        return repr(self.copy())

    def _values(self, values: Values) -> Any:
        """Return members as the server takes them."""
        return self._each(values.copy() if isinstance(values, SetProxy) else values)
