"""polyipc.multiprocessing.managers, as multiprocessing's manual has them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import PATIENCE

# A manager starts a process, and its trackers and fork servers outlive a test: each runs in a
# program of its own, in a file, which spawn runs again.
HEAD = """
import multiprocessing, operator, os, pickle, queue, signal, sys, time
from polyipc import errors
from polyipc.multiprocessing import managers
from polyipc.multiprocessing.managers import BaseManager, BaseProxy, SyncManager

context = multiprocessing.get_context(sys.argv[1])

"""

MAIN = """

if __name__ == "__main__":
    main()
    print("done")
"""

SETS = """
import threading
from collections.abc import MutableMapping, MutableSequence, MutableSet

def work(s):
    s.add("child")
    s |= {7}

def main():
    SyncManager.register("plain_lock", threading.Lock, managers.AcquirerProxy)
    with SyncManager(ctx=context) as m:
        s = m.set([1, 2, 3])
        p = context.Process(target=work, args=(s,))
        p.start()
        p.join()
        assert (p.exitcode, set(s), len(s), 7 in s) == (0, {1, 2, 3, 7, "child"}, 5, True)
        s.remove("child")
        s -= {1}
        s &= {2, 3, 7}
        s ^= {3}
        assert (set(s), type(s)) == ({2, 7}, managers.SetProxy)
        assert (s & {2}, {2} & s, s | {1}, {9} - s, s ^ {2}) == ({2}, {2}, {1, 2, 7}, {9}, {7})
        assert s >= {2} and {2, 7, 9} >= s.copy() and s.isdisjoint([1])
        assert isinstance(s, MutableSet) and isinstance(m.dict(), MutableMapping)
        assert isinstance(m.list(), MutableSequence)
        for lock in (m.Lock(), m.plain_lock()):
            assert not lock.locked()
            with lock:
                assert lock.locked()
"""

CONTAINERS = """
def work(d, l, q, lock, space, value, array):
    with lock:
        d[1], d["2"], d[0.25] = "1", 2, None
        l.reverse()
    space.y = space.x + 1
    value.value += 1
    array[0] = 7
    q.put({"any": object})

def main():
    with SyncManager(ctx=context) as m:
        made = (m.dict(), m.list(range(3)), m.Queue(), m.Lock(), m.Namespace(x=10))
        made += (m.Value("i", 5), m.Array("i", [1, 2]))
        p = context.Process(target=work, args=made)
        p.start()
        d, l, q, lock, space, value, array = made
        assert q.get(timeout=60) == {"any": object}
        p.join()
        assert p.exitcode == 0
        assert str(d) == "{1: '1', '2': 2, 0.25: None}", str(d)
        assert repr(d).startswith("<DictProxy object, typeid 'dict' at 0x")
        assert (l[:], len(l), 2 in l, l + [9]) == ([2, 1, 0], 3, True, [2, 1, 0, 9])
        l += [5]
        l *= 2
        assert l.copy() == [2, 1, 0, 5] * 2
        assert (list(d), d.keys(), d.items()[0]) == ([1, "2", 0.25], [1, "2", 0.25], (1, "1"))
        assert (str(space), value.value, array[:].tolist()) == ("Namespace(x=10, y=11)", 6, [7, 2])
        d["nested"] = m.list([[]])
        d["nested"].append("live")
        d["nested"][0].append("a copy, and lost")
        assert d["nested"]._getvalue() == [[], "live"]
        for wrong, error in ((lambda: d["no"], KeyError), (lambda: l.index(77), ValueError)):
            try:
                wrong()
            except error as e:
                assert "Traceback" in str(e.__cause__)
            else:
                raise AssertionError(error)
        assert m._number_of_objects() >= 8, m._debug_info()
"""

REGISTERED = """
class Mine(Exception):
    pass

class Maths:
    def __init__(self, base=0):
        self.base = base
    def add(self, x, y=0):
        return self.base + x + y
    def fail(self):
        raise Mine("as it is")
    def _secret(self):
        return "secret"

def squares(n):
    for i in range(n):
        yield i * i

class GeneratorProxy(BaseProxy):
    _exposed_ = ("__next__",)
    def __iter__(self):
        return self
    def __next__(self):
        return self._callmethod("__next__")

class MyManager(BaseManager):
    pass

MyManager.register("Maths1", Maths)
MyManager.register("Maths2", Maths, exposed=("add", "_secret"))
MyManager.register("squares", squares, proxytype=GeneratorProxy)
MyManager.register("operator", lambda: operator, exposed=("add", "pow"))

def begin(where):
    os.environ["BEGUN"] = where

MyManager.register("begun", lambda: Maths(int(os.environ["BEGUN"])))

def main():
    m = MyManager(ctx=context)
    try:
        m.Maths1()
    except AssertionError:
        pass
    m.start(begin, ("40",)) if sys.argv[1] == "fork" else m.start(begin, ["40"])
    one, two = m.Maths1(5), m.Maths2(base=1)
    assert (one.add(1), one.add(1, y=2), two.add(1), two._secret()) == (6, 8, 2, "secret")
    assert not hasattr(one, "_secret")
    assert not hasattr(two, "fail")
    try:
        one.fail()
    except Mine as e:
        assert e.args == ("as it is",)
        assert "in fail" in str(e.__cause__)
    try:
        one._callmethod("_secret")
    except managers.RemoteError as e:
        assert "_secret" in str(e)
    assert list(m.squares(5)) == [0, 1, 4, 9, 16]
    assert m.operator().pow(2, 10) == 1024
    assert m.begun().add(2) == 42
    m.shutdown()
    m.shutdown()
    m.join()
    try:
        one.add(1)
    except ConnectionError:
        pass
    else:
        raise AssertionError
"""

REMOTE = """
class Queues(SyncManager):
    pass

Queues.register("get_queue", callable=lambda: shared, exposed=("put", "get"))
shared = queue.Queue()

class Client(SyncManager):
    pass

Client.register("get_queue")

def work(address, key):
    client = Client(address=address, authkey=key)
    client.connect()
    seen = client.Event()  # of its own: what it waits for must not be what it has put
    client.get_queue().put(("hello", client.dict(a=1), seen))
    assert seen.wait(60)

def main():
    m = Queues(address=("127.0.0.1", 0), authkey=b"abracadabra", ctx=context)
    m.start()
    host, port = m.address
    assert host == "127.0.0.1" and port > 0
    p = context.Process(target=work, args=(m.address, b"abracadabra"))
    p.start()
    text, d, seen = m.get_queue().get()
    assert (text, d.copy()) == ("hello", {"a": 1})
    seen.set()
    p.join()
    assert p.exitcode == 0
    wrong = Client(address=m.address, authkey=b"none")
    try:
        wrong.connect()
    except multiprocessing.AuthenticationError:
        pass
    else:
        raise AssertionError
    own, hosted = m.Queue(), m.dict()
    m.shutdown()
    for late in (wrong.connect, lambda: own.put(1), lambda: hosted.copy(), m.Queue):
        try:
            late()
        except OSError as e:
            assert (late == wrong.connect) == isinstance(e, ConnectionRefusedError)
        else:
            raise AssertionError
"""

DEATHS = """
def hold(lock, ready):
    lock.acquire()
    ready.set()
    time.sleep(60)

def main():
    m = managers.Manager()
    lock, ready = m.Lock(), m.Event()
    p = context.Process(target=hold, args=(lock, ready))
    p.start()
    assert ready.wait(60)
    assert not lock.acquire(False)
    p.kill()
    assert lock.acquire(timeout=30)
    p.join()
    barrier = m.Barrier(1, str)
    assert (barrier.wait(), barrier.parties, barrier.broken) == (0, 1, False)
    m.shutdown()
"""

SHARED = """
from polyipc import Segment, ShareableList

def fill(name):
    with Segment.open(name) as s:
        s.buf[:3] = b"abc"

def main():
    m = managers.SharedMemoryManager(ctx=context)
    try:
        m.SharedMemory(8)
    except ValueError:
        m.start()
    s, l = m.SharedMemory(64), m.ShareableList([1, "two"])
    p = context.Process(target=fill, args=(s.name,))
    p.start()
    p.join()
    assert (bytes(s.buf[:3]), list(ShareableList(name=l.shm.name))) == (b"abc", [1, "two"])
    m.shutdown()
    assert bytes(s.buf[:3]) == b"abc"
    try:
        Segment.open(s.name)
    except FileNotFoundError:
        return
    raise AssertionError
"""


PRIMITIVES = """
from polyipc.multiprocessing.managers import AcquirerProxy, EventProxy

def work(kinds, d, l):
    for made in (*kinds, *d.values(), *l):
        assert isinstance(made, BaseProxy), type(made)
    lock, event = d["Lock"], d["Event"]
    assert isinstance(lock, AcquirerProxy) and isinstance(event, EventProxy)
    assert repr(event).startswith("<EventProxy object, typeid 'Event' at 0x")
    assert not lock.acquire(blocking=False)
    assert not lock._callmethod("acquire", (True, 0.01))
    event.set()
    l[0].put("from the child")

def main():
    with SyncManager(ctx=context) as m:
        names = "Lock RLock Semaphore BoundedSemaphore Condition Event Queue JoinableQueue"
        made = {name: getattr(m, name)() for name in names.split()}
        made["Barrier"] = m.Barrier(2)
        shown = {name: repr(one).partition(" at 0x")[0] for name, one in made.items()}
        assert shown == {
            **{n: f"<AcquirerProxy object, typeid {n!r}" for n in ("Lock", "RLock", "Semaphore")},
            **dict.fromkeys(("Queue", "JoinableQueue"), "<AutoProxy[Queue] object, typeid 'Queue'"),
            **{n: f"<{n}Proxy object, typeid {n!r}" for n in ("Condition", "Event", "Barrier")},
            "BoundedSemaphore": "<AcquirerProxy object, typeid 'BoundedSemaphore'",
        }, shown
        with made["Lock"] as taken:
            assert taken is True
            args = (list(made.values()), m.dict(made), m.list([made["Queue"]]))
            p = context.Process(target=work, args=args)
            p.start()
            assert made["Queue"].get(timeout=60) == "from the child"
            assert made["Event"].wait(60)
            p.join()
            assert p.exitcode == 0
        pickled = pickle.dumps([m.list([1]), m.Event()])  # and nobody has them
        l, event = pickle.loads(pickled)
        assert (l[:], event.is_set()) == ([1], False)
        try:
            made["Event"]._getvalue()
        except TypeError as e:
            assert "EventProxy" in str(e)
"""

XML = """
class Echo:
    def same(self, *args):
        self.last = args
        return args
    def tell(self):
        return str(self.last)
    def fail(self):
        raise ValueError("why")

class Xml(BaseManager):
    pass

Xml.register("Echo", Echo)

def work(echo):
    assert echo.same(1)[0] == 1

def main():
    m = Xml(address=("127.0.0.1", 0), serializer="xmlrpclib", ctx=context)
    m.start()
    echo = m.Echo()
    values = (None, True, 7, 2.5, "text", b"bytes", [1], {"a": (1, 2)})
    back = [None, True, 7, 2.5, "text", b"bytes", [1], {"a": [1, 2]}]
    assert echo.same(*values) == back
    assert echo.tell() == str(tuple(back))
    for wrong in (time.sleep, {1}, 2**40, b"x".join):
        try:
            echo.same(wrong)
        except (TypeError, OverflowError):
            continue
        raise AssertionError(wrong)
    try:
        echo.fail()
    except managers.RemoteError as e:
        assert "ValueError: why" in str(e)
    p = context.Process(target=work, args=(echo,))
    p.start()
    p.join()
    assert p.exitcode == 0
    m.shutdown()
    try:
        Xml(serializer="json")
    except KeyError:
        return
    raise AssertionError
"""


def run(text: str, method: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(HEAD + text + MAIN)
    command = [sys.executable, "-W", "ignore", str(script), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize(
    "text",
    [SETS, CONTAINERS, DEATHS, PRIMITIVES, SHARED, XML],
    ids=["sets", "containers", "deaths", "primitives", "shared", "xml"],
)
def test_programs(text: str, method: str, tmp_path: Path) -> None:
    run(text, method, tmp_path)


@pytest.mark.parametrize("text", [REGISTERED, REMOTE], ids=["registered", "remote"])
def test_programs_whose_lambdas_only_a_fork_hands_on(text: str, tmp_path: Path) -> None:
    run(text, "fork", tmp_path)
