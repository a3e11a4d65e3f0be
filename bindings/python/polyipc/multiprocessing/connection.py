"""multiprocessing.connection on top of polyipc's pipes."""

from __future__ import annotations

from typing import Any

from polyipc import pipe as native
from polyipc.wait import wait

__all__ = ["Connection", "Pipe", "wait"]

Connection = native.Connection


def Pipe(duplex: bool = True, **options: Any) -> tuple[Any, Any]:
    """Return two connected ends that pickle."""
    return native.Pipe(duplex, pickle=True, **options)
