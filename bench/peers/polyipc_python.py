"""polyipc's queue from Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polyipc  # loads the library on first use, which is not in the parent
from bench.peers.api import Job, directions

CAPACITY = 1 << 20  # bytes: bounded, so that a producer waits as it would with the peers
HEAD = 16  # and more bytes than MessagePack puts before a payload: the ring then holds four


class Peer:
    """polyipc.Queue, opened by name in each worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> Ends:
        """Open or make both ways."""
        del index
        return Ends(self.job, role)


class Ends:
    """The one queue that is put to and the one that is gotten from."""

    def __init__(self, job: Job, role: str) -> None:
        names = (job.name, job.name + ".back")
        capacity = max(CAPACITY, 4 * (HEAD + job.size))
        queues = [
            polyipc.Queue[Any](name=names[i], capacity=capacity, transient=True)
            for i in directions(job, role)
        ]
        self.put = queues[0].put
        self.get = queues[1].get
        self._to, self._from = queues

    def put_many(self, messages: Sequence[Any]) -> None:
        """Put them in one call."""
        self._to.put_many(messages)

    def get_many(self, most: int) -> list[Any]:
        """Get what is there."""
        return self._from.get_many(most)

    def close(self) -> None:
        """Close; the queues are transient."""
        self._to.close()
        self._from.close()
