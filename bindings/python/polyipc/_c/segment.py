"""The functions of polyipc/segment.h as Python sees them.

The memory of a segment is a ctypes array here, its base. Whatever Python makes of the memory, such
as memoryviews, numpy arrays, ctypes objects, refers to the base; so when nobody refers to the base
any more, nobody can touch the memory, and it is unmapped.
"""

from __future__ import annotations

import atexit
import ctypes
import weakref
from collections.abc import Sequence
from typing import Any, Callable

from polyipc._c import library
from polyipc._c.library import load

MAX_DIMS = 8
MAX_FORMAT = 1000

_bind_lock: Callable[[int], tuple[Callable[..., int], ...]]
_bind_cell: Callable[..., tuple[Callable[..., Any], ...]]
_bind_direct: Callable[..., tuple[Callable[..., Any], ...]]

_open: dict[int, weakref.finalize[..., Any]] = {}


class _Options(ctypes.Structure):
    """polyipc_segment_options."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("bytes", ctypes.c_int64),
        ("max_bytes", ctypes.c_int64),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("dims", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("item_size", ctypes.c_int64),
        ("initial", ctypes.c_void_p),
        ("initial_bytes", ctypes.c_int64),
        ("root", ctypes.c_char_p),
    )


class _Type(ctypes.Structure):
    """polyipc_segment_type_t."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("dims", ctypes.c_uint32),
        ("item_size", ctypes.c_int64),
        ("shape", ctypes.c_int64 * MAX_DIMS),
        ("format", ctypes.c_char * (MAX_FORMAT + 8)),
    )


class _Stat(ctypes.Structure):
    """polyipc_segment_stat_t."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        *((n, ctypes.c_int64) for n in ("bytes", "max_bytes", "waiters")),
        ("take_overs", ctypes.c_uint64),
        *((n, ctypes.c_int64) for n in ("lock_pid", "lock_held_ns")),
    )


@library.on_load
def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    global _bind_lock, _bind_cell, _bind_direct
    i, n, size, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_size_t, ctypes.c_void_p
    text, python = ctypes.c_char_p, ctypes.py_object
    for how in ("create", "open", "open_or_create"):
        getattr(c, "polyipc_segment_" + how).argtypes = [text, pointer, pointer]
    c.polyipc_segment_unlink.argtypes = [text, text]
    c.polyipc_segment_name.argtypes = [i, text, size]
    c.polyipc_segment_data.argtypes = [i, pointer, pointer]
    c.polyipc_segment_grow.argtypes = [i, n]
    c.polyipc_segment_describe.argtypes = [i, pointer]
    c.polyipc_segment_stat.argtypes = [i, pointer]
    shims.polyipc_py_segment_lock.restype = python
    shims.polyipc_py_segment_cell.argtypes = [i, ctypes.c_longlong, i, i, python]
    shims.polyipc_py_segment_cell.restype = python
    _bind_lock, _bind_cell = shims.polyipc_py_segment_lock, shims.polyipc_py_segment_cell
    shims.polyipc_py_direct.argtypes = [i, i, *[python] * 4]
    shims.polyipc_py_direct.restype = python
    _bind_direct = shims.polyipc_py_direct


def open_(
    how: str,
    name: bytes | None,
    root: bytes | None,
    flags: int,
    size: int,
    max_size: int,
    form: bytes | None,
    shape: Sequence[int],
    item_size: int,
    initial: Any,
) -> tuple[int, int]:
    """Call create, open or open_or_create; return the status and the segment's id.

    initial -- a ctypes object or bytes to begin with, or None
    """
    options = _Options(size=ctypes.sizeof(_Options), flags=flags, bytes=size, max_bytes=max_size)
    options.format, options.item_size, options.root = form, item_size, root
    if shape:
        options.shape, options.dims = (ctypes.c_int64 * len(shape))(*shape), len(shape)
    if isinstance(initial, bytes):
        initial = ctypes.create_string_buffer(initial, len(initial))
    if initial is not None:
        options.initial, options.initial_bytes = ctypes.addressof(initial), ctypes.sizeof(initial)
    segment = ctypes.c_uint32(0)
    function = getattr(load(), "polyipc_segment_" + how)
    status = function(name, ctypes.byref(options), ctypes.byref(segment))
    return library.opened(status), segment.value


def data(segment: int) -> tuple[int, int, int]:
    """Return the status, where the memory lies, and how many bytes are usable."""
    address, size = ctypes.c_void_p(0), ctypes.c_int64(0)
    status = load().polyipc_segment_data(segment, ctypes.byref(address), ctypes.byref(size))
    return status, address.value or 0, size.value


def base(segment: int, address: int, max_size: int) -> Any:
    """Return the base of a segment, which closes it when nobody refers to it any more."""
    memory = (ctypes.c_char * max_size).from_address(address)
    closer = weakref.finalize(memory, _close, segment)
    closer.atexit = False  # type: ignore[misc]
    _open[segment] = closer
    return memory


def view(memory: Any, size: int) -> memoryview:
    """Return the first bytes of a base."""
    return memoryview(memory).cast("B")[:size]


def _close(segment: int) -> None:
    _open.pop(segment, None)
    load().polyipc_segment_close(segment)
    library.tell()


def leave() -> None:
    """At exit, end the use of all segments; what refers to their memory may go on doing so."""
    for segment, closer in list(_open.items()):
        if closer.detach() is not None:
            load().polyipc_py_segment_leave(segment)


atexit.register(leave)


def close(segment: int) -> int:
    """Return the status of closing a segment that has no base."""
    return int(load().polyipc_segment_close(segment))


def unlink(name: bytes, root: bytes | None) -> int:
    """Return the status of removing a name."""
    return int(load().polyipc_segment_unlink(name, root))


def name(segment: int) -> tuple[int, str]:
    """Return the status and the name."""
    return library.name(load().polyipc_segment_name, segment)


def grow(segment: int, size: int) -> int:
    """Return the status."""
    return int(load().polyipc_segment_grow(segment, size))


def describe(segment: int) -> tuple[int, str, tuple[int, ...], int]:
    """Return the status, the format, the shape and the size of an item."""
    kind = _Type(size=ctypes.sizeof(_Type))
    status = load().polyipc_segment_describe(segment, ctypes.byref(kind))
    return status, kind.format.decode(), tuple(kind.shape[: kind.dims]), kind.item_size


def stat(segment: int) -> tuple[int, dict[str, int]]:
    """Return the status and the fields of polyipc_segment_stat_t."""
    now = _Stat(size=ctypes.sizeof(_Stat))
    status = load().polyipc_segment_stat(segment, ctypes.byref(now))
    if status == 0:
        library.tell()
    return status, {field[0]: getattr(now, field[0]) for field in now._fields_}


def lock(segment: int) -> tuple[Callable[..., int], ...]:
    """Return (acquire, release) of a segment's lock: capi/pyshim.h."""
    return _bind_lock(segment)


def direct(
    segment: int, acquire: Callable[..., bool], release: Callable[..., None]
) -> tuple[Callable[..., Any], ...]:
    """Return acquire, release, died and held of a segment's lock, as those of sync.direct."""
    return _bind_direct(0, segment, acquire, release, True, None)


def cell(
    segment: int, offset: int, width: int, has_sign: bool, fail: Callable[[int], object]
) -> tuple[Callable[..., Any], ...]:
    """Return the functions of a cell: capi/pyshim.h. fail is called with a status, and raises."""
    return _bind_cell(segment, offset, width, int(has_sign), fail)
