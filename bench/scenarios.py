"""What is measured, as data: queues, pipes, locks (series); situations (scenarios); how long."""

from __future__ import annotations

from dataclasses import dataclass

from bench.peers.api import BATCH as CALLS


@dataclass(frozen=True)
class Series:
    """One queue, pipe, lock, number or array, used in one way: a row of the tables."""

    key: str
    label: str
    language: str
    program: str = ""  # in build/bench/bin, with the interface of peers/worker.h
    module: str = ""  # in bench/peers, with the interface of peers/api.py
    batch: int = 1  # messages a call
    ours: bool = False
    tool: bool = False  # Redis's own benchmark, with a clock of its own


@dataclass(frozen=True)
class Scenario:
    """One situation: a column of the tables."""

    key: str
    label: str
    kind: str  # "flow", "trip", "blocked" or "turns"
    series: tuple[str, ...]  # whom it is for
    payload: str = "bytes"  # or "object"
    size: int = 64  # bytes
    producers: int = 1
    consumers: int = 1
    pause: int = 0  # ns: both sides of a round trip sleep
    one_cpu: bool = False  # both sides share one CPU
    quick: bool = True  # also in the quick version
    most_bytes: int = 1 << 36  # of all messages of one run together
    warm: int = 100  # messages of warm-up for a consumer at the least: Python's first 64 are others
    verb: str = ""  # of a turn: what is done in it; see peers/turns.py
    holders: int = 1  # processes that take turns
    step: int = 256  # turns between two looks at the clock


@dataclass(frozen=True)
class Effort:
    """How thoroughly to measure."""

    runs: int  # of each series; figures are medians of them
    seconds: float  # that a run of a flow, of round trips or turns should take
    sleeps: int  # paused round trips a run
    blocked: float  # seconds that blocked readers are watched


# A full run takes some 20 minutes on an idle machine of 2 cores, a quick one some 3.
FULL = Effort(runs=5, seconds=0.2, sleeps=300, blocked=5.0)
QUICK = Effort(runs=3, seconds=0.06, sleeps=60, blocked=2.0)

BATCH = 64

SERIES = (
    Series("go", "polyipc Go", "Go", program="polyipc_go", ours=True),
    Series("go*", f"polyipc Go x{BATCH}", "Go", program="polyipc_go", batch=BATCH, ours=True),
    Series("c", "polyipc C", "C", program="polyipc_c", ours=True),
    Series("c*", f"polyipc C x{BATCH}", "C", program="polyipc_c", batch=BATCH, ours=True),
    Series("boost", "Boost.Interprocess message_queue", "C++", program="boost"),
    Series("zmq", "ZeroMQ ipc (libzmq)", "C", program="zeromq"),
    Series("py", "polyipc Python", "Python", module="polyipc_python", ours=True),
    Series(
        "py*", f"polyipc Python x{BATCH}", "Python", module="polyipc_python", batch=BATCH, ours=True
    ),
    Series("mp", "multiprocessing.Queue", "Python", module="mp_queue"),
    Series("mps", "multiprocessing.SimpleQueue", "Python", module="mp_simple_queue"),
    Series("ff", "faster-fifo", "Python", module="fasterfifo"),
    Series("ff*", f"faster-fifo x{BATCH}", "Python", module="fasterfifo", batch=BATCH),
    Series("pyzmq", "ZeroMQ ipc (pyzmq)", "Python", module="pyzmq"),
    Series("futex", "bare futex", "C", program="futex"),
    Series("memcpy", "memcpy, one process", "C", program="memcpy"),
    Series("pipe-go", "polyipc Go", "Go", program="polyipc_pipe_go", ours=True),
    Series("pipe-c", "polyipc C", "C", program="polyipc_pipe_c", ours=True),
    Series("unix", "Unix socket pair", "C", program="unixsocket"),
    Series("zmq-pair", "ZeroMQ PAIR (libzmq)", "C", program="zeromq_pair"),
    Series("pipe-py", "polyipc Python", "Python", module="polyipc_pipe", ours=True),
    Series("mp-pipe", "multiprocessing.Pipe", "Python", module="mp_pipe"),
    Series("pyzmq-pair", "ZeroMQ PAIR (pyzmq)", "Python", module="pyzmq_pair"),
    Series("wait-go", "polyipc Go, wait.Any", "Go", program="polyipc_wait_go", ours=True),
    Series("wait-c", "polyipc C, polyipc_wait", "C", program="polyipc_wait_c", ours=True),
    Series("poll", "poll, Unix sockets", "C", program="unixsocket_poll"),
    Series("wait-py", "polyipc.wait", "Python", module="polyipc_wait", ours=True),
    Series("mp-wait", "multiprocessing.connection.wait", "Python", module="mp_wait"),
    Series("bell-py", "polyipc.Queue in epoll", "Python", module="polyipc_doorbell", ours=True),
    Series("socket-py", "socketpair in epoll", "Python", module="selected_sockets"),
    Series("aio-py", "polyipc.aio.Queue", "Python", module="polyipc_aio", ours=True),
    Series("streams-py", "asyncio streams", "Python", module="streams"),
    Series("lock-go", "polyipc Lock, Go", "Go", program="polyipc_lock_go", ours=True),
    Series("lock-c", "polyipc Lock, C", "C", program="polyipc_lock_c", ours=True),
    Series("mutex", "pthread mutex, robust", "C", program="mutex"),
    Series("semaphore", "POSIX semaphore", "C", program="semaphore"),
    Series("lock-py", "polyipc.Lock", "Python", module="polyipc_lock", ours=True),
    Series("mp-lock", "multiprocessing.Lock", "Python", module="mp_lock"),
    Series("number-go", "polyipc segment, Go", "Go", program="polyipc_segment_go", ours=True),
    Series("number-c", "polyipc segment, C", "C", program="polyipc_segment_c", ours=True),
    Series("atomic", "C11 atomic", "C", program="atomic"),
    Series("value-py", "polyipc.Value", "Python", module="polyipc_value", ours=True),
    Series("mp-value", "multiprocessing.Value", "Python", module="mp_value"),
    Series("array-py", "polyipc.Array", "Python", module="polyipc_array", ours=True),
    Series("mp-array", "multiprocessing.Array", "Python", module="mp_array"),
    Series("numpy-py", "polyipc.Segment, numpy", "Python", module="polyipc_segment", ours=True),
    Series("numpy-shm", "shared_memory, numpy", "Python", module="shared_memory"),
    Series("manager-go", "polyipc Go", "Go", program="polyipc_manager_go", ours=True),
    Series("manager-c", "polyipc C", "C", program="polyipc_manager_c", ours=True),
    Series("redis-benchmark", "Redis, redis-benchmark", "C", tool=True),
    Series("manager-py", "polyipc Python", "Python", module="polyipc_manager", ours=True),
    Series("mp-manager", "multiprocessing.Manager", "Python", module="mp_manager"),
    Series("redis-py", "Redis, redis-py", "Python", module="redis_py"),
)
BY_KEY = {s.key: s for s in SERIES}

NATIVE = ("go", "c", "boost", "zmq")
NATIVE_BATCH = ("go*", "c*")
PYTHON = ("py", "mp", "mps", "ff", "pyzmq")
PYTHON_BATCH = ("py*", "ff*")
QUEUES = NATIVE + PYTHON
ALL = QUEUES + NATIVE_BATCH + PYTHON_BATCH

PIPES_NATIVE = ("pipe-go", "pipe-c", "unix", "zmq-pair")
PIPES_PYTHON = ("pipe-py", "mp-pipe", "pyzmq-pair")
PIPES = PIPES_NATIVE + PIPES_PYTHON
MANY = ("wait-go", "wait-c", "poll", "wait-py", "mp-wait")
LOOPS = ("bell-py", "socket-py", "aio-py", "streams-py")
LOCKS = ("lock-go", "lock-c", "mutex", "semaphore", "lock-py", "mp-lock")
LOCKED = ("number-go", "number-c", "mutex", "value-py", "mp-value")
ATOMIC = ("number-go", "number-c", "atomic", "value-py")
ARRAYS = ("array-py", "mp-array", "numpy-py", "numpy-shm")

# What a manager is asked for, and by whom: not everybody has everything.
REDIS = ("redis-benchmark", "redis-py")
CLIENTS = ("manager-go", "manager-c", "manager-py")
MANAGERS = (*CLIENTS, "mp-manager")
MANAGER_VERBS = (
    ("set", "dict set", (*MANAGERS, *REDIS)),
    ("get", "dict get", (*MANAGERS, *REDIS)),
    ("append", "list append", (*MANAGERS, *REDIS)),
    ("increment", "counter", (*MANAGERS, *REDIS)),
    ("method", "hosted method", MANAGERS),
    ("batch", f"dict set x{CALLS}", (*CLIENTS, *REDIS)),
    ("kept", "dict set, on disk", (*CLIENTS, *REDIS)),
    ("filed", "dict set, in a file", (*CLIENTS, *REDIS)),
)

SIZES = (16, 64, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20)
QUICK_SIZES = (64, 4 << 10, 1 << 20)
PIPE_SIZES = (64, 4 << 10, 64 << 10, 1 << 20)
GIANT = 64 << 20


def size_name(size: int) -> str:
    """A size as a person writes it."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


SCENARIOS = (
    *(
        Scenario(
            f"flow-{size}", f"1:1, {size_name(size)}", "flow", ALL, size=size,
            quick=size in QUICK_SIZES,
        )
        for size in SIZES
    ),
    *(
        Scenario(
            f"flow-{n}x{n}", f"{n}:{n}, 64 B", "flow", ALL, producers=n, consumers=n,
            quick=n == 20,
        )
        for n in (4, 20)
    ),
    Scenario("object", "1:1, dict of 4", "flow", PYTHON + PYTHON_BATCH, payload="object"),
    *(
        Scenario(
            f"object-{n}x{n}", f"{n}:{n}, dict of 4", "flow", PYTHON + PYTHON_BATCH,
            payload="object", producers=n, consumers=n, quick=False,
        )
        for n in (4, 20)
    ),
    Scenario(
        "giant", "1:1, 64 MiB", "flow", QUEUES, size=GIANT, most_bytes=1 << 30, warm=5, quick=False
    ),
    Scenario(
        "giant-first", "the first 4", "flow", NATIVE, size=GIANT, most_bytes=256 << 20, warm=0,
        quick=False,
    ),
    Scenario(
        "giant-copy", "copied", "flow", ("memcpy",), size=GIANT, consumers=0, warm=1, quick=False
    ),
    Scenario("trip", "awake", "trip", QUEUES),
    Scenario("trip-object", "awake, dict of 4", "trip", PYTHON, payload="object"),
    Scenario(
        "trip-asleep", "both asleep", "trip", ("futex", *QUEUES), payload="object", pause=300_000
    ),
    Scenario("trip-one-cpu", "one CPU", "trip", ("futex", *QUEUES), one_cpu=True),
    Scenario("blocked", "blocked reader", "blocked", QUEUES),
    *(
        Scenario(
            f"pipe-{size}", size_name(size), "flow", PIPES, size=size, quick=size in QUICK_SIZES
        )
        for size in PIPE_SIZES
    ),
    Scenario("pipe-trip", "awake", "trip", PIPES),
    Scenario("pipe-trip-object", "awake, dict of 4", "trip", PIPES_PYTHON, payload="object"),
    Scenario(
        "pipe-trip-asleep", "both asleep", "trip", ("futex", *PIPES), payload="object",
        pause=300_000,
    ),
    *(
        Scenario(f"{key}{how}", label, "trip", series, payload="object", pause=pause)
        for key, series in (("many", MANY), ("loop", LOOPS))
        for how, label, pause in (("", "at once", 0), ("-asleep", "both asleep", 300_000))
    ),
    Scenario("lock-alone", "one process", "turns", LOCKS, verb="lock"),
    *(
        Scenario(
            f"lock-{n}", f"{n} processes", "turns", LOCKS, verb="section", holders=n, step=16
        )
        for n in (2, 4)
    ),
    *(
        Scenario(
            f"number-{verb}-{n}", f"{how}, {n} process" + ("es" if n > 1 else ""), "turns", series,
            verb=verb, holders=n, quick=n == 1,
        )
        for verb, how, series in (
            ("increment", "under its lock", LOCKED), ("atomic", "atomic", ATOMIC),
        )
        for n in (1, 2)
    ),
    Scenario("array-read", "read an item", "turns", ARRAYS, verb="read"),
    Scenario("array-write", "write an item", "turns", ARRAYS, verb="write"),
    Scenario("sum", "sum", "turns", ARRAYS, verb="sum", step=1),
    *(
        Scenario(
            f"manager-{verb}-{n}", label, "turns", series, verb=verb, holders=n,
            step=CALLS if verb == "batch" or n == 1 else 10, quick=n == 1,
        )
        for n in (1, 20)
        for verb, label, series in MANAGER_VERBS
    ),
)  # fmt: skip
