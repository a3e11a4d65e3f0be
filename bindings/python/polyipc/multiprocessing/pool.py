"""multiprocessing.pool, CPython's own, with polyipc's queues between a pool and its workers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from multiprocessing import pool as _theirs
from multiprocessing.context import _default_context as _default
from multiprocessing.pool import ThreadPool
from typing import Any, Callable

from polyipc import errors
from polyipc.multiprocessing import _rest
from polyipc.multiprocessing.context import _default_context

__all__ = ["Pool", "ThreadPool"]


class Pool(_theirs.Pool):
    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
    ) -> None:
        ctx = context or _default_context.get_context()
        super().__init__(processes, initializer, initargs, maxtasksperchild, ctx)

    @property
    def _change_notifier(self) -> Any:
        """What wakes the thread that replaces workers: by threads of this process alone.

        So it is CPython's, whose descriptor costs nothing to wait for.
        """
        return self._notifier

    @_change_notifier.setter
    def _change_notifier(self, made: Any) -> None:
        made.close()
        self._notifier = _default.SimpleQueue()

    def _get_sentinels(self) -> list[Any]:
        """Return what wakes that thread besides the end of a worker.

        CPython's wakes at each result, too, and finds nothing to do.
        """
        return [self._notifier._reader]  # type: ignore[attr-defined]

    @staticmethod
    def _help_stuff_finish(inqueue: Any, task_handler: Any, size: int) -> None:
        """Take the tasks that nobody is to do, whose putting keeps a thread from its end.

        CPython's polls and then waits, with the lock that all workers wait for. Our queues have no
        lock, and a worker may be quicker: so this does not wait.
        """
        from polyipc.multiprocessing.queues import SimpleQueue

        if not isinstance(inqueue, SimpleQueue):  # of a context of CPython's
            _theirs.Pool._help_stuff_finish(inqueue, task_handler, size)  # type: ignore[attr-defined]
            return
        while task_handler.is_alive():
            try:
                inqueue._reader.recv(timeout=0)
            except errors.TimedOutError:
                return
            time.sleep(0)


__getattr__, __dir__ = _rest.of(_theirs, globals())
