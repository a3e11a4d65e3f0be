"""The functions of polyipc/sync.h as Python sees them.

Those that are called often are builtin functions that the library makes, one set for each object:
bind. The others go through ctypes.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from polyipc._c import library
from polyipc._c.library import load

RECLAIM = 16

# enum polyipc_sync_type, by the words in the functions' names.
TYPES = {
    "lock": 1,
    "rlock": 2,
    "semaphore": 3,
    "bounded_semaphore": 4,
    "condition": 5,
    "event": 6,
    "barrier": 7,
    "rwlock": 8,
}

_bind_sync: Callable[[int, int], tuple[Callable[..., int], ...]]
_bind_direct: Callable[..., tuple[Callable[..., Any], ...]]


class _Options(ctypes.Structure):
    """polyipc_sync_options."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("value", ctypes.c_int64),
        ("root", ctypes.c_char_p),
    )


class _Stat(ctypes.Structure):
    """polyipc_sync_stat_t."""

    _fields_ = (
        *((n, ctypes.c_uint32) for n in ("size", "type", "flags", "broken")),
        *((n, ctypes.c_int64) for n in ("limit", "value", "holder", "held_ns")),
        ("language", ctypes.c_char * 16),
        *((n, ctypes.c_uint32) for n in ("depth", "waiters")),
        *((n, ctypes.c_uint64) for n in ("take_overs", "reclaimed")),
    )


class Waiting(ctypes.Structure):
    """polyipc_waiting: a wait that may be interrupted and go on."""

    _fields_ = (
        ("ticket", ctypes.c_uint64),
        *((n, ctypes.c_uint32) for n in ("place", "depth", "phase", "status")),
    )


@library.on_load
def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    global _bind_sync, _bind_direct
    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    ns, text = ctypes.c_int64, ctypes.c_char_p
    for kind in TYPES:
        for how in ("create", "open", "open_or_create"):
            getattr(c, f"polyipc_{kind}_{how}").argtypes = [text, pointer, pointer]
        getattr(c, f"polyipc_{kind}_name").argtypes = [i, text, size]
        getattr(c, f"polyipc_{kind}_stat").argtypes = [i, pointer]
    c.polyipc_sync_unlink.argtypes = [text, text]
    c.polyipc_lock_locked.argtypes = [i, pointer]
    c.polyipc_condition_wait.argtypes = [i, i, ns, pointer, pointer]
    c.polyipc_event_is_set.argtypes = [i, pointer]
    c.polyipc_barrier_wait.argtypes = [i, ns, pointer, pointer]
    c.polyipc_barrier_pass.argtypes = [i, ctypes.c_uint64]
    c.polyipc_barrier_waiting.argtypes = [i, pointer, pointer]
    for kind in ("rlock", "condition"):
        getattr(c, f"polyipc_{kind}_owned").argtypes = [i, pointer]
    for kind in ("semaphore", "bounded_semaphore"):
        getattr(c, f"polyipc_{kind}_value").argtypes = [i, pointer]
    shims.polyipc_py_sync.restype = ctypes.py_object
    _bind_sync = shims.polyipc_py_sync
    shims.polyipc_py_direct.restype = ctypes.py_object
    shims.polyipc_py_direct.argtypes = [i, i, *[ctypes.py_object] * 4]
    _bind_direct = shims.polyipc_py_direct


def open_(
    kind: str, how: str, name: bytes | None, root: bytes | None, flags: int, value: int
) -> tuple[int, int]:
    """Call create, open or open_or_create; return the status and the object's id."""
    options = _Options(ctypes.sizeof(_Options), flags, value, root)
    handle = ctypes.c_uint32(0)
    function = getattr(load(), f"polyipc_{kind}_{how}")
    status = function(name, ctypes.byref(options), ctypes.byref(handle))
    return library.opened(status), handle.value


def bind(kind: str, handle: int) -> tuple[Callable[..., int], ...]:
    """Return the builtin functions of an open object: capi/pyshim.h."""
    return _bind_sync(TYPES[kind], handle)


def direct(
    kind: str, handle: int, acquire: Callable[..., bool], release: Callable[..., None]
) -> tuple[Callable[..., Any], ...]:
    """Return acquire, release, which call the given ones only if need be, died, held: pyshim.h."""
    return _bind_direct(TYPES[kind], handle, acquire, release, True, None)


def call(verb: str, handle: int, *arguments: int) -> int:
    """Return the status of a verb that tells nothing."""
    return int(getattr(load(), "polyipc_" + verb)(handle, *arguments))


def ask(verb: str, handle: int) -> tuple[int, int]:
    """Return the status and the one thing that a verb tells."""
    told = ctypes.c_int64(0)
    status = getattr(load(), "polyipc_" + verb)(handle, ctypes.byref(told))
    return status, told.value


def close(kind: str) -> Callable[[int], int]:
    """Return what closes objects of a kind."""

    def close_one(handle: int) -> int:
        status = call(kind + "_close", handle)
        library.tell()
        return status

    return close_one


def unlink(name: bytes, root: bytes | None) -> int:
    """Return the status of removing a name."""
    return int(load().polyipc_sync_unlink(name, root))


def name(kind: str, handle: int) -> tuple[int, str]:
    """Return the status and the name."""
    return library.name(getattr(load(), f"polyipc_{kind}_name"), handle)


def stat(kind: str, handle: int) -> tuple[int, dict[str, Any]]:
    """Return the status and the fields of polyipc_sync_stat_t."""
    now = _Stat(size=ctypes.sizeof(_Stat))
    status = getattr(load(), f"polyipc_{kind}_stat")(handle, ctypes.byref(now))
    if status == 0:
        library.tell()
    return status, {field[0]: getattr(now, field[0]) for field in now._fields_}


def condition_wait(condition: int, lock: int, waiting: Waiting, ns: int) -> tuple[int, bool]:
    """Return the status, and whether the lock's former owner died."""
    died = ctypes.c_int(0)
    status = load().polyipc_condition_wait(
        condition, lock, ns, ctypes.byref(waiting), ctypes.byref(died)
    )
    return status, died.value != 0


class Arrival:
    """One party on its way through a barrier."""

    def __init__(self, barrier: int, hold: bool) -> None:
        self._barrier, self._hold = barrier, hold
        self._index, self._turn = ctypes.c_int64(0), ctypes.c_uint64(0)

    def wait(self, ns: int) -> int:
        """Return the status of waiting for the others."""
        out_turn = ctypes.byref(self._turn) if self._hold else None
        function = load().polyipc_barrier_wait
        return int(function(self._barrier, ns, ctypes.byref(self._index), out_turn))

    def end(self) -> int:
        """Return the status of letting all pass, as who arrived last with hold must."""
        turn, self._turn.value = self._turn.value, 0
        return call("barrier_pass", self._barrier, turn)

    @property
    def index(self) -> int:
        """The party's number."""
        return self._index.value

    @property
    def turn(self) -> int:
        """What to end the round with; 0 of parties that need not."""
        return self._turn.value


def barrier_waiting(barrier: int) -> tuple[int, int, bool]:
    """Return the status, how many wait, and whether the barrier is broken."""
    waiting, broken = ctypes.c_int64(0), ctypes.c_int(0)
    status = load().polyipc_barrier_waiting(barrier, ctypes.byref(waiting), ctypes.byref(broken))
    return status, waiting.value, broken.value != 0
