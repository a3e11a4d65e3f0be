"""A numpy array in polyipc's segment."""

from __future__ import annotations

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import Job
from bench.peers.turns import ITEMS, ArrayTurns, view


class Peer:
    """polyipc.Segment, opened by name in the worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> ArrayTurns:
        """Make it."""
        del role, index
        segment = polyipc.Segment(name=self.job.name, format="d", shape=ITEMS, transient=True)
        array = view(segment.numpy())
        return ArrayTurns(self.job.verb, array, array)
