"""Segments: memory by name, what it is said to hold, growing, cells, the lock, and how it ends."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from running import InThread, fork, reap

import polyipc
from polyipc import Segment
from polyipc import segment as module

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def test_two_objects_see_the_same_bytes() -> None:
    with Segment(10, name="s", initial=b"hello") as a, Segment.open("s") as b:
        assert bytes(b.buf) == b"hello\0\0\0\0\0"
        a.buf[9] = 7
        assert b.buf[9] == 7
        assert (b.size, b.max_size, b.format, b.shape, b.itemsize) == (10, 10, "", (), 1)
        assert b.name == "s"
        with pytest.raises(polyipc.ExistsError):
            Segment.create(10, name="s")
        a.unlink()
        a.unlink()
        module.unlink("s")
    with pytest.raises(polyipc.NotFoundError):
        Segment.open("s")


@pytest.mark.parametrize(
    ("form", "canonical", "size"),
    [
        *(("b", "<b", 1), ("B", "<B", 1), ("?", "<?", 1), ("c", "<c", 1), ("h", "<h", 2)),
        *(("H", "<H", 2), ("i", "<i", 4), ("I", "<I", 4), ("l", "<q", 8), ("L", "<Q", 8)),
        *(("q", "<q", 8), ("Q", "<Q", 8), ("n", "<q", 8), ("N", "<Q", 8), ("e", "<e", 2)),
        *(("f", "<f", 4), ("d", "<d", 8), ("u", "<w", 4), ("w", "<w", 4), ("5s", "5s", 5)),
        ("T{i:x:d:y:}", "T{<i:x:4x<d:y:}", 16),
    ],
)
def test_formats_are_canonical(form: str, canonical: str, size: int) -> None:
    np = pytest.importorskip("numpy")
    with Segment(format=form, shape=(2, 3), name="f") as made, Segment.open("f", format=form) as s:
        assert (s.format, s.shape, s.itemsize) == (canonical, (2, 3), size)
        assert s.size == 6 * size
        array = s.numpy()
        assert array.shape == (2, 3)
        assert array.dtype.itemsize == size
        if len(form) == 1 and form not in "cuw":
            assert array.dtype == np.dtype(form)
            array[1, 2] = 1
            assert bytes(made.buf[-size:]) != bytes(size)
        del array
        with pytest.raises(polyipc.MismatchError, match=r"format .*\(2, 3\).*asked for"):
            Segment.open("f", format="Zd")
        made.unlink()


def test_items_are_a_typed_view() -> None:
    with Segment(format="d", shape=3) as s:
        items: Any = s.items()
        items[1] = 2.5
        del items
        assert s.items().tolist() == [0.0, 2.5, 0.0]
        assert s.items().format == "d"
    with Segment(format="T{i:x:d:y:}") as s:
        with pytest.raises(TypeError, match="use numpy"):
            s.items()
        pytest.importorskip("numpy")
        s.numpy()["y"] = 3.5
        assert s.numpy()[()]["y"] == 3.5
    with Segment(format="h") as s:
        assert s.items().tolist() == [0]
    with Segment(format="h", shape=0) as s:
        assert s.items().tolist() == []
        assert s.size == 0


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"size": -1}, {"size": 2**44 + 1}, {"size": 10, "max_size": 9}, {"format": "y"}),
        *({"format": "P"}, {"size": 1, "format": "i"}, {"size": 1, "shape": 3}),
        *({"format": "i", "shape": -1}, {"format": "i", "shape": (1,) * 9}),
        *({"format": "i", "itemsize": 5}, {"size": 2, "initial": b"123"}, {"size": 2**70}),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(polyipc.InvalidError):
        Segment(**options)


def test_a_segment_grows_under_its_views() -> None:
    with Segment(4, max_size=1 << 20, name="g") as a, Segment.open("g") as b:
        view = a.buf
        view[3] = 9
        b.grow(100_000)
        assert (a.size, len(a.buf), a.buf[3], a.buf[99_999]) == (100_000, 100_000, 9, 0)
        view[0] = 1
        assert b.buf[0] == 1
        with pytest.raises(polyipc.TooLargeError, match="1048576"):
            a.grow((1 << 20) + 1)
        a.unlink()
        del view
    with Segment(format="i", shape=(2, 3), max_size=48) as s:
        s.grow(36)
        assert s.items().shape == (3, 3)
        assert s.shape == (2, 3)


# ---- how it ends ---------------------------------------------------------------------------------


def test_close_with_views_is_a_buffer_error() -> None:
    np = pytest.importorskip("numpy")
    s = Segment(100)
    part = s.buf[10:20]
    with pytest.raises(BufferError, match="views"):
        s.close()
    part[0] = 1
    assert s.buf[10] == 1
    part.release()
    array = np.frombuffer(s.buf, "u1")
    with pytest.raises(BufferError):
        s.close()
    array[0] = 3
    del array
    s.close()
    s.close()
    for use in (lambda: s.size, lambda: s.buf, lambda: s.grow(1), s.stat, s.lock.acquire, s.atomic):
        with pytest.raises(polyipc.ClosedError):
            use()
    with pytest.raises(polyipc.ClosedError):
        pickle.dumps(s)


def test_views_outlive_the_object(root: Path) -> None:
    s = Segment(100)
    path = root / s.name
    view = s.buf[:]
    del s
    gc.collect()
    view[99] = 7
    assert view[99] == 7
    assert path.exists()
    del view
    gc.collect()
    assert not path.exists()


def test_nothing_is_left_at_exit(root: Path) -> None:
    code = """
import polyipc, sys, atexit
s = polyipc.Segment(4096)
v = s.buf[:]
r = polyipc.RawArray("i", [1, 2, 3])
a = polyipc.Array("d", 10)
x = polyipc.Value("q", 5)
lst = polyipc.ShareableList([1])
atom = polyipc.segment_of(x).atomic()
atexit.register(lambda: (v[0], r[1], a.get_obj()[2], print(r[2])))
import builtins
builtins.keep = (s, v, r, a, x, lst, atom)
"""
    for extra in ("", "sys.exit(3)"):
        done = subprocess.run(
            [sys.executable, "-c", code + extra], check=False, capture_output=True, text=True
        )
        assert (done.stdout, done.stderr) == ("3\n", "")
        assert [p.name for p in root.iterdir()] == ["members"]


def test_pickled_it_opens_again() -> None:
    with Segment(8) as a:
        b = pickle.loads(pickle.dumps(a))
        b.buf[1] = 3
        assert a.buf[1] == 3
        b.close()


# ---- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "bits", "signed"),
    [("i", 32, True), ("I", 32, False), ("q", 64, True), ("Q", 64, False)],
)
def test_cells(form: str, bits: int, signed: bool) -> None:
    def wrapped(n: int) -> int:
        n %= 2**bits
        return n - 2**bits if signed and n >= 2 ** (bits - 1) else n

    with Segment(64) as s:
        cell = s.atomic(16, form)
        cell.store(-1)
        assert cell.load() == wrapped(-1)
        assert cell.add(3) == wrapped(-1)
        assert cell.load() == 2
        assert cell.sub(5) == 2
        assert cell.load() == wrapped(-3)
        assert cell.exchange(0xF0) == wrapped(-3)
        assert cell.and_(0x3C) == 0xF0
        assert cell.or_(0x03) == 0x30
        assert cell.xor(0x01) == 0x33
        assert cell.compare_exchange(1, 7) == 0x32
        assert cell.load() == 0x32
        assert cell.compare_exchange(0x32, 7) == 0x32
        assert cell.load() == 7
        cell.store(2**200 + 5)
        assert cell.load() == 5
        assert cell.wait(4) == 5
        with pytest.raises(polyipc.TimedOutError):
            cell.wait(5, timeout=0.01)
        with pytest.raises(polyipc.TimedOutError):
            cell.wait(5, timeout=0)
        with pytest.raises(ValueError, match="timeout"):
            cell.wait(5, timeout=-1)
        add: Any = cell.add
        # Python 3.9 takes a float for its whole part, and warns: an error in these tests.
        refused = TypeError if sys.version_info >= (3, 10) else DeprecationWarning
        with pytest.raises(refused):
            add(1.5)
        for arguments in ((), (1, 2), ("1",)):
            with pytest.raises(TypeError):
                add(*arguments)
        assert s.items()[16:24].tobytes()[0] == 5
    with pytest.raises(polyipc.ClosedError):
        cell.add(1)
    with pytest.raises(polyipc.ClosedError):
        cell.wait(5)
    with pytest.raises(polyipc.ClosedError):
        cell.notify()


def test_cells_that_are_none() -> None:
    with Segment(64) as s:
        for offset, form in ((-8, "q"), (60, "q"), (64, "i"), (4, "q"), (2, "i"), (2**62, "q")):
            with pytest.raises(polyipc.InvalidError):
                s.atomic(offset, form)
        for form in ("d", "b", "", "qq"):
            with pytest.raises(polyipc.InvalidError, match="give one of"):
                s.atomic(0, form)


def test_waiting_for_a_cell() -> None:
    with Segment(64) as s:
        cell = s.atomic(8, "i")
        waits = [InThread(cell.wait, 0) for _ in range(4)]
        while s.stat().waiters < 4:
            pass
        cell.store(3)
        cell.notify()
        assert [w.result() for w in waits] == [3] * 4
        wait = InThread(cell.wait, 3)
        while s.stat().waiters < 1:
            pass
        s.close()
        with pytest.raises(polyipc.ClosedError):
            wait.result()


def test_increments_are_not_lost() -> None:
    with Segment(16) as s:
        cell = s.atomic(0)
        raw = s.items()

        def work() -> None:
            for _ in range(5000):
                cell.add(1)
                with s.lock, s.lock:
                    raw[8:16].cast("q")[0] += 1

        children = [fork(work) for _ in range(3)]
        threads = [InThread(work) for _ in range(3)]
        for t in threads:
            t.result()
        reap(*children)
        assert cell.load() == 30000
        assert s.atomic(8).load() == 30000
        raw.release()


# ---- the lock ------------------------------------------------------------------------------------


def test_the_lock_belongs_to_a_thread() -> None:
    with Segment(8) as s:
        lock = s.lock
        assert s.lock is lock
        assert lock.acquire()
        assert lock.acquire(False)
        assert not InThread(lock.acquire, False).result()
        assert not InThread(lock.acquire, True, 0.01).result()
        assert not InThread(lock.acquire, True, -1).result()
        with pytest.raises(AssertionError):
            InThread(lock.release).result()
        assert s.stat().holder == os.getpid()
        assert s.stat().held > 0
        lock.release()
        lock.release()
        assert s.stat().holder == 0
        with pytest.raises(polyipc.NotOwnedError):
            lock.release()
        with lock as got:
            assert got is True


def test_the_next_owner_is_told_of_a_death() -> None:
    with Segment(8) as s:
        reap(fork(s.lock.acquire))
        lock = s.lock
        assert lock.acquire(timeout=10)
        told = [lock.owner_died]
        lock.release()
        with lock:
            told.append(lock.owner_died)
        assert s.stat().take_overs == 1
        reap(fork(s.lock.acquire))
        with lock:
            told.append(lock.owner_died)
        assert told == [True, False, True]


@pytest.mark.parametrize("what", ["s.lock.acquire()", "s.atomic().wait(0)"])
def test_ctrl_c_ends_a_wait(what: str) -> None:
    with Segment(8, name="s", transient=True) as s:
        with s.lock:
            code = f"import polyipc\ns = polyipc.Segment.open('s')\nprint(1, flush=True)\n{what}"
            child = subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert child.stdout is not None
            child.stdout.readline()
            while s.stat().waiters < 1:
                pass
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=60)
            assert "KeyboardInterrupt" in err
        assert s.lock.acquire(timeout=10)
        assert not s.lock.owner_died
        s.lock.release()


# ---- damage --------------------------------------------------------------------------------------


def test_a_truncated_file_is_an_error_not_the_end(root: Path) -> None:
    s = Segment(1 << 20, name="t")
    cell = s.atomic(1 << 19)
    os.truncate(root / "t", 1 << 16)
    with pytest.raises(polyipc.CorruptError):
        cell.add(1)
    with pytest.raises(polyipc.CorruptError):
        Segment.open("t")
    os.truncate(root / "t", 0)
    with pytest.raises(polyipc.CorruptError):
        s.lock.acquire()
    with pytest.raises(polyipc.CorruptError):
        _ = s.size
    s.close()
    (root / "t").unlink()


def test_another_kind() -> None:
    with polyipc.Queue[int](name="q", transient=True), pytest.raises(polyipc.WrongKindError):
        Segment.open("q")


def test_names() -> None:
    with pytest.raises(polyipc.InvalidError):
        Segment(1, name="a/b")
    with pytest.raises(TypeError, match="name None"):
        Segment.open(None)  # type: ignore[arg-type]


def test_the_many() -> None:
    """Threads that open, use and close at once."""
    errors: list[BaseException] = []
    with Segment(8, name="m", transient=True) as s:

        def work() -> None:
            try:
                for _ in range(50):
                    with Segment.open("m") as mine:
                        mine.atomic().add(1)
            except BaseException as e:
                errors.append(e)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not errors
        assert s.atomic().load() == 400
