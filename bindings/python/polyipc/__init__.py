"""polyipc: queues, pipes, shared memory and managers between Python, Go and C processes.

What happens besides the calls is logged as "polyipc": leases that come back from a process that was
killed (warning), its locks taken over (info), corruption (error), growth (debug). A call logs what
happened up to its beginning. $POLYIPC_LOG=level[:file] writes the same to a file or stderr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyipc import _platform

_platform.check()

from polyipc import _later, codec, errors  # noqa: E402 - not where polyipc cannot work
from polyipc._c.library import VERSION  # noqa: E402
from polyipc.errors import (  # noqa: E402
    BrokenBarrierError,
    BrokenError,
    CancelledError,
    ClosedConnectionError,
    ClosedError,
    CorruptError,
    DecodeError,
    DeniedError,
    Empty,
    EndOfFileError,
    Error,
    ExistsError,
    Full,
    GoneError,
    InternalError,
    InvalidError,
    LeaseLostError,
    LimitError,
    MismatchError,
    NoMemoryError,
    NoSpaceError,
    NotFoundError,
    NotOwnedError,
    PeerDiedError,
    RemoteError,
    ShutDown,
    Status,
    TimedOutError,
    TooLargeError,
    UnsupportedError,
    VersionError,
    WrongEndError,
    WrongKindError,
)
from polyipc.wait import wait, writable  # noqa: E402

if TYPE_CHECKING:
    from polyipc.pipe import Connection, Pipe, PipeDirection, PipeStat
    from polyipc.process import Child, inherited, spawn
    from polyipc.queue import Lease, Queue, QueueStat, unlink
    from polyipc.root import gc
    from polyipc.segment import (
        Array,
        Atomic,
        RawArray,
        RawValue,
        Segment,
        SegmentStat,
        ShareableList,
        Value,
        segment_of,
    )
    from polyipc.sync import (
        Barrier,
        BoundedSemaphore,
        Condition,
        Event,
        Lock,
        RLock,
        RWLock,
        Semaphore,
        SyncStat,
    )

if not TYPE_CHECKING:
    __getattr__, __dir__ = _later.of(
        globals(),
        {
            "polyipc.manager": "manager",
            "polyipc.pipe": "pipe Connection Pipe PipeDirection PipeStat",
            "polyipc.process": "process Child inherited spawn",
            "polyipc.queue": "queue Lease Queue QueueStat unlink",
            "polyipc.root": "root gc",
            "polyipc.segment": "segment Array Atomic RawArray RawValue Segment SegmentStat "
            "ShareableList Value segment_of",
            "polyipc.sync": "sync Barrier BoundedSemaphore Condition Event Lock RLock RWLock "
            "Semaphore SyncStat",
        },
    )

__version__ = VERSION

__all__ = [
    "Array",
    "Atomic",
    "Barrier",
    "BoundedSemaphore",
    "BrokenBarrierError",
    "BrokenError",
    "CancelledError",
    "Child",
    "ClosedConnectionError",
    "ClosedError",
    "Condition",
    "Connection",
    "CorruptError",
    "DecodeError",
    "DeniedError",
    "Empty",
    "EndOfFileError",
    "Error",
    "Event",
    "ExistsError",
    "Full",
    "GoneError",
    "InternalError",
    "InvalidError",
    "Lease",
    "LeaseLostError",
    "LimitError",
    "Lock",
    "MismatchError",
    "NoMemoryError",
    "NoSpaceError",
    "NotFoundError",
    "NotOwnedError",
    "PeerDiedError",
    "Pipe",
    "PipeDirection",
    "PipeStat",
    "Queue",
    "QueueStat",
    "RLock",
    "RWLock",
    "RawArray",
    "RawValue",
    "RemoteError",
    "Segment",
    "SegmentStat",
    "Semaphore",
    "ShareableList",
    "ShutDown",
    "Status",
    "SyncStat",
    "TimedOutError",
    "TooLargeError",
    "UnsupportedError",
    "Value",
    "VersionError",
    "WrongEndError",
    "WrongKindError",
    "__version__",
    "codec",
    "errors",
    "gc",
    "inherited",
    "segment_of",
    "spawn",
    "unlink",
    "wait",
    "writable",
]
