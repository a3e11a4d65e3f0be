"""polyipc for asyncio: the same names, whose calls that wait are coroutines.

    from polyipc import aio

    jobs = aio.Queue(name="jobs")  # or aio.Queue(queue), over a polyipc.Queue
    async for job in jobs:
        ...

    async with aio.Lock(name="ledger"):
        ...

They are over the objects of polyipc: other processes, in Go, C and Python, with a loop or without
one, see no difference.

A call that is cancelled has done nothing: a get has taken no message, a put has put none, an
acquire does not hold the lock. Calls take a timeout where those of polyipc do, with the same
exceptions; asyncio.wait_for and asyncio.timeout work as well. Tasks of one loop are served in the
order in which they began to wait.

Everything here may be used in any number of loops, each in its own thread. A forked child uses it
in a loop of its own.
"""

from __future__ import annotations

from polyipc.aio._locks import BoundedSemaphore, Lock, RLock, RWLock, Semaphore
from polyipc.aio._wait import wait, writable
from polyipc.aio._waits import Barrier, Condition, Event
from polyipc.aio.manager import connect
from polyipc.aio.pipe import Connection, Pipe
from polyipc.aio.queue import Queue

__all__ = [
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Connection",
    "Event",
    "Lock",
    "Pipe",
    "Queue",
    "RLock",
    "RWLock",
    "Semaphore",
    "connect",
    "wait",
    "writable",
]
