"""multiprocessing.pool, CPython's own, with polyipc's queues between a pool and its workers."""

from __future__ import annotations

from collections.abc import Iterable
from multiprocessing import pool as _theirs
from multiprocessing.context import _default_context as _default
from multiprocessing.pool import ThreadPool
from typing import Any, Callable

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


__getattr__, __dir__ = _rest.of(_theirs, globals())
