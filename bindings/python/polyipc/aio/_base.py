"""What all classes of polyipc.aio have in common: an object of polyipc that they wait for."""

from __future__ import annotations

from types import TracebackType
from typing import Any, ClassVar, Generic, TypeVar

from polyipc._handle import Handle

H = TypeVar("H", bound=Handle)
Self = TypeVar("Self", bound="Over[Any]")


class Over(Generic[H]):
    """An object of polyipc in the loops of this process.

    sync is that object: it may be used at the same time, by other threads say. Several of these may
    be over one object, and one may be used in several loops, each in its own thread. What is not a
    coroutine does not wait.
    """

    __slots__ = ("__weakref__", "sync")

    sync: H
    _of: ClassVar[type[Any]]
    """The class of sync."""

    @classmethod
    def _over(cls: type[Self], over: Any) -> Self:
        """Return one over an object, which is not looked at."""
        self = cls.__new__(cls)
        self._begin(over)
        return self

    def _begin(self, over: H) -> None:
        self.sync = over

    @property
    def name(self) -> str:
        """The name that opens the object; a UUID if it is anonymous."""
        return self.sync.name

    def close(self) -> None:
        """End this process's use of the object: who waits gets ClosedError. Again is allowed."""
        self.sync.close()

    def unlink(self) -> None:
        """Remove the object's name. Who has it open goes on using it; it goes with the last."""
        self.sync.unlink()

    def __reduce__(self) -> tuple[Any, ...]:
        return _over, (type(self), self.sync)

    def __repr__(self) -> str:
        return f"<polyipc.aio.{type(self).__name__} over {self.sync!r}>"


class Closing(Over[H]):
    """One that with and async with close."""

    __slots__ = ()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _over(cls: type[Over[Any]], over: Any) -> Over[Any]:
    """Return what a pickle stands for."""
    return cls._over(over)
