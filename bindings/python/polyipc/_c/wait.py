"""The functions of polyipc/wait.h, and of polyipc/process.h and capi/pyshim.h what hands over."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from polyipc._c import library
from polyipc._c.library import load

READABLE = 1
WRITABLE = 2

# A polyipc_wait_item is four words: handle, fd (which is not negative), events, ready.

_TOO_SMALL = 15


class _Object(ctypes.Structure):
    """polyipc_process_object."""

    _fields_ = (
        ("role", ctypes.c_char_p),
        ("handle", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    )


@library.on_load
def _bind(c: ctypes.CDLL, _shims: ctypes.PyDLL) -> None:
    size, pointer, text = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p
    c.polyipc_wait.argtypes = [pointer, size, ctypes.c_int64, pointer]
    c.polyipc_py_hand_over.argtypes = [pointer, size, text, size, pointer, pointer]
    c.polyipc_py_let_go.argtypes = [pointer, size]
    c.polyipc_inherited.argtypes = [text, ctypes.c_uint32, ctypes.c_uint32, pointer]


def items(rows: Iterable[tuple[int, int, int]]) -> ctypes.Array[ctypes.c_uint32]:
    """Return items for wait of (handle, fd, events).

    As plain words: eight objects of a ctypes structure took 4 of the 10 us of a wait.
    """
    words = [word for row in rows for word in (*row, 0)]
    return (ctypes.c_uint32 * len(words))(*words)


def ready(what: ctypes.Array[ctypes.c_uint32]) -> list[int]:
    """Return the events of each item that are so."""
    return what[3::4]


def wait(what: ctypes.Array[ctypes.c_uint32], ns: int) -> int:
    """Return the status; the items say what is ready."""
    return int(load().polyipc_wait(what, len(what) // 4, ns, None))


def poll_fd(kind: str, handle: int, events: int) -> tuple[int, int]:
    """Return the status and the descriptor of polyipc_<kind>_poll_fd."""
    fd = ctypes.c_int(-1)
    function = getattr(load(), f"polyipc_{kind}_poll_fd")
    status = function(handle, events, ctypes.byref(fd))
    return library.opened(status), fd.value


def hand_over(objects: Iterable[tuple[bytes, int]]) -> tuple[int, bytes, list[int]]:
    """Return the status, the variable's value and descriptors, for roles and handles.

    The descriptors are closed by let_go.
    """
    given = [_Object(role, handle, 0) for role, handle in objects]
    array = (_Object * len(given))(*given)
    fds = (ctypes.c_int32 * len(given))()
    capacity, size = 4096, ctypes.c_size_t(0)
    while True:
        buffer = ctypes.create_string_buffer(capacity)
        status = load().polyipc_py_hand_over(
            array, len(given), buffer, capacity, ctypes.byref(size), fds
        )
        if status != _TOO_SMALL:
            return status, buffer.raw[: size.value], list(fds)
        capacity = size.value


def let_go(fds: list[int]) -> None:
    """Close descriptors of hand_over."""
    load().polyipc_py_let_go((ctypes.c_int32 * len(fds))(*fds), len(fds))


def inherited(role: bytes, kind: int, flags: int) -> tuple[int, int]:
    """Return the status and the handle of what was handed over in a role."""
    handle = ctypes.c_uint32(0)
    status = load().polyipc_inherited(role, kind, flags, ctypes.byref(handle))
    return library.opened(status), handle.value
