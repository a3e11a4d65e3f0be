"""polyipc_py_put_pieces and its kin: messages in pieces, which may refer to objects."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from polyipc._c import library
from polyipc._c.library import load
from polyipc._c.queue import PyBuffer
from polyipc._c.reference import CReference, Reference

MOST = 1024


class _Slice(ctypes.Structure):
    """polyipc_slice."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


@library.on_load
def _bind(c: ctypes.CDLL, _shims: ctypes.PyDLL) -> None:
    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    for function in (c.polyipc_py_put_pieces, c.polyipc_py_send_pieces):
        function.argtypes = [i, pointer, size, i, pointer, size, ctypes.c_int64]


def put(
    queue: int, pieces: Sequence[object], form: int, references: Sequence[Reference], ns: int
) -> int:
    """Return the status of putting one message, of the memory of what has the buffer protocol."""
    return _call(load().polyipc_py_put_pieces, queue, pieces, form, references, ns)


def send(
    pipe: int, pieces: Sequence[object], form: int, references: Sequence[Reference], ns: int
) -> int:
    """Return the status of sending one."""
    return _call(load().polyipc_py_send_pieces, pipe, pieces, form, references, ns)


def memory_of(part: memoryview) -> Any:
    """Return an object that is the memory of a part of a bytes object, to be read and written.

    That is valid for bytes that were just made, and that nobody but their receiver has: nothing
    depends on them not to change. The object keeps them. It is not a slice of something larger, as
    a memoryview would be: those who look at the obj of a view of it find no more than the buffer.
    """
    view = PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(part), ctypes.byref(view), 0)
    try:
        array: Any = (ctypes.c_char * len(part)).from_address(view.buf)
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
    array.kept = part
    return array


def _call(
    function: Any,
    handle: int,
    pieces: Sequence[object],
    form: int,
    references: Sequence[Reference],
    ns: int,
) -> int:
    api = ctypes.pythonapi
    slices = (_Slice * len(pieces))()
    referred = (CReference * len(references))(*(CReference.of(r) for r in references))
    with ExitStack() as held:
        for place, piece in zip(slices, pieces):
            view = PyBuffer()
            api.PyObject_GetBuffer(ctypes.py_object(piece), ctypes.byref(view), 0)
            held.callback(api.PyBuffer_Release, ctypes.byref(view))
            place.data, place.size = view.buf, view.len
        return int(function(handle, slices, len(slices), form, referred, len(referred), ns))
