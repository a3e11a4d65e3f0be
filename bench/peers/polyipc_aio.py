"""polyipc's queue from Python in asyncio.

The harness knows of no loops: each put and get is run to its end.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bench.peers import polyipc_python
from bench.peers.api import Job
from polyipc import aio


class Peer(polyipc_python.Peer):
    """aio.Queue over a polyipc.Queue that each worker opens by name."""

    def open(self, role: str, index: int) -> Ends:
        """Open or make both ways."""
        del index
        return Ends(self.job, role)


class Ends(polyipc_python.Ends):
    """As without a loop, but for the waiting."""

    def __init__(self, job: Job, role: str) -> None:
        super().__init__(job, role)
        self._loop = asyncio.new_event_loop()
        run = self._loop.run_until_complete
        to, of = aio.Queue(self._to), aio.Queue(self._from)
        if job.payload == "object":
            self.put: Any = lambda message: run(to.put(message))
            self.get: Any = lambda: run(of.get())
        else:
            self.put = lambda message: run(to.put_bytes(message))
            self.get = lambda: run(of.get_bytes())

    def close(self) -> None:
        """Close the loop first."""
        self._loop.close()
        super().close()
