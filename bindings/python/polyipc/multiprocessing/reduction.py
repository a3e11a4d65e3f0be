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

from polyipc.multiprocessing import _rest

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
    if _is_pipe(conn):
        from polyipc.multiprocessing import _tickets

        conn.send(_tickets.Ticket(handle))
    else:
        _theirs.send_handle(conn, handle, destination_pid)


def recv_handle(conn: Any) -> int:
    """Receive a descriptor that send_handle sent; RuntimeError if something else came."""
    if not _is_pipe(conn):
        return _theirs.recv_handle(conn)
    from polyipc.multiprocessing import _tickets

    ticket = conn.recv()
    if not isinstance(ticket, _tickets.Ticket):
        raise RuntimeError(f"receive a descriptor: a {type(ticket).__name__} came; use recv for it")
    return ticket.detach()


def _is_pipe(conn: Any) -> bool:
    from polyipc.pipe import Connection

    return isinstance(conn, Connection)


__getattr__, __dir__ = _rest.of(_theirs, globals())
