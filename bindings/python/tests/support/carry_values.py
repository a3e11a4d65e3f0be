"""Carries all values through a process and back, by multiprocessing and by polyipc, and compares.

carry_values.py METHOD WAY     the way is queue, joinable, simple, pipe, dict, list or proxy
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import threading
from multiprocessing import managers as their_managers
from typing import Any

import values

import polyipc.multiprocessing as ours


def pass_on(get: Any, put: Any) -> None:
    """Does the child's part."""
    for name, value in iter(get, None):
        put((name, value))
    put(None)


def child(way: str, there: Any, back: Any) -> None:
    if way in ("dict", "list"):
        for key in there.keys() if way == "dict" else range(len(there)):
            back.append((key, there[key]))
    elif way == "pipe":
        pass_on(there.recv, there.send)
    else:
        pass_on(there.get, back.put)


def through(module: Any, method: str, way: str, what: dict[str, Any]) -> dict[str, Any]:
    """The values as they come back."""
    ctx = module.get_context(method)
    manager: Any = ctx.Manager() if way in ("dict", "list", "proxy") else None
    args: Any
    if way == "pipe":
        here, there = ctx.Pipe()
        send, recv = here.send, here.recv
        args = there, None
    elif way == "dict":
        args = manager.dict(what), manager.list()
    elif way == "list":
        args = manager.list(what.values()), manager.list()
    else:
        kinds = {"queue": "Queue", "joinable": "JoinableQueue", "simple": "SimpleQueue"}
        make = getattr(ctx if manager is None else manager, kinds.get(way, "Queue"))
        args = make(), make()
        send, recv = args[0].put, args[1].get
    process = ctx.Process(target=child, args=(way, *args))
    process.start()
    if way in ("dict", "list"):
        process.join()
        names = list(what)
        found = {names[k] if way == "list" else k: v for k, v in args[1]}
    else:
        # As a thread: a pipe is full before all came back.
        items = [*what.items(), None]
        sender = threading.Thread(target=lambda: [send(item) for item in items])
        sender.start()
        found = dict(iter(recv, None))
        sender.join()
        process.join()
    assert process.exitcode == 0, process.exitcode
    if manager is not None:
        manager.shutdown()
    return found


def live(module: Any, method: str) -> list[Any]:
    """What comes of open things in containers."""
    ctx = module.get_context(method)
    here, there = ctx.Pipe()
    process = ctx.Process(target=child, args=("pipe", there, None))
    process.start()
    left, right = socket.socketpair()
    a, b = ctx.Pipe()
    here.send(("live", {"sockets": [left], "ends": (a, [{"deep": a}])}))
    name, back = here.recv()
    (again,) = back["sockets"]
    end, twice = back["ends"][0], back["ends"][1][0]["deep"]
    again.sendall(b"by a socket")
    end.send([values.Colour.RED])
    said = [name, type(again), right.recv(99), b.recv(), end is twice, type(end) is type(a)]
    here.send(None)
    assert here.recv() is None
    process.join()
    for one in (left, right, again, a, b, end, here, there):
        one.close()
    return said


def main() -> None:
    method, way = sys.argv[1:]
    their_managers.BaseManager  # noqa: B018 - its import has views pickled as lists, in either case
    if way == "live":
        expected, found = live(multiprocessing, method), live(ours, method)
        assert found == expected, (found, expected)
    else:
        theirs = through(multiprocessing, method, way, values.all_values())
        mine = through(ours, method, way, values.all_values())
        assert list(mine) == list(theirs) == list(values.all_values())
        for name, value in mine.items():
            shown, wanted = values.described(value), values.described(theirs[name])
            assert shown == wanted, f"{name}:\n{shown!s:.2000}\nis not\n{wanted!s:.2000}"
        assert mine["singletons"][:3] == [None, True, ...]
        assert mine["enums"][0] is values.Colour.RED
        array = mine["numpy large"]
        assert array.flags.writeable
        assert array.flags.aligned
    print("done")


if __name__ == "__main__":
    main()
