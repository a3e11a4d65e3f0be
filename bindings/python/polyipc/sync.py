"""Locks and their kin between processes, in Python, Go and C.

    import polyipc.sync

    ledger = polyipc.sync.Lock(name="ledger")  # any process opens it by its name
    with ledger:
        if ledger.owner_died:
            repair()  # the former owner died with the lock: what it protects may be half changed

Names, arguments and exceptions are those of multiprocessing: Lock, RLock, Semaphore,
BoundedSemaphore, Condition, Event, Barrier; RWLock comes on top. All of them may be named or
anonymous, work between unrelated processes, and can be passed to processes of multiprocessing.

What a process holds when it dies does not stay held: the next one gets its lock and is told, its
place in a condition or barrier is dropped, its read locks end, and its permits return where the
semaphore was made with reclaim=True. Who waits learns of it within 100 ms.

Everything here may be called from any thread, also several at once on one object, and in a forked
child, which holds nothing of what its parent holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyipc import _later, _referring
from polyipc._sync_base import unlink
from polyipc._sync_locks import BoundedSemaphore, Lock, RLock, RWLock, Semaphore
from polyipc._sync_waits import Barrier, Condition, Event

if TYPE_CHECKING:
    from polyipc._sync_stat import SyncStat

_KINDS = {  # of references, docs/spec/codec.md
    5: Lock,
    6: RLock,
    7: Semaphore,
    8: Condition,
    9: Event,
    10: Barrier,
    11: RWLock,
    12: BoundedSemaphore,
}
for _kind, _class in _KINDS.items():
    _referring.opens(_kind, _class)

__all__ = [
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "Lock",
    "RLock",
    "RWLock",
    "Semaphore",
    "SyncStat",
    "unlink",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _later.of(globals(), {"polyipc._sync_stat": "SyncStat"})
