"""multiprocessing with polyipc's objects: change the import line.

    import polyipc.multiprocessing as multiprocessing

Everything public that multiprocessing offers is here. Queues, pipes, locks, shared memory and
managers are polyipc's; processes, pools, contexts and logging are CPython's own, made to use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polyipc.multiprocessing import context as context
from polyipc.multiprocessing.context import _default_context

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


__all__ = [name for name in dir(_default_context) if not name.startswith("_")]
globals().update((name, getattr(_default_context, name)) for name in __all__)
