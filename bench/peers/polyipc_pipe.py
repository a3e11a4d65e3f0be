"""polyipc's pipe from Python."""

from __future__ import annotations

from typing import Any

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import Job, SingleOnly

CAPACITY = 1 << 20  # bytes, as of the queue


class Peer:
    """polyipc.Connection, opened by name in each worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> Ends:
        """Open or make the pipe: who receives or answers has the first end."""
        del index
        return Ends(self.job, 0 if role in ("consumer", "echo") else 1)


class Ends(SingleOnly):
    """One end."""

    def __init__(self, job: Job, end: int) -> None:
        self._end = polyipc.Connection[Any](
            job.name,
            duplex=not job.flow,
            end=end,
            capacity=max(CAPACITY, 4 * job.size),
            transient=True,
        )
        self.put: Any = self._end.send_bytes
        self.get: Any = self._end.recv_bytes
        if job.payload == "object":
            self.put, self.get = self._end.send, self._end.recv

    def close(self) -> None:
        """Close; the pipe is transient."""
        self._end.close()
