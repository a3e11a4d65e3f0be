"""The functions of capi/pyshim.h for event loops: waits that are under way, and owners of locks."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from polyipc._c import library
from polyipc._c.library import load

# enum pi_py_verb: what is waited for.
ACQUIRED, READ_LOCKED, WRITE_LOCKED, NOTIFIED, PASSED, TURN, JOINED, TOLD = range(1, 9)

_MANY = 256  # news at a time


class Ended(NamedTuple):
    """How a wait ended."""

    wait: int
    status: int
    first: int
    second: int


@library.on_load
def _bind(c: ctypes.CDLL, _shims: ctypes.PyDLL) -> None:
    number, pointer = ctypes.c_uint32, ctypes.c_void_p
    c.polyipc_py_loop_begin.argtypes = [*[number] * 5, ctypes.c_int64, pointer]
    c.polyipc_py_loop_next.argtypes = [number, *[pointer] * 4]
    for what in ("cancel", "interrupt"):
        getattr(c, f"polyipc_py_loop_{what}").argtypes = [number, ctypes.c_uint64]
    for what in ("acquire_as", "owned_by"):
        getattr(c, f"polyipc_py_{what}").argtypes = [number, number, pointer]
    c.polyipc_py_manager_mind.argtypes = [number, ctypes.c_uint64, ctypes.c_int]
    c.polyipc_py_manager_news.argtypes = [number, pointer, ctypes.c_size_t, pointer]
    c.polyipc_py_release_as.argtypes = [number, number]


def open_() -> tuple[int, int, int]:
    """Return the status, the number of a set of waits and its descriptor."""
    loop, fd = ctypes.c_uint32(0), ctypes.c_int(-1)
    status = load().polyipc_py_loop_open(ctypes.byref(loop), ctypes.byref(fd))
    return library.opened(status), loop.value, fd.value


def close(loop: int) -> None:
    """Cancel the waits of a set, and end it."""
    load().polyipc_py_loop_close(loop)


def begin(loop: int, verb: int, handle: int, lock: int, owner: int, ns: int) -> tuple[int, int]:
    """Return the status and the number of a wait that is begun."""
    wait = ctypes.c_uint64(0)
    status = load().polyipc_py_loop_begin(loop, verb, handle, lock, owner, ns, ctypes.byref(wait))
    return status, wait.value


def next_(loop: int) -> Ended | None:
    """Return how one of the waits ended, if one has."""
    wait, status = ctypes.c_uint64(0), ctypes.c_int32(0)
    first, second = ctypes.c_uint64(0), ctypes.c_uint64(0)
    places = (ctypes.byref(place) for place in (wait, status, first, second))
    if load().polyipc_py_loop_next(loop, *places) != 0:
        return None
    return Ended(wait.value, status.value, first.value, second.value)


def cancel(loop: int, wait: int) -> None:
    """End a wait of which nobody is told, and give back what it got."""
    load().polyipc_py_loop_cancel(loop, wait)


def interrupt(loop: int, wait: int) -> None:
    """End the wait of a condition."""
    load().polyipc_py_loop_interrupt(loop, wait)


def owner() -> int:
    """Return a number that owns what nobody else owns."""
    number = ctypes.c_uint32(0)
    load().polyipc_py_owner(ctypes.byref(number))
    return number.value


def acquire_as(handle: int, owner: int) -> tuple[int, bool]:
    """Return the status, TIMEOUT if it cannot be had at once, and whether a former owner died."""
    died = ctypes.c_int(0)
    status = load().polyipc_py_acquire_as(handle, owner, ctypes.byref(died))
    return status, died.value != 0


def release_as(handle: int, owner: int) -> int:
    """Return the status."""
    return int(load().polyipc_py_release_as(handle, owner))


def owned_by(handle: int, owner: int) -> tuple[int, bool]:
    """Return the status, and whether the owner has it."""
    owned = ctypes.c_int(0)
    status = load().polyipc_py_owned_by(handle, owner, ctypes.byref(owned))
    return status, owned.value != 0


def event_mark(event: int) -> tuple[int, int]:
    """Return the status, and a number that is odd while the event is set and changes with it."""
    mark = ctypes.c_uint32(0)
    status = load().polyipc_py_event_mark(event, ctypes.byref(mark))
    return status, mark.value


def mind(manager: int, number: int, *, events: bool = False) -> int:
    """Return the status of asking for news of a call, or of a subscription's events."""
    return int(load().polyipc_py_manager_mind(manager, number, int(events)))


def news(manager: int) -> list[int]:
    """Return news: numbers of calls, twice, and of subscriptions, twice and one more."""
    told: list[int] = []
    numbers, count = (ctypes.c_uint64 * _MANY)(), ctypes.c_size_t(0)
    while load().polyipc_py_manager_news(manager, numbers, _MANY, ctypes.byref(count)) == 0:
        told += numbers[: count.value]
        if count.value < _MANY:
            break
    return told
