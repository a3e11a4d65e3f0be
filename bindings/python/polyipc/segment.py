"""Shared memory between processes in Python, Go and C: numbers, arrays, structures, bytes, lists.

    import polyipc

    total = polyipc.Value("q", name="total")  # any process opens it by its name
    with total.get_lock():
        total.value += 1

    frame = polyipc.Segment(format="f", shape=(480, 640), name="frame")
    frame.numpy()[:] = 0.5  # without a copy

    counter = polyipc.segment_of(total).atomic()  # and without a lock
    counter.add(1)

Value, Array, RawValue and RawArray are those of multiprocessing, and so is ShareableList; Segment
is what SharedMemory is, with a format if it has one, cells for atomic operations, and room to grow.
An array of numbers that Python made is one in Go and C, too, and the other way round.

What has no name goes with its last user, however that ends. What has one is kept until unlinked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polyipc import _arguments, _later
from polyipc._segment import Atomic, Segment, unlink
from polyipc._segment_lock import SegmentLock
from polyipc._shared_values import (
    Synchronized,
    SynchronizedArray,
    SynchronizedBase,
    SynchronizedString,
    locked,
    make_array,
    make_value,
    open_object,
    segment_of,
    synchronized,
)

if TYPE_CHECKING:
    from polyipc._segment_stat import SegmentStat
    from polyipc._shareable_list import ShareableList

__all__ = [
    "Array",
    "Atomic",
    "RawArray",
    "RawValue",
    "Segment",
    "SegmentLock",
    "SegmentStat",
    "ShareableList",
    "Synchronized",
    "SynchronizedArray",
    "SynchronizedBase",
    "SynchronizedString",
    "Value",
    "segment_of",
    "synchronized",
    "unlink",
]


class _RawValue:
    """RawValue(typecode_or_type, *args): a ctypes object in shared memory, without a lock.

    typecode_or_type -- a ctypes type, or one of c u w ? b B h H i I l L q Q n N e f d
    args -- what a new one begins with; nothing is zero
    name, transient, root -- as of Segment

    Opens the object of that name, or makes it; RawValue.create and RawValue.open do only the one.
    """

    def __call__(
        self,
        typecode_or_type: Any,
        *args: Any,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        return make_value("", typecode_or_type, args, name, transient, root)

    def create(
        self,
        typecode_or_type: Any,
        *args: Any,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        """Make one; ExistsError if there is one of that name."""
        return make_value("create", typecode_or_type, args, name, transient, root)

    def open(
        self, name: str, typecode_or_type: Any = None, *, root: _arguments.Path | None = None
    ) -> Any:
        """Open one; its type is what the segment says, unless it is given. NotFoundError."""
        return open_object(name, typecode_or_type, array=False, root=root)


class _RawArray:
    """RawArray(typecode_or_type, size_or_initializer): a ctypes array in shared memory, no lock.

    size_or_initializer -- how many items, all zero; or a sequence of those that it begins with

    Otherwise as RawValue. An array with several dimensions opens as an array of arrays.
    """

    def __call__(
        self,
        typecode_or_type: Any,
        size_or_initializer: Any,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        return make_array("", typecode_or_type, size_or_initializer, name, transient, root)

    def create(
        self,
        typecode_or_type: Any,
        size_or_initializer: Any,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        """Make one; ExistsError if there is one of that name."""
        return make_array("create", typecode_or_type, size_or_initializer, name, transient, root)

    def open(
        self, name: str, typecode_or_type: Any = None, *, root: _arguments.Path | None = None
    ) -> Any:
        """Open one; the type of its items is what the segment says, unless given. NotFoundError."""
        return open_object(name, typecode_or_type, array=True, root=root)


class _Value:
    """Value(typecode_or_type, *args, lock=True): a RawValue with a lock.

    lock -- True: the segment's own, which every process that opens the value has; False: none,
        which makes it a RawValue; or any object with acquire and release

    Its value, or each field of a structure, is read and set under the lock; so value += 1 needs
    `with v.get_lock():` around it.
    """

    def __call__(
        self,
        typecode_or_type: Any,
        *args: Any,
        lock: Any = True,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        return locked(make_value("", typecode_or_type, args, name, transient, root), lock)

    def create(
        self,
        typecode_or_type: Any,
        *args: Any,
        lock: Any = True,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        """Make one; ExistsError if there is one of that name."""
        return locked(make_value("create", typecode_or_type, args, name, transient, root), lock)

    def open(
        self,
        name: str,
        typecode_or_type: Any = None,
        *,
        lock: Any = True,
        root: _arguments.Path | None = None,
    ) -> Any:
        """Open one; its type is what the segment says, unless it is given. NotFoundError."""
        return locked(open_object(name, typecode_or_type, array=False, root=root), lock)


class _Array:
    """Array(typecode_or_type, size_or_initializer, *, lock=True): a RawArray with a lock.

    lock -- as of Value. Each access takes it; numpy() and get_obj() do not.
    """

    def __call__(
        self,
        typecode_or_type: Any,
        size_or_initializer: Any,
        *,
        lock: Any = True,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        made = make_array("", typecode_or_type, size_or_initializer, name, transient, root)
        return locked(made, lock)

    def create(
        self,
        typecode_or_type: Any,
        size_or_initializer: Any,
        *,
        lock: Any = True,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Any:
        """Make one; ExistsError if there is one of that name."""
        made = make_array("create", typecode_or_type, size_or_initializer, name, transient, root)
        return locked(made, lock)

    def open(
        self,
        name: str,
        typecode_or_type: Any = None,
        *,
        lock: Any = True,
        root: _arguments.Path | None = None,
    ) -> Any:
        """Open one; the type of its items is what the segment says, unless given. NotFoundError."""
        return locked(open_object(name, typecode_or_type, array=True, root=root), lock)


RawValue = _RawValue()
RawArray = _RawArray()
Value = _Value()
Array = _Array()


if not TYPE_CHECKING:
    __getattr__, __dir__ = _later.of(
        globals(),
        {
            "polyipc._segment_stat": "SegmentStat",
            "polyipc._shareable_list": "ShareableList",
        },
    )
