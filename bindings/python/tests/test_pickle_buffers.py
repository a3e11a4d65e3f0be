"""Large buffers beside a pickle: numpy arrays and what else has them, copied in and out once."""

from __future__ import annotations

import pickle
import struct
from typing import Any

import numpy as np
import pytest

import polyipc
from polyipc import _pickling, codec

LARGE = 100_000


class Mine:
    """Has buffers."""

    def __init__(self, **named: Any) -> None:
        self.__dict__.update(named)


class Bytes(bytearray):
    """As in PEP 574: it looks at what a view of the buffer that it gets is of."""

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return type(self)._back, (pickle.PickleBuffer(self),), None

    @classmethod
    def _back(cls, obj: Any) -> Any:
        with memoryview(obj) as view:
            of = view.obj
            return of if type(of) is cls else cls(of)


@pytest.fixture(params=["queue", "bounded", "pipe", "many", "put_many", "lease", "codec"])
def through(request: pytest.FixtureRequest) -> Any:
    """Carries an object."""
    if request.param == "codec":
        yield lambda obj: codec.unpackb(codec.packb(obj, pickle=True), pickle=True)
        return
    if request.param == "pipe":
        a, b = polyipc.Pipe(pickle=True)
        with a, b:

            def send(obj: Any) -> Any:
                a.send(obj)
                return b.recv()

            yield send
        return
    capacity = 1 << 24 if request.param == "bounded" else None
    with polyipc.Queue[Any](pickle=True, capacity=capacity) as queue:

        def carry(obj: Any) -> Any:
            if request.param == "put_many":
                queue.put_many([obj, obj])
                queue.get()
            else:
                queue.put(obj)
            if request.param == "many":
                return queue.get_many(9)[0]
            if request.param != "lease":
                return queue.get()
            with queue.lease() as lease:
                body = bytes(lease.body)
                value = lease.value
                if isinstance(value, np.ndarray) and value.flags.writeable:
                    value[...] = 0
                    assert lease.body == body
                return codec.unpackb(lease.body, pickle=True)

        yield carry


def test_arrays(through: Any) -> None:
    for dtype in ("f8", "u1", "c16", "<M8[s]", [("a", "i4"), ("b", "f8")]):
        array = np.frombuffer(bytes(range(240)) * 1000, dtype=dtype).copy()
        got = through(array)
        assert (got.dtype, got.shape) == (array.dtype, array.shape)
        assert got.tobytes() == array.tobytes()
        assert got.flags.writeable
        assert got.flags.aligned
        got[0] = got[1]


def test_readonly_fortran_and_strided(through: Any) -> None:
    fixed = np.arange(LARGE)
    fixed.flags.writeable = False
    fortran = np.asfortranarray(np.arange(LARGE).reshape(100, 1000))
    strided = np.arange(LARGE * 2)[::2]
    for array in (fixed, fortran, strided):
        got = through([array, "beside"])[0]
        assert (got == array).all()
        assert got.flags.writeable == array.flags.writeable
        assert got.flags.fnc == array.flags.fnc


def test_sharing_and_sizes(through: Any) -> None:
    array, small = np.arange(LARGE), np.arange(3)
    got = through(Mine(a=array, b=[array, small], c={"s": small}, text="x" * LARGE))
    assert got.a is got.b[0]
    assert got.c["s"] is got.b[1]
    assert (got.text, list(got.c["s"])) == ("x" * LARGE, [0, 1, 2])
    many = [np.full(LARGE // 8, i) for i in range(9)]
    assert all((a == i).all() for i, a in enumerate(through(many)))


def test_more_buffers_than_pieces(through: Any) -> None:
    many = [np.full(8192, i) for i in range(700)]
    assert all((a == i).all() for i, a in enumerate(through(many)))


def test_an_array_outlives_what_carried_it() -> None:
    queue = polyipc.Queue[Any](pickle=True)
    queue.put([np.arange(LARGE), Bytes(b"1" * LARGE), np.arange(LARGE)])
    first, mine, second = queue.get()
    queue.close()
    assert (type(mine), mine) == (Bytes, b"1" * LARGE)
    del second
    assert first.sum() == LARGE * (LARGE - 1) // 2


def test_objects_and_buffers_in_one_message() -> None:
    with polyipc.Queue[Any](pickle=True) as queue, polyipc.Queue[Any](pickle=True) as inner:
        queue.put(Mine(array=np.arange(LARGE), queue=inner))
        name = inner.name
        inner.put("kept")
        inner.close()
        got = queue.get()
        with got.queue as opened:
            assert (opened.name, opened.get_nowait(), got.array[-1]) == (name, "kept", LARGE - 1)


def test_no_room() -> None:
    with polyipc.Queue[Any](1, pickle=True) as queue:
        queue.put(1)
        for wait in ({"block": False}, {"timeout": 0.01}):
            with pytest.raises(polyipc.Full):
                queue.put(np.arange(LARGE), **wait)
    a, b = polyipc.Pipe(pickle=True)
    with a:
        b.close()
        with pytest.raises(BrokenPipeError):
            a.send(np.arange(LARGE))


def test_once_pickled() -> None:
    """What pickling does besides, it does once."""
    pickled = []

    class Counts:
        def __reduce__(self) -> Any:
            pickled.append(1)
            return int, ()

    with polyipc.Queue[Any](pickle=True) as queue, polyipc.Queue[Any]() as inner:
        queue.put([Counts(), np.arange(LARGE), inner])
        assert (queue.get()[0], len(pickled)) == (0, 1)


@pytest.mark.parametrize(
    "end",
    [
        b"\0",
        struct.pack(">IB", 0, 0),
        struct.pack(">IB", 1, 0),
        struct.pack(">IB", 2**32 - 1, 0),
        struct.pack(">QQBIB", 0, 2**63, 0, 1, 0),
        struct.pack(">QQBIB", 2**64 - 1, 1, 0, 1, 0),
        struct.pack(">QQBIB", 0, 5, 0, 1, 0),
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_malformed(end: bytes, own: bool) -> None:
    pieces = _pickling.dumps(pickle.PickleBuffer(bytes(LARGE)), apart=True)
    body = bytes(pieces[0])
    with pytest.raises(codec.CodecError, match="pickle"):
        _pickling.loads(body[:4] + end, own)
    whole = b"".join(pieces)
    assert len(_pickling.loads(whole, own)) == LARGE
    missing = whole.replace(pickle.NEXT_BUFFER, pickle.NEXT_BUFFER * 2, 1)
    with pytest.raises((pickle.UnpicklingError, codec.CodecError)):
        _pickling.loads(missing, own)
