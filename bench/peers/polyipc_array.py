"""polyipc's Array from Python, whose accesses take its lock."""

from __future__ import annotations

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import Job
from bench.peers.turns import ITEMS, ArrayTurns, view


class Peer:
    """polyipc.Array, opened by name in the worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> ArrayTurns:
        """Make it."""
        del role, index
        array = polyipc.Array("d", ITEMS, name=self.job.name, transient=True)
        return ArrayTurns(self.job.verb, array, view(array.numpy()))
