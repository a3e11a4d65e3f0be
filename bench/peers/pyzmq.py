"""ZeroMQ over ipc:// with pyzmq: PUSH to PULL one way, PAIR to PAIR for round trips. See zeromq.c
for the water marks and for several consumers."""

from __future__ import annotations

import importlib
from typing import Any

from bench.peers.api import Job, SingleOnly

HELD = 64 << 20  # bytes that a pipe may hold, at least a thousand messages
LARGE = 65536  # bytes from which messages are better not copied


class Peer:
    """Nothing but addresses: sockets do not survive a fork."""

    one_way = ("PUSH", "PULL")  # kinds of socket

    def __init__(self, job: Job) -> None:
        self.job = job
        self.zmq: Any = importlib.import_module("zmq")  # installed by the benchmark alone

    def open(self, role: str, index: int) -> Ends:
        """Make the socket of a role."""
        sender, receiver = (getattr(self.zmq, kind) for kind in self.one_way)
        kinds = {"producer": sender, "consumer": receiver, "idle": receiver}
        return Ends(self.zmq, self.job, role, index, kinds.get(role, self.zmq.PAIR))


class Ends(SingleOnly):
    """One socket, for both ways."""

    def __init__(self, zmq: Any, job: Job, role: str, index: int, kind: int) -> None:
        binds = {"producer": None, "consumer": index, "idle": 0, "client": None, "echo": 0}[role]
        self._context = zmq.Context()
        self._socket = self._context.socket(kind)
        self._socket.set_hwm(0 if job.consumers > 1 else max(1000, HELD // (job.size + 1)))
        address = f"ipc://{job.dir}/{job.name}"
        if binds is None:
            for i in range(job.consumers):
                self._socket.connect(f"{address}.{i}")
        else:
            self._socket.bind(f"{address}.{binds}")
        self.put: Any = self._socket.send
        self.get: Any = self._socket.recv
        if job.payload == "object":
            self.put, self.get = self._socket.send_pyobj, self._socket.recv_pyobj
        elif job.size >= LARGE:
            self.put = lambda message: self._socket.send(message, copy=False)
            self.get = lambda: self._socket.recv(copy=False).buffer

    def close(self) -> None:
        """Close when all is sent."""
        self._socket.close()
        self._context.term()
