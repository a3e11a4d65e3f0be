"""What an object of polyipc.sync says about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SyncStat:
    """How things stand with an object, a moment ago."""

    kind: str
    """"lock", "bounded_semaphore", ..."""
    transient: bool
    """Whether it goes with its last user."""
    reclaim: bool
    """Whether a semaphore's permits return from processes that die."""
    limit: int
    """A semaphore's first value, a barrier's parties."""
    value: int
    """Free permits; held read locks; 1 if an event is set; who waits at a barrier or for notify."""
    broken: bool
    """Whether a barrier is broken."""
    holder: int
    """Pid of who has the lock, or write lock; 0: nobody."""
    language: str
    """Of the holder's program: "go", "c", "python"."""
    held: float
    """Seconds, at least: since somebody first waited for the lock or asked."""
    depth: int
    """Of an rlock: how often its owner acquired it."""
    waiters: int
    """As far as known by name: up to 64; in conditions and barriers all."""
    take_overs: int
    """Locks taken over from processes that died."""
    reclaimed: int
    """Permits, read locks and places taken back from processes that died."""
