"""Numbers, arrays and structures in shared memory, each in a segment of its own.

RawValue and RawArray make ctypes objects that lie in a segment; Value and Array wrap them together
with a lock. As in multiprocessing.sharedctypes, with names on top.
"""

# ruff: noqa: SLF001 - objects and wrappers are parts of their segment

from __future__ import annotations

import copyreg
import weakref
from types import TracebackType
from typing import Any, Union

from polyipc import _arguments, errors
from polyipc._c import typed
from polyipc._segment import Segment
from polyipc._segment_lock import SegmentLock
from polyipc._sync_locks import Held

Lock = Union[bool, None, Any]


class _Wrapper:
    """What an object keeps of its segment, under the name that multiprocessing looks for.

    Its reducer of a ctypes type, once registered, is asked about all objects of that type.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment

    def create_memoryview(self) -> Any:
        return self.segment._base

    def __reduce__(self) -> Any:
        return _Wrapper, (self.segment,)


def segment_of(obj: Any) -> Segment:
    """Return the segment of a Value, an Array, or what get_obj returns: its name, unlink, atomic.

    TypeError for anything else.
    """
    inner = obj.get_obj() if isinstance(obj, SynchronizedBase) else obj
    wrapper = getattr(inner, "_wrapper", None)
    if not isinstance(wrapper, _Wrapper):
        raise TypeError(f"{obj!r} lies in no segment")
    return wrapper.segment


def _placed(kind: Any, segment: Segment) -> Any:
    """Return the object of a type that lies in a segment, which it keeps."""
    obj = typed.place(kind, segment._base)
    obj._wrapper = _Wrapper(segment)
    copyreg.pickle(kind, _reduce)
    return obj


def _reduce(obj: Any) -> Any:
    """Pickle a ctypes object: one in a segment opens that again, others are as ever."""
    wrapper = getattr(obj, "_wrapper", None)
    if not isinstance(wrapper, _Wrapper):
        return obj.__reduce__()
    return _opened, (wrapper.segment, typed.portable(type(obj)))


def _opened(segment: Segment, kind: Any) -> Any:
    return _placed(typed.of_portable(kind), segment)


def make_value(
    how: str, kind: Any, args: tuple[Any, ...], name: str | None, transient: bool | None, root: Any
) -> Any:
    """Return a ctypes object of a type in a segment; how -- of a Segment: "", create."""
    kind = typed.type_of(kind)
    begin = typed.make(kind, *args) if args else None
    maker = Segment.create if how else Segment
    return _placed(
        kind,
        maker(
            name=name,
            format=typed.format_of(kind),
            itemsize=typed.size_of(kind),
            initial=begin,
            transient=transient,
            root=root,
        ),
    )


def make_array(
    how: str, kind: Any, size: Any, name: str | None, transient: bool | None, root: Any
) -> Any:
    """Return a ctypes array in a segment, of so many items, or of those of a sequence."""
    element = typed.type_of(kind)
    if isinstance(size, int):
        if size < 0:
            raise errors.InvalidError(f"an array of {size}: give 0 or more, or a sequence")
        whole, begin = typed.array_of(element, size), None
    else:
        items = size if hasattr(size, "__len__") else list(size)
        whole = typed.array_of(element, len(items))
        begin = typed.make(whole, *items)
    maker = Segment.create if how else Segment
    return _placed(
        whole,
        maker(
            name=name,
            format=typed.format_of(element),
            itemsize=typed.size_of(element),
            shape=len(begin) if begin is not None else size,
            initial=begin,
            transient=transient,
            root=root,
        ),
    )


def place_plain(kind: Any, begin: Any = None) -> Any:
    """Return a ctypes object of any type in an anonymous segment that says nothing of it."""
    return _placed(kind, Segment(max(1, typed.size_of(kind)), initial=begin))


def open_object(name: str, kind: Any, array: bool, root: _arguments.Path | None) -> Any:
    """Open a ctypes object by name; kind None is what the segment says that it holds."""
    if kind is not None:
        kind = typed.type_of(kind)
        segment = Segment.open(
            name, format=typed.format_of(kind), itemsize=typed.size_of(kind), root=root
        )
    else:
        segment = Segment.open(name, root=root)
        if segment.format:
            kind = typed.of_format(segment.format)
        elif array:
            kind = typed.TYPES["B"]
    if kind is None or (bool(segment.shape) != array and bool(segment.format)):
        what = "an array" if array else "a single value"
        raise errors.MismatchError(
            f'open segment "{name}": it exists with format {segment.format or "none"}, shape '
            f"{segment.shape}, which can't be opened as {what}: use Segment"
        )
    if array:
        for n in reversed(segment._current_shape()):
            kind = typed.array_of(kind, n)
    return _placed(kind, segment)


class SynchronizedBase:
    """A ctypes object in a segment, with a lock; what multiprocessing calls a wrapper."""

    _obj: Any
    _lock: Any

    def __init__(self, obj: Any, lock: Any) -> None:
        """Only for Value, Array and synchronized."""
        self._obj = obj
        self._lock = lock
        self.acquire = lock.acquire
        self.release = lock.release
        # The quick way around Python's own acquire, for what is a matter of nanoseconds.
        ours = isinstance(lock, (SegmentLock, Held))
        self._take = lock._c_acquire if ours else lambda _ns: int(not lock.acquire())
        self._give = lock._c_release if ours else lock.release

    def _took(self, status: int) -> None:
        """Go on after a take that was not plainly OK: have the lock, or raise."""
        if isinstance(self._lock, (SegmentLock, Held)):
            self._lock._acquired(status)

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        return self._lock.__exit__(kind, error, traceback)

    def __reduce__(self) -> Any:
        lock = self._lock
        own = type(lock) is SegmentLock and lock._segment is segment_of(self._obj)
        return synchronized, (self._obj, None if own else self._lock)

    def get_obj(self) -> Any:
        """Return the ctypes object, to be used without the lock, or with it held."""
        return self._obj

    def get_lock(self) -> Any:
        """Return the lock."""
        return self._lock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} wrapper for {self._obj}>"


def _guarded(name: str) -> property:
    """Return a property that is the object's, under the lock."""
    names: dict[str, Any] = {}
    exec(_GUARDED.format(name=name), names)
    return property(names["get"], names["put"], doc=f"The object's {name}, under the lock.")


_GUARDED = """
def get(self):
    status = self._take(-1)
    if status:
        self._took(status)
    try:
        return self._obj.{name}
    finally:
        self._give()

def put(self, value):
    status = self._take(-1)
    if status:
        self._took(status)
    try:
        self._obj.{name} = value
    finally:
        self._give()
"""


class Synchronized(SynchronizedBase):
    """A number or character with its lock. value += 1 takes the lock twice: hold it around that."""

    value = _guarded("value")


class SynchronizedArray(SynchronizedBase):
    """An array with its lock, which each access takes."""

    def __len__(self) -> int:
        return len(self._obj)

    def __getitem__(self, i: Any) -> Any:
        status = self._take(-1)
        if status:
            self._took(status)
        try:
            return self._obj[i]
        finally:
            self._give()

    def __setitem__(self, i: Any, value: Any) -> None:
        status = self._take(-1)
        if status:
            self._took(status)
        try:
            self._obj[i] = value
        finally:
            self._give()

    def numpy(self) -> Any:
        """Return a numpy array of the items, without a copy and without the lock."""
        return segment_of(self).numpy()


class SynchronizedString(SynchronizedArray):
    """An array of characters with its lock."""

    value = _guarded("value")
    raw = _guarded("raw")


_structures: weakref.WeakKeyDictionary[Any, type[SynchronizedBase]] = weakref.WeakKeyDictionary()


def _class_of(obj: Any) -> type[SynchronizedBase]:
    """Return the wrapper's class."""
    if typed.is_simple(obj):
        return Synchronized
    if typed.is_array(obj):
        return SynchronizedString if typed.is_string(obj) else SynchronizedArray
    kind = type(obj)
    found = _structures.get(kind)
    if found is None:
        fields = {n: _guarded(n) for n in typed.field_names(kind)}
        found = type("Synchronized" + kind.__name__, (SynchronizedBase,), fields)
        _structures[kind] = found
    return found


def synchronized(obj: Any, lock: Any = None) -> Any:
    """Return obj, a ctypes object in a segment, with a lock; None: that of its segment."""
    if isinstance(obj, SynchronizedBase):
        raise TypeError(f"{obj!r} has a lock already")
    if lock is None:
        lock = segment_of(obj).lock
    if not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return _class_of(obj)(obj, lock)


def locked(obj: Any, lock: Lock) -> Any:
    """Return what the lock argument of Value and Array asks for."""
    if lock is False:
        return obj
    return synchronized(obj, None if lock is True else lock)
