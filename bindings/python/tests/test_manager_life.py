"""References to a manager's objects, in this process, its children and others; who comes in."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from managed import m, server, until  # noqa: F401 - fixtures
from running import InThread, fork, output, program, reap

import polyipc
from polyipc import _manager_link, errors, manager
from polyipc.manager import Manager, Server

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def objects(m: Manager) -> int:  # noqa: F811
    count: int = m.stat()["objects"]
    return count


# ---- nesting and counting ----


def test_an_object_goes_with_its_last_proxy(m: Manager) -> None:  # noqa: F811
    one, other = m.list(None, [1]), m.dict()
    assert objects(m) == 2
    del other
    until(lambda: objects(m) == 1)
    again = copy.copy(one)
    del one
    assert again == [1]
    del again
    until(lambda: objects(m) == 0)


def test_objects_in_objects_are_live(m: Manager, server: Server) -> None:  # noqa: F811
    outer = m.dict("outer")
    outer["inner"] = inner = m.list()
    outer["deep"] = {"list": [inner, 1], ("tuple",): (inner,)}
    inner.append("seen by all")
    with server.connect() as other:
        theirs: Any = other.open("outer")
        assert theirs["inner"] == ["seen by all"]
        theirs["inner"].append(2)
        found = theirs["deep"]
        assert found["list"][0] == found["tuple",][0] == theirs["inner"]
        assert [type(v).__name__ for v in theirs.values()] == ["ListProxy", "dict"]
        assert theirs.copy()["inner"][0] == "seen by all"
    assert inner == ["seen by all", 2]
    number = inner._object
    del inner
    gc.collect()
    assert outer["inner"]._object == number
    assert objects(m) == 2
    del outer["deep"]
    assert objects(m) == 2
    outer.clear()
    until(lambda: objects(m) == 1)


def test_each_type_comes_back_as_itself(m: Manager) -> None:  # noqa: F811
    made = [
        *(m.dict(), m.list(), m.set(), m.Namespace(), m.Value(), m.Array(None, "i", 1)),
        *(m.counter(), m.Queue(), m.JoinableQueue(), m.Lock(), m.RLock(), m.Semaphore()),
        *(m.BoundedSemaphore(), m.Condition(), m.Event(), m.Barrier(None, 2)),
    ]
    box = m.list(None, made)
    for one, other in zip(made, box):
        assert type(one) is type(other)
        assert one._same(other)
        assert repr(one) == repr(other)


def test_what_cannot_be_nested(m: Manager) -> None:  # noqa: F811
    d = m.dict()
    with polyipc.Queue[Any]() as q:
        with pytest.raises(TypeError, match="manager's own objects"):
            d["queue"] = q
        with pytest.raises(TypeError, match="object of a manager"):
            q.put(d)
        with polyipc.Queue[Any](pickle=True) as pickles:
            pickles.put({"d": d})
            assert pickles.get()["d"]._same(d)
    gone = pytest.raises(errors.GoneError, match="another manager")
    with Server("another") as another, another.connect() as elsewhere, gone:
        elsewhere.list(None, [d])


def test_the_queue_of_a_queue(m: Manager) -> None:  # noqa: F811
    requests = m.Queue("requests")

    def serve() -> None:
        for question, answer in iter(requests.get, None):
            answer.put(question * 2)

    serving = InThread(serve)
    mine = m.Queue()
    requests.put((21, mine))
    assert mine.get(timeout=30) == 42
    requests.put(None)
    serving.result()


# ---- processes ----


def test_a_forked_child_goes_on_with_proxies(m: Manager) -> None:  # noqa: F811
    d, hits = m.dict("d"), m.counter()

    def child() -> None:
        d[os.getpid()] = "here"
        for _ in range(100):
            hits.increment()
        assert m.open("d")._same(d)
        assert m.client != client
        made = m.list(None, [1])
        d["from a child"] = made

    client = m.client
    reap(*(fork(child) for _ in range(3)))
    assert hits.get() == 300
    assert len(d) == 4
    assert d["from a child"] == [1]
    until(lambda: m.stat()["clients"] == 1)
    assert d == m.open("d")


def test_a_child_that_ends_takes_nothing_from_its_parent(m: Manager) -> None:  # noqa: F811
    kept = m.list(None, [1])

    def child() -> None:
        assert kept == [1]
        m.close()

    reap(fork(child), fork(lambda: None))
    assert kept == [1]
    assert objects(m) == 1


def test_a_child_keeps_what_its_parent_dropped(
    m: Manager,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("polyipc._manager_link._GRACE", 0.0)
    kept, ready, go = [m.list(None, [1])], m.Event("ready"), m.Event("go")

    def child() -> None:
        assert len(kept[0]) == 1
        ready.set()
        assert go.wait(60)
        assert kept[0] == [1]

    pid = fork(child)
    assert ready.wait(60)
    kept.clear()
    assert objects(m) == 3
    go.set()
    reap(pid)
    until(lambda: objects(m) == 2)


def test_forks_that_go_on_do_not_delay_what_was_dropped(
    m: Manager,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("polyipc._manager_link._GRACE", 1.0)
    reap(fork(lambda: None))
    m.list(None, [1])
    assert objects(m) == 1
    end = time.monotonic() + 30
    while objects(m) and time.monotonic() < end:
        reap(fork(lambda: None))
        time.sleep(0.1)
    assert objects(m) == 0


def test_what_is_dropped_after_its_connection_was_closed_is_not_kept(server: Server) -> None:  # noqa: F811
    with server.connect() as m:  # noqa: F811
        reap(fork(lambda: None))
        made = m.list(None, [1])
    del made
    assert not _manager_link._dropped


CHILDREN = """
import multiprocessing, os, sys
from polyipc import manager

def work(d, lock, answers):
    with lock:
        d["child"] = os.getpid()
    answers.put(os.getpid())

if __name__ == "__main__":
    m = manager.connect("test")
    context = multiprocessing.get_context(sys.argv[1])
    answers = m.Queue()
    process = context.Process(target=work, args=(m.dict("d"), m.Lock(), answers))
    process.start()
    assert answers.get(timeout=60) == process.pid
    process.join()
    assert process.exitcode == 0
    assert m.dict("d")["child"] == process.pid
    print("done")
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_proxies_for_children_of_multiprocessing(
    method: str,
    server: Server,  # noqa: F811
    tmp_path: Path,
) -> None:
    script = tmp_path / "children.py"  # a file, which spawn and forkserver run again
    script.write_text(CHILDREN)
    command = [sys.executable, "-W", "ignore", str(script), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    with server.connect() as m:  # noqa: F811
        assert "child" in m.dict("d")


def test_pickling_is_one_more_reference(m: Manager) -> None:  # noqa: F811
    d = m.dict(None, {"a": 1})
    twin = pickle.loads(pickle.dumps(d))
    assert twin == d
    assert twin._manager is m
    body = pickle.dumps(d)
    del d
    assert twin["a"] == 1
    del twin
    until(lambda: objects(m) == 0)
    with pytest.raises(errors.GoneError, match="refer to a dict"):
        pickle.loads(body)


def test_a_program_of_its_own(m: Manager) -> None:  # noqa: F811
    said = output(
        """
import pickle, sys
from polyipc import manager
d = manager.connect("test").dict("d")
d["x"] = [1, 2]
twin = pickle.loads(bytes.fromhex(sys.argv[1]))
twin.append("from a program")
""",
        pickle.dumps(m.list("l")).hex(),
    )
    assert said == ""
    assert (m.open("d")["x"], m.open("l")[0]) == ([1, 2], "from a program")
    until(lambda: m.stat()["clients"] == 1)


# ---- the server ----


SERVE = """
from polyipc import manager
s = manager.Server("mortal")
print(s.name, flush=True)
s.serve_forever()
"""


INTERRUPTED = """
from polyipc import manager
s = manager.Server("mortal")
try:
    print(s.name, flush=True)
    s.serve_forever()
except KeyboardInterrupt:
    print("over", flush=True)
"""


def killed(process: Any) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_the_server_dies() -> None:
    with pytest.raises(AssertionError), program(SERVE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        m = manager.connect("mortal")
        d, q, future = m.dict("d", a=1), m.Queue(), None
        waiting = InThread(q.get)
        future = m.submit(q.get)
        until(lambda: m.stat()["parked"] == 2)
        killed(process)
        for call in (waiting.result, future.result, lambda: d["a"], m.ping):
            with pytest.raises(errors.PeerDiedError):
                call()
        with pytest.raises(ConnectionResetError):
            m.dict()
        with pytest.raises(errors.NotFoundError):
            m.reconnect()
        with Server("mortal"):
            m.reconnect(30)
            taken = m.list()  # which has the number that d had
            with pytest.raises(errors.GoneError, match="dead"):
                d["a"]
            assert m.dict("d") == {}
            assert taken == []
            m.close()


def test_ctrl_c_ends_serve_forever() -> None:
    with program(INTERRUPTED) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with manager.connect("mortal") as client:
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "over\n"
            process.wait()
            with pytest.raises(errors.PeerDiedError):
                client.ping()


def test_reconnect_to_a_server_that_is_there(m: Manager) -> None:  # noqa: F811
    d = m.dict(None, a=1)
    named = m.dict("named", a=2)
    client = m.client
    m.reconnect()
    assert m.client != client
    assert named["a"] == 2
    # The server hears of the former connection's end in its own time. Until then d is there, and
    # would be the new connection's by its first use.
    until(lambda: objects(m) == 1)
    with pytest.raises(errors.GoneError):
        d["a"]


def test_ends(server: Server) -> None:  # noqa: F811
    m = server.connect()  # noqa: F811
    d = m.dict()
    waiting = InThread(m.Queue().get)
    until(lambda: m.stat()["parked"] == 1)
    m.close()
    m.close()
    assert m.closed
    for call in (waiting.result, lambda: d["a"], m.ping, m.dict):
        with pytest.raises(ValueError, match="closed"):
            call()
    with server.connect() as other:
        other.stop()
    assert server.wait(30)
    server.close()
    with pytest.raises(errors.NotFoundError, match="test"):
        manager.connect("test")


def test_idle_servers_stop() -> None:
    with Server("idle", idle=0.05) as s:
        assert s.wait(30)


def test_names_of_servers(server: Server) -> None:  # noqa: F811
    with pytest.raises(errors.ExistsError, match="test"):
        Server("test")
    with Server() as anonymous, manager.connect(anonymous.name) as m:  # noqa: F811
        assert m.ping(1) == 1
    assert repr(anonymous) == f"<polyipc.manager.Server {anonymous.name!r}, closed>"
    assert server.address is None


# ---- who comes in ----


@pytest.mark.parametrize("key", [b"secret", "secret"])
def test_keys(key: Any) -> None:
    with Server("kept", key=b"secret") as s:
        with manager.connect("kept", key=key) as m:
            assert m.ping(1) == 1
        for wrong in (None, b"wrong", b"secret "):
            with pytest.raises(errors.DeniedError):
                manager.connect("kept", key=wrong)
        with s.connect() as m:
            assert m.ping(2) == 2
        with pytest.raises(errors.InvalidError, match="key"):
            manager.connect("kept", key=b"")


def test_remote_clients() -> None:
    with pytest.raises(errors.DeniedError, match="key"):
        Server("far", listen="127.0.0.1:0")
    with Server("far", listen="127.0.0.1:0", key="k" * 32) as s:
        assert s.address is not None
        assert s.address.startswith("tcp://127.0.0.1:")
        with manager.connect(s.address, key="k" * 32) as m:
            d = m.dict("d", {"big": b"x" * 300_000})
            assert len(d["big"]) == 300_000
            assert pickle.loads(pickle.dumps(d))._same(d)
        with pytest.raises(errors.DeniedError):
            manager.connect(s.address, key="wrong")


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    def __hash__(self) -> int:
        return hash(self.x)


def test_pickles_only_if_both_say_so() -> None:
    with Server("pickles", pickle=True) as s, s.connect() as m:  # noqa: F811
        assert m.pickle
        d, items, q = m.dict(None, {"p": Point(0)}), m.list(None, [Point(1)]), m.Queue()
        d["a"] = [Point(1), Point(2)]
        d.update({"u": Point(3)}, v=Point(4))
        items += [Point(2)]
        items[:0] = [Point(0)]
        assert d["a"] == [Point(1), Point(2)]
        assert d == {"p": Point(0), "a": d["a"], "u": Point(3), "v": Point(4)}
        assert items == [Point(0), Point(1), Point(2)]
        q.put(Point(7))
        q.put_many([Point(8), 9])
        assert q.get_many(9) == [Point(7), Point(8), 9]
        d["nested"] = {"list": [items]}
        assert d["nested"]["list"][0] == items
        assert m.submit(d.get, "a").result() == [Point(1), Point(2)]
        with manager.connect("pickles") as plain:
            assert not plain.pickle
            with pytest.raises(TypeError):
                plain.dict("x")["a"] = Point(1)
    with Server("plain") as s, manager.connect("plain", pickle=True) as m:
        assert not m.pickle
        with pytest.raises(TypeError):
            m.dict()["a"] = Point(1)


def test_limits() -> None:
    with Server("small", frame=1 << 16, objects=3, clients=2) as s, s.connect() as m:  # noqa: F811
        d = m.dict()
        with pytest.raises(errors.TooLargeError):
            d["big"] = b"x" * (1 << 17)
        d["half"] = b"x" * 40_000
        d["more"] = b"x" * 40_000
        with pytest.raises(errors.TooLargeError):
            d.copy()
        assert len(d["half"]) == 40_000
        made = [m.list() for _ in range(2)]
        with pytest.raises(errors.LimitError):
            m.list()
        del made
        with s.connect(), pytest.raises(errors.DeniedError):
            s.connect()
