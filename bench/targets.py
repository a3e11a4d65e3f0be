"""What polyipc must reach, and whether it does. Targets without a function are measured elsewhere,
or not built yet: they are named, so that the list is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from bench.results import Results
from bench.scenarios import GIANT


@dataclass(frozen=True)
class Target:
    """One row: what, the bound, and how to find the figure. at_least: else at most."""

    what: str
    bound: float
    figure: Callable[[Results], float | None] | None = None
    at_least: bool = True
    form: str = "{:.1f}x"  # how figure and bound are written
    why: str = ""  # there is no figure

    def row(self, results: Results) -> tuple[str, str, str, bool | None]:
        """What, target, figure, and whether it is met; None: not measured here."""
        target = ("≥ " if self.at_least else "≤ ") + self.form.format(self.bound)
        if self.figure is None:
            return self.what, target, self.why, None
        value = self.figure(results)
        if value is None:
            if results.failures:
                return self.what, target, "missing", False
            return self.what, target, "not in this run", None
        met = value >= self.bound if self.at_least else value <= self.bound
        return self.what, target, self.form.format(value), met


Figure = Callable[[Results], Optional[float]]


def scaled(scenario: str, series: str, factor: float) -> Figure:
    """A median in another unit."""

    def figure(results: Results) -> float | None:
        value = results.median(scenario, series)
        return None if value is None else value * factor

    return figure


def turn(scenario: str, series: str) -> Figure:
    """Nanoseconds a turn."""

    def figure(results: Results) -> float | None:
        value = results.median(scenario, series)
        return None if value is None else 1e9 / value

    return figure


def ratio(scenario: str, ours: str, theirs: str) -> Figure:
    """Ours to theirs, within the rounds."""
    return lambda results: results.ratio(scenario, ours, theirs)


def copied(series: str) -> Figure:
    """Bytes of 64 MiB messages a second, to those that memcpy copies; in percent."""

    def figure(results: Results) -> float | None:
        flow, copy = results.median("giant", series), results.median("giant-copy", "memcpy")
        return None if flow is None or copy is None else flow / copy * 100

    return figure


def resting(series: str, what: str) -> Figure:
    """A figure of a blocked reader."""

    def figure(results: Results) -> float | None:
        rest = results.rests.get(series)
        return None if rest is None else float(getattr(rest, what))

    return figure


MILLIONS, THOUSANDS, NS, PERCENT = "{:.1f} M/s", "{:.0f} k/s", "{:.0f} ns", "{:.0f} %"

TARGETS = (
    Target("Go to Go, 1:1, 64 B", 20, scaled("flow-64", "go", 1e-6), form=MILLIONS),
    Target("Go to Go, 1:1, 64 B, to Boost", 2, ratio("flow-64", "go", "boost")),
    Target("C to C, single calls, to Boost", 1, ratio("flow-64", "c", "boost")),
    Target("C to C, batches of 64, to Boost", 3, ratio("flow-64", "c*", "boost")),
    Target("C to C, batches of 64, to ZeroMQ ipc", 5, ratio("flow-64", "c*", "zmq")),
    Target("one way, both awake, Go", 150, scaled("trip", "go", 0.5), False, NS),
    Target("one way, both awake, C", 250, scaled("trip", "c", 0.5), False, NS),
    *(
        Target(
            f"round trip, {how}, {name}, to a bare futex", 1.3,
            ratio(key, series, "futex"), False, "{:.2f}x",
        )
        for key, how in (("trip-asleep", "both asleep"), ("trip-one-cpu", "asleep on one CPU"))
        for series, name in (("go", "Go"), ("c", "C"))
    ),
    Target("Python, objects, single, to multiprocessing.Queue", 5, ratio("object", "py", "mp")),
    Target("Python, objects, single, to faster-fifo", 3, ratio("object", "py", "ff")),
    Target(
        "Python, objects, round trip, to multiprocessing.Queue", 1 / 20,
        ratio("trip-object", "py", "mp"), False, "{:.3f}x",
    ),
    Target("Python, objects, batches, to multiprocessing.Queue", 15, ratio("object", "py*", "mp")),
    Target("Python, objects, batches, to faster-fifo's", 5, ratio("object", "py*", "ff*")),
    Target("Python, 20:20, 64 B", 200, scaled("flow-20x20", "py", 1e-3), form=THOUSANDS),
    Target(f"{GIANT >> 20} MiB copied, to memcpy, Go", 80, copied("go"), form=PERCENT),
    Target(f"{GIANT >> 20} MiB copied, to memcpy, C", 80, copied("c"), form=PERCENT),
    *(
        Target(f"blocked reader, {what}, {name}", bound, resting(series, field), False, form)
        for field, what, bound, form in (
            ("cpu", "CPU", 0.1, "{:.3f} %"),
            ("wakeups", "wake-ups", 12, "{:.1f}/s"),
        )
        for series, name in (("go", "Go"), ("c", "C"), ("py", "Python"))
    ),
    Target("kill to recovery, p99", 100, None, False, "{:.0f} ms", "`make chaos` reports it"),
    Target("lock and unlock, uncontended, Go", 50, turn("lock-alone", "lock-go"), False, NS),
    Target("lock and unlock, C, to a robust mutex", 1, ratio("lock-alone", "lock-c", "mutex")),
    *(
        Target(f"{what}, Python, to {theirs}", 1, ratio(key, ours, their))
        for what, theirs, key, ours, their in (
            ("lock and unlock", "multiprocessing.Lock", "lock-alone", "lock-py", "mp-lock"),
            ("increment", "multiprocessing.Value", "number-increment-1", "value-py", "mp-value"),
            ("pipe, 64 B", "multiprocessing.Pipe", "pipe-64", "pipe-py", "mp-pipe"),
        )
    ),
    Target(
        "pipe, round trip, Python, to multiprocessing.Pipe", 1,
        ratio("pipe-trip", "pipe-py", "mp-pipe"), False, "{:.3f}x",
    ),
    *(
        Target(
            f"manager, one client, {what}, {name}", bound, scaled(key, series, 1e-3), form=THOUSANDS
        )
        for what, key, bounds in (
            ("dict set", "manager-set-1", (500, 500, 150)),
            ("batches of 100", "manager-batch-1", (1000, 1000, 1000)),
        )
        for (series, name), bound in zip(
            (("manager-go", "Go"), ("manager-c", "C"), ("manager-py", "Python")), bounds
        )
    ),
)  # fmt: skip
