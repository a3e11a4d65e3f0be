"""polyipc's Value from Python, incremented under its lock, or by atomic operations."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import Job
from bench.peers.turns import ValueTurns


class Peer:
    """polyipc.Value, opened by name in each worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> ValueTurns:
        """Open or make it."""
        del role, index
        value = polyipc.Value("q", name=self.job.name, transient=True)
        return {"increment": ValueTurns, "atomic": AtomicTurns}[self.job.verb](value)


class AtomicTurns(ValueTurns):
    """Increments without a lock."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self._add = polyipc.segment_of(value).atomic().add

    def make(self, n: int) -> None:
        """Increment."""
        add = self._add
        for _ in repeat(None, n):
            add(1)
