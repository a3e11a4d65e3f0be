"""Pipes for the tasks of a loop."""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

from typing import Any, Callable, TypeVar

from polyipc import _arguments, errors
from polyipc._codec_types import ReferencesMetError
from polyipc._messages import MSGPACK, SHORT, Buffer
from polyipc._pipe_stat import PipeStat
from polyipc.aio import _loop
from polyipc.aio._base import Closing
from polyipc.pipe import Connection as SyncConnection
from polyipc.pipe import Pipe as SyncPipe

T = TypeVar("T")
Self = TypeVar("Self", bound="Connection[Any]")


class Connection(Closing[SyncConnection[T]]):
    """A polyipc.Connection whose send, recv and poll are coroutines: Connection(end), or as that.

    A call that is cancelled, or raises, has received no message and sent none.
    """

    __slots__ = ()
    _of = SyncConnection

    def __init__(
        self,
        name: str | SyncConnection[T],
        *,
        duplex: bool = True,
        end: int | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> None:
        """Use an end, or open one end of the pipe of that name, or make it.

        name -- that, or the polyipc.Connection to use; else as in polyipc.Connection()
        """
        if isinstance(name, SyncConnection):
            self._begin(name)
            return
        self._begin(
            SyncConnection(
                name,
                duplex=duplex,
                end=end,
                capacity=capacity,
                transient=transient,
                pickle=pickle,
                trust_group=trust_group,
                root=root,
            )
        )

    @classmethod
    def create(
        cls: type[Self],
        name: str | None = None,
        *,
        duplex: bool = True,
        end: int | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Make a pipe; ExistsError if there is one. Otherwise as polyipc.Connection.create."""
        return cls._over(
            SyncConnection.create(
                name,
                duplex=duplex,
                end=end,
                capacity=capacity,
                transient=transient,
                pickle=pickle,
                trust_group=trust_group,
                root=root,
            )
        )

    @classmethod
    def open(
        cls: type[Self],
        name: str,
        *,
        end: int | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Open one end of a pipe; NotFoundError if there is none."""
        return cls._over(
            SyncConnection.open(name, end=end, pickle=pickle, trust_group=trust_group, root=root)
        )

    # ---- sending ----

    async def send(self, obj: T, *, timeout: float | None = None) -> None:
        """Send obj, waiting for room. It is packed as the call begins.

        timeout -- seconds to wait; None: for ever. TimedOutError when they are over. Otherwise as
            the send of polyipc.Connection
        """
        end = self.sync
        try:
            body = end._pack(obj)
        except ReferencesMetError:
            await self._send(lambda: end.send(obj, timeout=0), timeout)
            return
        if len(body) > SHORT:
            end.send(obj, timeout=0)  # which refuses it
        await self._send(lambda: end._send(body, MSGPACK, 0.0), timeout)

    async def send_bytes(
        self,
        buf: Buffer,
        offset: int = 0,
        size: int | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        """Send bytes. Nobody may change them before this returns. Otherwise as send."""
        end = self.sync
        await self._send(lambda: end.send_bytes(buf, offset, size, timeout=0), timeout)

    async def _send(self, attempt: Callable[[], None], timeout: float | None) -> None:
        await _loop.until(self.sync, _loop.WRITABLE, attempt, errors.TimedOutError, timeout)

    # ---- receiving ----

    async def recv(self, *, timeout: float | None = None) -> T:
        """Receive the next message, waiting for one.

        timeout -- seconds to wait; None: for ever. TimedOutError when they are over. Otherwise as
            the recv of polyipc.Connection
        """
        end = self.sync
        found: T = await self._recv(lambda: end.recv(timeout=0), timeout)
        return found

    async def recv_bytes(
        self, maxlength: int | None = None, *, timeout: float | None = None
    ) -> bytes:
        """Receive the next message as bytes: as recv, and polyipc.Connection.recv_bytes."""
        end = self.sync
        found: bytes = await self._recv(lambda: end.recv_bytes(maxlength, timeout=0), timeout)
        return found

    async def recv_bytes_into(
        self, buf: Any, offset: int = 0, *, timeout: float | None = None
    ) -> int:
        """Receive into a writable buffer: as recv, and polyipc.Connection.recv_bytes_into."""
        end = self.sync
        found: int = await self._recv(lambda: end.recv_bytes_into(buf, offset, timeout=0), timeout)
        return found

    async def poll(self, timeout: float | None = 0.0) -> bool:
        """Return whether a recv would not wait, as soon as it is so or the time is over."""
        end = self.sync

        def attempt() -> bool:
            if not end.poll():
                raise errors.TimedOutError("poll")
            return True

        try:
            return bool(await self._recv(attempt, timeout))
        except errors.TimedOutError:
            return False

    async def _recv(self, attempt: Callable[[], Any], timeout: float | None) -> Any:
        return await _loop.until(self.sync, _loop.READABLE, attempt, errors.TimedOutError, timeout)

    # ---- what it is ----

    @property
    def closed(self) -> bool:
        """Whether it was closed in this process."""
        return self.sync.closed

    @property
    def readable(self) -> bool:
        """Whether this end receives."""
        return self.sync.readable

    @property
    def writable(self) -> bool:
        """Whether this end sends."""
        return self.sync.writable

    @property
    def end(self) -> int:
        """Which end this is: 0 or 1."""
        return self.sync.end

    def fileno(self) -> int:
        """Return a descriptor, sync's: readable when a recv would not wait."""
        return self.sync.fileno()

    def stat(self) -> PipeStat:
        """Return what is under way, in each direction, and whether somebody is at the other end."""
        return self.sync.stat()


def Pipe(  # noqa: N802 - the name that multiprocessing made known
    duplex: bool = True,
    *,
    name: str | None = None,
    capacity: int | None = None,
    transient: bool | None = None,
    pickle: bool = False,
    trust_group: bool = False,
    root: _arguments.Path | None = None,
) -> tuple[Connection[Any], Connection[Any]]:
    """Make a pipe and return both ends, as polyipc.Pipe does."""
    first, second = SyncPipe(
        duplex,
        name=name,
        capacity=capacity,
        transient=transient,
        pickle=pickle,
        trust_group=trust_group,
        root=root,
    )
    return Connection(first), Connection(second)
