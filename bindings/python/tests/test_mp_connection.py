"""polyipc.multiprocessing.connection beside multiprocessing.connection, which it replaces."""

from __future__ import annotations

import array
import contextlib
import multiprocessing
import os
import pickle
import socket
import threading
from collections.abc import Iterator
from multiprocessing import connection as theirs
from multiprocessing import resource_sharer
from pathlib import Path
from typing import Any, Callable

import pytest
from running import PATIENCE

from polyipc.multiprocessing import connection as ours
from polyipc.multiprocessing import reduction


@pytest.fixture
def sharer() -> Iterator[None]:
    """Ends the thread that hands out descriptors."""
    yield
    resource_sharer.stop(timeout=PATIENCE)


def closed(conn: Any) -> Any:
    conn.close()
    return conn


# What is wrong, done to the first end of a duplex pipe, or of a one-way pipe, which receives.
WRONG: list[Callable[[Any, Any], object]] = [
    lambda a, _: closed(a).send(1),
    lambda a, _: closed(a).send_bytes(b"1"),
    lambda a, _: closed(a).recv(),
    lambda a, _: closed(a).recv_bytes(),
    lambda a, _: closed(a).recv_bytes_into(bytearray(1)),
    lambda a, _: closed(a).poll(),
    lambda a, _: closed(a).fileno(),
    lambda a, b: closed(b).close() or a.recv(),
    lambda a, b: closed(b).close() or a.recv_bytes(),
    lambda a, b: closed(b).close() or a.send(1),
    lambda a, _: a.send(threading.Lock()),
    lambda a, _: a.send(lambda: 1),
    lambda a, _: a.send_bytes("text"),
    lambda a, _: a.send_bytes(b"1234", -1),
    lambda a, _: a.send_bytes(b"1234", 5),
    lambda a, _: a.send_bytes(b"1234", 1, -1),
    lambda a, _: a.send_bytes(b"1234", 1, 4),
    lambda a, _: a.recv_bytes(-1),
    lambda a, b: b.send_bytes(b"1234") or a.recv_bytes(3),
    lambda a, b: b.send_bytes(b"1234") or a.recv_bytes_into(bytearray(3)),
    lambda a, b: b.send_bytes(b"1234") or a.recv_bytes_into(bytearray(9), -1),
    lambda a, b: b.send_bytes(b"1234") or a.recv_bytes_into(bytearray(9), 10),
    lambda a, b: b.send_bytes(b"1234") or a.recv_bytes_into(b"123456789"),
    lambda a, b: b.send_bytes(b"1234") or a.recv_bytes_into("text"),
    lambda a, b: b.send_bytes(b"no pickle") or a.recv(),
    lambda a, b: b.send_bytes(b"\x80\x04cno\nmodule\n.") or a.recv(),
    lambda a, b: b.send_bytes(b"") or a.recv(),
    lambda a, _: ours.wait([closed(a)]),
]
WRONG_WAY: list[Callable[[Any, Any], object]] = [
    lambda a, _: a.send(1),
    lambda a, _: a.send_bytes(b"1"),
    lambda _, b: b.recv(),
    lambda _, b: b.recv_bytes(),
    lambda _, b: b.recv_bytes_into(bytearray(1)),
    lambda _, b: b.poll(),
    lambda a, b: closed(a).close() or b.send(1),
]


@pytest.mark.parametrize(
    ("duplex", "wrong"), [(True, w) for w in WRONG] + [(False, w) for w in WRONG_WAY]
)
def test_misuse(duplex: bool, wrong: Callable[[Any, Any], object]) -> None:
    expected: BaseException | None = None
    for module in (theirs, ours):
        a, b = module.Pipe(duplex)
        with a, b, pytest.raises(type(expected) if expected else BaseException) as caught:
            wrong(a, b)
        expected = caught.value
    assert isinstance(expected, Exception)


def test_a_message_too_long_ends_receiving() -> None:
    for module in (theirs, ours):
        a, b = module.Pipe()
        with a, b:
            b.send_bytes(b"1234")
            with pytest.raises(OSError, match="bad message length"):
                a.recv_bytes(3)
            assert (a.readable, a.writable, a.closed) == (False, True, False)
            a.send(1)
            assert b.recv() == 1
        reader, writer = module.Pipe(duplex=False)
        with writer:
            writer.send_bytes(b"1234")
            with pytest.raises(OSError, match="bad message length"):
                reader.recv_bytes(3)
            assert reader.closed


def test_buffers() -> None:
    a, b = ours.Pipe()
    with a, b:
        numbers = array.array("i", [0] * 6)
        b.send_bytes(array.array("i", range(4)), 4, 8)
        assert a.recv_bytes_into(numbers, 4) == 8
        assert list(numbers) == [0, 1, 2, 0, 0, 0]
        b.send_bytes(b"too long for it")
        with pytest.raises(multiprocessing.BufferTooShort) as caught:
            a.recv_bytes_into(bytearray(3))
        assert caught.value.args == (b"too long for it",)


@pytest.mark.parametrize("obj", [None, [1, 2.5, "x"], {1: {2}}, {"class": Exception}, "x" * 500])
def test_bytes_and_objects(obj: object) -> None:
    """What one end sends as an object the other may have as bytes, and the other way round."""
    a, b = ours.Pipe()
    with a, b:
        a.send(obj)
        body = b.recv_bytes()
        assert pickle.loads(body) == obj
        a.send_bytes(body)
        a.send_bytes(reduction.ForkingPickler.dumps(obj))
        assert [b.recv(), b.recv()] == [obj, obj]


def test_an_end_in_messages() -> None:
    a, b = ours.Pipe()
    inner, other = ours.Pipe()
    with a, b, other:
        a.send({"conn": inner})
        inner.close()
        got = b.recv()["conn"]
        assert type(got) is ours.PipeConnection
        with got:
            other.send_bytes(pickle.dumps(len))
            assert got.recv() is len
        a.send([other])
        again = pickle.loads(b.recv_bytes())[0]
        assert type(again) is ours.PipeConnection
        again.close()


def test_what_a_connection_is(root: Any) -> None:  # noqa: ARG001
    a, b = ours.Pipe()
    left, right = socket.socketpair()
    with a, b, ours.Connection("named") as named, right:
        conn: Any = ours.Connection(left.detach())
        with conn:
            assert all(isinstance(c, ours.Connection) for c in (a, b, named, conn))
            assert type(conn) is ours.SocketConnection
            assert not isinstance(object(), ours.Connection)
            conn.send_bytes(b"1")
            assert right.recv(9) == b"\0\0\0\x011"
        named.unlink()
    for wrong in (-1, None, 1.5):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            ours.Connection(wrong)
    with pytest.raises(ValueError, match="at least one"):
        ours.Connection(0, False, False)


def test_everything_public_is_there() -> None:
    for name in theirs.__all__:
        assert getattr(ours, name).__module__ == ours.__name__ or name == "wait"
    missing = [n for n in vars(theirs) if not hasattr(ours, n)]
    assert missing == []


# ---- Listener and Client ----


def both(listener: Any, address: Any, client: Any, **options: Any) -> list[Any]:
    """What accept and Client return or raise."""
    results: list[Any] = [None, None]

    def connect() -> None:
        try:
            results[1] = client(address, **options)
        except Exception as e:
            results[1] = e

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        results[0] = listener.accept()
    except Exception as e:
        results[0] = e
    thread.join(PATIENCE)
    return results


@pytest.mark.parametrize("address", [None, "\0polyipc-test-connection", ("localhost", 0)])
@pytest.mark.parametrize("key", [None, b"secret", b""])
@pytest.mark.parametrize(("here", "there"), [(ours, ours), (ours, theirs), (theirs, ours)])
def test_either_side(here: Any, there: Any, key: bytes | None, address: Any) -> None:
    if key == b"" and here is theirs:
        return  # CPython's Listener took an empty key for none before 3.13, and its Client did not
    with here.Listener(address, backlog=3, authkey=key) as listener:
        for _ in range(3):
            a, b = both(listener, listener.address, there.Client, authkey=key)
            with a, b:
                a.send({"class": Exception, "n": [1]})
                assert b.recv() == {"class": Exception, "n": [1]}
                b.send_bytes(b"x" * 100_000)
                assert a.recv_bytes() == b"x" * 100_000
                assert not a.poll()
                b.send(None)
                assert a.poll(PATIENCE)
                assert here.wait([a], PATIENCE) == [a]
                assert isinstance(a.fileno(), int)
                assert a.recv() is None
                b.close()
                assert a.poll(PATIENCE)
                with pytest.raises(EOFError):
                    a.recv()


@pytest.mark.parametrize("address", [None, ("localhost", 0)])
@pytest.mark.parametrize(("here", "there"), [(ours, ours), (ours, theirs), (theirs, ours)])
def test_another_key(here: Any, there: Any, address: Any) -> None:
    with here.Listener(address, authkey=b"one") as listener:
        results = both(listener, listener.address, there.Client, authkey=b"two")
        assert [type(r) for r in results] == [multiprocessing.AuthenticationError] * 2


def test_who_has_no_key_sends_no_pickle(tmp_path: Any) -> None:
    """What comes before the greeting is over is compared, never opened."""
    with ours.Listener(str(tmp_path / "s"), authkey=b"one") as listener:
        conn = theirs.Client(listener.address)
        conn.send(os.getpid)
        with pytest.raises(multiprocessing.AuthenticationError) as caught:
            listener.accept()
        conn.recv_bytes()
        assert conn.recv_bytes() == b"#FAILURE#"
        assert conn.poll(PATIENCE)
        with pytest.raises(EOFError):
            conn.recv_bytes()  # it is closed, also if somebody keeps the exception
        conn.close()
        assert caught.value.__traceback__ is not None


def test_a_listener(tmp_path: Any) -> None:
    path = str(tmp_path / "s")
    listener = ours.Listener(path)
    assert (listener.address, listener.last_accepted) == (path, None)
    with pytest.raises(OSError, match="in use"):
        ours.Listener(path)
    with ours.Client(path), listener.accept():  # one after the other: a client need not wait
        assert not listener.last_accepted or isinstance(listener.last_accepted, bytes)
    listener.close()
    listener.close()
    assert not (tmp_path / "s").exists()
    with pytest.raises(OSError, match="closed"):
        listener.accept()
    with pytest.raises(FileNotFoundError):
        ours.Client(path)
    with pytest.raises(TypeError):
        ours.Listener(path + "2", authkey="text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ours.Client(path, authkey="text")  # type: ignore[arg-type]
    with pytest.raises((ValueError, TypeError), match="unrecognized"):
        ours.Client(7)
    with pytest.raises(ValueError, match="not recognized"):
        ours.Listener(family="AF_PIPE")


def test_xml() -> None:
    with ours.XmlListener(authkey=b"k") as listener:
        a, b = both(listener, listener.address, ours.XmlClient, authkey=b"k")
        a.send((1, "x"))
        assert b.recv() == [1, "x"]
        b.send_bytes(b"raw")
        assert a.recv_bytes() == b"raw"
        a.close()
        b.close()


# ---- descriptors ----


def test_handles() -> None:
    a, b = ours.Pipe()
    read, write = os.pipe()
    with a, b:
        reduction.send_handle(a, write, os.getpid())
        os.close(write)
        got = reduction.recv_handle(b)
        os.write(got, b"through it")
        os.close(got)
        assert os.read(read, 99) == b"through it"
        a.send("else")
        with pytest.raises(RuntimeError, match="a str came"):
            reduction.recv_handle(b)
        a.close()
        with pytest.raises(EOFError):
            reduction.recv_handle(b)
    os.close(read)


def test_a_handle_is_for_who_has_the_key() -> None:
    a, b = ours.Pipe()
    read, write = os.pipe()
    with a, b:
        reduction.send_handle(a, write, os.getpid())
        os.close(write)
        ticket = b.recv()
        with pytest.raises(multiprocessing.AuthenticationError):
            theirs.Client(ticket._address, authkey=b"another")
        pid = os.fork()
        if pid == 0:  # the child holds nothing
            os._exit(any(f"pipe:[{os.fstat(read).st_ino}]" in open_ for open_ in writers(read)))
        assert os.waitpid(pid, 0)[1] == 0
        os.close(ticket.detach())
        assert os.read(read, 1) == b""
    os.close(read)


def writers(read: int) -> list[str]:
    """The descriptors of this process for a pipe, but for one."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if int(fd.name) != read:
                found.append(str(fd.readlink()))
    return found


def test_handles_over_sockets() -> None:
    left, right = theirs.Pipe()
    with left, right, Path(os.devnull).open() as file:
        reduction.send_handle(left, file.fileno(), None)
        os.close(reduction.recv_handle(right))


@pytest.mark.usefixtures("sharer")
def test_sockets_in_messages() -> None:
    a, b = ours.Pipe()
    left, right = socket.socketpair()
    with a, b, left:
        a.send([right])
        right.close()
        (got,) = b.recv()
        with got:
            left.sendall(b"hello")
            assert got.recv(99) == b"hello"
