"""The functions of polyipc.h that are about a root."""

from __future__ import annotations

import ctypes

from polyipc._c import library
from polyipc._c.library import load


@library.on_load
def _bind(c: ctypes.CDLL, _shims: ctypes.PyDLL) -> None:
    c.polyipc_gc.argtypes = [ctypes.c_char_p, ctypes.c_void_p]


def gc(root: bytes | None) -> tuple[int, int]:
    """Return the status and how many files were removed."""
    removed = ctypes.c_int64(0)
    status = load().polyipc_gc(root, ctypes.byref(removed))
    if status == 0:
        library.tell()
    return status, removed.value
