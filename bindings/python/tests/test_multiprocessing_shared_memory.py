"""polyipc.multiprocessing.shared_memory: as multiprocessing's, and how long its blocks live."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import methods
import pytest
from running import PATIENCE

import polyipc
from polyipc.multiprocessing import shared_memory
from polyipc.multiprocessing.shared_memory import ShareableList, SharedMemory


def files(root: Path) -> list[str]:
    """The names of what is in the root."""
    return sorted(p.name for p in root.iterdir() if p.name != "members")


def test_a_block(root: Path) -> None:
    block = SharedMemory("block", create=True, size=5)
    try:
        assert (block.name, block._name, block.size, bytes(block.buf)) == (
            *("block", "/block", 5),
            bytes(5),
        )
        assert repr(block) == "SharedMemory('block', size=5)"
        block.buf[:] = b"hello"
        with pytest.raises(FileExistsError):
            SharedMemory("block", create=True, size=5)
        with polyipc.Segment.open("block") as segment:  # as Go and C would
            assert bytes(segment.buf) == b"hello"
        view = block.buf[:2]
        with pytest.raises(BufferError):
            block.close()
        view.release()
        block.close()
        block.close()
        assert block.buf is None
        other = pickle.loads(pickle.dumps(block))  # closed, but there
        assert (bytes(other.buf), other.size) == (b"hello", 5)
        other.close()
    finally:
        block.unlink()
    assert files(root) == []
    with pytest.raises(FileNotFoundError):
        block.unlink()
    with pytest.raises(FileNotFoundError):
        SharedMemory("block")
    for wrong in ({"create": True}, {"create": True, "size": -1}, {"create": False}):
        with pytest.raises(ValueError, match=r"must be|can only"):
            SharedMemory(**wrong)
    with pytest.raises(ValueError, match="names are 1 to 128"):
        SharedMemory("a/b", create=True, size=1)


def test_what_is_unlinked_elsewhere_is_let_go(root: Path) -> None:
    for _ in range(9):
        block = SharedMemory(create=True, size=1 << 20)
        del block  # it is there, as if it had been closed
        (name,) = shared_memory._kept
        assert files(root) == [name]
        polyipc.segment.unlink(name)
    block = SharedMemory(create=True, size=1)
    block.close()
    assert files(root) == [block.name]
    block.unlink()
    assert shared_memory._kept == {}


def test_numpy() -> None:
    numpy: Any = pytest.importorskip("numpy")
    block = SharedMemory(create=True, size=80)
    try:
        array = numpy.ndarray((10,), "f8", buffer=block.buf)
        array[:] = numpy.arange(10)
        other = SharedMemory(block.name)
        assert numpy.ndarray((10,), "f8", buffer=other.buf).sum() == 45
        other.close()
        with pytest.raises(BufferError):
            block.close()
        del array
        block.close()
    finally:
        block.unlink()


def test_a_list(root: Path) -> None:
    made = ShareableList(["encodés", 1, None])
    opened = ShareableList(name=made.shm.name)
    opened[1] = 2.5
    assert (list(made), made.format) == (["encodés", 2.5, None], "8sdxxxxxx?x")
    assert made._get_packing_format(-3) == "8s"
    assert isinstance(made.shm, SharedMemory)
    again = pickle.loads(pickle.dumps(made))
    assert list(again) == list(made)
    for each in (opened, again, made):
        each.shm.close()
    made.shm.unlink()
    assert files(root) == []


CHILDREN = """
from polyipc.multiprocessing.shared_memory import SharedMemory, ShareableList

def make(queue):
    block = SharedMemory(create=True, size=3)
    block.buf[:] = b"abc"
    block.close()
    queue.put(block.name)

def use(_, block, shareable):
    assert bytes(block.buf) == b"abc"
    block.buf[0] = 122
    shareable[0] = "used"

def main():
    queue = context.Queue()
    p = context.Process(target=make, args=(queue,))
    p.start()
    p.join()
    block = SharedMemory(queue.get())  # its maker is gone
    shareable = ShareableList(["new"])
    run(use, block, shareable)
    assert (bytes(block.buf), shareable[0]) == (b"zbc", "used")
    block.close()
    block.unlink()
    shareable.shm.close()
    for _ in range(3):
        SharedMemory(create=True, size=1).close()  # goes with this process
    global left
    left = SharedMemory(create=True, size=1)  # and so does what is open at its end
"""

THEIRS = """
from multiprocessing import shared_memory as theirs
from polyipc.multiprocessing import shared_memory as ours

def main():
    made = theirs.SharedMemory(create=True, size=4)
    made.buf[:4] = b"them"
    opened = ours.SharedMemory(made.name)
    assert isinstance(opened, theirs.SharedMemory)
    assert (bytes(opened.buf[:4]), opened.name) == (b"them", made.name)
    opened.close()
    made.close()
    made.unlink()
    mine = ours.SharedMemory(create=True, size=4)
    try:
        theirs.SharedMemory(mine.name)
    except FileNotFoundError:
        pass
    numbers = theirs.ShareableList([1])
    try:
        ours.ShareableList(name=numbers.shm.name)
    except polyipc.errors.CorruptError as e:
        assert "multiprocessing made it" in str(e)
    numbers.shm.close()
    numbers.shm.unlink()
"""


@pytest.mark.parametrize("method", methods.METHODS)
def test_children(tmp_path: Path, method: str) -> None:
    methods.run(tmp_path, method, CHILDREN)


def test_blocks_of_cpython(tmp_path: Path) -> None:
    methods.run(tmp_path, "spawn", THEIRS)


@pytest.mark.parametrize("close", ["", "block.close()"])
def test_a_maker_is_killed(root: Path, close: str) -> None:
    program = f"""
import sys, time
from polyipc.multiprocessing.shared_memory import SharedMemory
block = SharedMemory("mine", create=True, size=3)
{close}
print("made", flush=True)
time.sleep({PATIENCE})
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == b"made\n"
        user = SharedMemory("mine")
        os.kill(maker.pid, signal.SIGKILL)
        maker.wait()
    assert files(root) == ["mine"]  # its user keeps it
    user.close()
    assert files(root) == []
    with pytest.raises(FileNotFoundError):
        SharedMemory("mine")


ATTACHES = """
from polyipc.multiprocessing import resource_tracker
from polyipc.multiprocessing.shared_memory import SharedMemory
block = SharedMemory("mine", track={track})
{then}
block.close()
"""


def attach(track: object, then: str = "") -> str:
    """What a program says that opens a block."""
    program = ATTACHES.format(track=track, then=then)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


def test_who_opens_a_block_removes_it_if_told_to(root: Path) -> None:
    for track in (None, False, True):
        block = SharedMemory("mine", create=True, size=3, track=track)
        for kept in (None, False):
            assert attach(kept) == ""
        assert attach(True, "block.unlink()") == ""
        block.close()
        assert files(root) == []
        block = SharedMemory("mine", create=True, size=3, track=track)
        assert "appear to be 1 leaked shared_memory objects to clean up" in attach(True)
        block.close()
        assert files(root) == []


MADE_ANEW = """
block.unlink()
SharedMemory("mine", create=True, size=3, track=False).close()
"""


def test_who_unlinks_a_block_leaves_the_next_of_that_name(root: Path) -> None:
    block = SharedMemory("mine", create=True, size=3)
    assert attach(True, MADE_ANEW) == ""
    block.close()
    assert files(root) == ["mine"]
    block.unlink()
    assert files(root) == []


def test_no_tracker_is_asked_to_forget_a_block() -> None:
    """As programs ask that attach to another's block; it would print a traceback."""
    block = SharedMemory("mine", create=True, size=3)
    forget = 'resource_tracker.unregister(block._name, "shared_memory")'
    assert attach(None, forget) == ""
    block.close()
    block.unlink()


FORGETS = """
from multiprocessing import shared_memory as theirs
from polyipc.multiprocessing import resource_tracker, shared_memory as ours

def main():
    made = theirs.SharedMemory(create=True, size=4)
    opened = ours.SharedMemory(made.name)
    assert resource_tracker._blocks == {made._name}
    resource_tracker.unregister(made._name, "shared_memory")  # else said to be leaked, at the end
    for block in (opened, made):
        block.close()
    theirs._posixshmem.shm_unlink(made._name)
"""


def test_a_tracker_forgets_a_block_of_cpython(tmp_path: Path) -> None:
    methods.run(tmp_path, "spawn", FORGETS)
