"""Pipes between processes: two connected ends, in Python, Go and C.

    import polyipc

    ours, theirs = polyipc.Pipe()  # for a child, or
    ours = polyipc.Connection("control")  # by name: who comes first has the first end
    ours.send({"command": "pause"})
    print(ours.recv())

Methods and exceptions are those of multiprocessing.Pipe and its Connection; names, timeouts and a
look at what is under way come on top. A send is committed when it returns, and waits while the
pipe is full. Messages keep their boundaries, and empty ones are messages.

Messages are MessagePack: polyipc.codec says which objects can be sent; they come out equal and of
the same type.

Everything here may be called from any thread, also several at once on one connection, and in a
forked child. An end may be open in several processes: each message goes to one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, TypeVar

from polyipc import _arguments, _calls, _later, _referring, _waiting, codec, errors
from polyipc._c import library
from polyipc._c import pieces as c_pieces
from polyipc._c import pipe as c
from polyipc._codec_types import Packed, ReferencesMetError
from polyipc._messages import INTERRUPTED, MSGPACK, RAW, SHALLOW, SHORT, Buffer, Messages
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._pipe_stat import PipeDirection, PipeStat

__all__ = ["Connection", "Pipe", "PipeDirection", "PipeStat", "unlink"]

T = TypeVar("T")
Self = TypeVar("Self", bound="Connection[Any]")

_ENDS = {None: c.END_DEFAULT, 0: c.END_FIRST, 1: c.END_SECOND}


class Connection(Messages[T]):
    """One end of a pipe that any process opens by its name. T is what messages are.

    Connection(name) opens the pipe's second end, or makes the pipe and has its first;
    Connection.create and Connection.open do only the one, and Pipe makes both ends. close ends
    this object's use of it; unlink removes the name. As a context manager a connection closes
    itself, and so does one that is no longer referenced.

    Pickling one, as multiprocessing does with arguments of a process, gives one that has the same
    end of the same pipe open. So does copying.
    """

    __slots__ = ("_c_recv", "_c_send", "_end", "_pack", "_readable", "_writable")
    _end: int
    _readable: bool
    _writable: bool
    _kind = "pipe"
    _remove = staticmethod(c.unlink)
    _getting = "receive from"
    _expired = errors.TimedOutError

    def __init__(
        self,
        name: str,
        *,
        duplex: bool = True,
        end: int | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open one end of the pipe of that name, or make it.

        name -- 1 to 128 of [A-Za-z0-9._-], not starting with "."
        duplex -- whether both ends send and receive; else end 0 receives and end 1 sends
        end -- 0 or 1; None: 0 if this makes the pipe, else 1
        capacity -- bytes for messages under way in each direction, each with 24 bytes of header,
            rounded up to a power of two of at least 64 KiB: up to 2**36; None: 64 KiB. A larger
            message goes alone
        transient -- whether the pipe goes with its last user, however that ends, or is kept until
            unlinked; None: if it is anonymous
        pickle -- whether objects that MessagePack cannot carry are pickled, and pickles are
            opened, which may run any code: only for processes that trust each other
        trust_group -- whether pickle=True is meant also in a root that is shared with a group (a
            directory with the set-group-id bit that its group can write to), each member of which
            can then run code here; DeniedError without it. Else it changes nothing
        root -- directory of the pipe; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

        Raises MismatchError if it exists with other options, InvalidError, NoSpaceError,
        DeniedError, CorruptError, VersionError, WrongKindError, NoMemoryError, LimitError.
        """
        options = (duplex, end, capacity, transient, pickle, trust_group, root)
        self._open("open_or_create", _checked(name), *options)

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
        """Make a pipe; ExistsError if there is one of that name. Otherwise as Connection().

        name -- None makes an anonymous pipe
        """
        made = cls.__new__(cls)
        options = (duplex, end, capacity, transient, pickle, trust_group, root)
        cls._open(made, "create", name, *options)
        return made

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
        """Open one end of a pipe; NotFoundError if there is none. Otherwise as Connection().

        end -- 0 or 1; None: 1
        pickle -- MismatchError if the pipe was not made for pickles
        """
        opened = cls.__new__(cls)
        options = (True, end, None, None, pickle, trust_group, root)
        cls._open(opened, "open", _checked(name), *options)
        return opened

    def _reopen_with(self) -> tuple[Any, ...]:
        return self._name, self._end, self._pickle, self._trust_group, self._root

    @classmethod
    def _reopen(  # type: ignore[override]
        cls: type[Self], name: str, end: int, pickle: bool, trust_group: bool, root: str | None
    ) -> Self:
        return cls.open(name, end=end, pickle=pickle, trust_group=trust_group, root=root)

    def _open(
        self,
        how: str,
        name: str | None,
        duplex: bool,
        end: int | None,
        capacity: int | None,
        transient: bool | None,
        pickle: bool,
        trust_group: bool,
        root: _arguments.Path | None,
    ) -> None:
        if end not in _ENDS:
            raise errors.InvalidError(f"end {end!r}: give 0 or 1, or None for the default")
        where = _arguments.root(root)
        status, number = c.open_(
            how,
            _arguments.name_or_none(name),
            _arguments.root_for_c(where),
            _flags(duplex, transient, pickle, trust_group),
            0 if capacity is None else _arguments.limit("capacity", capacity),
            _ENDS[end],
        )
        _calls.check(status)
        self._take(number, pickle, trust_group, where)

    @classmethod
    def _pair(
        cls: type[Self],
        duplex: bool,
        *,
        name: str | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> tuple[Self, Self]:
        """Do what Pipe does."""
        where = _arguments.root(root)
        status, *numbers = c.pair(
            _arguments.name_or_none(name),
            _arguments.root_for_c(where),
            _flags(duplex, transient, pickle, trust_group),
            0 if capacity is None else _arguments.limit("capacity", capacity),
        )
        _calls.check(status)
        ends = []
        for number in numbers:
            end = cls.__new__(cls)
            cls._take(end, number, pickle, trust_group, where)
            ends.append(end)
        return ends[0], ends[1]

    def _take(self, number: int, pickle: bool, trust_group: bool, root: str | None) -> None:
        """Take over the handle of an end."""
        self._root, self._pickle, self._trust_group = root, bool(pickle), bool(trust_group)
        self._own(number, c.close)
        calls, self._end, self._readable, self._writable = c.bind(number)
        self._c_send, self._c_recv = calls
        _, self._name = c.name(number)
        self._pack: Callable[[object], bytes] = codec.pack_plain
        if pickle:
            self._pack = codec.pack_pickling

    @classmethod
    def _of_handle(cls: type[Self], number: int, carrier: _referring.Carrier) -> Self:
        """Return the end of a handle that came in a message."""
        end = cls.__new__(cls)
        _, fields = c.stat(number)
        pickle = carrier.pickle and bool(fields["flags"] & library.PICKLE)
        cls._take(end, number, pickle, carrier.trust_group, carrier.root)
        return end

    # ---- what it is ----

    @property
    def closed(self) -> bool:
        """Whether it was closed in this process."""
        return self._id == 0

    @property
    def readable(self) -> bool:
        """Whether this end receives."""
        return self._readable

    @property
    def writable(self) -> bool:
        """Whether this end sends."""
        return self._writable

    @property
    def end(self) -> int:
        """Which end this is: 0 or 1."""
        return self._end

    def stat(self) -> PipeStat:
        """Return what is under way, in each direction, and whether somebody is at the other end."""
        status, fields = c.stat(self._id)
        self._check(status, "stat")
        from polyipc._pipe_stat import of_fields

        return of_fields(fields)

    # ---- sending ----

    def send(self, obj: T, *, timeout: float | None = None) -> None:
        """Send obj. When this returns, the message is in the pipe and survives this process.

        timeout -- seconds to wait for room, 0 or more; None: for ever.

        Raises TypeError, naming the place within obj, if it cannot be carried; BrokenPipeError if
        nobody is left at the other end; TooLargeError, NoSpaceError, TimedOutError; OSError if this
        is closed, or does not send: in all these cases nothing was sent.
        """
        try:
            body = self._pack(obj)
        except ReferencesMetError as met:
            self._send_referring(met.packed or obj, timeout)
            return
        if timeout is None and len(body) <= SHORT:
            status = self._c_send(body, MSGPACK, -1)
            if status == 0:
                return
            if status != INTERRUPTED:
                raise self._failure(status, "send to")
        if len(body) > SHORT:
            raise errors.TooLargeError(
                f'send to pipe "{self._name}": the message has {len(body)} bytes; '
                f"the limit is {SHORT}: send raw bytes, or parts"
            )
        self._send(body, MSGPACK, timeout)

    def send_bytes(
        self,
        buf: Buffer,
        offset: int = 0,
        size: int | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        """Send bytes as they are, of anything that has the buffer protocol, as one message.

        offset, size -- which bytes of buf; ValueError if it does not have them. Otherwise as send.
        """
        if type(buf) is not bytes or offset != 0 or size is not None:
            buf = _arguments.part(buf, offset, size)
        elif timeout is None:
            status = self._c_send(buf, RAW, -1)
            if status == 0:
                return
            if status != INTERRUPTED:
                raise self._failure(status, "send to")
        self._send(bytes(buf), RAW, timeout)

    def _send(self, body: bytes, form: int, timeout: float | None) -> None:
        status = _waiting.call(self._c_send, body, form, block=True, timeout=timeout)
        if status != 0:
            raise self._failure(status, "send to")

    def _send_referring(self, what: object, timeout: float | None) -> None:
        """Send what is more than bytes: references to open objects, pieces."""
        pieces, met = (
            what if type(what) is Packed else codec.pack_referring(what, pickle=self._pickle)
        )
        args = (c_pieces.send, self._id, pieces, MSGPACK, _referring.references(met))
        status = _waiting.call(*args, block=True, timeout=timeout)
        if status != 0:
            raise self._failure(status, "send to")

    # ---- receiving ----

    def recv(self, *, timeout: float | None = None) -> T:
        """Receive the next message. If this process dies in the call, the message may be lost.

        timeout -- seconds to wait for one, 0 or more; None: for ever.

        Raises EOFError when nobody is left at the other end and all it sent is received;
        DecodeError, which has the message; TimedOutError, CorruptError; OSError if this is closed,
        or does not receive.
        """
        found: Any = self._c_recv(-1) if timeout is None else INTERRUPTED
        if type(found) is bytes and len(found) <= SHALLOW:
            try:
                return codec.decode(found)  # type: ignore[no-any-return]
            except Exception:  # noqa: BLE001 - what it was is found out below
                pass
        elif type(found) is int:
            found = self._wait(found, "receive from", self._c_recv, block=True, timeout=timeout)
        return self._read(found)

    def recv_bytes(self, maxlength: int | None = None, *, timeout: float | None = None) -> bytes:
        """Receive the next message as bytes. Otherwise as recv.

        maxlength -- most bytes that it may have; OSError if it has more, and then nothing can be
            received any more: this end is closed, or if it sends, it goes on only sending.
        """
        if maxlength is not None and maxlength < 0:
            raise errors.InvalidError("negative maxlength")
        found: Any = self._c_recv(-1) if timeout is None else INTERRUPTED
        if type(found) is int:
            found = self._wait(found, "receive from", self._c_recv, block=True, timeout=timeout)
        body = self._as_bytes(found)
        if maxlength is not None and len(body) > maxlength:
            self._stop_receiving()
            raise OSError("bad message length")
        return body

    def _as_bytes(self, message: Any) -> bytes:
        """Return what recv_bytes does for a message: bytes that are MessagePack, or with format."""
        body: bytes = message if type(message) is bytes else message[0]
        return body

    def recv_bytes_into(self, buf: Any, offset: int = 0, *, timeout: float | None = None) -> int:
        """Receive the next message as bytes into a writable buffer, and return how many they are.

        offset -- where in buf, in bytes; ValueError if that is not in it. Otherwise as recv.

        Raises multiprocessing.BufferTooShort, whose first argument is the whole message, if it does
        not fit.
        """
        with memoryview(buf) as view, view.cast("B") as place:
            if view.readonly:
                raise TypeError("the buffer is read-only")
            if offset < 0:
                raise errors.InvalidError("negative offset")
            if offset > len(place):
                raise errors.InvalidError("offset too large")
            body = self.recv_bytes(timeout=timeout)
            if len(body) > len(place) - offset:
                from multiprocessing import BufferTooShort

                raise BufferTooShort(body)
            place[offset : offset + len(body)] = body
            return len(body)

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Return whether a recv would not wait: there is a message, or the end of file.

        timeout -- seconds to wait for that; None: for ever
        """
        self._must_receive()
        wait = timeout if timeout is None or timeout > 0 else 0.0
        status = _waiting.call(
            c.poll, self._id, block=wait is None or wait > 0, timeout=wait if wait else None
        )
        if status in (Status.EMPTY, Status.TIMEOUT):
            return False
        self._check(status, "poll")
        return True

    # ---- ending ----

    def _stop_receiving(self) -> None:
        self._readable = False
        if self._writable:
            self._c_recv = _receives_not
        else:
            self.close()

    def _must_receive(self) -> None:
        if not self._id:
            raise self._failure(Status.CLOSED, "poll")
        if not self._readable:
            raise self._failure(Status.INVALID, "receive from")

    def _failure(
        self, status: int, operation: str, expired: type[errors.Error] = errors.TimedOutError
    ) -> errors.Error:
        what = f'{operation} pipe "{self._name}"'
        if status == Status.INVALID and operation == "send to" and not self._writable:
            return errors.WrongEndError(f"{what}: connection is read-only")
        if status == Status.INVALID and operation == "receive from" and not self._readable:
            return errors.WrongEndError(f"{what}: connection is write-only")
        error = super()._failure(status, operation, expired)
        if isinstance(error, errors.ClosedError):
            return errors.ClosedConnectionError(f"{what}: handle is closed", Status.CLOSED)
        return error


def _receives_not(_ns: int) -> int:
    """Be recv of an end that has stopped receiving."""
    return int(Status.INVALID)


def _checked(name: str) -> str:
    if name is None:
        raise TypeError("name None: say which pipe to open, or use Pipe() or Connection.create()")
    return name


def _flags(duplex: bool, transient: bool | None, pickle: bool, trust_group: bool) -> int:
    options = _arguments.flags(transient, pickle=pickle, trust_group=trust_group)
    return options | (0 if duplex else c.ONE_WAY)


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
    """Make a pipe and return both ends; ExistsError if there is one of that name.

    duplex -- whether both ends send and receive; else the first receives and the second sends.
    name -- None makes an anonymous pipe. The other options are those of Connection.
    """
    return Connection._pair(  # noqa: SLF001
        duplex,
        name=name,
        capacity=capacity,
        transient=transient,
        pickle=pickle,
        trust_group=trust_group,
        root=root,
    )


def unlink(name: str, *, root: _arguments.Path | None = None) -> None:
    """Remove the name of a pipe; fine if there is none.

    Who has the pipe open goes on using it; it goes with the last of them.

    root -- directory of the pipe; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

    Raises WrongKindError; CorruptError for a file that is not polyipc's, which stays.
    """
    _calls.unlink(c.unlink, name, root)


_referring.opens(_referring.PIPE, Connection)
_referring.opens(_referring.PIPE_END, Connection)


if not TYPE_CHECKING:
    __getattr__, __dir__ = _later.of(globals(), {"polyipc._pipe_stat": "PipeDirection PipeStat"})
