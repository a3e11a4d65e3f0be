"""Dicts of a manager: what Python's have, and what is done there in one step."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import MutableMapping

import pytest
from managed import m, server  # noqa: F401 - fixtures

from polyipc import errors
from polyipc.manager import DictProxy, Manager


@pytest.fixture
def d(m: Manager) -> DictProxy:  # noqa: F811
    return m.dict(None, {"a": 1, "b": 2})


def test_one_key(d: DictProxy) -> None:
    assert (d["a"], d.get("a"), d.get("x"), d.get("x", 7)) == (1, 1, None, 7)
    d["c"] = [1, {"deep": None}]
    d.set("e", b"bytes")
    assert d["c"] == [1, {"deep": None}]
    assert ("c" in d, "x" in d, len(d), bool(d)) == (True, False, 4, True)
    del d["c"]
    for missing in (lambda: d["c"], lambda: d.pop("c"), lambda: d.__delitem__("c")):
        with pytest.raises(KeyError) as caught:
            missing()
        assert caught.value.args == ("c",)
    assert (d.pop("e"), d.pop("e", None), d.setdefault("a", 5), d.setdefault("n", 5)) == (
        *(b"bytes", None, 1, 5),
    )
    assert d.popitem() == ("n", 5)
    d.clear()
    assert not d
    with pytest.raises(KeyError):
        d.popitem()


@pytest.mark.parametrize(
    "key", [1, -(2**63), 2**64 - 1, 2**70, 1.5, None, b"x", ("a", 1), uuid.UUID(int=5)]
)
def test_keys_of_any_kind(d: DictProxy, key: object) -> None:
    d[key] = "v"
    assert d[key] == "v"
    assert key in d.copy()
    assert list(d)[-1] == key
    with pytest.raises(KeyError) as caught:
        d[(key, "no")]
    assert caught.value.args == ((key, "no"),)


def test_keys_are_equal_as_in_python(d: DictProxy) -> None:
    d[1] = "one"
    assert (d[1.0], d[True], len(d)) == ("one", "one", 3)
    d[b"a"] = "bytes"
    assert d["a"] == 1


def test_values_come_back_as_they_were(d: DictProxy) -> None:
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
    value: object
    for value in (None, True, 2**100, "é", (1, (2,)), {1, 2}, frozenset("x"), now, [], {}):
        d["v"] = value
        assert d["v"] == value
        assert type(d["v"]) is type(value)
    with pytest.raises(TypeError, match=r"\$\[1\]: a object cannot be carried"):
        d["v"] = object()
    with pytest.raises(TypeError):
        d[{"no": "key"}] = 1


def test_many_at_once(d: DictProxy) -> None:
    d.update({"b": 3, "c": 4})
    d.update([("c", 5), ("d", 6)], e=7)
    d.update(f=8)
    assert d == {"a": 1, "b": 3, "c": 5, "d": 6, "e": 7, "f": 8}
    assert d.copy() == dict(d) == {**d}
    assert d | {"z": 0} == {**d.copy(), "z": 0}
    assert {"z": 0} | d == {"z": 0, **d.copy()}
    same = d
    d |= {"g": 9}
    assert d is same
    assert d["g"] == 9
    assert isinstance(d, MutableMapping)


def test_views(m: Manager, d: DictProxy) -> None:  # noqa: F811
    assert list(d) == list(d.keys()) == ["a", "b"]
    assert list(d.values()) == [1, 2]
    assert list(d.items()) == [("a", 1), ("b", 2)]
    assert list(reversed(d)) == ["b", "a"]
    assert d.keys() & {"a", "x"} == {"a"}
    keys, values = d.keys(), d.values()
    assert ("a" in keys, ("a", 1) in d.items(), 2 in values, len(values)) == (True, True, True, 2)
    assert (str(d.keys()), str(d.items())) == (
        "dict_keys(['a', 'b'])",
        "dict_items([('a', 1), ('b', 2)])",
    )
    big = m.dict(None, {i: -i for i in range(3500)})
    assert list(big.items()) == [(i, -i) for i in range(3500)]


def test_iteration_fails_when_keys_change(m: Manager) -> None:  # noqa: F811
    big = m.dict(None, {i: i for i in range(2500)})
    it = iter(big)
    assert next(it) == 0
    big[5] = "changed, which is fine"
    assert [next(it) for _ in range(1500)][-1] == 1500
    big["new"] = 1
    with pytest.raises(RuntimeError, match="added or removed"):
        list(it)


def test_equality(m: Manager, d: DictProxy) -> None:  # noqa: F811
    assert d == {"b": 2, "a": 1.0}
    assert d != {"a": 1}
    assert d == m.dict(None, a=1, b=2)
    assert d != 3
    assert d == d
    with pytest.raises(TypeError, match="unhashable"):
        hash(d)


def test_in_one_step(d: DictProxy) -> None:
    assert (d.increment("a"), d.increment("a", 5), d.increment("new"), d.increment("a", 0.5)) == (
        *(2, 7, 1, 7.5),
    )
    assert (d.compare_and_set("b", 1, 9), d.compare_and_set("b", 2, 9), d["b"]) == (False, True, 9)
    assert (d.add("b", 0), d.add("c", 0)) == (False, True)
    assert (d.pop_if("b", 8), d.pop_if("b", 9), "b" in d) == (False, True, False)
    d["t"] = "text"
    with pytest.raises(TypeError):
        d.increment("t")
    d["big"] = 2**64 - 1
    with pytest.raises(OverflowError):
        d.increment("big")


def test_str_and_repr(d: DictProxy) -> None:
    assert str(d) == "{'a': 1, 'b': 2}"
    assert repr(d) == "<polyipc.manager.DictProxy dict 1 of 'test'>"


def test_names(m: Manager) -> None:  # noqa: F811
    first = m.dict("shared", {"made": "first"})
    again = m.dict("shared", {"made": "not again"})
    assert again == {"made": "first"}
    assert m.open("shared")["made"] == "first"
    assert m.names() == {"shared": "dict"}
    with pytest.raises(errors.WrongKindError, match="it is a dict, not a list"):
        m.list("shared")
    with pytest.raises(errors.NotFoundError):
        m.open("nothing")
    with pytest.raises(errors.InvalidError):
        m.dict("no blanks")
    del first, again
    assert m.open("shared")["made"] == "first"
    assert (m.unlink("shared"), m.unlink("shared"), m.names()) == (True, False, {})
