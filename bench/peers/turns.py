"""What a turn is, in Python: with a lock, a number, an array. The same code for all peers, whose
objects have the same methods."""

from __future__ import annotations

import importlib
import mmap
from itertools import repeat
from typing import Any, Callable

ITEMS = 1 << 20  # doubles of an array
ITEM = 4711  # the one that is read and written


class Area:
    """Memory that forked workers share: a number without atomic operations."""

    def __init__(self) -> None:
        self.number = memoryview(mmap.mmap(-1, 4096)).cast("Q")


class LockTurns:
    """Acquire and release; with "section", a number is incremented in between, which takes some
    100 ns."""

    def __init__(self, verb: str, lock: Any, area: Area) -> None:
        self._number, self._lock = area.number, lock
        self._contended = verb == "section"
        self.make: Callable[[int], None] = {"lock": self._bare, "section": self._section}[verb]

    def _bare(self, n: int) -> None:
        acquire, release = self._lock.acquire, self._lock.release
        for _ in repeat(None, n):
            acquire()
            release()

    def _section(self, n: int) -> None:
        acquire, release, number = self._lock.acquire, self._lock.release, self._number
        for _ in repeat(None, n):
            acquire()
            number[0] += 1
            release()

    def counted(self) -> int | None:
        """The number, if anything counts."""
        return self._number[0] if self._contended else None

    def close(self) -> None:
        """Leave it to the garbage collector."""


class ValueTurns:
    """An increment of a Value under its lock, as the documentation of multiprocessing writes it."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def make(self, n: int) -> None:
        """Increment."""
        value = self._value
        for _ in repeat(None, n):
            with value.get_lock():
                value.value += 1

    def counted(self) -> int | None:
        """The value."""
        return int(self._value.value)

    def close(self) -> None:
        """Leave it to the garbage collector."""


class ArrayTurns:
    """Items of an array, one by one, and the sum of all of them by numpy."""

    def __init__(self, verb: str, array: Any, numpy: Any) -> None:
        """Items of array are read and written; numpy is a view of all, which are ones."""
        self._array, self._numpy = array, numpy
        kinds = {"read": self._read, "write": self._write, "sum": self._sum}
        self.make: Callable[[int], None] = kinds[verb]

    def _read(self, n: int) -> None:
        array, found = self._array, 1.0
        for _ in repeat(None, n):
            found = array[ITEM]
        if found != 1.0:
            raise ValueError(f"item {ITEM} is {found}, not 1.0")

    def _write(self, n: int) -> None:
        array = self._array
        for _ in repeat(None, n):
            array[ITEM] = 2.0
        if self._numpy[ITEM] != 2.0:
            raise ValueError(f"item {ITEM} is {self._numpy[ITEM]}, not 2.0")

    def _sum(self, n: int) -> None:
        found = 0.0
        for _ in repeat(None, n):
            found = self._numpy.sum()
        if found != ITEMS:
            raise ValueError(f"the sum of {ITEMS} ones is {found}")

    def counted(self) -> int | None:
        """Nothing: one process alone."""
        return None

    def close(self) -> None:
        """Leave it to the garbage collector."""


def view(memory: Any) -> Any:
    """A numpy array of the doubles in memory, all of them ones now."""
    numpy = importlib.import_module("numpy")
    array = numpy.frombuffer(memory, dtype="f8", count=ITEMS)
    array[:] = 1.0
    return array
