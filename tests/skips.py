"""The list of tests that may be skipped: tests/skips.txt."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports import Result

# What the first word of a line may be, and whether it holds on this machine.
CONDITIONS: dict[str, Callable[[], bool]] = {
    "always": lambda: True,
    "not-root": lambda: os.geteuid() != 0,
}


@dataclass(frozen=True)
class Listed:
    """One line: on machines where the condition holds, this test is skipped, for this reason."""

    condition: str
    suite: str
    test: str  # one that begins with "*." is that of every start method of multiprocessing
    why: str

    def names(self, test: str) -> bool:
        """Whether it is this test that is skipped."""
        any_first = self.test.startswith("*.") and test.partition(".")[2] == self.test[2:]
        return any_first or test == self.test


def read(path: Path) -> list[Listed]:
    """Reads the list. A line that does not make sense ends the run."""
    listed = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=3)
        if len(words) != 4 or words[0] not in CONDITIONS:
            conditions = " or ".join(CONDITIONS)
            raise SystemExit(f"{path}:{number}: want {conditions}, suite, test, why; got: {line}")
        listed.append(Listed(*words))
    return listed


def check(suite: str, results: Sequence[Result], listed: Sequence[Listed]) -> list[Result]:
    """Prints the suite's skips with their reasons; returns a failure for each that is not listed,
    and for each line of the list that is stale."""
    failures = []
    expected = [e for e in listed if e.suite == suite and CONDITIONS[e.condition]()]
    skipped = {r.test: r for r in results if r.outcome == "skipped"}
    for test, result in skipped.items():
        lines = [e for e in expected if e.names(test)]
        if lines:
            print(f"  skipped {suite} {test}: {lines[0].why}")
        else:
            text = f"skipped, but tests/skips.txt does not list it: {result.text}"
            failures.append(Result(test, "failed", text))
    for line in expected:
        if not any(line.names(test) for test in skipped):
            text = "tests/skips.txt says that this test is skipped, but it ran or does not exist"
            failures.append(Result(line.test, "failed", text))
    return failures
