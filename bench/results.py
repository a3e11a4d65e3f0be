"""The samples of a whole run of the benchmark, and the figures that are taken from them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, Callable

from bench.blocked import Rest
from bench.measure import Sample
from bench.scenarios import BY_KEY, SCENARIOS

Key = tuple[str, str]  # scenario, series


def rate(sample: Sample) -> float:
    """Messages or turns a second."""
    return sample.rate


def trip(sample: Sample) -> float:
    """Median round trip in ns."""
    return sample.trip


FIGURE: dict[str, Callable[[Sample], float]] = {"flow": rate, "trip": trip, "turns": rate}
UNITS = {"flow": "messages/s", "trip": "ns", "turns": "turns/s"}


@dataclass
class Results:
    """What was measured."""

    samples: dict[Key, list[Sample]] = field(default_factory=dict)  # in the order of the rounds
    rests: dict[str, Rest] = field(default_factory=dict)  # blocked readers, by series
    failures: dict[Key, str] = field(default_factory=dict)

    def figures(self, scenario: str, series: str) -> list[float]:
        """One figure a round: messages a second, or ns."""
        kind = next(s.kind for s in SCENARIOS if s.key == scenario)
        return [FIGURE[kind](sample) for sample in self.samples.get((scenario, series), [])]

    def median(self, scenario: str, series: str) -> float | None:
        """The figure that the tables show; None if there is none."""
        figures = self.figures(scenario, series)
        return statistics.median(figures) if figures else None

    def ratio(self, scenario: str, ours: str, theirs: str) -> float | None:
        """Median of the ratios within the rounds: what slowed a whole round slowed both."""
        pairs = list(zip(self.figures(scenario, ours), self.figures(scenario, theirs)))
        return statistics.median(a / b for a, b in pairs) if pairs else None

    def shares(self, scenario: str, series: str) -> float | None:
        """Turns of the holder that had the fewest, in percent of its fair share: median."""
        samples = self.samples.get((scenario, series), [])
        return statistics.median(s.least for s in samples) if samples else None

    def longest(self, scenario: str, series: str) -> float | None:
        """The longest that a holder was at one step, in ns: median."""
        samples = self.samples.get((scenario, series), [])
        return statistics.median(s.longest for s in samples) if samples else None

    def cpu_each(self, scenario: str, series: str) -> float | None:
        """CPU time of all processes for one message, in ns; warm-up left out."""
        samples = self.samples.get((scenario, series), [])
        each = [s.cpu / s.messages for s in samples if s.messages]
        return statistics.median(each) if each else None

    def json(self) -> dict[str, Any]:
        """All figures, for programs."""
        figures: list[dict[str, Any]] = []
        for (scenario, series), samples in self.samples.items():
            kind = next(s.kind for s in SCENARIOS if s.key == scenario)
            runs = self.figures(scenario, series)
            figures.append(
                {
                    "scenario": scenario,
                    "series": series,
                    "label": BY_KEY[series].label,
                    "unit": UNITS[kind],
                    "median": statistics.median(runs),
                    "runs": runs,
                    "messages": [s.messages for s in samples],
                    "duration_ns": [s.duration for s in samples],
                    "cpu_ns": [s.cpu for s in samples],
                }
            )
            if kind == "turns":
                figures[-1]["turns_each"] = [s.each for s in samples]
                figures[-1]["longest_ns"] = [s.longest for s in samples]
        rests = {
            key: {"cpu_percent": rest.cpu, "wakeups_per_second": rest.wakeups}
            for key, rest in self.rests.items()
        }
        failures = [
            {"scenario": s, "series": p, "why": why} for (s, p), why in self.failures.items()
        ]
        return {"figures": figures, "blocked": rests, "failures": failures}
