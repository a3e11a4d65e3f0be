"""multiprocessing.sharedctypes on top of polyipc's segments.

Each object has a segment of its own, whose lock it has, too: one object where multiprocessing makes
two. The options of polyipc's functions of that name, such as name, are taken as well.
"""

from __future__ import annotations

from multiprocessing import sharedctypes as _theirs
from typing import Any

from polyipc import segment as native
from polyipc._c import typed
from polyipc._shared_values import place_plain
from polyipc.errors import InvalidError
from polyipc.multiprocessing import _rest
from polyipc.multiprocessing._semlock import ValueLock
from polyipc.multiprocessing.context import _default_context
from polyipc.segment import Synchronized, SynchronizedArray, SynchronizedBase, SynchronizedString

__all__ = [
    "Array",
    "RawArray",
    "RawValue",
    "Synchronized",
    "SynchronizedArray",
    "SynchronizedBase",
    "SynchronizedString",
    "Value",
    "copy",
    "synchronized",
]

typecode_to_type = typed.TYPES


def RawValue(typecode_or_type: Any, *args: Any, **options: Any) -> Any:
    """Return a ctypes object in shared memory, without a lock."""
    try:
        return native.RawValue(typecode_or_type, *args, **options)
    except InvalidError:
        if options:
            raise
        kind = typed.type_of(typecode_or_type)  # one that other languages cannot read
        return place_plain(kind, typed.make(kind, *args))


def RawArray(typecode_or_type: Any, size_or_initializer: Any, **options: Any) -> Any:
    """Return a ctypes array in shared memory, without a lock."""
    try:
        return native.RawArray(typecode_or_type, size_or_initializer, **options)
    except InvalidError:
        if options:
            raise
        kind, size = typed.type_of(typecode_or_type), size_or_initializer
        if isinstance(size, int):
            return place_plain(typed.array_of(kind, size))
        whole = typed.array_of(kind, len(size))
        return place_plain(whole, typed.make(whole, *size))


def Value(
    typecode_or_type: Any, *args: Any, lock: Any = True, ctx: Any = None, **options: Any
) -> Any:
    """Return a ctypes object in shared memory with a lock.

    lock -- True or None: its segment's; False: none; or any object with acquire and release
    """
    return _locked(RawValue(typecode_or_type, *args, **options), lock, ctx)


def Array(
    typecode_or_type: Any,
    size_or_initializer: Any,
    *,
    lock: Any = True,
    ctx: Any = None,
    **options: Any,
) -> Any:
    """Return a ctypes array in shared memory with a lock; lock -- as of Value."""
    return _locked(RawArray(typecode_or_type, size_or_initializer, **options), lock, ctx)


def copy(obj: Any) -> Any:
    """Return a ctypes object in shared memory with the contents of another one."""
    return place_plain(type(obj), obj)


def synchronized(obj: Any, lock: Any = None, ctx: Any = None) -> Any:
    """Return a ctypes object together with a lock; None: its segment's, or an RLock."""
    assert not isinstance(obj, SynchronizedBase), "object already synchronized"
    return native.synchronized(obj, lock or _lock_of(obj, ctx))


def _lock_of(obj: Any, ctx: Any) -> Any:
    try:
        return ValueLock(native.segment_of(obj))
    except TypeError:
        return (ctx or _default_context).RLock()


def _locked(obj: Any, lock: Any, ctx: Any) -> Any:
    if lock is False:
        return obj
    if lock in (True, None):
        lock = _lock_of(obj, ctx)
    elif not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return synchronized(obj, lock, ctx)


__getattr__, __dir__ = _rest.of(_theirs, globals())
