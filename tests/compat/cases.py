"""The test cases, in a module that processes under every start method can import by name.

Each process of the tests imports it, or is forked from one that did. So this is also where it is
seen what CPython makes of its own, where polyipc's should have been made.
"""

from __future__ import annotations

import faulthandler
import functools
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing import connection, pool, synchronize
from pathlib import Path
from typing import Any
from unittest import mock

import swap

METHOD = os.environ["COMPAT_METHOD"]
FOREIGN = os.environ["COMPAT_FOREIGN"]  # the file for what CPython made
STACKS = signal.SIGRTMAX  # makes a process print its stacks; compat.py sends it before it kills


def watch(kind: type, *methods: str) -> None:
    """Notes each call of a method that makes or remakes an object of a kind."""
    for method in methods:
        original = getattr(kind, method)

        @functools.wraps(original)
        def noted(self: Any, *args: Any, original: Any = original, **options: Any) -> None:
            original(self, *args, **options)
            if type(self).__module__ == kind.__module__:  # not of a class that polyipc derived
                note(f"{type(self).__module__}.{type(self).__qualname__}")

        setattr(kind, method, noted)


def note(made: str) -> None:
    """Appends a line for an object that is not polyipc's, with the calls that led to it."""
    calls = [f"{Path(c.filename).stem}.{c.name}" for c in traceback.extract_stack()[:-2]]
    line = json.dumps({"made": made, "calls": calls}) + "\n"
    file = os.open(FOREIGN, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.write(file, line.encode())
    os.close(file)


faulthandler.register(STACKS, file=sys.__stderr__ or 2, all_threads=True)
suite = swap.suite()
watch(synchronize.SemLock, "__init__", "__setstate__")
watch(connection._ConnectionBase, "__init__")
suite.PRELOAD = [__name__]  # type: ignore[attr-defined]
swap.change_programs()
swap.import_star(suite._TestImportStar)
suite.install_tests_in_module_dict(globals(), METHOD)
# A pool of threads waits for a task that has begun, so that a busy machine would wait for minutes:
# CPython's later tests, too, sleep for a second there.
short = mock.patch.object(suite.support, "LONG_TIMEOUT", 1)
WithThreadsTestPool = globals()["WithThreadsTestPool"]
WithThreadsTestPool.test_terminate = short(WithThreadsTestPool.test_terminate)


def join(self: Any, original: Callable[[Any], None] = pool.ThreadPool.join) -> None:
    """Waits for a pool of threads, also for those that nobody tells to stop.

    Its thread that replaces workers may be late, and replace those that terminate has stopped: as
    CPython has it, the new ones may find no word for them in the queue.
    """
    if self._state in (pool.CLOSE, pool.TERMINATE):
        for handler in (self._worker_handler, self._task_handler):
            handler.join()
        for _ in self._pool:
            self._inqueue.put(None)
    original(self)


pool.ThreadPool.join = join  # type: ignore[method-assign]

# The worker calls them: around all classes, each of which it runs alone.
set_up = globals().pop("setUpModule")
tear_down = globals().pop("tearDownModule")
