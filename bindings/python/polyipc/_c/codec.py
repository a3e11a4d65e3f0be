"""The library's quick look at what is to be packed."""

from __future__ import annotations

import ctypes

from polyipc import codec
from polyipc._c import library


@library.on_load
def _bind(_c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    shims.polyipc_py_tree.restype = ctypes.py_object
    shims.polyipc_py_tree.argtypes = [ctypes.py_object]
    codec.quicken(shims.polyipc_py_tree(codec.TREE))
