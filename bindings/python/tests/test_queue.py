"""One queue in one process: what the methods do and what they raise."""

from __future__ import annotations

import copy
import pickle
import queue
import time
import weakref
from pathlib import Path
from typing import Callable

import pytest

import polyipc
from polyipc import codec


def new(maxsize: int = 0, **options: object) -> polyipc.Queue[object]:
    return polyipc.Queue(maxsize, **options)  # type: ignore[arg-type]


def test_what_goes_in_comes_out_in_order() -> None:
    sent: list[object] = [None, True, 1, -(2**63), 2**64 - 1, 10**30, 1.5, "é", b"\0", [1, [2]]]
    sent += [{"a": {1: (2, 3)}}, (), {1, 2}]
    with new() as q:
        for obj in sent:
            q.put(obj)
        got = [q.get() for _ in sent]
    assert got == sent
    assert [type(obj) for obj in got] == [type(obj) for obj in sent]


def test_get_says_empty() -> None:
    with new() as q:
        for call in (
            q.get_nowait,
            lambda: q.get(block=False),
            lambda: q.get_bytes(block=False),
            lambda: q.lease(block=False),
            lambda: q.get_many(5, block=False),
        ):
            with pytest.raises(queue.Empty) as caught:
                call()
            assert isinstance(caught.value, polyipc.Error)
            assert caught.value.status == polyipc.Status.EMPTY
            assert q.name in str(caught.value)


@pytest.mark.parametrize("timeout", [0.05, 0.2])
def test_a_timeout_is_kept(timeout: float) -> None:
    with new(1) as q:
        for call in (q.get, q.get_bytes, q.lease, lambda timeout: q.get_many(5, timeout=timeout)):
            start = time.monotonic()
            with pytest.raises(polyipc.Empty) as empty:
                call(timeout=timeout)
            assert timeout <= time.monotonic() - start < timeout + 2
            assert empty.value.status == polyipc.Status.TIMEOUT
        q.put(1)
        for put in (q.put, lambda obj, timeout: q.put_many([obj], timeout=timeout)):
            start = time.monotonic()
            with pytest.raises(polyipc.Full) as full:
                put(2, timeout=timeout)
            assert timeout <= time.monotonic() - start < timeout + 2
            assert full.value.status == polyipc.Status.TIMEOUT
        assert q.get_many(9) == [1]


@pytest.mark.parametrize("timeout", [0, 1e-12, 1e9, 1e300, float("inf"), 3000])
def test_extreme_timeouts_of_calls_that_need_not_wait(timeout: float) -> None:
    with new() as q:
        q.put(1, timeout=timeout)
        q.put_many([2], timeout=timeout)
        assert q.get(timeout=timeout) == 1
        assert q.get_many(3, timeout=timeout) == [2]


def test_a_timeout_of_no_time_is_a_try() -> None:
    with new(1) as q:
        with pytest.raises(polyipc.Empty):
            q.get(timeout=0)
        with pytest.raises(polyipc.Empty):
            q.get(timeout=1e-9)
        q.put(1)
        with pytest.raises(polyipc.Full):
            q.put(2, timeout=0)
        assert q.get() == 1


@pytest.mark.parametrize("timeout", [-1, -1e-9, float("nan"), float("-inf")])
def test_bad_timeouts_are_value_errors(timeout: float) -> None:
    with new() as q:
        q.put(1)
        calls: list[Callable[[], object]] = [
            lambda: q.get(timeout=timeout),
            lambda: q.put(2, timeout=timeout),
            lambda: q.put_many([2], timeout=timeout),
            lambda: q.get_many(2, timeout=timeout),
            lambda: q.lease(timeout=timeout),
            lambda: q.join(timeout=timeout),
        ]
        for call in calls:
            with pytest.raises(ValueError, match="timeout"):
                call()
        # As with queue.Queue: who does not block has no timeout.
        assert q.get(False, timeout) == 1
        assert q.empty()


def test_maxsize_bounds() -> None:
    with new(2) as q:
        q.put(1)
        assert not q.full()
        q.put_nowait(2)
        assert q.full()
        with pytest.raises(queue.Full) as caught:
            q.put_nowait(3)
        assert isinstance(caught.value, polyipc.Full)
        assert caught.value.status == polyipc.Status.FULL
        with q.lease() as lease:
            assert lease.value == 1
            assert q.full(), "a leased message takes its place"
        assert not q.full()
        assert (q.qsize(), q.empty()) == (1, False)
        assert q.get() == 2
        assert (q.qsize(), q.empty()) == (0, True)


def test_capacity_bounds_bytes() -> None:
    with new(capacity=1 << 16) as q:
        count = 0
        with pytest.raises(polyipc.Full):
            for _ in range(100):
                q.put_bytes(bytes(1000), block=False)
                count += 1
        assert 60 <= count <= 65
        assert q.stat().capacity == 1 << 16
        assert q.full()
        # A message that is larger than all the room goes when it has the queue for itself.
        with pytest.raises(polyipc.Full):
            q.put_bytes(bytes(1 << 17), block=False)
        q.get_many(count)
        q.put_bytes(bytes(1 << 17), block=False)
        assert len(q.get_bytes()) == 1 << 17


def test_a_queue_without_bounds_grows() -> None:
    with new() as q:
        for i in range(5000):
            q.put([i, "x" * 200])
        assert q.stat().grown > 0
        assert [q.get()[0] for _ in range(5000)] == list(range(5000))  # type: ignore[index]


@pytest.mark.parametrize("size", [0, 1, 1 << 14, (1 << 14) + 1, 1 << 16, 100_001, 5_000_000])
def test_messages_of_all_sizes(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with new() as q:
        q.put(body)
        q.put_bytes(body)
        q.put_many([body, body])
        q.put(body)
        assert q.get() == body
        assert q.get_bytes() == body
        assert q.get_many(2) == [body, body]
        with q.lease() as lease:
            assert lease.value == body


def test_anything_with_a_buffer_can_be_put_as_bytes() -> None:
    data = bytes(range(200))
    with new() as q:
        for form in (data, bytearray(data), memoryview(data), memoryview(bytearray(data))):
            q.put_bytes(form)
            assert q.get() == data
        q.put_bytes(memoryview(data)[::-2])
        assert q.get_bytes() == data[::-2]
        q.put_bytes(b"")
        assert q.get_bytes() == b""
        for bad in ("text", 5, None, [1]):
            with pytest.raises(TypeError):
                q.put_bytes(bad)  # type: ignore[arg-type]
        assert q.empty()


@pytest.mark.parametrize("timeout", [None, 5])
def test_more_than_messagepack_carries(
    monkeypatch: pytest.MonkeyPatch, timeout: float | None
) -> None:
    monkeypatch.setattr("polyipc.queue.SHORT", 3)
    with new() as q:
        q.put("longer", timeout=timeout)
        monkeypatch.setattr("polyipc.codec.MAX_SIZE", 3)
        with pytest.raises(polyipc.TooLargeError, match="7 bytes"):
            q.put("longer", timeout=timeout)
        q.put_bytes(b"longer", timeout=timeout)
        assert q.get_many(5) == ["longer", b"longer"]


def test_raw_and_packed_messages_tell_each_other_apart() -> None:
    with new() as q:
        q.put({"a": 1})
        q.put_bytes(b"raw")
        q.put(b"packed")
        assert codec.unpackb(q.get_bytes()) == {"a": 1}
        assert q.get_many(5) == [b"raw", b"packed"]


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ({"a": [1, {"b": object()}]}, r"a.*1.*b"),
        (object(), r"\$"),
        (lambda: 0, r"\$"),
        (True + 0j, r"\$"),
    ],
)
def test_what_cannot_be_carried_is_a_type_error_at_the_put(bad: object, place: str) -> None:
    with new() as q:
        with pytest.raises(TypeError, match=place):
            q.put(bad)
        with pytest.raises(TypeError, match=place):
            q.put_many([1, bad])
        assert q.empty(), "nothing was put"


def test_pickles_go_where_they_are_allowed() -> None:
    with new(name="trusting", pickle=True) as q, polyipc.Queue[object].open("trusting") as strict:
        twice = [1]
        q.put([twice, twice, complex(1, 2)])
        got = q.get()
        assert got == [[1], [1], 1 + 2j]
        assert got[0] is got[1]  # type: ignore[index]
        q.put({"plain": 1})
        assert strict.get() == {"plain": 1}
        q.put(complex(3, 4))
        with pytest.raises(polyipc.DecodeError, match="pickle") as caught:
            strict.get()
        (body,) = caught.value.taken
        assert codec.unpackb(body, pickle=True) == 3 + 4j
        with pytest.raises(TypeError):
            strict.put(complex(3, 4))
        q.unlink()


def test_a_batch_with_a_bad_message_loses_none() -> None:
    with new(name="mixed", pickle=True) as q, polyipc.Queue[object].open("mixed") as strict:
        q.unlink()
        q.put(1)
        q.put(2 + 0j)
        q.put_bytes(b"3")
        with pytest.raises(polyipc.DecodeError) as caught:
            strict.get_many(5)
        one, two, three = caught.value.taken
        assert codec.unpackb(one) == 1
        assert codec.unpackb(two, pickle=True) == 2
        assert three == b"3"
        q.put_bytes(b"still")
        assert strict.get() == b"still"


def test_damaged_messages() -> None:
    with new() as q, pytest.raises(polyipc.DecodeError):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(q, "_pack", lambda _: b"\xc1")
            q.put(None)
        q.get()


def test_batches() -> None:
    with new() as q:
        q.put_many(range(1000))
        q.put_many([])
        q.put_many(i for i in (1000, 1001))
        assert q.get_many(10) == list(range(10))
        rest: list[object] = []
        while not q.empty():
            rest += q.get_many(100_000)
        assert rest == list(range(10, 1002))
        for bad in (0, -1):
            with pytest.raises(ValueError, match="max_count"):
                q.get_many(bad)


def test_a_batch_that_finds_no_room_says_how_much_went() -> None:
    with new(5) as q:
        with pytest.raises(polyipc.Full) as caught:
            q.put_many(range(9), block=False)
        assert caught.value.put == 5
        with pytest.raises(polyipc.Full) as caught:
            q.put_many(range(9), timeout=0.05)
        assert caught.value.put == 0
        assert q.get_many(9) == [0, 1, 2, 3, 4]
        q.shutdown()
        with pytest.raises(polyipc.ShutDown) as ended:
            q.put_many([1])
        assert ended.value.put == 0


def test_task_done_and_join() -> None:
    with new() as q:
        q.join()
        q.put(1)
        q.put(2)
        with pytest.raises(TimeoutError) as caught:
            q.join(timeout=0.05)
        assert isinstance(caught.value, polyipc.TimedOutError)
        q.get()
        q.task_done()
        with q.lease():
            pass
        q.join(timeout=10)
        with pytest.raises(ValueError, match="more often"):
            q.task_done()


def test_shutdown_drains() -> None:
    with new() as q:
        q.put_many([1, 2, 3])
        q.shutdown()
        for put in (q.put, q.put_nowait, q.put_bytes):
            with pytest.raises(polyipc.ShutDown):
                put(b"x")
        assert q.get() == 1
        assert list(q) == [2, 3]
        for get in (q.get, q.get_nowait, q.lease, q.get_bytes):
            with pytest.raises(polyipc.ShutDown):
                get()
        assert q.stat().shutdown
        assert not q.stat().immediate
        q.shutdown()


def test_an_immediate_shutdown_discards() -> None:
    with new() as q:
        q.put_many([1, 2, 3])
        lease = q.lease()
        q.shutdown(immediate=True)
        with pytest.raises(polyipc.ShutDown):
            q.get()
        lease.ack()
        q.join(timeout=10)
        assert q.stat().immediate


def test_shut_down_is_what_newer_pythons_call_it() -> None:
    base = getattr(queue, "ShutDown", polyipc.Error)
    assert issubclass(polyipc.ShutDown, base)


def test_stat_counts() -> None:
    with new(10, capacity=70_000, name="counted", transient=True) as q:
        q.put_many([1, 2, 3])
        q.get()
        lease = q.lease()
        now = q.stat()
        assert isinstance(now, polyipc.QueueStat)
        assert (now.maxsize, now.capacity, now.transient, now.pickle) == (10, 1 << 17, True, False)
        assert (now.messages, now.leased, now.reserved, now.unfinished) == (1, 1, 0, 3)
        assert (now.put, now.taken, now.redelivered, now.rings) == (3, 1, 0, 1)
        assert now.bytes >= 2 * 24
        lease.nack()
        q.lease().ack()
        now = q.stat()
        assert (now.redelivered, now.taken, now.leased) == (1, 2, 0)


def test_close_is_final_and_may_be_repeated() -> None:
    q = new()
    q.put(1)
    name = q.name
    q.close()
    q.close()
    for call in (
        *(q.get, q.get_nowait, q.get_bytes, q.lease, q.qsize, q.empty, q.full, q.stat),
        *(q.task_done, q.join, q.shutdown),
        *(lambda: q.put(1), lambda: q.put_bytes(b""), lambda: q.put_many([1])),
        *(lambda: q.get(timeout=1), lambda: q.get_many(1), lambda: pickle.dumps(q)),
    ):
        with pytest.raises(ValueError, match=f'"{name}": it is closed') as caught:
            call()
        assert isinstance(caught.value, polyipc.ClosedError)
    assert repr(q) == f"<polyipc.Queue '{name}', closed>"
    q.unlink()


def test_a_queue_that_is_dropped_is_closed(root: Path) -> None:
    q = new(name="dropped", transient=True)
    gone = weakref.ref(q)
    assert (root / "dropped").exists()
    del q
    assert gone() is None
    assert not (root / "dropped").exists()


def test_copies_and_pickles_open_the_same_queue() -> None:
    with new() as q:
        q.put("hello")
        other: polyipc.Queue[object] = pickle.loads(pickle.dumps(q))
        assert (other.name, other.get()) == (q.name, "hello")
        with copy.copy(q) as third:
            third.put(1)
        other.close()
        assert q.get() == 1


def test_a_pickle_knows_its_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new(name="here", transient=True) as q:
        data = pickle.dumps(q)
        monkeypatch.setenv("POLYIPC_ROOT", str(root / "elsewhere"))
        other: polyipc.Queue[object] = pickle.loads(data)
        with other:
            assert other.name == "here"
        with polyipc.Queue[object].open("here", root=root) as third:
            third.put(1)
        assert q.get() == 1


def test_methods_of_multiprocessing_that_have_nothing_to_do() -> None:
    with new() as q:
        q.cancel_join_thread()
        q.join_thread()
        assert repr(q) == f"<polyipc.Queue {q.name!r}>"


class Named(polyipc.Queue[int]):
    """Users may derive from a queue."""

    def put_twice(self, obj: int) -> None:
        self.put_many([obj, obj])


def test_subclasses() -> None:
    with Named.create(4) as q:
        q.put_twice(7)
        assert isinstance(q, Named)
        assert q.get_many(4) == [7, 7]
