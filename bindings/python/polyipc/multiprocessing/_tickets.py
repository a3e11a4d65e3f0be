"""Descriptors on their way over a polyipc pipe: what goes through it is a ticket for one."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from multiprocessing import connection, process, reduction
from typing import Any

_open: set[tuple[Any, int]] = set()  # listeners and descriptors of tickets that nobody redeemed


class Ticket:
    """A descriptor, for one who has the same authkey. The process that made it must live."""

    def __init__(self, fd: int) -> None:
        key = bytes(process.current_process().authkey)
        listener = connection.Listener(f"\0polyipc-{os.urandom(16).hex()}", authkey=key)
        self._address = listener.address
        held = listener, os.dup(fd)
        _open.add(held)
        threading.Thread(target=_give, args=held, name="polyipc ticket", daemon=True).start()

    def detach(self) -> int:
        """Return a duplicate of the descriptor. Only once."""
        key = bytes(process.current_process().authkey)
        with connection.Client(self._address, authkey=key) as conn:
            return reduction.recv_handle(conn)


def _give(listener: Any, fd: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are other threads'
    given = False
    while not given:
        with contextlib.suppress(Exception), listener.accept() as conn:  # else it has another key
            reduction.send_handle(conn, fd, None)
            given = True
    _close(listener, fd)


def _close(listener: Any, fd: int) -> None:
    _open.discard((listener, fd))
    listener.close()
    os.close(fd)


def _in_child() -> None:
    while _open:
        _close(*_open.pop())


os.register_at_fork(after_in_child=_in_child)
