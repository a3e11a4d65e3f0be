"""A pair of Unix sockets in an event loop's selector, which is epoll. Objects are pickled."""

from __future__ import annotations

import pickle
import selectors
import socket
from typing import Any

from bench.peers.api import Job, SingleOnly

MOST = 1 << 16  # bytes that a receive takes


class Peer:
    """Both ends, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def open(self, role: str, index: int) -> Ends:
        """Pick the end: the first one answers."""
        del index
        return Ends(self.job, self.ends[0 if role == "echo" else 1])


class Ends(SingleOnly):
    """One end."""

    def __init__(self, job: Job, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._selector = selectors.DefaultSelector()
        self._selector.register(end, selectors.EVENT_READ)
        self.put: Any = end.send
        self.get: Any = self._selected
        if job.payload == "object":
            self.put = lambda message: end.send(pickle.dumps(message))
            self.get = lambda: pickle.loads(self._selected())

    def _selected(self) -> bytes:
        self._selector.select()
        return self._end.recv(MOST)

    def close(self) -> None:
        """Close."""
        self._selector.close()
        self._end.close()
