"""The figures as Markdown, for the terminal, build/bench/report.md and docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Callable, Optional

from bench import scenarios
from bench.peers.api import MANY
from bench.peers.turns import ITEMS
from bench.results import Results
from bench.scenarios import BY_KEY, SCENARIOS, Effort, Scenario
from bench.targets import TARGETS

Cell = Callable[[Results, str, str], Optional[str]]


def grouped(value: float) -> str:
    """Three figures that count, in thousands or millions: 20.1 M, 188 k, 92."""
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.{0 if value >= 100 * unit else 1}f}{name}"
    return f"{value:.0f}"


def rate_cell(results: Results, scenario: str, series: str) -> str | None:
    """Messages a second."""
    value = results.median(scenario, series)
    return None if value is None else grouped(value)


def byte_cell(results: Results, scenario: str, series: str) -> str | None:
    """GiB a second, of the 64 MiB messages."""
    value = results.median(scenario, series)
    return None if value is None else f"{value * scenarios.GIANT / (1 << 30):.2f}"


def trip_cell(results: Results, scenario: str, series: str) -> str | None:
    """Microseconds."""
    value = results.median(scenario, series)
    return None if value is None else f"{value / 1000:.2f}"


def cpu_cell(results: Results, scenario: str, series: str) -> str | None:
    """Nanoseconds of CPU for each message."""
    value = results.cpu_each(scenario, series)
    return None if value is None else f"{value:.0f}"


def turn_cell(results: Results, scenario: str, series: str) -> str | None:
    """Nanoseconds a turn."""
    value = results.median(scenario, series)
    return None if value is None else f"{1e9 / value:.{0 if value < 1e8 else 1}f}"


def share_cell(results: Results, scenario: str, series: str) -> str | None:
    """Percent of a fair share."""
    value = results.shares(scenario, series)
    return None if value is None else f"{value:.0f}"


def longest_cell(results: Results, scenario: str, series: str) -> str | None:
    """Milliseconds."""
    value = results.longest(scenario, series)
    return None if value is None else f"{value / 1e6:.1f}"


def sum_cell(results: Results, scenario: str, series: str) -> str | None:
    """GiB a second, of the array that is summed."""
    value = results.median(scenario, series)
    return None if value is None else f"{value * 8 * ITEMS / (1 << 30):.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown whose source reads well too: the first column left, the others right."""
    lines = [head, *rows]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(head))]

    def written(line: Sequence[str]) -> str:
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
        return "| " + " | ".join(cells) + " |"

    rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([written(head), "| " + " | ".join(rule) + " |", *map(written, rows)])


def grid(results: Results, where: Sequence[Scenario], cell: Cell) -> str:
    """A table of series by scenarios. A cell that should have a figure and has none says so."""
    concerned = [s.key for s in scenarios.SERIES if any(s.key in w.series for w in where)]
    rows = []
    for series in concerned:
        cells = []
        for w in where:
            expected = "**failed**" if series in w.series else ""
            cells.append(cell(results, w.key, series) or expected)
        rows.append([BY_KEY[series].label, *cells])
    return table(["", *(w.label for w in where)], rows)


def verdict(met: bool | None) -> str:
    """One word."""
    return {True: "met", False: "**missed**", None: "-"}[met]


def targets(results: Results) -> str:
    """What was to be reached, and was it."""
    rows = []
    for target in TARGETS:
        what, bound, figure, met = target.row(results)
        rows.append([what, bound, figure, verdict(met)])
    return table(["target", "bound", "measured", ""], rows)


def blocked(results: Results) -> str:
    """What sleeping readers cost."""
    who = next(s for s in SCENARIOS if s.kind == "blocked").series
    rows = []
    for key in who:
        rest = results.rests.get(key)
        cells = ["**failed**"] * 2 if rest is None else [f"{rest.cpu:.3f}", f"{rest.wakeups:.1f}"]
        rows.append([BY_KEY[key].label, *cells])
    return table(["", "CPU %", "wake-ups/s"], rows)


def whole(results: Results, machine: dict[str, str], date: str, effort: Effort) -> str:
    """All of it."""
    measured = {scenario for scenario, _ in [*results.samples, *results.failures]}

    def section(title: str, cell: Cell, *keys: str) -> list[str]:
        known = [s for s in SCENARIOS if s.key in measured]
        where = [s for s in known if any(fnmatchcase(s.key, key) for key in keys)]
        return [f"### {title}\n\n{grid(results, where, cell)}"] if where else []

    sizes = tuple(f"flow-{size}" for size in scenarios.SIZES)
    fans = ("flow-64", "flow-4x4", "flow-20x20")
    pipes = tuple(f"pipe-{size}" for size in scenarios.PIPE_SIZES)
    contended = ("lock-2", "lock-4")
    parts = [
        f"{date}; " + "; ".join(f"{what} {value}" for what, value in machine.items()) + ".",
        (
            f"Medians of {effort.runs} runs of about {effort.seconds:g} s each, all queues in "
            "turn, nothing pinned."
        ),
        "### Targets\n\n" + targets(results),
        *section("Messages a second, by size", rate_cell, *sizes),
        *section("CPU for a message, ns, all processes", cpu_cell, *sizes),
        *section("Messages a second, by producers and consumers", rate_cell, *fans),
        *section("Messages a second, Python objects", rate_cell, "object*"),
        *section("64 MiB messages, GiB/s", byte_cell, "giant*"),
        *section("Round trip, µs", trip_cell, "trip*"),
    ]
    if results.rests or any(s == "blocked" for s, _ in results.failures):
        parts.append("### A reader that waits\n\n" + blocked(results))
    parts += [
        *section("Pipes, messages a second, by size", rate_cell, *pipes),
        *section("Pipes, round trip, µs", trip_cell, "pipe-trip*"),
        *section(f"Waiting for the first of {MANY}, round trip, µs", trip_cell, "many*"),
        *section("In an event loop in Python, round trip, µs", trip_cell, "loop*"),
        *section("Locks, acquire and release, ns", turn_cell, "lock-alone"),
        *section("Locks that several want, acquired a second, all together", rate_cell, *contended),
        *section("The least fortunate of them, % of a fair share", share_cell, *contended),
        *section("The longest that 16 turns took, ms", longest_cell, *contended),
        *section("Numbers, ns for an increment", turn_cell, "number*"),
        *section("Arrays in Python, ns for an item", turn_cell, "array*"),
        *section(f"Sum of {ITEMS >> 20} Mi doubles by numpy, GiB/s", sum_cell, "sum"),
    ]
    parts += section("A manager, calls a second, one client", rate_cell, "manager-*-1")
    parts += section("A manager, calls a second, 20 clients together", rate_cell, "manager-*-20")
    if results.failures:
        said = [
            f"{s}, {BY_KEY[p].label if p in BY_KEY else p}:\n\n```\n{why.strip()}\n```"
            for (s, p), why in results.failures.items()
        ]
        parts.append("### Failures\n\n" + "\n\n".join(said))
    return "\n\n".join(parts) + "\n"
