"""Objects of each kind on each way to a child process: objects.py METHOD.

A kind is told by what the child does with the object and by what the parent finds: queues have a
message, locks are held, values change.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import polyipc.multiprocessing as mp

PATIENCE = 20.0
MESSAGE = {"from": ("child", 1)}


def make() -> dict[str, tuple[Any, Any]]:
    """Return for each kind what the parent keeps and what the child gets."""
    objects = {
        "Queue": mp.Queue(),
        "Queue(3)": mp.Queue(3),
        "JoinableQueue": mp.JoinableQueue(),
        "SimpleQueue": mp.SimpleQueue(),
        "Event": mp.Event(),
        "Barrier": mp.Barrier(2),
        "Condition": mp.Condition(),
        "Lock": mp.Lock(),
        "RLock": mp.RLock(),
        "Semaphore": mp.Semaphore(1),
        "BoundedSemaphore": mp.BoundedSemaphore(1),
        "Value": mp.Value("d", 0.0),
        "Value, no lock": mp.Value("d", 0.0, lock=False),
        "RawValue": mp.RawValue("d", 0.0),
        "Array": mp.Array("i", range(5)),
        "RawArray": mp.RawArray("i", range(5)),
    }
    for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition"):
        objects[name].acquire()
    ways = {name: (obj, obj) for name, obj in objects.items()}
    return {**ways, "Pipe": mp.Pipe(), "Pipe, one way": mp.Pipe(duplex=False)}


def kind(name: str) -> str:
    return name.replace("(3)", "").split(",")[0].replace("Raw", "").replace("Joinable", "")


def set_value(value: Any) -> None:
    value.value = 7


def set_item(array: Any) -> None:
    array[2] = 7


def is_held(lock: Any) -> None:
    assert not lock.acquire(block=False)


def notify(condition: Any) -> None:
    with condition:
        condition.notify()


CHILD: dict[str, Callable[[Any], object]] = {
    "Queue": lambda q: q.put(MESSAGE),
    "SimpleQueue": lambda q: q.put(MESSAGE),
    "Pipe": lambda end: end.send(MESSAGE),
    "Event": lambda event: event.set(),
    "Barrier": lambda barrier: barrier.wait(PATIENCE),
    "Condition": notify,
    **dict.fromkeys(("Lock", "RLock", "Semaphore", "BoundedSemaphore"), is_held),
    "Value": set_value,
    "Array": set_item,
}


def equal(found: object, wanted: object) -> None:
    assert found == wanted, found
    assert type(found) is type(wanted)


def notified(condition: Any) -> None:
    assert condition.wait(PATIENCE)
    condition.release()


MEANWHILE: dict[str, Callable[[Any], object]] = {
    "Queue": lambda q: equal(q.get(timeout=PATIENCE), MESSAGE),
    "SimpleQueue": lambda q: equal(q.get(), MESSAGE),
    "Pipe": lambda end: equal(end.recv(), MESSAGE),
    "Event": lambda event: equal(event.wait(PATIENCE), True),
    "Barrier": lambda barrier: barrier.wait(PATIENCE),
    "Condition": notified,
}
AFTERWARDS: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("Lock", "RLock", "Semaphore", "BoundedSemaphore"), lambda x: x.release()),
    "Value": lambda value: equal(value.value, 7.0),
    "Array": lambda array: equal(array[:], [0, 1, 7, 3, 4]),
}


def use(objects: dict[str, Any]) -> None:
    """Be the child: do with the objects what their kinds want."""
    for name, obj in objects.items():
        CHILD[kind(name)](obj)


class Holder:
    """Objects within an object."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = list(objects.items())


def nested(holders: list[tuple[str, Holder]]) -> None:
    use(dict(holders[0][1].objects))


class Worker(mp.Process):  # type: ignore[misc]
    """A process with the objects as attributes."""

    def __init__(self, objects: dict[str, Any]) -> None:
        super().__init__()
        for name, obj in objects.items():
            setattr(self, f"my {name}", obj)

    def run(self) -> None:
        use({name[3:]: obj for name, obj in vars(self).items() if name.startswith("my ")})


def from_parent(objects: dict[str, Any]) -> None:
    run(mp.Process(target=use, args=(objects,)))


def from_queue(q: Any, count: int) -> None:
    use(dict(q.get() for _ in range(count)))


def from_pipe(end: Any, count: int) -> None:
    use(dict(end.recv() for _ in range(count)))


def run(process: Any) -> None:
    process.start()
    process.join()
    assert process.exitcode == 0, process.exitcode


def over_queue(theirs: dict[str, Any]) -> Any:
    q = mp.Queue()
    process = mp.Process(target=from_queue, args=(q, len(theirs)))
    process.start()
    for name in list(theirs):
        q.put((name, theirs.pop(name)))
    return process


def over_pipe(theirs: dict[str, Any]) -> Any:
    ours, end = mp.Pipe()
    process = mp.Process(target=from_pipe, args=(end, len(theirs)))
    process.start()
    for name in list(theirs):
        ours.send((name, theirs.pop(name)))
    return process


def started(process: Any) -> Any:
    process.start()
    return process


WAYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "arguments": lambda o: started(mp.Process(target=use, kwargs={"objects": o})),
    "attributes": lambda o: started(Worker(o)),
    "nested": lambda o: started(mp.Process(target=nested, args=([("x", Holder(o))],))),
    "handed on": lambda o: started(mp.Process(target=from_parent, args=(o,))),
    "over a queue": over_queue,
    "over a pipe": over_pipe,
}


def go(way: str) -> None:
    objects = make()
    ours = {name: pair[0] for name, pair in objects.items()}
    theirs = {name: pair[1] for name, pair in objects.items()}
    del objects
    process = WAYS[way](dict(theirs))
    for name in theirs:
        if kind(name) in MEANWHILE:
            MEANWHILE[kind(name)](ours[name])
    process.join()
    assert process.exitcode == 0, process.exitcode
    for name in theirs:
        if kind(name) in AFTERWARDS:
            AFTERWARDS[kind(name)](ours[name])


class Gate:
    """What opens, when it is unpickled, no sooner than a file exists."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return passed, (self.path,)


def passed(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def look(gate: object, path: Path, objects: dict[str, Any]) -> None:  # noqa: ARG001
    """Be a child whose parent has dropped the objects, which it made with something in them."""
    passed(path)
    for name in ("Queue", "Queue(3)", "JoinableQueue", "SimpleQueue"):
        equal(objects[name].get(), MESSAGE)
    equal(objects["Pipe"].recv(), MESSAGE)
    for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition"):
        assert objects[name].acquire(block=False) == (name in ("RLock", "Lock", "Condition"))
    for name in ("Value", "Value, no lock", "RawValue"):
        equal(objects[name].value, 7.0)


def drop() -> None:
    """Let go of the objects before the child has opened them."""
    objects = {name: pair[1] for name, pair in make().items()}
    pipe = mp.Pipe()
    pipe[0].send(MESSAGE)
    objects["Pipe"] = pipe[1]
    for name in ("Queue", "Queue(3)", "JoinableQueue", "SimpleQueue"):
        objects[name].put(MESSAGE)
    for name in ("Value", "Value, no lock", "RawValue"):
        objects[name].value = 7
    with tempfile.TemporaryDirectory() as directory:
        gate = Path(directory, "open")
        process = mp.Process(target=look, args=(Gate(gate), gate, objects))
        process.start()
        objects.clear()
        del pipe
        gc.collect()
        gate.touch()
        process.join()
    assert process.exitcode == 0, process.exitcode


if __name__ == "__main__":
    mp.set_start_method(sys.argv[1])
    for way in WAYS:
        go(way)
        print(way)
    drop()
    print("dropped")
