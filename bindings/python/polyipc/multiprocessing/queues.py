"""multiprocessing.queues on top of polyipc.Queue: whatever can be pickled can be put."""

from __future__ import annotations

from queue import Empty, Full
from typing import Any

from polyipc import queue as native

__all__ = ["Empty", "Full", "JoinableQueue", "Queue", "SimpleQueue"]


class Queue(native.Queue[Any]):
    """A queue that pickles. There is no feeder thread: what was put is there."""

    def __init__(self, maxsize: int = 0, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(maxsize, pickle=True, **options)


class JoinableQueue(Queue):
    """One whose join waits until each message was gotten and task_done."""


class SimpleQueue(Queue):
    """One that has no bound."""

    def __init__(self, *, ctx: Any = None, **options: Any) -> None:
        super().__init__(ctx=ctx, **options)
