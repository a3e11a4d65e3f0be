"""What a queue says about itself."""

from __future__ import annotations

from dataclasses import dataclass

from polyipc._c import library


@dataclass(frozen=True)
class QueueStat:
    """A consistent snapshot of a queue, taken under its locks; counters start at its creation."""

    maxsize: int
    """Most messages it holds, those on lease included; 0: no limit."""
    capacity: int
    """Bytes for messages, each with 24 bytes of header; 0: grows as needed."""
    transient: bool
    """Whether it goes with its last user."""
    pickle: bool
    """Whether it may carry pickles."""
    messages: int
    """Messages that a get could take."""
    bytes: int
    """Size of what is in the queue, headers included."""
    leased: int
    """Messages in the hands of consumers."""
    reserved: int
    """Messages that are being written."""
    unfinished: int
    """Messages put and not done, for which a join waits."""
    put: int
    """Messages put since creation, those being written included."""
    taken: int
    """Messages gotten or acked since creation."""
    redelivered: int
    """Leases that came back."""
    take_overs: int
    """Locks taken over from processes that died."""
    abandoned: int
    """Puts whose process died or gave up while writing."""
    grown: int
    """Rings that were added because the queue was full."""
    rings: int
    """Rings in use now."""
    shutdown: bool
    """Whether the queue was shut down."""
    immediate: bool
    """Whether what was left was discarded at that."""


def of_fields(fields: dict[str, int]) -> QueueStat:
    """Return the stat of what C counted."""
    rest = dict(fields)
    flags, shutdown = rest.pop("flags"), rest.pop("shutdown")
    del rest["size"]
    return QueueStat(
        maxsize=rest.pop("max_size"),
        transient=bool(flags & library.TRANSIENT),
        pickle=bool(flags & library.PICKLE),
        shutdown=shutdown != 0,
        immediate=shutdown == 2,
        **rest,
    )
