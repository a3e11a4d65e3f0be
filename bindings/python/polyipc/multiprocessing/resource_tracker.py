"""multiprocessing.resource_tracker, CPython's own, which removes what its blocks and locks leave.

Nothing of polyipc's is on its list. So a program that takes blocks off it, as many do that attach
to what another process owns, takes off those of CPython's alone: the tracker would print a
traceback for one that it does not know.
"""

from __future__ import annotations

from multiprocessing import resource_tracker as _theirs
from multiprocessing.resource_tracker import ensure_running, getfd, register
from pathlib import Path

from polyipc.multiprocessing import _rest

__all__ = ["ensure_running", "getfd", "register", "unregister"]

_blocks: set[str] = set()  # of CPython's that SharedMemory of this package has opened


def unregister(name: str, rtype: str) -> None:
    """Take a resource off the list; nothing happens where it is a block of polyipc's."""
    if rtype == "shared_memory":
        if name not in _blocks and not Path("/dev/shm", name.lstrip("/")).exists():
            return
        _blocks.discard(name)
    _theirs.unregister(name, rtype)


__getattr__, __dir__ = _rest.of(_theirs, globals())
