"""Plots of the figures, as PNG."""

from __future__ import annotations

import importlib
from pathlib import Path

from bench.results import Results
from bench.scenarios import (
    BY_KEY,
    NATIVE,
    NATIVE_BATCH,
    PIPE_SIZES,
    PIPES,
    PYTHON,
    PYTHON_BATCH,
    SCENARIOS,
    SIZES,
    size_name,
)


def draw(results: Results, directory: Path) -> list[Path]:
    """Draw what there is into files in directory; return their names."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    made = []

    for name, keys, prefix, sizes, title in (
        ("throughput-native", NATIVE + NATIVE_BATCH, "flow", SIZES, "One producer, one consumer"),
        ("throughput-python", PYTHON + PYTHON_BATCH, "flow", SIZES, "One producer, one consumer"),
        ("throughput-pipes", PIPES, "pipe", PIPE_SIZES, "Pipes, one way"),
    ):
        figure, axes = pyplot.subplots(figsize=(8, 5))
        for key in keys:
            points = [(size, results.median(f"{prefix}-{size}", key)) for size in sizes]
            known = [(size, rate) for size, rate in points if rate is not None]
            if known:
                width = 2.0 if BY_KEY[key].ours else 1.0
                axes.plot(*zip(*known), marker="o", linewidth=width, label=BY_KEY[key].label)
        axes.set(xscale="log", yscale="log", ylabel="messages a second", xlabel="size of a message")
        axes.set_title(title)
        axes.set_xticks(sizes, [size_name(size) for size in sizes], rotation=45)
        axes.minorticks_off()
        axes.grid(visible=True, alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small")
        made.append(save(figure, directory / f"{name}.png"))
        pyplot.close(figure)

    for name, title, which, factor, unit in (
        ("round-trips", "round trip", ("trip", "trip-asleep", "trip-one-cpu"), 1e-3, "µs"),
        ("round-trips-pipes", "pipe", ("pipe-trip", "pipe-trip-asleep"), 1e-3, "µs"),
        ("locks", "lock", ("lock-alone", "lock-2", "lock-4"), 1e-6, "million a second"),
        (
            "numbers", "increment",
            ("number-increment-1", "number-atomic-1", "number-increment-2", "number-atomic-2"),
            1e-6, "million a second",
        ),
    ):  # fmt: skip
        shown = [s for s in SCENARIOS if s.key in which]
        figure, panels = pyplot.subplots(1, len(shown), figsize=(4 * len(shown), 4), sharey=False)
        for axes, scenario in zip(panels, shown):
            values = [(BY_KEY[k].label, results.median(scenario.key, k)) for k in scenario.series]
            there = [(label, value * factor) for label, value in values if value is not None]
            if there:
                axes.barh(*zip(*there))
            axes.set(title=f"{title}, {scenario.label}", xlabel=unit)
            if unit == "µs":
                axes.set(xscale="log")
            axes.tick_params(axis="y", labelsize="x-small")
        made.append(save(figure, directory / f"{name}.png"))
        pyplot.close(figure)
    return made


def save(figure: object, path: Path) -> Path:
    """Write a figure."""
    figure.tight_layout()  # type: ignore[attr-defined]
    figure.savefig(path, dpi=120)  # type: ignore[attr-defined]
    return path
