"""polyipc.wait over several queues from Python."""

from __future__ import annotations

import itertools
from typing import Any

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import MANY, Job, SingleOnly, directions


class Peer:
    """MANY queues each way, opened by name in each worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> Ends:
        """Open or make both ways."""
        del index
        return Ends(self.job, role)


class Ends(SingleOnly):
    """Each message is put to the next queue. A get waits for the first that has one."""

    def __init__(self, job: Job, role: str) -> None:
        self._to, self._from = (
            [polyipc.Queue[Any](name=f"{job.name}.{way}.{i}", transient=True) for i in range(MANY)]
            for way in directions(job, role)
        )
        self._puts = itertools.cycle([q.put for q in self._to])

    def put(self, message: Any) -> None:
        """Put it to the next one."""
        next(self._puts)(message)

    def get(self) -> Any:
        """Wait for one of them."""
        return polyipc.wait(self._from)[0].get_nowait()

    def close(self) -> None:
        """Close; the queues are transient."""
        for queue in (*self._to, *self._from):
            queue.close()
