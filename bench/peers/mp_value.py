"""multiprocessing.Value: a ctypes number in shared memory, and an RLock of its own."""

from __future__ import annotations

import multiprocessing

from bench.peers.api import Job
from bench.peers.turns import ValueTurns


class Peer:
    """A number, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        if job.verb != "increment":
            raise NotImplementedError(f"no operation {job.verb} on a number")
        self.value = multiprocessing.get_context("fork").Value("q", 0)

    def open(self, role: str, index: int) -> ValueTurns:
        """Take it."""
        del role, index
        return ValueTurns(self.value)
