"""How a Listener and a Client of polyipc on one machine come to talk through a pipe of polyipc.

    Listener                                         Client
    bind, listen
    advert: a segment, named after the address,
    with the pid of who listens
                                                     finds the advert in its root; makes a pipe
                                                     bind to a name that begins with PREFIX; connect
    accept: the peer's name begins with PREFIX       the socket's peer has the advert's pid?
    <------------- greeting, if there is an authkey, as CPython's ------------->
                                                     sends the pipe's name and, beside it, a
    opens it, closes the socket                      descriptor that holds the listener's end

A Listener or Client of CPython looks at neither advert nor name, and gets the socket. So does
whoever has another root. While the name is on its way the kernel holds the descriptor, and with it
the pipe: a client may send, close and end before it is accepted.
"""

from __future__ import annotations

import array
import contextlib
import hashlib
import os
import re
import socket
import struct
from pathlib import Path
from typing import Any

from polyipc import errors
from polyipc._c import library
from polyipc._segment import Segment

PREFIX = b"\0polyipc-client-"

_PID = struct.Struct("<q")
_PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid
_NAME = re.compile(rb"[0-9a-f-]{36}", re.ASCII)
_NAME_SIZE = 36


def advertise(address: Any) -> Segment | None:
    """Return an advert for this process's listener, to be held open; None if there can't be one."""
    with contextlib.suppress(errors.Error, OSError):
        pid = _PID.pack(os.getpid())
        return Segment.create(_PID.size, name=_advert(address), transient=True, initial=pid)
    return None


def _advert(address: Any) -> str:
    """Return the name of the advert of an address: the same for each way to write a path."""
    raw = os.fsencode(address)
    if not raw.startswith(b"\0"):
        found = Path(os.fsdecode(raw)).stat()
        raw = f"{found.st_dev}:{found.st_ino}".encode()
    return f"listener-{hashlib.sha256(raw).hexdigest()[:32]}"


def connected(address: Any) -> socket.socket | None:
    """Return a socket that is connected to a listener of polyipc, which knows that; else None."""
    try:
        with Segment.open(_advert(address)) as advert:
            (pid,) = _PID.unpack(bytes(advert.buf[: _PID.size]))
        s = socket.socket(socket.AF_UNIX)
    except (errors.Error, OSError, struct.error):
        return None
    try:
        s.setblocking(True)
        s.bind(PREFIX + os.urandom(16).hex().encode())
        s.connect(address)
        peer = s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        if _PEER.unpack(peer)[0] == pid:
            return s
    except BaseException:
        s.close()
        raise
    s.close()  # the advert is a former listener's
    return None


def hand_over(s: socket.socket, end: Any) -> None:
    """Send an end of a pipe, and close it here."""
    held = array.array("i", [library.descriptor(end._id)])
    s.sendmsg([end.name.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, held)])
    end.close()


def taken_over(s: socket.socket, cls: Any) -> Any:
    """Return the end of a pipe that was sent; None if the client ended before it did that."""
    held = array.array("i")
    name, beside, _, _ = s.recvmsg(
        _NAME_SIZE, socket.CMSG_SPACE(held.itemsize), socket.MSG_WAITALL | socket.MSG_CMSG_CLOEXEC
    )
    for _, kind, data in beside:
        if kind == socket.SCM_RIGHTS:
            held.frombytes(data[: len(data) // held.itemsize * held.itemsize])
    try:
        if not name:
            return None
        if not _NAME.fullmatch(name) or len(held) != 1:
            raise OSError("accept: a client sent no pipe of polyipc")
        end = cls.open(name.decode(), end=1, pickle=True)
        # Else a client could have this process open whatever has a name like that.
        if not os.path.sameopenfile(held[0], library.descriptor(end._id)):
            end.close()
            raise OSError("accept: a client sent the name of a pipe that is not its own")
        return end
    finally:
        for fd in held:
            os.close(fd)
