"""Live objects in one process, the server, used by others, in Python, Go and C.

    from polyipc import manager

    with manager.Server("scores"):  # in one process
        ...

    m = manager.connect("scores")  # in another
    points = m.dict("points")
    points["ann"] = 3
    points.increment("ann")

A server keeps dicts, lists, sets, namespaces, values, arrays, counters, queues, locks and their
kin, and objects of types that its clients host. Those with a name are kept until they are unlinked
or the server ends; others live as long as somebody refers to them: a proxy in any process, or
another object.

Everything here may be called from any thread. A call that waits delays no other. A forked child
may go on using its parent's managers and proxies, over a connection of its own.

When the server dies, calls raise PeerDiedError; those under way may have run, and none is sent
again. When a client dies, its locks, permits, leases and references are given back at once.
docs/howto/manager.md shows more, docs/spec/manager.md has each object's methods.
"""

from __future__ import annotations

from polyipc._manager import Manager, connect
from polyipc._manager_batch import Batch, Reply
from polyipc._manager_calls import Future
from polyipc._manager_cells import ArrayProxy, CounterProxy, NamespaceProxy, ValueProxy
from polyipc._manager_dict import DictProxy
from polyipc._manager_host import cancelled
from polyipc._manager_list import ListProxy
from polyipc._manager_proxy import Hosted, Proxy
from polyipc._manager_queue import JoinableQueueProxy, QueueLease, QueueProxy
from polyipc._manager_server import Server
from polyipc._manager_set import SetProxy
from polyipc._manager_sync import (
    BarrierProxy,
    BoundedSemaphoreProxy,
    ConditionProxy,
    EventProxy,
    LockProxy,
    RLockProxy,
    SemaphoreProxy,
)
from polyipc._manager_watch import Change, Watch

__all__ = [
    "ArrayProxy",
    "BarrierProxy",
    "Batch",
    "BoundedSemaphoreProxy",
    "Change",
    "ConditionProxy",
    "CounterProxy",
    "DictProxy",
    "EventProxy",
    "Future",
    "Hosted",
    "JoinableQueueProxy",
    "ListProxy",
    "LockProxy",
    "Manager",
    "NamespaceProxy",
    "Proxy",
    "QueueLease",
    "QueueProxy",
    "RLockProxy",
    "Reply",
    "SemaphoreProxy",
    "Server",
    "SetProxy",
    "ValueProxy",
    "Watch",
    "cancelled",
    "connect",
]
