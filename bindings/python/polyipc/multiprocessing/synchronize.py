"""multiprocessing.synchronize on top of polyipc.sync."""

from __future__ import annotations

from typing import Any

from polyipc import sync as native

__all__ = ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"]


class Lock(native.Lock):
    def __init__(self, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(**options)


class RLock(native.RLock):
    def __init__(self, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(**options)


class Semaphore(native.Semaphore):
    def __init__(self, value: int = 1, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(value, **options)


class BoundedSemaphore(native.BoundedSemaphore):
    def __init__(self, value: int = 1, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(value, **options)


class Condition(native.Condition):
    def __init__(self, lock: Any = None, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(lock, **options)


class Event(native.Event):
    def __init__(self, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(**options)


class Barrier(native.Barrier):
    def __init__(
        self,
        parties: int,
        action: Any = None,
        timeout: float | None = None,
        *,
        ctx: Any = None,  # noqa: ARG002
        **options: Any,
    ) -> None:
        super().__init__(parties, action, timeout, **options)
