"""Leased messages: acked, given back, lost."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import polyipc
from polyipc import codec


@pytest.fixture(name="q")
def _q(root: Path) -> Iterator[polyipc.Queue[object]]:
    with polyipc.Queue[object](root=root) as q:
        yield q


def test_a_block_that_ends_acks(q: polyipc.Queue[object]) -> None:
    q.put_many(["a", "b"])
    with q.lease() as lease:
        assert (lease.value, lease.deliveries) == ("a", 1)
        assert q.qsize() == 1
        assert q.stat().leased == 1
    assert q.stat().leased == 0
    assert q.get_many(5) == ["b"]
    q.task_done()
    q.join(timeout=10)


def test_a_block_that_raises_gives_back(q: polyipc.Queue[object]) -> None:
    q.put_many(["a", "b"])
    for delivery in (1, 2, 3):
        with pytest.raises(ZeroDivisionError), q.lease() as lease:
            assert (lease.value, lease.deliveries) == ("a", delivery)
            raise ZeroDivisionError
    assert q.get_many(5) == ["a", "b"]


def test_a_block_may_decide_itself(q: polyipc.Queue[object]) -> None:
    q.put_many([1, 2])
    with q.lease() as lease:
        lease.nack()
    with pytest.raises(KeyError), q.lease() as lease:
        lease.ack()
        raise KeyError
    assert q.get_many(5) == [2]


def test_a_lease_ends_once(q: polyipc.Queue[object]) -> None:
    q.put_many([1, 2])
    for end in ("ack", "nack"):
        lease = q.lease()
        getattr(lease, end)()
        for again in ("ack", "nack"):
            with pytest.raises(polyipc.LeaseLostError):
                getattr(lease, again)()
    assert q.qsize() == 1


def test_a_lease_that_is_dropped_goes_back(q: polyipc.Queue[object]) -> None:
    q.put(1)
    lease = q.lease()
    with pytest.warns(ResourceWarning, match="dropped without ack or nack"):
        del lease
        gc.collect()
    with q.lease() as again:
        assert again.deliveries == 2


def test_raw_bytes(q: polyipc.Queue[object]) -> None:
    q.put_bytes(b"raw")
    with q.lease() as lease:
        assert lease.value == lease.body == b"raw"
    q.put([1])
    with q.lease() as lease:
        assert codec.unpackb(lease.body) == lease.value == [1]
        assert lease.value is lease.value


def test_a_message_that_cannot_be_read_goes_back(q: polyipc.Queue[object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(q, "_pack", lambda _: b"\xc1")
        q.put(None)
    with pytest.raises(polyipc.DecodeError), q.lease() as lease:
        lease.value  # noqa: B018
    with q.lease() as lease:
        assert (lease.body, lease.deliveries) == (b"\xc1", 2)


def test_a_lease_keeps_its_queue_open() -> None:
    q: polyipc.Queue[int] = polyipc.Queue()
    q.put(1)
    lease = q.lease()
    del q
    assert lease.value == 1
    lease.ack()


def test_leases_of_a_closed_queue(q: polyipc.Queue[object]) -> None:
    q.put(1)
    lease = q.lease()
    with polyipc.Queue[object].open(q.name) as other:
        q.close()
        for end in (lease.ack, lease.nack):
            with pytest.raises(polyipc.ClosedError):
                end()
        assert repr(lease).endswith("delivery 1, held>")
        del lease, end
        assert other.stat().leased in (0, 1)
    del q


def test_repr(q: polyipc.Queue[object]) -> None:
    q.put(1)
    with q.lease() as lease:
        assert repr(lease) == f"<polyipc.Lease of {q.name!r}, delivery 1, held>"
    assert repr(lease) == f"<polyipc.Lease of {q.name!r}, delivery 1, ended>"
