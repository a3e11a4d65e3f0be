"""What a peer in Python is: a class Peer, made in the parent process and opened in its forked
workers. Most carry messages; with others processes take turns."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any, Protocol

MANAGER = "bench"  # the name of polyipc's
REDIS_SOCKET = "redis.sock"  # in the run's directory
KEPT = {  # verbs that set a key of what is kept on disk: waiting for it, or not
    "kept": ("always", "always"),  # polyipc's --sync, and Redis's appendfsync
    "filed": ("no", "everysec"),
}


def place(name: str, verb: str) -> str:
    """Of a manager, or the socket of a Redis, for a verb."""
    return f"{name}.{verb}" if verb in KEPT else name


BATCH = 100  # calls of a manager in one message
MANY = 8  # queues or pipes each way, of which the first is waited for


@dataclass(frozen=True)
class Job:
    """What the workers of one run are to do. As struct job in worker.h."""

    name: str  # of the queue or lock
    dir: str  # for files and sockets of this run; the harness removes it
    payload: str  # "bytes": of that size; "object": a small dict
    size: int  # bytes of a message
    warm: int  # messages, or round trips, before the clock starts
    count: int  # messages, or round trips, on the clock
    batch: int  # messages a call; 1: the single verbs
    pause: int  # ns before each message of a round trip, so that the other side sleeps
    producers: int
    consumers: int
    flow: bool  # producers and consumers; else a client and an echo, which need a way back
    verb: str  # what a holder does in each turn
    step: int  # turns between two looks at the clock
    lasts: int  # ns for which turns are counted


class Ends(Protocol):
    """The queues of one role. Every call blocks until it is done."""

    def put(self, message: Any) -> Any:
        """Put one message."""

    def get(self) -> Any:
        """Get one message."""

    def put_many(self, messages: Sequence[Any]) -> Any:
        """Put several messages; NotImplementedError where the peer has no such call."""

    def get_many(self, most: int) -> Sized:
        """Get at least one and at most most messages."""

    def close(self) -> None:
        """Called when all roles have done their work."""


class Turns(Protocol):
    """What one process takes turns with."""

    def make(self, n: int) -> None:
        """Take n turns of the job's verb."""

    def counted(self) -> int | None:
        """What the shared number holds that each turn makes one larger; None: the verb has none."""

    def close(self) -> None:
        """Called when all holders have taken their turns."""


class Peer(Protocol):
    """One kind of queue, pipe, lock, number or array."""

    def __init__(self, job: Job) -> None: ...

    def open(self, role: str, index: int) -> Ends | Turns:
        """Open the ends of a role ("producer", "consumer", "client", "echo", "idle"), or what a
        "holder" takes turns with. This process is the one of that index in its role."""


class SingleOnly:
    """For peers whose calls carry one message each."""

    def put_many(self, messages: Sequence[Any]) -> None:
        """Refuse."""
        raise NotImplementedError(f"no call puts {len(messages)} messages")

    def get_many(self, most: int) -> Sized:
        """Refuse."""
        raise NotImplementedError(f"no call gets {most} messages")

    def close(self) -> None:
        """Leave it to the garbage collector."""


def directions(job: Job, role: str) -> tuple[int, int]:
    """Number of the queue that a role puts to, and of the one it gets from: 0 there, 1 back."""
    return (1, 0) if role == "echo" else (0, 0 if job.flow else 1)
