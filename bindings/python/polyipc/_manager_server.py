"""A manager's server."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Callable

from polyipc import _arguments, _manager_link, _waiting, errors
from polyipc._c import library
from polyipc._c import manager as c
from polyipc._manager import Key, Manager, as_key, as_tls, connect
from polyipc.errors import Status


class Server:
    """A server in this process, in threads of the library. close stops it, as does a with block.

    Its objects are gone when it stops, and calls of its clients raise PeerDiedError. What is to
    outlive a server is served by "polyipc manager --data FILE".
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        key: Key | None = None,
        listen: str | None = None,
        tls_cert: _arguments.Path | None = None,
        tls_key: _arguments.Path | None = None,
        tls_ca: _arguments.Path | None = None,
        root: _arguments.Path | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        frame: int = 0,
        clients: int = 0,
        objects: int = 0,
        idle: float | None = None,
    ) -> None:
        """Start a server.

        name -- 1 to 128 of [A-Za-z0-9._-], not starting with "."; None: a UUID
        key -- a secret that clients must have, 1 to 1,024 bytes, or text
        listen -- "host:port" for remote clients, port 0 for any free one; wants a key. Without TLS
            the key shows who is there, and hides nothing of what is sent
        tls_cert, tls_key -- files with the server's certificate and its key, in PEM: remote clients
            come by TLS 1.3. The files may be renewed while the server runs
        tls_ca -- file with a CA's certificate, in PEM: remote clients need one of that CA
        root -- directory of the server; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
        pickle -- whether clients that say so, too, may hand pickles to each other
        trust_group -- whether pickle=True is meant also in a root that is shared with a group
        frame -- most bytes of a call or a result: 64 KiB to 2**31; 0: 64 MiB
        clients, objects -- most of them at a time; 0: 4,096 and 1,000,000
        idle -- stops when there was no client for so many seconds; None: never

        Raises ExistsError (a living server has the name), DeniedError (listen without a key, or
        the address), InvalidError (also for files of TLS), NoSpaceError, NoMemoryError, LimitError.
        """
        where = _arguments.root(root)
        self._secret = None if key is None else as_key(key)
        self._root, self._pickle, self._trust_group = where, bool(pickle), bool(trust_group)
        flags = library.PICKLE if pickle else 0
        flags |= library.TRUST_GROUP if trust_group else 0
        limits = (("frame", frame), ("clients", clients), ("objects", objects))
        numbers = [_arguments.limit(what, given) for what, given in limits]
        status, handle = c.serve(
            None if name is None else _arguments.name(name),
            _arguments.root_for_c(where),
            flags,
            self._secret,
            as_tls(tls_ca, tls_cert, tls_key),
            None if listen is None else listen.encode(),
            (*numbers, 0 if idle is None else _waiting.nanoseconds(_waiting.checked(idle))),  # type: ignore[arg-type]
        )
        if status != 0:
            raise errors.of_status(status, library.detail())
        self._handle = handle
        self._finalizer = weakref.finalize(self, _close, handle, _manager_link.generation)
        _, self._name = c.server_name(handle)
        _, self._address = c.server_address(handle)
        self._own: Manager | None = None

    @property
    def name(self) -> str:
        """The name that clients connect to."""
        return self._name

    @property
    def address(self) -> str | None:
        """What remote clients connect to, "tcp://host:port"; None without listen."""
        return self._address or None

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return not self._finalizer.alive

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has stopped, by a client or because it was idle; report whether it has."""
        status = _waiting.call(c.server_wait, self._handle, block=True, timeout=timeout)
        if status in (Status.OK, Status.CLOSED, Status.BAD_HANDLE):
            return True
        if status != Status.TIMEOUT:
            raise errors.of_status(status, library.detail())
        return False

    def serve_forever(self) -> None:
        """Wait until it has stopped, and close it; Ctrl-C stops it."""
        try:
            self.wait()
        finally:
            self.close()

    def connect(self) -> Manager:
        """Return a manager that is connected to it."""
        return connect(
            self._name,
            key=self._secret,
            root=self._root,
            pickle=self._pickle,
            trust_group=self._trust_group,
        )

    def register(
        self,
        type_name: str,
        make: Callable[..., Any],
        exposed: Iterable[str] | None = None,
        *,
        returns: Mapping[str, str] | None = None,
    ) -> None:
        """Host a type in this process; see Manager.register."""
        if self._own is None:
            self._own = self.connect()
        self._own.register(type_name, make, exposed, returns=returns)

    def close(self) -> None:
        """Stop it. Again is allowed."""
        own, self._own = self._own, None
        if own is not None:
            own.close()
        self._finalizer()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = ", closed" if self.closed else ""
        return f"<polyipc.manager.Server {self._name!r}{closed}>"


def _close(handle: int, of: int) -> None:
    """Stop a server, unless it is that of a parent."""
    if of == _manager_link.generation:
        c.server_close(handle)
