"""Lists and sets of a manager, beside Python's own."""

from __future__ import annotations

import random
from typing import Any

import pytest
from managed import m, server  # noqa: F401 - fixtures

from polyipc.manager import ListProxy, Manager, SetProxy


@pytest.fixture
def items(m: Manager) -> ListProxy:  # noqa: F811
    return m.list(None, [3, 1, 2])


def test_one_index(items: ListProxy) -> None:
    assert (items[0], items[-1], items.get(1), len(items), 1 in items, 9 in items) == (
        *(3, 2, 1, 3, True, False),
    )
    items[1] = "x"
    items.set(-1, "y")
    assert items == [3, "x", "y"]
    assert (items.append("z"), items.insert(0, "a"), items.extend("bc")) == (4, 5, 7)
    assert (items.pop(), items.pop(0), items.index("y"), items.count("y")) == ("c", "a", 2, 1)
    items.remove("y")
    del items[0]
    assert items == ["x", "z", "b"]
    for wrong in (lambda: items[3], lambda: items.pop(-4), lambda: items.__setitem__(3, 0)):
        with pytest.raises(IndexError):
            wrong()
    for wrong in (lambda: items.remove("q"), lambda: items.index("q"), lambda: items.index("x", 1)):
        with pytest.raises(ValueError, match="not in the list"):
            wrong()
    with pytest.raises(TypeError):
        items["0"]  # type: ignore[call-overload]


def test_slices_are_pythons(m: Manager) -> None:  # noqa: F811
    chance = random.Random(1)
    for _ in range(200):
        plain: list[Any] = list(range(chance.randrange(8)))
        live = m.list(None, plain)
        start, stop = (chance.choice((None, *range(-9, 10))) for _ in range(2))
        cut = slice(start, stop, chance.choice((None, 1, 2, -1, -3)))
        assert live[cut] == plain[cut], (plain, cut)
        values = [chance.random() for _ in range(chance.randrange(4))]
        if cut.step not in (None, 1) and len(plain[cut]) != len(values):
            with pytest.raises(ValueError, match="give as many"):
                live[cut] = values
        else:
            live[cut] = values
            plain[cut] = values
        assert live.copy() == plain, cut
        del live[cut], plain[cut]
        assert live.copy() == plain, cut
    with pytest.raises(ValueError, match="step is 0"):
        live[::0]


def test_all_of_a_list(m: Manager, items: ListProxy) -> None:  # noqa: F811
    assert list(items) == [3, 1, 2]
    assert list(reversed(items)) == [2, 1, 3]
    items.sort()
    assert items == [1, 2, 3]
    items.sort(reverse=True)
    assert items == [3, 2, 1]
    items.sort(key=lambda x: x % 3)
    assert items == [3, 1, 2]
    items.reverse()
    assert items == [2, 1, 3]
    items += (4,)
    items *= 2
    assert items == [2, 1, 3, 4] * 2
    zero = [0]
    assert items + zero == [2, 1, 3, 4, 2, 1, 3, 4, 0]
    assert zero + items == [0, 2, 1, 3, 4, 2, 1, 3, 4]
    assert items * 2 == 2 * items == [2, 1, 3, 4] * 4
    assert items == m.list(None, items)
    assert str(items) == "[2, 1, 3, 4, 2, 1, 3, 4]"
    items.clear()
    assert items == []
    assert not items
    items += ["a", 1]
    with pytest.raises(TypeError):
        items.sort()
    assert items == ["a", 1]
    assert list(m.list(None, range(2500))) == list(range(2500))
    with pytest.raises(TypeError, match="unhashable"):
        hash(items)


def test_a_list_in_one_step(items: ListProxy) -> None:
    assert (items.increment(0), items.increment(0, -4)) == (4, 0)
    assert (items.compare_and_set(1, 0, 5), items.compare_and_set(1, 1, 5)) == (False, True)
    assert (items.pop_if(0, 7), items.pop_if(0, 0), items.copy()) == (False, True, [5, 2])


@pytest.fixture
def members(m: Manager) -> SetProxy:  # noqa: F811
    return m.set(None, [1, 2, "x"])


def test_sets(m: Manager, members: SetProxy) -> None:  # noqa: F811
    assert (members.add(3), members.add(3), members.discard(3), members.discard(3)) == (
        *(True, False, True, False),
    )
    assert (2 in members, 9 in members, len(members)) == (True, False, 3)
    members.remove("x")
    with pytest.raises(KeyError) as caught:
        members.remove("x")
    assert caught.value.args == ("x",)
    assert members == {1, 2}
    assert members == m.set(None, (2, 1))
    assert members.copy() == set(members) == {1, 2}
    assert members != {1}
    members.update([3], (4, 5))
    assert {members.pop() for _ in range(5)} == {1, 2, 3, 4, 5}
    with pytest.raises(KeyError):
        members.pop()
    assert not members


def test_the_algebra_of_sets(m: Manager) -> None:  # noqa: F811
    plain, other = {1, 2, 3}, {2, 3, 4}
    live = m.set(None, plain)
    assert (live & other, live | other, live ^ other, live - other) == (
        *(plain & other, plain | other, plain ^ other, plain - other),
    )
    assert (other & live, other | live, other ^ live, other - live) == (
        *(plain & other, plain | other, plain ^ other, other - plain),
    )
    assert live.union(other, [9]) == plain | other | {9}
    assert live.intersection([1, 2], [2]) == {2}
    assert live.difference([1], [2]) == {3}
    assert live.symmetric_difference(other) == plain ^ other
    assert (live.isdisjoint([7]), live.issubset(range(9)), live.issuperset([1])) == (True,) * 3
    assert (live <= plain, live < plain, live >= {1}, live > {1}, live <= {1}) == (
        *(True, False, True, True, False),
    )
    live |= {4}
    live &= {2, 3, 4, 5}
    live -= {2}
    live ^= {3, 9}
    assert live == {4, 9}
    assert str(m.set(None, [1])) == "{1}"


def test_iterating_a_set_that_changes(m: Manager) -> None:  # noqa: F811
    big = m.set(None, range(2500))
    assert set(big) == set(range(2500))
    it = iter(big)
    next(it)
    big.add("new")
    with pytest.raises(RuntimeError, match="added or removed"):
        list(it)
