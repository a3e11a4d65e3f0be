"""What is measured, as data: the queues (series), the situations (scenarios), and how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One queue, used in one way: a column of the tables."""

    key: str
    label: str
    language: str
    program: str = ""  # in build/bench/bin, with the interface of peers/worker.h
    module: str = ""  # in bench/peers, with the interface of peers/api.py
    batch: int = 1  # messages a call
    ours: bool = False


@dataclass(frozen=True)
class Scenario:
    """One situation: a row of the tables."""

    key: str
    label: str
    kind: str  # "flow", "trip" or "blocked"
    series: tuple[str, ...]  # whom it is for
    payload: str = "bytes"  # or "object"
    size: int = 64  # bytes
    producers: int = 1
    consumers: int = 1
    pause: int = 0  # ns: both sides of a round trip sleep
    one_cpu: bool = False  # both sides share one CPU
    quick: bool = True  # also in the quick version
    most_bytes: int = 1 << 36  # of all messages of one run together
    warm: int = 1  # messages of warm-up at the least


@dataclass(frozen=True)
class Effort:
    """How thoroughly to measure."""

    runs: int  # of each series; figures are medians of them
    seconds: float  # that a run of a flow or round trip should take
    sleeps: int  # paused round trips a run
    blocked: float  # seconds that blocked readers are watched


# A full run takes less than 15 minutes on an idle machine of 2 cores, a quick one some 2.
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
)
BY_KEY = {s.key: s for s in SERIES}

NATIVE = ("go", "c", "boost", "zmq")
NATIVE_BATCH = ("go*", "c*")
PYTHON = ("py", "mp", "mps", "ff", "pyzmq")
PYTHON_BATCH = ("py*", "ff*")
QUEUES = NATIVE + PYTHON
ALL = QUEUES + NATIVE_BATCH + PYTHON_BATCH

SIZES = (16, 64, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20)
QUICK_SIZES = (64, 4 << 10, 1 << 20)
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
    Scenario("giant-copy", "copied", "flow", ("memcpy",), size=GIANT, consumers=0, quick=False),
    Scenario("trip", "awake", "trip", QUEUES),
    Scenario("trip-object", "awake, dict of 4", "trip", PYTHON, payload="object"),
    Scenario(
        "trip-asleep", "both asleep", "trip", ("futex", *QUEUES), payload="object", pause=300_000
    ),
    Scenario("trip-one-cpu", "one CPU", "trip", ("futex", *QUEUES), one_cpu=True),
    Scenario("blocked", "blocked reader", "blocked", QUEUES),
)  # fmt: skip
