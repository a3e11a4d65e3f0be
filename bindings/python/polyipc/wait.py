"""Waiting for the first of many things, of any kind.

    ready = polyipc.wait([jobs, child, connection, sock], timeout=1.0)

An object of polyipc is waited for until it is readable: a queue or pipe until there is something to
get, a child process until it is gone. writable(queue) waits for room. Sockets, pipes, descriptors,
multiprocessing's connections and sentinels can be in the same list.

For event loops, each of these has a fileno() that select, poll and epoll find readable when it is
ready. It costs nothing until it is asked for, and belongs to the object: it is never read, written
or closed. It tells what this object of this process can know: another process may be quicker, so
use get_nowait and be prepared for Empty, which makes the descriptor unreadable again. Who is the
only one to receive finds a message, and may as well use a get that waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from polyipc import _calls, _waiting, errors
from polyipc._c import wait as c
from polyipc._handle import Handle
from polyipc.errors import Status

__all__ = ["Writable", "wait", "writable"]

T = TypeVar("T")

_TIMEOUT = int(Status.TIMEOUT)


class Writable:
    """What waits until an object has room: writable() makes it. Those of one object are equal."""

    __slots__ = ("_of",)

    def __init__(self, of: Handle) -> None:
        self._of = of

    def fileno(self) -> int:
        """Return a descriptor for select, poll and epoll: readable when there is room.

        Raises InvalidError if the object is not written to, ClosedError, LimitError.
        """
        return self._of._poll_fd(c.WRITABLE)  # noqa: SLF001 - a part of the object

    def _wait_item(self) -> tuple[int, int, int]:
        return self._of._wait_item(c.WRITABLE)  # noqa: SLF001

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Writable) and self._of is other._of

    def __hash__(self) -> int:
        return hash((Writable, id(self._of)))

    def __repr__(self) -> str:
        return f"<polyipc.writable({self._of!r})>"


def writable(of: Handle) -> Writable:
    """Return what waits until a put or send of a small message to a queue or pipe finds room."""
    return Writable(of)


def wait(object_list: Iterable[T], timeout: float | None = None) -> list[T]:
    """Wait until one of the objects is ready, and return all that are, in their order.

    As multiprocessing.connection.wait: object_list has objects of polyipc, integers that are
    descriptors, and what has a fileno(). They are waited for until they are readable; their end and
    their errors count. A list that is empty when the time is over.

    timeout -- seconds; 0 or less only looks; None: for ever

    Raises ClosedError if an object is closed, also meanwhile; InvalidError, a ValueError, for a
    descriptor that is not open, or an object that cannot be waited for; what is wrong with it.
    """
    objects = list(object_list)
    items = c.items(_row(obj) for obj in objects)
    block = timeout is None or timeout > 0
    status = _waiting.call(c.wait, items, block=block, timeout=timeout)
    if status == _TIMEOUT:
        return []
    _calls.check(status)
    return [obj for obj, ready in zip(objects, c.ready(items)) if ready]


def _row(obj: Any) -> tuple[int, int, int]:
    """Return what C waits for: handle, descriptor, events."""
    if isinstance(obj, (Handle, Writable)):
        return obj._wait_item()  # noqa: SLF001
    try:
        fd = obj if isinstance(obj, int) else obj.fileno()
    except AttributeError:
        raise errors.InvalidError(
            f"wait: {obj!r} has no fileno(): it cannot be waited for"
        ) from None
    if not isinstance(fd, int):
        raise TypeError(f"{obj!r}: its fileno() is no integer")
    if not 0 <= fd < 2**31:
        raise errors.InvalidError(f"wait: {obj!r} has no open descriptor ({fd})")
    return 0, fd, c.READABLE
