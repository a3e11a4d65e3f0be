"""Watching a manager's objects change."""

from __future__ import annotations

import pytest
from managed import m, server, until  # noqa: F401 - fixtures
from running import InThread

from polyipc import errors
from polyipc.manager import Change, Manager, Server


def test_a_dict(m: Manager) -> None:  # noqa: F811
    d = m.dict(None, {"a": 1})
    with d.watch(timeout=30) as changes:
        d["b"] = inner = m.list(None, ["live"])
        d.increment("a")
        d.update({"c": 3}, d=4)
        del d["c"]
        assert d.pop("d") == 4
        d.clear()
        found = [next(changes) for _ in range(8)]
        assert found == [
            Change("snapshot", None, {"a": 1}),
            Change("set", "b", inner),
            Change("set", "a", 2),
            Change("set", "c", 3),
            Change("set", "d", 4),
            Change("delete", "c"),
            Change("delete", "d"),
            Change("clear"),
        ]
        what, key, value = found[1]
        assert (what, key, value) == ("set", "b", ["live"])
        with pytest.raises(errors.TimedOutError):
            changes.next(0.01)
    assert list(changes) == []


def test_a_list_and_a_namespace(m: Manager) -> None:  # noqa: F811
    items, space = m.list(None, [1]), m.Namespace(None, x=1)
    with items.watch(timeout=30) as changes, space._watch(timeout=30) as attributes:
        items.append(2)
        items[0] = 0
        del items[1]
        items.extend([5, 4])
        items.sort()
        found = [next(changes) for _ in range(4)]
        assert found[:4] == [
            Change("snapshot", None, [1]),
            Change("insert", 1, 2),
            Change("set", 0, 0),
            Change("delete", 1),
        ]
        while found[-1] != Change("replace", None, [0, 4, 5]):
            found.append(next(changes))
        space.x = 2
        del space.x
        assert [next(attributes) for _ in range(3)] == [
            Change("snapshot", None, {"x": 1}),
            Change("set", "x", 2),
            Change("delete", "x"),
        ]


def test_who_waits_is_told(m: Manager) -> None:  # noqa: F811
    d = m.dict()
    with d.watch(timeout=60) as changes:
        assert next(changes).what == "snapshot"
        waiting = InThread(next, changes)
        d["a"] = 1
        assert waiting.result() == Change("set", "a", 1)


def test_a_slow_watcher(m: Manager) -> None:  # noqa: F811
    d = m.dict()
    with d.watch(timeout=30) as changes:
        for _ in range(50):
            with m.batch() as batch:
                for i in range(100):
                    batch.add(d.set, i, i)
        seen, lagged = [], 0
        for change in changes:
            seen.append(change.what)
            if change.what == "lagged":
                lagged = change.value
            elif change.what == "snapshot" and lagged:
                assert change.value == {i: i for i in range(100)}
                break
        assert lagged > 0
        assert lagged + seen.count("set") == 5000
        assert len(seen) < 2000
        d["after"] = 1
        assert next(changes) == Change("set", "after", 1)


def test_the_end_of_a_watch(server: Server) -> None:  # noqa: F811
    m = server.connect()  # noqa: F811
    changes = m.dict().watch()  # which keeps the dict
    assert next(changes).value == {}
    assert m.stat()["objects"] == 1
    del changes
    until(lambda: m.stat()["objects"] == 0)
    changes = m.dict().watch()
    next(changes)
    waiting = InThread(next, changes)
    server.close()
    with pytest.raises(errors.PeerDiedError):
        waiting.result()
    with pytest.raises(errors.PeerDiedError):
        next(changes)
    changes.close()
    m.close()


def test_what_cannot_be_watched(m: Manager) -> None:  # noqa: F811
    with pytest.raises((errors.Error, TypeError)):
        m._own(b"watch", [m.counter()._object])
