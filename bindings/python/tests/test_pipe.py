"""Pipes, beside those of multiprocessing where both have the thing."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import selectors
import signal
import time
from array import array
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from running import InThread, fork, output, program, reap

import polyipc

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

Make = Callable[..., tuple[Any, Any]]


@pytest.fixture(params=[multiprocessing.Pipe, polyipc.Pipe], ids=["multiprocessing", "polyipc"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes pipes as multiprocessing does, and as polyipc does; closes them behind the test."""
    ends: list[Any] = []

    def pipe(duplex: bool = True) -> tuple[Any, Any]:
        pair: tuple[Any, Any] = request.param(duplex)
        ends.extend(pair)
        return pair

    yield pipe
    for end in ends:
        end.close()


# ---- as multiprocessing has it ----


def test_objects_go_both_ways(make: Make) -> None:
    a, b = make()
    for x, y in ((a, b), (b, a)):
        for obj in ({"a": [1, 2.5, None]}, "text", b"bytes", (1, 2), 10**30, ""):
            x.send(obj)
            assert y.recv() == obj
    assert (a.readable, a.writable, b.readable, b.writable, a.closed) == (True,) * 4 + (False,)


def test_one_way(make: Make) -> None:
    reader, writer = make(False)
    assert (reader.readable, reader.writable) == (True, False)
    assert (writer.readable, writer.writable) == (False, True)
    writer.send("x")
    assert reader.recv() == "x"
    with pytest.raises(OSError, match="connection is read-only"):
        reader.send("x")
    with pytest.raises(OSError, match="connection is read-only"):
        reader.send_bytes(b"x")
    for receive in (
        writer.recv,
        writer.recv_bytes,
        writer.poll,
        lambda: writer.recv_bytes_into(bytearray(1)),
    ):
        with pytest.raises(OSError, match="connection is write-only"):
            receive()


def test_boundaries_are_kept_and_empty_messages_are_messages(make: Make) -> None:
    a, b = make()
    messages = [b"", b"1", b"", b"\0" * 1000, b"22"]
    for m in messages:
        a.send_bytes(m)
    assert [b.recv_bytes() for _ in messages] == messages


def test_what_of_a_buffer_is_sent(make: Make) -> None:
    a, b = make()
    numbers = array("i", [1, 2, 3])
    for args in (
        (b"0123456789", 2),
        (b"0123456789", 2, 3),
        (memoryview(b"0123456789")[3:], 1, 2),
        (numbers,),
        (b"", 0, 0),
    ):
        a.send_bytes(*args)
    wanted = [b"23456789", b"234", b"45", numbers.tobytes(), b""]
    assert [b.recv_bytes() for _ in wanted] == wanted
    for args, why in (
        ((b"12", -1), "offset is negative"),
        ((b"12", 3), "buffer length < offset"),
        ((b"12", 1, -1), "size is negative"),
        ((b"12", 1, 2), r"buffer length < offset \+ size"),
    ):
        with pytest.raises(ValueError, match=why):
            a.send_bytes(*args)
    with pytest.raises(TypeError):
        a.send_bytes("text")
    assert not b.poll()


def test_recv_bytes_into(make: Make) -> None:
    a, b = make()
    buf = bytearray(b"..........")
    a.send_bytes(b"abc")
    assert b.recv_bytes_into(buf, 2) == 3
    assert buf == b"..abc....."
    numbers = array("i", [0, 0])
    a.send_bytes(array("i", [7]).tobytes())
    assert b.recv_bytes_into(numbers, 4) == 4
    assert numbers.tolist() == [0, 7]
    a.send_bytes(b"0123456789")
    with pytest.raises(multiprocessing.BufferTooShort) as e:
        b.recv_bytes_into(buf, 1)
    assert e.value.args[0] == b"0123456789"
    assert not b.poll()  # it was taken
    with pytest.raises(ValueError, match="negative offset"):
        b.recv_bytes_into(buf, -1)
    with pytest.raises(ValueError, match="offset too large"):
        b.recv_bytes_into(buf, 11)


def test_a_message_that_is_too_long_stops_the_receiving(make: Make) -> None:
    a, b = make()
    with pytest.raises(ValueError, match="negative maxlength"):
        b.recv_bytes(-1)
    a.send_bytes(b"12345")
    a.send_bytes(b"12345")
    assert b.recv_bytes(5) == b"12345"
    with pytest.raises(OSError, match="bad message length"):
        b.recv_bytes(4)
    assert (b.readable, b.writable, b.closed) == (False, True, False)
    with pytest.raises(OSError, match="write-only"):
        b.recv()
    b.send("still sends")
    assert a.recv() == "still sends"
    reader, writer = make(False)
    writer.send_bytes(b"12345")
    with pytest.raises(OSError, match="bad message length"):
        reader.recv_bytes(4)
    assert reader.closed


def test_poll(make: Make) -> None:
    a, b = make()
    assert b.poll() is False
    assert b.poll(0.01) is False
    assert b.poll(-1) is False
    a.send(1)
    assert b.poll() is True
    assert b.poll(None) is True
    assert b.recv() == 1
    waits = InThread(b.poll, None)
    a.send(2)
    assert waits.result() is True
    assert b.recv() == 2
    a.close()
    assert b.poll() is True
    with pytest.raises(EOFError):
        b.recv()


def test_end_of_file_and_broken_pipe(make: Make) -> None:
    a, b = make()
    a.send("first")
    a.close()
    assert b.recv() == "first"
    for receive in (b.recv, b.recv_bytes, lambda: b.recv_bytes_into(bytearray(9)), b.recv):
        with pytest.raises(EOFError):
            receive()
    with pytest.raises(BrokenPipeError):
        b.send("x")
    reader, writer = make(False)
    reader.close()
    time.sleep(0.001)  # a send may believe for 0.05 ms what it knew
    with pytest.raises(BrokenPipeError):
        writer.send_bytes(b"x")


def test_closed(make: Make) -> None:
    a, _b = make()
    with a as same:
        assert same is a
    assert a.closed
    a.close()
    for f in (
        a.recv,
        a.recv_bytes,
        a.poll,
        lambda: a.send(1),
        lambda: a.send_bytes(b"x"),
        lambda: a.__enter__().send(1),
    ):
        with pytest.raises(OSError, match="handle is closed"):
            f()


def test_large_messages(make: Make) -> None:
    a, b = make()
    for size in (5000, 20_000, 70_000, 3_000_000):
        body = bytes(range(256)) * (size // 256)
        sends = InThread(a.send_bytes, body)
        assert b.recv_bytes() == body
        sends.result()


def test_a_sender_waits_for_a_slow_receiver(make: Make) -> None:
    a, b = make()
    body = b"x" * 1000
    sends = InThread(lambda: [a.send_bytes(body) for _ in range(2000)])
    assert [b.recv_bytes() for _ in range(2000)] == [body] * 2000
    sends.result()


def test_an_object_that_cannot_be_sent(make: Make) -> None:
    a, b = make()
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        a.send(lambda: None)
    assert not b.poll()


def child_says(connection: Any, other: Any) -> None:
    other.close()
    connection.send(("hello", connection.recv()))
    connection.close()


def test_a_forked_child_has_an_end(make: Make) -> None:
    a, b = make()
    pid = fork(child_says, b, a)
    b.close()
    a.send(5)
    assert a.recv() == ("hello", 5)
    with pytest.raises(EOFError):
        a.recv()
    reap(pid)


def killed(connection: Any, other: Any) -> None:
    other.close()
    connection.send("last words")
    time.sleep(60)


def test_an_end_whose_holder_is_killed(make: Make) -> None:
    a, b = make()
    pid = fork(killed, b, a)
    b.close()
    assert a.recv() == "last words"
    waits = InThread(a.recv)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EOFError):
        waits.result()
    os.waitpid(pid, 0)
    with pytest.raises(BrokenPipeError):
        a.send(1)


# ---- on its own ----


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_an_end_is_an_argument_of_a_process(method: str) -> None:
    """The parent lets go of it at once: until the child has it open, it is not to seem gone."""
    context: Any = multiprocessing.get_context(method)
    # Not a function of the test module, which a child that is spawned cannot import.
    ours, theirs = polyipc.Pipe()
    process = context.Process(target=polyipc.Connection.send, args=(theirs, "from a child"))
    process.start()
    theirs.close()
    assert ours.recv(timeout=60) == "from a child"
    if method != "fork":  # which leaves the child the parent's end, too
        with pytest.raises(EOFError):
            ours.recv(timeout=60)
    process.join()
    assert process.exitcode == 0
    ours.close()
    process.close()
    if method == "forkserver":
        from multiprocessing import forkserver

        forkserver._forkserver._stop()  # type: ignore[attr-defined]
    if method != "fork":
        from multiprocessing import resource_tracker

        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def test_names() -> None:
    with polyipc.Connection[str]("control") as a:
        assert a.end == 0
        a.send("early")
        assert not a.poll(0.01)  # nobody has been there yet: not the end of file
        said = output("""
import polyipc
with polyipc.Connection("control") as b:
    print(b.end, b.recv(), b.stat().other)
    b.send("answer")
""")
        assert said == "1 early True\n"
        assert a.recv() == "answer"
        with pytest.raises(EOFError):
            a.recv()
        with (
            polyipc.Connection[str].open("control", end=0) as same,
            polyipc.Connection[str].open("control") as b,
        ):
            same.send("by another holder")
            assert b.recv() == "by another holder"
            assert a.stat().other is True
        with pytest.raises(polyipc.ExistsError):
            polyipc.Connection.create("control")
        with pytest.raises(polyipc.MismatchError):
            polyipc.Connection("control", duplex=False)
        with pytest.raises(polyipc.MismatchError):
            polyipc.Connection.open("control", pickle=True)
        with pytest.raises(polyipc.WrongKindError):
            polyipc.Queue.open("control")
        a.unlink()
    with pytest.raises(FileNotFoundError):
        polyipc.Connection.open("control")
    for bad in ("", "a/b", "a\0b"):
        with pytest.raises(ValueError, match="name"):
            polyipc.Connection(bad)
    with pytest.raises(TypeError):
        polyipc.Connection(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="end 2"):
        polyipc.Connection.open("x", end=2)


def test_a_copy_has_the_same_end() -> None:
    a, b = polyipc.Pipe()
    again = pickle.loads(pickle.dumps(b))
    assert (again.name, again.end) == (b.name, 1)
    b.close()
    a.send(1)
    assert again.recv() == 1
    again.close()
    with pytest.raises(EOFError):
        a.recv()
    a.close()
    with pytest.raises(OSError, match="handle is closed"):
        pickle.dumps(a)


def test_timeouts() -> None:
    a, b = polyipc.Pipe(capacity=1)
    with pytest.raises(TimeoutError, match="receive from pipe"):
        a.recv(timeout=0.01)
    with pytest.raises(TimeoutError):
        a.recv_bytes(timeout=0)
    with pytest.raises(TimeoutError, match="send to pipe"):
        while True:
            a.send(b"x" * 1000, timeout=0.01)
    with pytest.raises(ValueError, match="timeout"):
        a.recv(timeout=-1)
    assert a.stat().outgoing.messages == b.stat().incoming.messages > 50
    a.close()
    b.close()


def test_a_buffer_that_cannot_be_written_takes_no_message() -> None:
    a, b = polyipc.Pipe()
    a.send_bytes(b"x")
    with pytest.raises(TypeError, match="read-only"):
        b.recv_bytes_into(b"read-only")
    assert b.recv_bytes() == b"x"
    a.close()
    b.close()


def test_pickles() -> None:
    a, b = polyipc.Pipe(pickle=True)
    shared: list[object] = []
    a.send([shared, shared, polyipc.Connection])
    got = b.recv()
    assert got[0] is got[1]
    assert got[2] is polyipc.Connection
    plain = polyipc.Connection[Any].open(a.name)
    a.send(polyipc.Connection)
    with pytest.raises(polyipc.DecodeError):
        plain.recv()
    for end in (a, b, plain):
        end.close()


@pytest.mark.parametrize(
    "wait",
    [
        *("a.recv()", "a.recv(timeout=100)", "a.recv_bytes()", "a.poll(None)"),
        "a.recv_bytes_into(bytearray(100))",
        *("while True: a.send('x' * 4000)", "while True: a.send_bytes(bytes(4000))"),
        "polyipc.wait([a, b])",
    ],
)
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    with program(f"""
import polyipc
a, b = polyipc.Pipe()
print("ready", flush=True)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
b.send("usable")
print(a.recv(), flush=True)
""") as p:
        assert p.stdout is not None
        assert p.stdout.readline() == "ready\n"
        time.sleep(0.05)  # so that it waits, as a rule
        start = time.monotonic()
        p.send_signal(signal.SIGINT)
        assert p.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 2
        assert p.stdout.readline() == "usable\n"


def test_close_ends_a_wait_of_another_thread() -> None:
    a, b = polyipc.Pipe()
    waits = InThread(a.recv)
    time.sleep(0.02)
    a.close()
    with pytest.raises(OSError, match="handle is closed"):
        waits.result()
    b.close()


def test_an_end_in_a_message_arrives_open() -> None:
    """The sender lets go of it at once: the message holds it, and it is not to seem gone."""
    a, b = polyipc.Pipe()
    ours, theirs = polyipc.Pipe(False)
    a.send({"answer to": theirs, "and": [polyipc.Lock()]})
    theirs.close()
    assert not ours.poll(0.01)
    got = b.recv()
    assert (got["answer to"].name, got["answer to"].end) == (ours.name, 1)
    got["answer to"].send("answer")
    assert ours.recv() == "answer"
    with got["and"][0]:
        pass
    got["answer to"].close()
    with pytest.raises(EOFError):
        ours.recv()
    with polyipc.Queue[Any]() as q:
        q.put(a)
        again = q.get()
        assert (again.name, again.end) == (a.name, 0)
        again.close()
    got["and"][0].close()
    for end in (a, b, ours):
        end.close()


def test_event_loops_and_waiting_for_many() -> None:
    a, b = polyipc.Pipe()
    theirs, back = multiprocessing.Pipe()
    with selectors.DefaultSelector() as loop:
        loop.register(a, selectors.EVENT_READ)
        assert loop.select(0) == []
        b.send(1)
        assert [key.fileobj for key, _ in loop.select(60)] == [a]
        assert polyipc.wait([theirs, a], 60) == [a]
        assert a.recv() == 1
        assert loop.select(0) == []
        assert polyipc.wait([theirs, a], 0) == []
        assert polyipc.wait([polyipc.writable(a)], 60) == [polyipc.writable(a)]
        back.send(2)
        assert polyipc.wait([theirs, a], 60) == [theirs]
        b.close()
        assert [key.fileobj for key, _ in loop.select(60)] == [a]
        assert polyipc.wait([theirs, a], 60) == [theirs, a]
        ends: list[Any] = [theirs, a]
        assert multiprocessing.connection.wait(ends, 60) == ends
        loop.unregister(a)
    for end in (a, theirs, back):
        end.close()
    reader, writer = polyipc.Pipe(False)
    with pytest.raises(polyipc.InvalidError, match="only sends"):
        writer.fileno()
    reader.close()
    writer.close()
