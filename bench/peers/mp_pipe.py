"""multiprocessing.Pipe: Unix sockets, or one pipe of the kernel where messages go one way."""

from __future__ import annotations

import multiprocessing
from typing import Any

from bench.peers.api import Job, SingleOnly


class Peer:
    """Both ends, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        context = multiprocessing.get_context("fork")
        self.ends = context.Pipe(duplex=not job.flow)

    def open(self, role: str, index: int) -> Ends:
        """Pick the end: the first one receives."""
        del index
        return Ends(self.job, self.ends[0 if role in ("consumer", "echo") else 1])


class Ends(SingleOnly):
    """One end."""

    def __init__(self, job: Job, end: Any) -> None:
        self.put, self.get = end.send_bytes, end.recv_bytes
        if job.payload == "object":
            self.put, self.get = end.send, end.recv
