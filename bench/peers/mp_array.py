"""multiprocessing.Array: a ctypes array in shared memory, and an RLock that each access takes."""

from __future__ import annotations

import multiprocessing

from bench.peers.api import Job
from bench.peers.turns import ITEMS, ArrayTurns, view


class Peer:
    """An array, inherited by the worker."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.array = multiprocessing.get_context("fork").Array("d", ITEMS)

    def open(self, role: str, index: int) -> ArrayTurns:
        """Take it."""
        del role, index
        return ArrayTurns(self.job.verb, self.array, view(self.array.get_obj()))
