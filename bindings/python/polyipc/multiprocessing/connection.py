"""multiprocessing.connection on top of polyipc's pipes.

The ends that Pipe makes are those of a polyipc pipe: names, timeouts and a look at what is under
way come on top. Listener and Client talk as CPython's do, over sockets, so that the other side may
be CPython's. On one machine, by AF_UNIX, two of polyipc then go on through a pipe. No pickle is
opened before the authkey was checked.

Methods and exceptions are multiprocessing's: what send_bytes was given is a pickle to recv, and
what send was given is a pickle to recv_bytes.
"""

from __future__ import annotations

import os
import pickle
import socket
from abc import ABC
from multiprocessing import connection as _theirs
from multiprocessing import reduction
from multiprocessing.connection import (  # type: ignore[attr-defined]
    BUFSIZE,
    CONNECTION_TIMEOUT,
    MESSAGE_LENGTH,
    ConnectionWrapper,
    SocketClient,
    SocketListener,
    address_type,
    answer_challenge,
    arbitrary_address,
    default_family,
    deliver_challenge,
    families,
)
from typing import TYPE_CHECKING, Any

from polyipc import errors
from polyipc import pipe as native
from polyipc._codec_heads import pickle_in
from polyipc._codec_types import CodecError
from polyipc._messages import RAW
from polyipc.multiprocessing import _rest
from polyipc.wait import wait

__all__ = [
    "BUFSIZE",
    "CONNECTION_TIMEOUT",
    "MESSAGE_LENGTH",
    "Client",
    "Connection",
    "ConnectionWrapper",
    "Listener",
    "Pipe",
    "PipeConnection",
    "SocketClient",
    "SocketConnection",
    "SocketListener",
    "XmlClient",
    "XmlListener",
    "address_type",
    "answer_challenge",
    "arbitrary_address",
    "default_family",
    "deliver_challenge",
    "families",
    "wait",
]


if TYPE_CHECKING:

    class _Methods(native.Connection[Any], ABC):
        def __init__(
            self, handle: Any, readable: bool = True, writable: bool = True, **options: Any
        ) -> None: ...

else:
    _Methods = ABC


_DUPLEX = 256 << 10  # bytes under way in a direction: sockets, which have 208 KiB, hold no more


class Connection(_Methods):
    """What Pipe, Listener and Client return; isinstance tells.

    Connection(descriptor, readable, writable) is a SocketConnection.
    Connection(name) opens one end of a pipe, or makes it; options -- of polyipc.Connection.
    """

    def __new__(
        cls, handle: Any, readable: bool = True, writable: bool = True, **options: Any
    ) -> Any:
        if isinstance(handle, str):
            return PipeConnection(handle, pickle=True, **options)
        return SocketConnection(handle, readable, writable)


class SocketConnection(_theirs.Connection):
    """A connection of a socket or an OS pipe, on CPython's wire."""

    _handle: int | None


def _reduced(conn: SocketConnection) -> tuple[Any, ...]:
    return _rebuilt, (reduction.DupFd(conn.fileno()), conn.readable, conn.writable)


def _rebuilt(duplicate: Any, readable: bool, writable: bool) -> SocketConnection:
    return SocketConnection(duplicate.detach(), readable, writable)


reduction.register(SocketConnection, _reduced)


def _from_theirs(conn: Any) -> SocketConnection:
    own = SocketConnection(conn.fileno())
    conn._handle = None
    return own


class PipeConnection(native.Connection[Any]):
    """One end of a pipe that pickles."""

    __slots__ = ()

    def _read(self, message: Any, taken: Any = ()) -> Any:
        if type(message) is tuple and message[1] == RAW:
            return pickle.loads(message[0])
        try:
            return super()._read(message, taken)
        except errors.DecodeError as error:
            raise (error.__cause__ or error) from None  # multiprocessing raises what opening raises

    def _as_bytes(self, message: Any) -> bytes:
        body, form = (message, None) if type(message) is bytes else message
        if form == RAW:
            return body
        if form is None:
            try:
                return bytes(pickle_in(body))
            except CodecError:
                pass  # it is MessagePack
        return bytes(reduction.ForkingPickler.dumps(self._read(message)))


Connection.register(native.Connection)
Connection.register(_theirs.Connection)


def Pipe(duplex: bool = True, **options: Any) -> tuple[Any, Any]:
    """Return two connected ends; options -- of polyipc.Pipe."""
    if duplex:
        options.setdefault("capacity", _DUPLEX)
    return PipeConnection._pair(duplex, **options, pickle=True)


class Listener(_theirs.Listener):
    """Accepts connections at an address, as multiprocessing's does."""

    _authkey: bytes | None
    _listener: Any

    def __init__(
        self,
        address: Any = None,
        family: str | None = None,
        backlog: int = 1,
        authkey: bytes | None = None,
    ) -> None:
        """Listen.

        address -- (host, port), a path, or a name that begins with NUL; None: a new one of family
        family -- "AF_INET" or "AF_UNIX"; None: the address's, or AF_UNIX
        backlog -- how many clients may wait for accept
        authkey -- what a client must have, too; None: everybody may connect
        """
        _check_key(authkey)
        super().__init__(address, family, backlog, authkey)
        self._advert = None
        if self._listener._family == "AF_UNIX":
            from polyipc.multiprocessing import _upgrade

            self._advert = _upgrade.advertise(self.address)

    def accept(self) -> Any:
        """Return a connection to the next client. AuthenticationError: it has another authkey."""
        if self._listener is None:
            raise OSError("listener is closed")
        listener = self._listener
        conn = _from_theirs(listener.accept())
        if self._authkey is not None:
            _greet(conn, self._authkey, deliver_challenge, answer_challenge)
        if not self._is_ours(listener._last_accepted):
            return conn
        from polyipc.multiprocessing import _upgrade

        with socket.socket(fileno=conn.fileno()) as s:
            conn._handle = None
            end = _upgrade.taken_over(s, PipeConnection)
            return SocketConnection(s.detach()) if end is None else end

    def _is_ours(self, name: Any) -> bool:
        if self._advert is None or not isinstance(name, bytes):
            return False
        from polyipc.multiprocessing._upgrade import PREFIX

        return name.startswith(PREFIX)

    @property
    def last_accepted(self) -> Any:
        """The address of the last client: "" if it has none."""
        name = self._listener._last_accepted
        return "" if self._is_ours(name) else name

    def close(self) -> None:
        """Listen no more."""
        advert, self._advert = self._advert, None
        if advert is not None:
            advert.close()
        super().close()


def Client(address: Any, family: str | None = None, authkey: bytes | None = None) -> Any:
    """Return a connection to the Listener at an address."""
    _check_key(authkey)
    if (family or address_type(address)) == "AF_UNIX":
        end = _piped(address, authkey)
        if end is not None:
            return end
    conn = _from_theirs(_theirs.Client(address, family))
    if authkey is not None:
        _greet(conn, authkey, answer_challenge, deliver_challenge)
    return conn


def _piped(address: Any, authkey: bytes | None) -> Any:
    """Return the end of a pipe to a Listener of polyipc; None if that is none."""
    from polyipc.multiprocessing import _upgrade

    s = _upgrade.connected(address)
    if s is None:
        return None
    with s:
        if authkey is not None:
            conn = SocketConnection(os.dup(s.fileno()))
            with conn:
                _greet(conn, authkey, answer_challenge, deliver_challenge)
        ours, theirs = Pipe()
        _upgrade.hand_over(s, theirs)
    return ours


def _check_key(authkey: object) -> None:
    if authkey is not None and not isinstance(authkey, bytes):
        raise TypeError("authkey should be a byte string")


def _greet(conn: Any, authkey: bytes, *turns: Any) -> None:
    try:
        for turn in turns:
            turn(conn, authkey)
    except BaseException:
        conn.close()
        raise


class XmlListener(Listener):
    """Accepts connections whose objects travel as xmlrpc.client's XML."""

    def accept(self) -> Any:
        return _in_xml(super().accept())


def XmlClient(*args: Any, **kwds: Any) -> Any:
    """Return a connection to an XmlListener."""
    return _in_xml(Client(*args, **kwds))


def _in_xml(conn: Any) -> Any:
    import xmlrpc.client

    _theirs.xmlrpclib = xmlrpc.client  # type: ignore[attr-defined]  # as its own do
    return ConnectionWrapper(conn, _theirs._xml_dumps, _theirs._xml_loads)  # type: ignore[attr-defined]


__getattr__, __dir__ = _rest.of(_theirs, globals())
