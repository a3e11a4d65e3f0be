"""Queues within messages: they live as long as the message, and arrive open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import polyipc
from polyipc import codec


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> Any:
    with polyipc.Queue[Any](**getattr(request, "param", {})) as queue:
        yield queue


def letter(inner: Any) -> dict[str, Any]:
    return {"n": 1, "to": [inner, {"same": (inner,)}], "pad": "x"}


@pytest.mark.parametrize("carrier", [{}, {"pickle": True}], indirect=True)
@pytest.mark.parametrize("way", ["get", "get_many", "lease"])
def test_a_queue_arrives_open(carrier: polyipc.Queue[Any], way: str) -> None:
    reply = polyipc.Queue[str]()
    name = reply.name
    reply.put("kept")
    carrier.put({"to": reply, "n": 1})
    carrier.put(2)
    reply.close()  # now the message alone has it
    polyipc.gc()
    if way == "get":
        got = carrier.get()
    elif way == "get_many":
        got = carrier.get_many(1)[0]
    else:
        with carrier.lease() as lease:
            got = lease.value
    with got["to"] as queue:
        assert queue.name == name
        assert queue.get_nowait() == "kept"
    assert carrier.get() == 2
    with pytest.raises(polyipc.NotFoundError):
        polyipc.Queue.open(name)


@pytest.mark.parametrize("carrier", [{}, {"pickle": True}], indirect=True)
def test_the_same_queue_twice(carrier: polyipc.Queue[Any]) -> None:
    with polyipc.Queue[int]() as reply:
        carrier.put(letter(reply))
        got = carrier.get()
    first, second = got["to"][0], got["to"][1]["same"][0]
    first.put(7)
    assert second.get_nowait() == 7
    first.close()
    second.close()


def test_a_queue_alone_and_within_itself(carrier: polyipc.Queue[Any]) -> None:
    carrier.put(carrier)
    with carrier.get() as same:
        same.put(3)
        assert carrier.get_nowait() == 3


def test_put_many_with_queues(carrier: polyipc.Queue[Any]) -> None:
    with polyipc.Queue[int]() as reply:
        carrier.put_many([1, reply, 2])
        with pytest.raises(TypeError, match="cannot be carried"):
            carrier.put_many([reply, object()])
    assert carrier.get() == 1
    with carrier.get() as queue:
        assert queue.empty()
    assert carrier.get() == 2
    assert carrier.empty()


def test_another_process_answers(carrier: polyipc.Queue[Any]) -> None:
    program = (
        "import sys, polyipc\n"
        "q = polyipc.Queue.open(sys.argv[1])\n"
        "m = q.get()\n"
        "m['to'].put(m['n'] + 1)\n"
    )
    with polyipc.Queue[int]() as reply:
        carrier.put({"n": 41, "to": reply})
        subprocess.run([sys.executable, "-c", program, carrier.name], check=True)
        assert reply.get_nowait() == 42


def test_a_forked_child_reads_and_sends(carrier: polyipc.Queue[Any]) -> None:
    with polyipc.Queue[int]() as reply:
        carrier.put(reply)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                with carrier.get() as mine, polyipc.Queue[int]() as other:
                    other.put(5)
                    mine.put(4)
                    carrier.put(other)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        assert reply.get_nowait() == 4
        with carrier.get() as other:
            assert other.get_nowait() == 5


@pytest.mark.parametrize("pickle", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        *(polyipc.Lock, polyipc.RLock, polyipc.Condition, polyipc.Event, polyipc.RWLock),
        *(polyipc.Semaphore, polyipc.BoundedSemaphore, lambda: polyipc.Barrier(2)),
    ],
)
def test_locks_and_their_kin(make: Any, pickle: bool) -> None:
    with polyipc.Queue[Any](pickle=pickle) as carrier:
        sent = make()
        carrier.put({"lock": sent})
        kind, name = type(sent), sent.name
        sent.close()
        got = carrier.get()["lock"]
        assert type(got) is kind
        assert got.name == name
        assert got.stat().kind == got._type
        got.close()


def test_a_lock_is_the_same_lock(carrier: polyipc.Queue[Any]) -> None:
    with polyipc.Lock() as lock:
        carrier.put([lock, lock])
        first, second = carrier.get()
        assert not first.acquire(block=False)
        assert not second.acquire(block=False)
    assert first.acquire(block=False)
    for x in (first, second, lock):
        x.close()


def test_a_segment_is_the_same_memory(carrier: polyipc.Queue[Any]) -> None:
    segment = polyipc.Segment(format="q", shape=4)
    segment.atomic(8).store(7)
    carrier.put({"data": segment})
    segment.close()
    got = carrier.get()["data"]
    assert (got.format, got.shape) == ("<q", (4,))
    assert got.atomic(8).load() == 7
    got.close()


def test_values_and_lists_within_a_pickle() -> None:
    with polyipc.Queue[Any](pickle=True) as carrier:
        value = polyipc.Value("i", 5)
        carrier.put([value, polyipc.ShareableList([1, "two"])])
        del value  # now the message alone has it
        got, items = carrier.get()
        assert got.value == 5
        assert list(items) == [1, "two"]
        items.shm.close()


def test_both_ends_of_a_pipe(carrier: polyipc.Queue[Any]) -> None:
    ours, theirs = polyipc.Pipe()
    carrier.put({"end": theirs})
    theirs.close()
    assert not ours.poll()
    ours.send(1)
    end = carrier.get()["end"]
    assert end.recv() == 1
    end.close()
    with pytest.raises(EOFError):
        ours.recv()
    ours.close()


def test_a_condition_with_anothers_lock(carrier: polyipc.Queue[Any]) -> None:
    lock = polyipc.Lock()
    condition = polyipc.Condition(lock)
    with pytest.raises(TypeError, match="lock of others"):
        carrier.put([condition])
    condition.close()
    lock.close()


def test_gone(carrier: polyipc.Queue[Any]) -> None:
    reply = polyipc.Queue[int]()
    carrier.put({"to": reply})
    name = reply.name
    reply.close()
    root = Path(os.environ["POLYIPC_ROOT"])
    for file in root.iterdir():
        if file.name == name or file.name.startswith(carrier.name + ".o"):
            file.unlink()
    with pytest.raises(polyipc.GoneError, match=name) as error:
        carrier.get()
    assert codec.unpackb(error.value.taken[0])["to"].name == name


def test_elsewhere_and_closed(carrier: polyipc.Queue[Any], tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with (
        polyipc.Queue[int](root=tmp_path) as elsewhere,
        pytest.raises(polyipc.InvalidError, match="must lie in one"),
    ):
        carrier.put([elsewhere])
    closed = polyipc.Queue[int]()
    closed.close()
    with pytest.raises(polyipc.ClosedError):
        carrier.put([closed])
    assert carrier.empty()


def test_many_messages_leave_nothing(carrier: polyipc.Queue[Any]) -> None:
    with polyipc.Queue[int]() as reply:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(200):
            carrier.put([reply])
            carrier.get()[0].close()
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not list(Path(os.environ["POLYIPC_ROOT"]).glob("*.o*"))


def test_the_codec_alone() -> None:
    with polyipc.Queue[int]() as queue:
        ref = codec.unpackb(codec.packb([queue]))[0]
        assert type(ref) is codec.Ref
        assert (ref.kind, ref.name) == (1, queue.name)
