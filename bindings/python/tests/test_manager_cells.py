"""Namespaces, values, arrays and counters of a manager."""

from __future__ import annotations

import pytest
from managed import m, server  # noqa: F401 - fixtures

from polyipc.manager import Manager


def test_a_namespace(m: Manager) -> None:  # noqa: F811
    n = m.Namespace(None, x=1, get="a name like any other")
    n.y = [2]
    assert (n.x, n.y, n.get, "x" in n, "z" in n) == (1, [2], "a name like any other", True, False)
    n.x += 1
    del n.get
    with pytest.raises(AttributeError):
        n.get  # noqa: B018
    with pytest.raises(AttributeError):
        del n.nothing
    assert n._increment("x", 3) == 5
    assert n._increment("new") == 1
    assert (n._compare_and_set("x", 1, 0), n._compare_and_set("x", 5, 0)) == (False, True)
    n._update(x=8, z=9)
    assert n._asdict() == {"x": 8, "y": [2], "new": 1, "z": 9}
    assert sorted(n._names()) == ["new", "x", "y", "z"]
    assert "new" in dir(n)
    assert str(n) == "Namespace(x=8, y=[2], new=1, z=9)"
    assert not hasattr(n, "_private")
    assert m.Namespace("named", a=1).a == m.Namespace("named", a=2).a == 1


def test_a_value(m: Manager) -> None:  # noqa: F811
    v = m.Value(None, "i", 5)
    assert (v.value, v.get(), v.typecode) == (5, 5, "i")
    v.value = 6
    v.value += 1
    assert (v.increment(), v.exchange(1), v.value) == (8, 8, 1)
    assert (v.compare_and_set(2, 3), v.compare_and_set(1, 3), v.get()) == (False, True, 3)
    with pytest.raises(OverflowError):
        v.value = 2**31
    with pytest.raises(TypeError):
        v.value = "text"
    assert str(v) == "Value('i', 3)"
    free = m.Value(None, None, {"any": "thing"})
    free.set((1, 2))
    assert free.value == (1, 2)


def test_an_array(m: Manager) -> None:  # noqa: F811
    a = m.Array(None, "d", [1, 2, 3])
    assert (a[0], a[-1], a[1:], len(a), list(a), a.typecode) == (
        *(1.0, 3.0, [2.0, 3.0], 3, [1.0, 2.0, 3.0], "d"),
    )
    a[0] = 7
    a[1:] = [8, 9]
    assert a == [7, 8, 9]
    assert (a.increment(0, 0.5), a.compare_and_set(0, 7.5, 0), a.get(0)) == (7.5, True, 0)
    with pytest.raises(IndexError):
        a[3]
    with pytest.raises(ValueError, match="give as many"):
        a[:] = [1]
    assert str(m.Array(None, "B", 2)) == "Array('B', [0, 0])"


def test_a_counter(m: Manager) -> None:  # noqa: F811
    c = m.counter("hits", 40)
    assert (c.increment(), c.increment(-2), c.get(), c.value) == (41, 39, 39, 39)
    assert (c.exchange(5), c.compare_and_set(5, 6), c.compare_and_set(5, 7)) == (39, True, False)
    c.set(2**63 - 1)
    with pytest.raises(OverflowError):
        c.increment()
    assert c.value == 2**63 - 1
    assert c == m.counter("hits")
    assert len({c, m.open("hits")}) == 1
