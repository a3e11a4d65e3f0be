"""Plots of the figures, as PNG."""

from __future__ import annotations

import importlib
from pathlib import Path

from bench.results import Results
from bench.scenarios import (
    BY_KEY,
    NATIVE,
    NATIVE_BATCH,
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

    for name, keys in (("native", NATIVE + NATIVE_BATCH), ("python", PYTHON + PYTHON_BATCH)):
        figure, axes = pyplot.subplots(figsize=(8, 5))
        for key in keys:
            points = [(size, results.median(f"flow-{size}", key)) for size in SIZES]
            known = [(size, rate) for size, rate in points if rate is not None]
            if known:
                width = 2.0 if BY_KEY[key].ours else 1.0
                axes.plot(*zip(*known), marker="o", linewidth=width, label=BY_KEY[key].label)
        axes.set(xscale="log", yscale="log", ylabel="messages a second", xlabel="size of a message")
        axes.set_title("One producer, one consumer")
        axes.set_xticks(SIZES, [size_name(size) for size in SIZES], rotation=45)
        axes.minorticks_off()
        axes.grid(visible=True, alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small")
        made.append(save(figure, directory / f"throughput-{name}.png"))
        pyplot.close(figure)

    trips = [s for s in SCENARIOS if s.key in ("trip", "trip-asleep", "trip-one-cpu")]
    figure, panels = pyplot.subplots(1, len(trips), figsize=(12, 4), sharey=False)
    for axes, scenario in zip(panels, trips):
        times = [(BY_KEY[k].label, results.median(scenario.key, k)) for k in scenario.series]
        there = [(label, ns / 1000) for label, ns in times if ns is not None]
        if there:
            axes.barh(*zip(*there))
        axes.set(xscale="log", title=f"round trip, {scenario.label}", xlabel="µs")
        axes.tick_params(axis="y", labelsize="x-small")
    made.append(save(figure, directory / "round-trips.png"))
    pyplot.close(figure)
    return made


def save(figure: object, path: Path) -> Path:
    """Write a figure."""
    figure.tight_layout()  # type: ignore[attr-defined]
    figure.savefig(path, dpi=120)  # type: ignore[attr-defined]
    return path
