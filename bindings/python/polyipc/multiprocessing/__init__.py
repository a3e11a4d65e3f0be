"""multiprocessing with polyipc's objects: change the import line.

    import polyipc.multiprocessing as multiprocessing

Everything public that multiprocessing offers is here, and so are its modules, under their names.
Queues, pipes, locks, shared memory and managers are polyipc's; processes, pools, contexts and
logging are CPython's own, made to use them.
"""

from __future__ import annotations

import importlib
from typing import Any

from polyipc.multiprocessing import context as context
from polyipc.multiprocessing import process as process
from polyipc.multiprocessing import reduction as reduction
from polyipc.multiprocessing import util as util
from polyipc.multiprocessing.context import _default_context

__all__ = [name for name in dir(_default_context) if not name.startswith("_")]
globals().update((name, getattr(_default_context, name)) for name in __all__)

SUBDEBUG = 5
SUBWARNING = 25


def __getattr__(name: str) -> Any:
    """Import a module of the package when it is asked for.

    Those of multiprocessing are there without an import line, as soon as something has used them.
    """
    if not name.startswith("_"):
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ImportError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
