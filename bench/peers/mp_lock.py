"""multiprocessing.Lock: a POSIX semaphore."""

from __future__ import annotations

import multiprocessing

from bench.peers.api import Job
from bench.peers.turns import Area, LockTurns


class Peer:
    """A lock, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job, self.area = job, Area()
        self.lock = multiprocessing.get_context("fork").Lock()

    def open(self, role: str, index: int) -> LockTurns:
        """Take it."""
        del role, index
        return LockTurns(self.job.verb, self.lock, self.area)
