"""What Segment.stat returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SegmentStat:
    """How things stand with a segment, a moment ago."""

    size: int
    """Bytes that are usable."""
    max_size: int
    """Bytes that it may grow to."""
    transient: bool
    """Whether it goes with its last user."""
    format: str
    """What one item is, in canonical notation of PEP 3118; "" for plain bytes."""
    itemsize: int
    """Bytes of an item."""
    shape: tuple[int, ...]
    """Items in each dimension, as it was made."""
    waiters: int
    """Threads that sleep on a cell or the lock, at most 64."""
    take_overs: int
    """Times that the lock was taken over from processes that died."""
    holder: int
    """Pid of the process that has the lock; 0: nobody."""
    held: float
    """Seconds, at least: since somebody first waited for the lock or asked."""
