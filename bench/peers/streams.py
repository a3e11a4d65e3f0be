"""A pair of Unix sockets in asyncio's streams. Messages are pickled, or bytes, behind their length.

The harness knows of no loops: each put and get is run to its end.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from typing import Any

from bench.peers.api import Job, SingleOnly

LENGTH = 4  # bytes of a message's length


class Peer:
    """Both ends, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.ends = socket.socketpair()

    def open(self, role: str, index: int) -> Ends:
        """Pick the end: the first one answers."""
        del index
        return Ends(self.job, self.ends[0 if role == "echo" else 1])


class Ends(SingleOnly):
    """One end."""

    def __init__(self, job: Job, end: socket.socket) -> None:
        self._loop = asyncio.new_event_loop()
        run = self._loop.run_until_complete
        self._reader, self._writer = run(asyncio.open_unix_connection(sock=end))
        if job.payload == "object":
            self.put: Any = lambda message: run(self._put(pickle.dumps(message)))
            self.get: Any = lambda: pickle.loads(run(self._get()))
        else:
            self.put = lambda message: run(self._put(message))
            self.get = lambda: run(self._get())

    async def _put(self, message: bytes) -> None:
        self._writer.write(len(message).to_bytes(LENGTH, "big") + message)
        await self._writer.drain()

    async def _get(self) -> bytes:
        length = int.from_bytes(await self._reader.readexactly(LENGTH), "big")
        return await self._reader.readexactly(length)

    def close(self) -> None:
        """Close the loop last."""
        self._writer.close()
        self._loop.close()
