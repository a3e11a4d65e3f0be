"""polyipc's lock from Python."""

from __future__ import annotations

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import Job
from bench.peers.turns import Area, LockTurns


class Peer:
    """polyipc.Lock, opened by name in each worker."""

    def __init__(self, job: Job) -> None:
        self.job, self.area = job, Area()

    def open(self, role: str, index: int) -> LockTurns:
        """Open or make it."""
        del role, index
        return LockTurns(self.job.verb, polyipc.Lock(name=self.job.name, transient=True), self.area)
