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


class CReference(ctypes.Structure):
    """polyipc_reference."""

    _fields_ = (
        ("kind", ctypes.c_uint32),
        ("receipt", ctypes.c_uint32),
        ("uuid", ctypes.c_uint8 * 16),
        ("name", ctypes.c_char * 136),
    )

    @classmethod
    def of(cls, r: Reference, receipt: int = 0) -> CReference:
        """Return a reference as C has it."""
        return cls(r.kind, receipt, (ctypes.c_uint8 * 16)(*r.uuid), r.name)


@library.on_load
def _bind(c: ctypes.CDLL, _shims: ctypes.PyDLL) -> None:
    i, pointer = ctypes.c_int, ctypes.c_void_p
    c.polyipc_reference_of.argtypes = [i, pointer]
    c.polyipc_reference_open.argtypes = [pointer, ctypes.c_char_p, i, pointer]
    c.polyipc_receipt_return.argtypes = [ctypes.c_uint32]


def of(handle: int) -> tuple[int, Reference]:
    """Return the status and the reference to an open object."""
    r = CReference()
    status = load().polyipc_reference_of(handle, ctypes.byref(r))
    return status, Reference(r.kind, bytes(r.uuid), r.name)


def open_(reference: Reference, receipt: int, root: bytes | None) -> tuple[int, int]:
    """Return the status and the handle of the object of a reference."""
    r = CReference.of(reference, receipt)
    handle = ctypes.c_uint32(0)
    function = load().polyipc_reference_open
    status = function(ctypes.byref(r), root, r.kind, ctypes.byref(handle))
    return library.opened(status), handle.value


def give_back(receipt: int) -> None:
    """Give up what a message held and was not opened."""
    load().polyipc_receipt_return(receipt)
