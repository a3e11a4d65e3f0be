"""A numpy array in multiprocessing's shared_memory."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory

from bench.peers.api import Job
from bench.peers.turns import ITEMS, ArrayTurns, view


class Peer:
    """A block that the worker inherits."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.memory = SharedMemory(create=True, size=8 * ITEMS)
        self.array = view(self.memory.buf)
        self.memory.unlink()  # who has it mapped keeps it, and nothing is left behind

    def open(self, role: str, index: int) -> ArrayTurns:
        """Take it."""
        del role, index
        return ArrayTurns(self.job.verb, self.array, self.array)
