"""polyipc: queues, pipes, shared memory and managers between Python, Go and C processes.

What happens besides the calls is logged as "polyipc": leases that come back from a process that was
killed (warning), its locks taken over (info), corruption (error), growth (debug). A call logs what
happened up to its beginning. $POLYIPC_LOG=level[:file] writes the same to a file or stderr.
"""

from __future__ import annotations

from polyipc import _platform

_platform.check()

from polyipc import codec, errors  # noqa: E402 - not where polyipc cannot work
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
from polyipc.pipe import Connection, Pipe, PipeDirection, PipeStat  # noqa: E402
from polyipc.process import Child, inherited, spawn  # noqa: E402
from polyipc.queue import Lease, Queue, QueueStat, unlink  # noqa: E402
from polyipc.root import gc  # noqa: E402
from polyipc.segment import (  # noqa: E402
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
from polyipc.sync import (  # noqa: E402
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
from polyipc.wait import wait, writable  # noqa: E402

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
