"""What pickle=True carries, with multiprocessing imported and without."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from running import PATIENCE

import polyipc


class MyQueue(polyipc.Queue[Any]):
    """Not what a reference is opened as."""


def test_subclasses_keep_their_type() -> None:
    with polyipc.Queue[Any](pickle=True) as carrier, MyQueue() as inner:
        for obj in (inner, [inner], {"deep": ({"er": inner},)}):
            carrier.put(obj)
        name = inner.name
        inner.put("kept")
        inner.close()  # the messages have it
        queues = carrier.get(), carrier.get()[0], carrier.get()["deep"][0]["er"]
        for got in queues:
            assert (type(got), got.name, got.qsize()) == (MyQueue, name, 1)
            got.close()


WITHOUT = """
import collections, socket, sys
import polyipc

with polyipc.Queue(pickle=True) as q:
    q.put(collections.OrderedDict(a=1))
    assert type(q.get()) is collections.OrderedDict
    assert "multiprocessing" not in sys.modules
    with socket.socket() as s:
        try:
            q.put(s)
        except TypeError as e:
            assert "socket" in str(e), e
        else:
            raise AssertionError
    import multiprocessing

    a, b = socket.socketpair()
    with a:
        q.put([b])
        b.close()
        with q.get()[0] as got:
            a.sendall(b"hello")
            assert got.recv(99) == b"hello"

    class Unlike:
        def __reduce__(self):
            raise AssertionError

    multiprocessing.reduction.register(Unlike, lambda u: (int, ("7",)))
    q.put([Unlike()])
    assert q.get() == [7]
print("done")
"""


def test_reducers_of_multiprocessing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
