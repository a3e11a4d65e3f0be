"""ShareableList: as multiprocessing.shared_memory has it, never torn."""

from __future__ import annotations

import os
import pickle
import signal
import struct
import time
from multiprocessing import shared_memory
from typing import Any

import pytest
from running import fork, reap

import polyipc
from polyipc import ShareableList

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

ITEMS = ["howdy", b"HoWdY", -273.154, 100, None, True, 42, "", b"", "äöü", False, -(2**63)]


def test_as_multiprocessing() -> None:
    reap(fork(both))  # in a child, since multiprocessing starts a process of its own


def both() -> None:
    """Do the same with both."""
    # The process that theirs starts would hold ours until it has left fork for exec, which is not
    # waited for in 3.9: what is closed meanwhile stays until a process joins or leaves.
    theirs: Any = shared_memory.ShareableList(ITEMS)
    ours: Any = ShareableList(ITEMS)
    try:
        for a in (ours, theirs):
            assert list(a) == ITEMS
            assert len(a) == len(ITEMS)
            assert (a[0], a[-2], a[-12]) == ("howdy", False, "howdy")
            with pytest.raises(IndexError, match="index out of range"):
                _ = a[12]
            with pytest.raises(IndexError, match="assignment index out of range"):
                a[12] = 1
            assert a.count("howdy") == 1
            assert a.count(42) == 1
            assert a.index(b"HoWdY") == 1
            with pytest.raises(ValueError, match="not in this container"):
                a.index("missing")
            a[3] = 42
            a[4] = "some"
            a[4] = None
            a[2] = "short"
            a[0] = b"bytes"
            a[0] = 3.5
            assert (a[0], a[2], a[3], a[4]) == (3.5, "short", 42, None)
            with pytest.raises(ValueError, match="exceeds available storage"):
                a[1] = b"far too many bytes for this"
            assert a[1] == b"HoWdY"
            assert "name=" in repr(a)
            assert a.shm.name in repr(a)
        assert ours.format == theirs.format
    finally:
        theirs.shm.close()
        theirs.shm.unlink()


def test_what_multiprocessing_loses() -> None:
    a = ShareableList([b"end\0\0", "nul\0"])
    assert list(a) == [b"end\0\0", "nul\0"]
    with pytest.raises(IndexError):
        _ = a[-3]
    with pytest.raises(IndexError):
        a[-3] = 1


def test_items_that_are_none() -> None:
    for bad in ([], {}, (), 1j, object(), bytearray(b"x")):
        with pytest.raises(TypeError):
            ShareableList([bad])
    with pytest.raises(polyipc.InvalidError):
        ShareableList([2**63])
    a = ShareableList([1])
    with pytest.raises(TypeError):
        a[0] = []
    with pytest.raises(polyipc.InvalidError):
        a[0] = 2**63
    assert a[0] == 1
    assert list(ShareableList()) == []
    assert list(ShareableList(range(3))) == [0, 1, 2]


def test_by_name() -> None:
    a = ShareableList(["x", 1], name="list", transient=True)
    b = ShareableList(name="list")
    b[0] = "y"
    assert a[0] == "y"
    c = pickle.loads(pickle.dumps(a))
    c[1] = 2.5
    assert a[1] == 2.5
    with pytest.raises(polyipc.ExistsError):
        ShareableList([1], name="list")
    with pytest.raises(polyipc.NotFoundError):
        ShareableList(name="other")


def test_what_is_no_list() -> None:
    with polyipc.Segment(100, name="s", transient=True) as s:
        for junk in (
            bytes(100),
            b"polylist" + struct.pack("<Q", 2**60),
            b"polylist" + struct.pack("<QQQ", 1, 8, 8),
            b"polylist" + struct.pack("<QQQ", 1, 32, 2**62),
            b"polylist" + struct.pack("<QQQ", 1, 33, 8),
            b"polylist" + struct.pack("<QQQ", 1, 88, 8),
        ):
            s.buf[: len(junk)] = junk
            with pytest.raises(polyipc.CorruptError, match="no list"):
                ShareableList(name="s")
    a = ShareableList([1])
    place = struct.unpack_from("<Q", a.shm.buf, 16)[0]
    for word in (99, 2 << 8, 2 | 2**60, 4 | 9 << 24, 5 | 2 << 8, 2 | 3 << 24, 1 | 2 << 24):
        struct.pack_into("<Q", a.shm.buf, place, word)
        with pytest.raises(polyipc.CorruptError):
            _ = a[0]
    struct.pack_into("<Q", a.shm.buf, place, 4 | 2 << 24)
    a.shm.buf[place + 8 : place + 10] = b"\xff\xff"
    with pytest.raises(polyipc.CorruptError):
        _ = a[0]


def test_items_are_never_torn() -> None:
    """Processes write long items, and are killed in it; who reads sees whole ones only."""
    a: Any = ShareableList(["a" * 5000, 0])

    def write(letter: str) -> None:
        while True:
            a[0] = letter * (4000 + ord(letter))
            a[1] = a[1] + 1

    for i in range(15):
        children = [fork(write, c) for c in "xyz"]
        began = a[1]
        while a[1] < began + 20:
            item = a[0]
            assert item == item[0] * len(item)
        time.sleep(0.001 * (i % 3))
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        item = a[0]
        assert item == item[0] * len(item)
    reap()
