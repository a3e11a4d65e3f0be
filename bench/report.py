"""The figures as Markdown, for the terminal, build/bench/report.md and docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, Optional

from bench import scenarios
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

    def section(title: str, prefix: str, cell: Cell) -> list[str]:
        where = [s for s in SCENARIOS if s.key in measured and s.key.startswith(prefix)]
        return [f"### {title}\n\n{grid(results, where, cell)}"] if where else []

    sizes = tuple(f"flow-{size}" for size in scenarios.SIZES)
    by_size = [s for s in SCENARIOS if s.key in sizes and s.key in measured]
    fans = [
        s for s in SCENARIOS if s.key in ("flow-64", "flow-4x4", "flow-20x20") and s.key in measured
    ]
    giants = [s for s in SCENARIOS if s.key.startswith("giant") and s.key in measured]
    parts = [
        f"{date}; " + "; ".join(f"{what} {value}" for what, value in machine.items()) + ".",
        (
            f"Medians of {effort.runs} runs of about {effort.seconds:g} s each, all queues in "
            "turn, nothing pinned."
        ),
        "### Targets\n\n" + targets(results),
    ]
    if by_size:
        parts.append("### Messages a second, by size\n\n" + grid(results, by_size, rate_cell))
        parts.append(
            "### CPU for a message, ns, all processes\n\n" + grid(results, by_size, cpu_cell)
        )
    if fans:
        parts.append(
            "### Messages a second, by producers and consumers\n\n" + grid(results, fans, rate_cell)
        )
    parts += section("Messages a second, Python objects", "object", rate_cell)
    if giants:
        parts.append("### 64 MiB messages, GiB/s\n\n" + grid(results, giants, byte_cell))
    parts += section("Round trip, µs", "trip", trip_cell)
    if results.rests or any(s == "blocked" for s, _ in results.failures):
        parts.append("### A reader that waits\n\n" + blocked(results))
    if results.failures:
        said = [
            f"{s}, {BY_KEY[p].label if p in BY_KEY else p}:\n\n```\n{why.strip()}\n```"
            for (s, p), why in results.failures.items()
        ]
        parts.append("### Failures\n\n" + "\n\n".join(said))
    return "\n\n".join(parts) + "\n"
