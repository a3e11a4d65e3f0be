"""Mutants of locks, values and shared memory as multiprocessing has them."""

from __future__ import annotations

from mutant import Mutant
from suites import python

PACKAGE = "bindings/python/polyipc/"
SHARED = PACKAGE + "multiprocessing/shared_memory.py"


SUITES_SYNCH = {
    "handing": python("test_multiprocessing_handing.py"),
    "locks of multiprocessing": python("test_multiprocessing_sync.py"),
    "shared memory": python("test_multiprocessing_shared_memory.py"),
}

MUTANTS_SYNCH = (
    Mutant(
        "a lock that is handed over is not kept",
        PACKAGE + "_sync_base.py",
        "_reopened, (_keeper(self._id), _opened,",
        "_reopened, (None, _opened,",
        "handing",
    ),
    Mutant(
        "a segment that is handed over is not kept",
        PACKAGE + "_segment.py",
        "_reopened, (_keeper(self._id), _opened,",
        "_reopened, (None, _opened,",
        "handing",
    ),
    Mutant(
        "a forked child has its parent's locks",
        "capi/pyshim_direct.c",
        "    if (d->forks != forks) {",
        "    if (false) {",
        "locks of multiprocessing",
    ),
    Mutant(
        "who waited is not known to have the lock again",
        PACKAGE + "_sync_waits.py",
        "            self._c_died(int(died))\n            self._mine_again()\n",
        "            self._c_died(int(died))\n",
        "locks of multiprocessing",
    ),
    Mutant(
        "a segment's lock is free after a wait",
        "runtime/segment/lock.go",
        "return mutex.RLock(l.s.lock()).LockAgain(ctx, l.thread, depth)",
        "return false, nil",
        "handing",
    ),
    Mutant(
        "a block that its maker closed is gone",
        SHARED,
        "            _keep(keeper)\n",
        "",
        "shared memory",
    ),
    Mutant(
        "a block that nobody closed is gone",
        SHARED,
        "            _keep(_opened_again(self._segment))\n",
        "            pass\n",
        "shared memory",
    ),
    Mutant(
        "a block that another unlinked is kept",
        SHARED,
        ".readlink().name != name:",
        ".readlink().name == '':",
        "shared memory",
    ),
    Mutant(
        "what a child makes goes with it",
        SHARED,
        "transient = track is not False and parent_process() is None",
        "transient = track is not False",
        "shared memory",
    ),
    Mutant(
        "what a main process makes outlives it",
        SHARED,
        "transient = track is not False and parent_process() is None",
        "transient = False",
        "shared memory",
    ),
    Mutant(
        "who opens a block removes it unasked",
        SHARED,
        "            if track:\n                _remove_at_end",
        "            if track is not False:\n                _remove_at_end",
        "shared memory",
    ),
    Mutant(
        "the next block of a name goes for one that was unlinked",
        SHARED,
        "        _tracked.discard(name)\n",
        "",
        "shared memory",
    ),
    Mutant(
        "the tracker is asked to forget what it does not know",
        PACKAGE + "multiprocessing/resource_tracker.py",
        "            return\n        _blocks",
        "            pass\n        _blocks",
        "shared memory",
    ),
)
