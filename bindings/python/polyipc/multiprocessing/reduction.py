"""multiprocessing.reduction, whose handles also travel over polyipc's pipes."""

from __future__ import annotations

from multiprocessing import reduction as _theirs
from multiprocessing.reduction import (
    AbstractReducer,
    DupFd,
    ForkingPickler,
    dump,
    recvfds,
    register,
    sendfds,
)
from typing import Any

from polyipc import pipe as native
from polyipc.multiprocessing import _rest, _tickets

__all__ = [
    "AbstractReducer",
    "DupFd",
    "ForkingPickler",
    "dump",
    "recv_handle",
    "recvfds",
    "register",
    "send_handle",
    "sendfds",
]


def send_handle(conn: Any, handle: int, destination_pid: int | None) -> None:
    """Send a descriptor over a connection.

    Over a polyipc pipe goes a ticket, with which the receiver fetches a duplicate from this
    process: it must live until then.
    """
    if isinstance(conn, native.Connection):
        conn.send(_tickets.Ticket(handle))
    else:
        _theirs.send_handle(conn, handle, destination_pid)


def recv_handle(conn: Any) -> int:
    """Receive a descriptor that send_handle sent; RuntimeError if something else came."""
    if not isinstance(conn, native.Connection):
        return _theirs.recv_handle(conn)
    ticket = conn.recv()
    if not isinstance(ticket, _tickets.Ticket):
        raise RuntimeError(f"receive a descriptor: a {type(ticket).__name__} came; use recv for it")
    return ticket.detach()


__getattr__, __dir__ = _rest.of(_theirs, globals())
