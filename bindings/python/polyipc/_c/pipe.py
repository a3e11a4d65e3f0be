"""The functions of polyipc/pipe.h as Python sees them.

send and recv are builtin functions that the library makes, one pair for each handle: bind. Why is
said in polyipc._c.queue.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple

from polyipc._c import library
from polyipc._c.library import load

ONE_WAY = 16
END_DEFAULT = 0
END_FIRST = 1
END_SECOND = 2

_bind_pipe: Callable[[int], tuple[tuple[Any, Any], int, int, int]]


class PipeCalls(NamedTuple):
    """The functions of one end, which take their arguments by position; capi/pyshim.h."""

    send: Callable[[bytes, int, int], int]  # body, format, ns: status
    recv: Callable[[int], Any]  # ns: bytes, (bytes, format), or the status


class PipeEnd(NamedTuple):
    """What an open handle is."""

    calls: PipeCalls
    end: int  # 0 or 1
    receives: bool
    sends: bool


class _Options(ctypes.Structure):
    """polyipc_pipe_options."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("capacity", ctypes.c_int64),
        ("end", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("root", ctypes.c_char_p),
    )


class _Direction(ctypes.Structure):
    """polyipc_pipe_direction."""

    _fields_ = (
        *((n, ctypes.c_int64) for n in ("messages", "bytes")),
        *((n, ctypes.c_uint64) for n in ("sent", "received", "abandoned")),
    )


class _Stat(ctypes.Structure):
    """polyipc_pipe_stat_t."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("capacity", ctypes.c_int64),
        ("end", ctypes.c_uint32),
        ("other", ctypes.c_uint32),
        ("take_overs", ctypes.c_uint64),
        ("in_", _Direction),
        ("out", _Direction),
    )


@library.on_load
def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    global _bind_pipe
    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    ns, text = ctypes.c_int64, ctypes.c_char_p
    for how in ("create", "open", "open_or_create"):
        getattr(c, "polyipc_pipe_" + how).argtypes = [text, pointer, pointer]
    c.polyipc_pipe_pair.argtypes = [text, pointer, pointer, pointer]
    c.polyipc_pipe_unlink.argtypes = [text, text]
    c.polyipc_pipe_name.argtypes = [i, text, size]
    c.polyipc_pipe_poll.argtypes = [i, ns]
    c.polyipc_pipe_stat.argtypes = [i, pointer]
    shims.polyipc_py_pipe.restype = ctypes.py_object
    _bind_pipe = shims.polyipc_py_pipe


def open_(
    how: str, name: bytes | None, root: bytes | None, flags: int, capacity: int, end: int
) -> tuple[int, int]:
    """Call create, open or open_or_create; return the status and the handle's number."""
    options = _Options(ctypes.sizeof(_Options), flags, capacity, end, 0, root)
    pipe = ctypes.c_uint32(0)
    function = getattr(load(), "polyipc_pipe_" + how)
    status = function(name, ctypes.byref(options), ctypes.byref(pipe))
    return library.opened(status), pipe.value


def pair(name: bytes | None, root: bytes | None, flags: int, capacity: int) -> tuple[int, int, int]:
    """Make a pipe; return the status and the numbers of its first and second end."""
    options = _Options(ctypes.sizeof(_Options), flags, capacity, END_DEFAULT, 0, root)
    first, second = ctypes.c_uint32(0), ctypes.c_uint32(0)
    status = load().polyipc_pipe_pair(
        name, ctypes.byref(options), ctypes.byref(first), ctypes.byref(second)
    )
    return library.opened(status), first.value, second.value


def bind(pipe: int) -> PipeEnd:
    """Return the functions of an end that was just opened, and which it is."""
    calls, end, receives, sends = _bind_pipe(pipe)
    return PipeEnd(PipeCalls(*calls), end, bool(receives), bool(sends))


def close(pipe: int) -> int:
    """Return the status of closing."""
    status = int(load().polyipc_pipe_close(pipe))
    library.tell()
    return status


def unlink(name: bytes, root: bytes | None) -> int:
    """Return the status of removing a name."""
    return int(load().polyipc_pipe_unlink(name, root))


def name(pipe: int) -> tuple[int, str]:
    """Return the status and the name."""
    return library.name(load().polyipc_pipe_name, pipe)


def poll(pipe: int, ns: int) -> int:
    """Return the status: 0 when a receive would not wait."""
    return int(load().polyipc_pipe_poll(pipe, ns))


def stat(pipe: int) -> tuple[int, dict[str, Any]]:
    """Return the status and the fields of polyipc_pipe_stat_t, the directions as dicts."""
    now = _Stat(size=ctypes.sizeof(_Stat))
    status = load().polyipc_pipe_stat(pipe, ctypes.byref(now))
    if status == 0:
        library.tell()
    fields: dict[str, Any] = {f[0]: getattr(now, f[0]) for f in now._fields_}
    for way in ("in_", "out"):
        fields[way] = {f[0]: getattr(fields[way], f[0]) for f in _Direction._fields_}
    return status, fields
