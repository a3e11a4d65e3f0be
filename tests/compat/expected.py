"""What the run expects of CPython's tests: how many there are, and which of them fail."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
MOST = 3  # deviations of a start method

# Where CPython makes a connection or lock of its own although polyipc has one, and why it may.
# Any of the functions on the way there says which place it is; or the test does, whose own it is.
OWN = {
    "pool._change_notifier": "a pool's threads wake each other, no other process",
    "connection.Client": "what is made there is CPython's, and becomes a class of ours",
    "connection.accept": "likewise",
    "_test_multiprocessing.test_invalid_handles": "connections of numbers that are no descriptors",
    "_test_multiprocessing.test_no_import_lock_contention": "a module that the test writes",
}


# What the processes of a test may say, and why.
SAYS = {
    "WithManagerTestContainers.(class)": (
        r"Warning -- Shared objects which still exist at manager shutdown:|Warning -- py.list: 1",
        "a list in itself stays until its server ends, as CPython's does, which it does not count",
    ),
}


class Deviation(NamedTuple):
    """A line of deviations.txt."""

    why: str
    may_pass: bool


def lines(name: str) -> list[list[str]]:
    """The lines of a list, in words."""
    text = (HERE / name).read_text()
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def deviations(method: str) -> dict[str, Deviation]:
    """The tests that are known to fail under a start method."""
    found = {
        test: Deviation(" ".join(why), where.endswith("?"))
        for where, test, *why in lines("deviations.txt")
        if where.rstrip("?") in (method, "all")
    }
    if len(found) > MOST:
        raise SystemExit(f"deviations.txt has {len(found)} tests for {method}; {MOST} may deviate")
    return found


def counts(method: str) -> tuple[int, int] | None:
    """How many tests there are under a start method, and how many of these are skipped."""
    for version, where, tests, skipped in lines("collected.txt"):
        if version == platform.python_version() and where == method:
            return int(tests), int(skipped)
    return None


def unexpected(test: str, said: str) -> list[str]:
    """The lines that the processes of a test should not have written."""
    allowed, _ = SAYS.get(test, ("", ""))
    return [line for line in said.splitlines() if not re.fullmatch(allowed, line)]


def foreign(test: str, calls: list[str]) -> bool:
    """Whether what these calls made is polyipc's to make; for threads it is not."""
    return not test.startswith("WithThreads") and not any(call in OWN for call in calls)
