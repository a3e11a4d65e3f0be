"""Contexts of multiprocessing whose objects are polyipc's.

Processes, pools and start methods are CPython's own. The start method is one for both: what
set_start_method of multiprocessing or of this package set holds for either, in children too.
"""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from multiprocessing import context as _theirs
from multiprocessing import util
from multiprocessing.context import (
    AuthenticationError,
    BufferTooShort,
    ForkProcess,
    ForkServerProcess,
    Process,
    ProcessError,
    SpawnProcess,
    TimeoutError,  # noqa: A004 - the name that multiprocessing made known
    assert_spawning,
    get_spawning_popen,
    set_spawning_popen,
)
from typing import Any

from polyipc import _handle, codec
from polyipc.multiprocessing import _rest

__all__ = [
    "AuthenticationError",
    "BaseContext",
    "BufferTooShort",
    "DefaultContext",
    "ForkContext",
    "ForkProcess",
    "ForkServerContext",
    "ForkServerProcess",
    "Process",
    "ProcessError",
    "SpawnContext",
    "SpawnProcess",
    "TimeoutError",
    "assert_spawning",
    "get_spawning_popen",
    "set_spawning_popen",
]


class BaseContext(_theirs.BaseContext):
    """A base for contexts: its methods make polyipc's objects.

    Those that take a name make a named object, which Go and C open by it, or open it if it exists.
    """

    def Manager(self) -> Any:
        """Return a SyncManager whose server process runs."""
        from polyipc.multiprocessing import managers

        manager = managers.SyncManager(ctx=self.get_context())
        manager.start()
        return manager

    def Pipe(self, duplex: bool = True, **options: Any) -> Any:
        """Return two connected ends; options -- of polyipc.Pipe."""
        from polyipc.multiprocessing import connection

        return connection.Pipe(duplex, **options)

    def Lock(self, **options: Any) -> Any:
        """Return a lock; options -- of polyipc.Lock."""
        from polyipc.multiprocessing import synchronize

        return synchronize.Lock(ctx=self.get_context(), **options)

    def RLock(self, **options: Any) -> Any:
        """Return a lock that its thread may acquire again; options -- of polyipc.RLock."""
        from polyipc.multiprocessing import synchronize

        return synchronize.RLock(ctx=self.get_context(), **options)

    def Condition(self, lock: Any = None, **options: Any) -> Any:
        """Return a condition; options -- of polyipc.Condition."""
        from polyipc.multiprocessing import synchronize

        return synchronize.Condition(lock, ctx=self.get_context(), **options)

    def Semaphore(self, value: int = 1, **options: Any) -> Any:
        """Return a semaphore; options -- of polyipc.Semaphore."""
        from polyipc.multiprocessing import synchronize

        return synchronize.Semaphore(value, ctx=self.get_context(), **options)

    def BoundedSemaphore(self, value: int = 1, **options: Any) -> Any:
        """Return a bounded semaphore; options -- of polyipc.BoundedSemaphore."""
        from polyipc.multiprocessing import synchronize

        return synchronize.BoundedSemaphore(value, ctx=self.get_context(), **options)

    def Event(self, **options: Any) -> Any:
        """Return an event; options -- of polyipc.Event."""
        from polyipc.multiprocessing import synchronize

        return synchronize.Event(ctx=self.get_context(), **options)

    def Barrier(
        self, parties: int, action: Any = None, timeout: float | None = None, **options: Any
    ) -> Any:
        """Return a barrier; options -- of polyipc.Barrier."""
        from polyipc.multiprocessing import synchronize

        return synchronize.Barrier(parties, action, timeout, ctx=self.get_context(), **options)

    def Queue(self, maxsize: int = 0, **options: Any) -> Any:
        """Return a queue; options -- of polyipc.Queue."""
        from polyipc.multiprocessing import queues

        return queues.Queue(maxsize, ctx=self.get_context(), **options)

    def JoinableQueue(self, maxsize: int = 0, **options: Any) -> Any:
        """Return a queue whose join waits until its messages are done."""
        from polyipc.multiprocessing import queues

        return queues.JoinableQueue(maxsize, ctx=self.get_context(), **options)

    def SimpleQueue(self, **options: Any) -> Any:
        """Return a queue that has put, get, empty and close alone."""
        from polyipc.multiprocessing import queues

        return queues.SimpleQueue(ctx=self.get_context(), **options)

    def RawValue(self, typecode_or_type: Any, *args: Any, **options: Any) -> Any:
        """Return a ctypes object in shared memory; options -- of polyipc.RawValue."""
        from polyipc.multiprocessing import sharedctypes

        return sharedctypes.RawValue(typecode_or_type, *args, **options)

    def RawArray(self, typecode_or_type: Any, size_or_initializer: Any, **options: Any) -> Any:
        """Return a ctypes array in shared memory; options -- of polyipc.RawArray."""
        from polyipc.multiprocessing import sharedctypes

        return sharedctypes.RawArray(typecode_or_type, size_or_initializer, **options)

    def Value(self, typecode_or_type: Any, *args: Any, lock: Any = True, **options: Any) -> Any:
        """Return a ctypes object in shared memory with a lock; options -- of polyipc.Value."""
        from polyipc.multiprocessing import sharedctypes

        ctx = self.get_context()
        return sharedctypes.Value(typecode_or_type, *args, lock=lock, ctx=ctx, **options)

    def Array(
        self, typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True, **options: Any
    ) -> Any:
        """Return a ctypes array in shared memory with a lock; options -- of polyipc.Array."""
        from polyipc.multiprocessing import sharedctypes

        ctx = self.get_context()
        return sharedctypes.Array(
            typecode_or_type, size_or_initializer, lock=lock, ctx=ctx, **options
        )

    def Pool(
        self,
        processes: int | None = None,
        initializer: Any = None,
        initargs: Any = (),
        maxtasksperchild: int | None = None,
    ) -> Any:
        """Return a pool of worker processes, fed by polyipc's queues."""
        from polyipc.multiprocessing import pool

        ctx = self.get_context()
        return pool.Pool(processes, initializer, initargs, maxtasksperchild, context=ctx)

    def set_forkserver_preload(self, module_names: list[str]) -> None:
        """Set the modules that the fork server imports, besides those of this package."""
        super().set_forkserver_preload([*module_names, *_PRELOAD])

    def get_context(self, method: str | None = None) -> Any:
        """Return the context of a start method; without one, itself."""
        if method is None:
            return self
        try:
            ctx = _CONTEXTS[method]
        except KeyError:
            raise ValueError(f"cannot find context for {method!r}") from None
        ctx._check_available()
        return ctx


class ForkContext(BaseContext, _theirs.ForkContext):
    """Children are forked."""


class SpawnContext(BaseContext, _theirs.SpawnContext):
    """Children are new Python processes."""


# What most children use, so that the fork server has it imported; none of it loads the library.
_PRELOAD = [
    *(
        f"polyipc.multiprocessing.{name}"
        for name in ("queues", "connection", "synchronize", "sharedctypes")
    ),
    *("polyipc._codec_read", "polyipc._codec_write"),  # what codec.load imports
]


class ForkServerContext(BaseContext, _theirs.ForkServerContext):
    """Children are forked by a server process that has one thread."""

    def _check_available(self) -> None:
        super()._check_available()
        from multiprocessing import forkserver

        server: Any = forkserver._forkserver
        if server._preload_modules == ["__main__"]:  # nobody has set it so far
            forkserver.set_forkserver_preload(["__main__", *_PRELOAD])


LAST = -1000  # of multiprocessing's finalizers: some use queues

_CONTEXTS: dict[str, Any] = {
    "fork": ForkContext(),
    "spawn": SpawnContext(),
    "forkserver": ForkServerContext(),
}


class DefaultContext(BaseContext):
    """The context of the start method that was set; multiprocessing's default sees to that."""

    Process = Process

    def get_context(self, method: str | None = None) -> Any:
        """Return the context of a start method; without one, of the one that is set."""
        return super().get_context(method or _theirs._default_context.get_start_method())

    def set_start_method(self, method: str | None, force: bool = False) -> None:
        """Set the start method; RuntimeError if it is set already, unless force."""
        _theirs._default_context.set_start_method(method, force)

    def get_start_method(self, allow_none: bool = False) -> Any:
        """Return the start method; None if none was set, with allow_none."""
        return _theirs._default_context.get_start_method(allow_none)

    def get_all_start_methods(self) -> list[str]:
        """Return the start methods of this system, the default one first."""
        return _theirs._default_context.get_all_start_methods()


_default_context = DefaultContext()

# Python's exit closes objects, but children of multiprocessing end without it: they close them
# after their finalizers. Those of the parent are forgotten just before this is called in a child.
util.register_after_fork(
    sys.modules[__name__],
    lambda _: util.Finalize(None, _handle.close_all, exitpriority=LAST),
)

# What a forked child has from its parent it need not import, and most children of a program that
# has objects open send or receive something.
os.register_at_fork(before=lambda: codec.load() if _handle.any_open() else None)

# And where Python exits, that comes first which stops pools and managers: they use objects for it.
# What is registered last is called first; a finalizer's own call is registered by the first one.
weakref.finalize(_default_context, int)
atexit.unregister(util._exit_function)  # type: ignore[attr-defined]
atexit.register(util._exit_function)  # type: ignore[attr-defined]

__getattr__, __dir__ = _rest.of(_theirs, globals())
