"""The functions of polyipc/reference.h as Python sees them."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from polyipc._c import library
from polyipc._c.library import load

REFERENCES = 2  # in the format of a message
RECEIPT_SHIFT = 8


class Reference(NamedTuple):
    """What polyipc_reference holds, but for the receipt."""

    kind: int
    uuid: bytes
    name: bytes


class _Reference(ctypes.Structure):
    """polyipc_reference."""

    _fields_ = (
        ("kind", ctypes.c_uint32),
        ("receipt", ctypes.c_uint32),
        ("uuid", ctypes.c_uint8 * 16),
        ("name", ctypes.c_char * 136),
    )


@library.on_load
def _bind(c: ctypes.CDLL, _shims: ctypes.PyDLL) -> None:
    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    c.polyipc_reference_of.argtypes = [i, pointer]
    c.polyipc_reference_open.argtypes = [pointer, ctypes.c_char_p, i, pointer]
    c.polyipc_receipt_return.argtypes = [ctypes.c_uint32]
    for function in (c.polyipc_queue_put_referring, c.polyipc_pipe_send_referring):
        function.argtypes = [*(i, ctypes.c_char_p, size, i, pointer, size, ctypes.c_int64)]


def of(handle: int) -> tuple[int, Reference]:
    """Return the status and the reference to an open object."""
    r = _Reference()
    status = load().polyipc_reference_of(handle, ctypes.byref(r))
    return status, Reference(r.kind, bytes(r.uuid), r.name)


def open_(reference: Reference, receipt: int, root: bytes | None) -> tuple[int, int]:
    """Return the status and the handle of the object of a reference."""
    r = _in_c(reference, receipt)
    handle = ctypes.c_uint32(0)
    function = load().polyipc_reference_open
    status = function(ctypes.byref(r), root, r.kind, ctypes.byref(handle))
    return library.opened(status), handle.value


def give_back(receipt: int) -> None:
    """Give up what a message held and was not opened."""
    load().polyipc_receipt_return(receipt)


def put(queue: int, body: bytes, form: int, references: list[Reference], ns: int) -> int:
    """Return the status of putting a message that refers to objects."""
    all_ = (_Reference * len(references))(*(_in_c(r, 0) for r in references))
    function = load().polyipc_queue_put_referring
    return int(function(queue, body, len(body), form, all_, len(references), ns))


def send(pipe: int, body: bytes, form: int, references: list[Reference], ns: int) -> int:
    """Return the status of sending such a message."""
    all_ = (_Reference * len(references))(*(_in_c(r, 0) for r in references))
    function = load().polyipc_pipe_send_referring
    return int(function(pipe, body, len(body), form, all_, len(references), ns))


def _in_c(r: Reference, receipt: int) -> _Reference:
    return _Reference(r.kind, receipt, (ctypes.c_uint8 * 16)(*r.uuid), r.name)
