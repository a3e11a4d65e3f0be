"""What a pipe says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polyipc._c import library
from polyipc._c import pipe as c


@dataclass(frozen=True)
class PipeDirection:
    """What goes one way; all 0 where a one-way pipe goes the other way."""

    messages: int
    """Messages sent and not received."""
    bytes: int
    """Their size, headers included."""
    sent: int
    """Messages sent since creation, those being written included."""
    received: int
    """Messages received since creation."""
    abandoned: int
    """Sends whose process died or gave up while writing."""


@dataclass(frozen=True)
class PipeStat:
    """A snapshot of a pipe as one end sees it; each direction is consistent in itself."""

    capacity: int
    """Bytes for messages in each direction, each with 24 bytes of header."""
    duplex: bool
    """Whether both ends send and receive."""
    transient: bool
    """Whether it goes with its last user."""
    pickle: bool
    """Whether it may carry pickles."""
    end: int
    """Which end this is: 0 or 1."""
    other: bool | None
    """Whether somebody is at the other end; None: nobody has opened it yet."""
    incoming: PipeDirection
    """What this end receives."""
    outgoing: PipeDirection
    """What it sends."""
    take_overs: int
    """Locks taken over from processes that died."""


def of_fields(fields: dict[str, Any]) -> PipeStat:
    """Return the stat of what C counted."""
    flags = fields["flags"]
    return PipeStat(
        capacity=fields["capacity"],
        duplex=not flags & c.ONE_WAY,
        transient=bool(flags & library.TRANSIENT),
        pickle=bool(flags & library.PICKLE),
        end=fields["end"] - c.END_FIRST,
        other=(None, True, False)[fields["other"]],
        incoming=PipeDirection(**fields["in_"]),
        outgoing=PipeDirection(**fields["out"]),
        take_overs=fields["take_overs"],
    )
