"""The functions of polyipc/queue.h as Python sees them.

Speed. A call through ctypes takes longer than a put or a get. So the verbs that move messages are
builtin functions that the library makes, one set for each queue: bind.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple

from polyipc._c import library
from polyipc._c.library import load

RAW = 0
MSGPACK = 1
RECORD_BYTES = 24  # of header with each message

_bind_queue: Callable[[int], QueueCalls]


class QueueCalls(NamedTuple):
    """The functions of one queue, which take their arguments by position; capi/pyshim.h.

    Each has the GIL to begin with and lets go of it to wait or to copy much. ns is a timeout: 0
    tries, negative waits for ever.
    """

    put: Callable[[bytes, int, int], int]  # body, format, ns: status
    put_many: Callable[[list[bytes], int, int, int], int]  # bodies, start, format, ns
    get: Callable[[int], Any]  # ns: bytes, (bytes, format), or the status
    get_many: Callable[[int, int], Any]  # most, ns: a list of such, or the status
    lease: Callable[[int], Any]  # ns: (bytes, format, lease, deliveries), or the status
    ack: Callable[[bytes], int]  # lease: status
    nack: Callable[[bytes], int]  # lease: status


class _Options(ctypes.Structure):
    """polyipc_queue_options."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("max_size", ctypes.c_int64),
        ("capacity", ctypes.c_int64),
        ("root", ctypes.c_char_p),
    )


class _Stat(ctypes.Structure):
    """polyipc_queue_stat_t."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        *((n, ctypes.c_int64) for n in ("max_size", "capacity", "messages", "bytes", "leased")),
        *((n, ctypes.c_int64) for n in ("reserved", "unfinished")),
        *((n, ctypes.c_uint64) for n in ("put", "taken", "redelivered", "take_overs")),
        *((n, ctypes.c_uint64) for n in ("abandoned", "grown")),
        ("rings", ctypes.c_uint32),
        ("shutdown", ctypes.c_uint32),
    )


class PyBuffer(ctypes.Structure):
    """Py_buffer, of which only the first three fields are looked at."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("rest", ctypes.c_char * 128),  # more than any version's
    )


@library.on_load
def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    global _bind_queue
    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    ns, text = ctypes.c_int64, ctypes.c_char_p
    for how in ("create", "open", "open_or_create"):
        getattr(c, "polyipc_queue_" + how).argtypes = [text, pointer, pointer]
    c.polyipc_queue_unlink.argtypes = [text, text]
    c.polyipc_queue_name.argtypes = [i, text, size]
    c.polyipc_queue_put.argtypes = [i, pointer, size, i, ns]
    c.polyipc_queue_join.argtypes = [i, ns]
    c.polyipc_queue_size.argtypes = [i, pointer]
    c.polyipc_queue_stat.argtypes = [i, pointer]
    shims.polyipc_py_queue.restype = ctypes.py_object
    _bind_queue = shims.polyipc_py_queue


def open_(
    how: str, name: bytes | None, root: bytes | None, flags: int, max_size: int, capacity: int
) -> tuple[int, int]:
    """Call create, open or open_or_create; return the status and the queue's id."""
    options = _Options(ctypes.sizeof(_Options), flags, max_size, capacity, root)
    queue = ctypes.c_uint32(0)
    function = getattr(load(), "polyipc_queue_" + how)
    status = function(name, ctypes.byref(options), ctypes.byref(queue))
    return library.opened(status), queue.value


def bind(queue: int) -> QueueCalls:
    """Return the functions of an open queue."""
    return QueueCalls(*_bind_queue(queue))


def close(queue: int) -> int:
    """Return the status of closing."""
    status = int(load().polyipc_queue_close(queue))
    library.tell()
    return status


def unlink(name: bytes, root: bytes | None) -> int:
    """Return the status of removing a name."""
    return int(load().polyipc_queue_unlink(name, root))


def name(queue: int) -> tuple[int, str]:
    """Return the status and the name."""
    return library.name(load().polyipc_queue_name, queue)


def put_buffer(queue: int, data: object, form: int, ns: int) -> int:
    """Put the memory of any object that has the buffer protocol, without a copy; a status.

    BufferError if it is not contiguous, TypeError if the object has no buffer.
    """
    api, view = ctypes.pythonapi, PyBuffer()
    api.PyObject_GetBuffer(ctypes.py_object(data), ctypes.byref(view), 0)
    try:
        return int(load().polyipc_queue_put(queue, view.buf, view.len, form, ns))
    finally:
        api.PyBuffer_Release(ctypes.byref(view))


def task_done(queue: int) -> int:
    """Return the status."""
    return int(load().polyipc_queue_task_done(queue))


def join(queue: int, ns: int) -> int:
    """Return the status."""
    return int(load().polyipc_queue_join(queue, ns))


def shutdown(queue: int, immediate: bool) -> int:
    """Return the status."""
    return int(load().polyipc_queue_shutdown(queue, int(immediate)))


def size(queue: int) -> tuple[int, int]:
    """Return the status and how many messages a get could take."""
    messages = ctypes.c_int64(0)
    status = load().polyipc_queue_size(queue, ctypes.byref(messages))
    return status, messages.value


def stat(queue: int) -> tuple[int, dict[str, int]]:
    """Return the status and the fields of polyipc_queue_stat_t."""
    now = _Stat(size=ctypes.sizeof(_Stat))
    status = load().polyipc_queue_stat(queue, ctypes.byref(now))
    if status == 0:
        library.tell()
    return status, {field[0]: getattr(now, field[0]) for field in now._fields_}
