"""multiprocessing's queues on polyipc: what programs, and CPython's own code, do with them."""

from __future__ import annotations

import multiprocessing
import pickle
import queue as standard
import select
import time
import weakref
from multiprocessing.connection import wait as their_wait
from typing import Any, Callable, ClassVar

import pytest
from running import InThread

import polyipc
import polyipc.multiprocessing as mp
from polyipc.multiprocessing import connection, queues

Make = Callable[[], Any]
ALL = [mp.Queue, mp.JoinableQueue, mp.SimpleQueue]
BUFFERED = [mp.Queue, mp.JoinableQueue]


class Thing:
    """What MessagePack does not know."""

    def __init__(self, what: object) -> None:
        self.what = what

    def __eq__(self, other: object) -> bool:
        return type(other) is Thing and other.what == self.what

    __hash__ = None  # type: ignore[assignment]


class Unpicklable:
    def __reduce__(self) -> str:
        raise AttributeError("no way")


@pytest.mark.parametrize("make", ALL)
def test_what_is_put_comes_out(make: Make) -> None:
    q = make()
    shared = [1]
    for obj in (None, 1, {"a": (1, 2)}, Thing([1]), Thing, ValueError("x"), [shared, shared]):
        q.put(obj)
        got = q.get()
        assert type(got) is type(obj)
        assert got == obj or repr(got) == repr(obj)
    assert got[0] is got[1]


def test_an_unbounded_queue_takes_100000_items_before_anyone_reads() -> None:
    q = mp.Queue()
    for i in range(100_000):
        q.put(i)
    assert q.qsize() == 100_000
    assert not q.full()
    assert all(q.get() == i for i in range(100_000))
    assert q.empty()


def test_a_bounded_one_is_full() -> None:
    q = mp.Queue(2)
    assert q._maxsize == 2
    arguments: tuple[Any, ...]
    q.put(1)
    q.put_nowait(2)
    assert q.full()
    for arguments in ((False,), (True, 0.01), (True, -1)):
        with pytest.raises(standard.Full):
            q.put(3, *arguments)
    assert (q.get(), q.get()) == (1, 2)
    for arguments in ((False,), (True, 0.01), (True, -1)):
        with pytest.raises(standard.Empty):
            q.get(*arguments)
    assert (queues.Empty, queues.Full) == (standard.Empty, standard.Full)


def test_without_maxsize_the_bound_is_multiprocessings() -> None:
    ours, theirs = mp.Queue(), multiprocessing.Queue()  # type: ignore[var-annotated]
    assert ours._maxsize == theirs._maxsize  # type: ignore[attr-defined]


def raises(what: str) -> None:
    raise KeyError(what)


class Unopenable:
    def __reduce__(self) -> tuple[Any, ...]:
        return raises, ("when opened",)


@pytest.mark.parametrize("make", ALL)
def test_what_opening_a_message_raises_is_raised_by_get(make: Make) -> None:
    q = make()
    q.put(Unopenable())
    q.put("next")
    with pytest.raises(KeyError, match="when opened"):
        q.get()
    assert q.get() == "next"


@pytest.mark.parametrize("make", BUFFERED)
def test_after_close_nothing_is_put_or_gotten(make: Make) -> None:
    q = make()
    q.put(1)
    q.close()
    q.close()
    other = make()
    for use in (
        *(
            lambda: q.put(1),
            lambda: q.put(1, timeout=1),
            lambda: q.put(other),
            lambda: q.put_many([1]),
        ),
        *(q.get, q.get_nowait, lambda: q.get(timeout=1), q.lease, lambda: q.get_many(1)),
    ):
        with pytest.raises(ValueError, match="is closed"):
            use()
    q.join_thread()
    q.cancel_join_thread()
    assert (q.qsize(), q.full()) == (1, False)


@pytest.mark.parametrize("make", BUFFERED)
def test_a_closed_queue_says_whether_it_is_empty_to_those_who_did_not_put(make: Make) -> None:
    q, carrier = make(), mp.Queue()
    carrier.put(q)
    other, unused = carrier.get(), pickle.loads(pickle.dumps(q))
    assert q.empty()
    for end in (q, other):
        end.put(1)
        assert not end.empty()
        end.close()
        with pytest.raises(OSError, match="is closed"):
            end.empty()
    unused.get()
    unused.close()
    assert not unused.empty()
    assert unused.full() is False


def test_a_queue_that_nobody_put_into_goes_with_its_last_reference() -> None:
    q = mp.Queue()
    gone = weakref.ref(q)
    del q
    assert gone() is None


def test_a_closed_queue_is_joined_all_the_same() -> None:
    q = mp.JoinableQueue()
    q.put(1)
    q.get()
    q.close()
    joins = InThread(q.join)
    q.task_done()
    joins.result()
    with pytest.raises(ValueError, match="called more often"):
        q.task_done()


def test_what_cannot_be_pickled_is_an_error_of_put() -> None:
    for q in (mp.Queue(), mp.SimpleQueue()):
        with pytest.raises(AttributeError, match="no way"):
            q.put(Unpicklable())
        with pytest.raises((pickle.PicklingError, AttributeError)):
            q.put(lambda: 1)
        q.put("next")
        assert q.get() == "next"


class Told(queues.Queue[Any]):
    failures: ClassVar[list[tuple[type, object]]] = []

    @staticmethod
    def _on_queue_feeder_error(e: BaseException, obj: object) -> None:
        Told.failures.append((type(e), obj))


def test_a_class_that_wants_to_be_told_of_it_is() -> None:
    q, bad = Told(1, ctx=mp.get_context()), Unpicklable()
    q.put(bad)
    q.put(True)
    assert Told.failures == [(AttributeError, bad)]
    with pytest.raises(standard.Full):
        q.put(2, False)
    assert q.get() is True


class Counting(queues.Queue[Any]):
    """As programs derive classes that count their messages."""

    def __init__(self, *args: Any, **kwds: Any) -> None:
        super().__init__(*args, ctx=mp.get_context(), **kwds)
        self.count = mp.Value("i", 0)

    def __getstate__(self) -> Any:
        return super().__getstate__(), self.count

    def __setstate__(self, state: Any) -> None:
        parent, self.count = state
        super().__setstate__(parent)

    def put(self, *args: Any, **kwds: Any) -> None:
        with self.count.get_lock():
            self.count.value += 1
        super().put(*args, **kwds)


def test_a_class_derived_from_it_keeps_its_state() -> None:
    q = Counting(5)
    carrier = mp.Queue()
    carrier.put(q)
    got = carrier.get()
    assert type(got) is Counting
    got.put("x")
    assert (q.count.value, q.get()) == (1, "x")


@pytest.mark.parametrize("make", ALL)
def test_queues_travel_in_messages_and_pickles(make: Make) -> None:
    carrier, q = mp.Queue(), make()
    carrier.put({"answer to": q})
    got = carrier.get()["answer to"]
    again = pickle.loads(pickle.dumps(q))
    assert type(got) is type(again) is type(q)
    got.put("x")
    assert again.get() == "x"


@pytest.mark.parametrize("make", ALL)
def test_their_ends_are_waited_for(make: Make) -> None:
    q, other = make(), make()
    reader = q._reader
    assert not reader.poll()
    assert connection.wait([reader, other._reader], 0.01) == []
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    q._writer.send("x")
    assert reader.poll(1)
    assert connection.wait([q._reader, other._reader], 60) == [q._reader]
    assert other._reader not in [reader]
    assert their_wait([reader.fileno()], 60) == [reader.fileno()]
    assert poll.poll(60_000)[0][0] == reader.fileno()
    assert reader.recv() == "x"
    q._writer.send_bytes(pickle.dumps("y"))
    assert pickle.loads(reader.recv_bytes()) == "y"
    assert q.empty()
    assert not reader.closed
    for lock in (q._rlock, q._wlock):
        with lock:
            assert lock.acquire()
        lock.release()
    q.close()
    assert q._reader.closed
    assert q._writer.closed
    other.close()


def test_a_simple_queue_ends_with_its_last_writer() -> None:
    q = mp.SimpleQueue()
    q.put(1)
    q._writer.close()
    assert q.get() == 1
    with pytest.raises(EOFError):
        q.get()
    q.close()
    q.close()
    with pytest.raises(OSError, match="closed"):
        q.empty()


def test_a_simple_queue_that_is_derived_from_is_asked() -> None:
    class Doubling(queues.SimpleQueue[int]):
        def put(self, obj: int) -> None:
            super().put(2 * obj)

    q = Doubling()
    q.put(2)
    assert q.get() == 4
    assert mp.SimpleQueue is not queues.SimpleQueue
    assert queues.SimpleQueue[int]().empty()
    assert queues.Queue[int]().empty()


def test_named_ones_are_opened_by_their_names() -> None:
    q = mp.Queue(name="jobs")
    with polyipc.Queue[object].open("jobs", pickle=True) as same:
        q.put({"a": 1})
        assert same.get_bytes() == b"\x81\xa1a\x01"
    assert mp.Queue(name="jobs").empty()
    q.unlink()
    q = mp.SimpleQueue(name="replies")
    with polyipc.Connection[object].open("replies", end=0, pickle=True) as end:
        q.put([1])
        assert end.recv() == [1]
    q._reader.unlink()


def test_messages_of_all_sizes() -> None:
    for q in (mp.Queue(), mp.SimpleQueue()):
        for size in (0, 1, 5000, 70_000, 300_000, 3_000_000):
            body = InThread(q.get)
            q.put(Thing(bytes(size)))
            assert body.result() == Thing(bytes(size))


def test_a_wait_keeps_its_time() -> None:
    q = mp.Queue()
    began = time.monotonic()
    with pytest.raises(standard.Empty):
        q.get(True, 0.2)
    assert 0.19 < time.monotonic() - began < 2
