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
    here = number(platform.python_version())
    found = {
        test: Deviation(" ".join(why), where.endswith("?"))
        for where, since, test, *why in lines("deviations.txt")
        if where.rstrip("?") in (method, "all") and here >= number(since)
    }
    if len(found) > MOST:
        raise SystemExit(f"deviations.txt has {len(found)} tests for {method}; {MOST} may deviate")
    return found


def miscounted(method: str, tests: int, skipped: int) -> str:
    """What is wrong with how many tests there are, and how many of them are skipped; or nothing.

    A version that collected.txt has must fit exactly. Another one must run no fewer tests than the
    nearest version before it with the same minor number; without one, the nearest after it.
    """
    pins = {
        number(version): (int(all_), int(skips))
        for version, where, all_, skips in lines("collected.txt")
        if where == method
    }
    here = number(platform.python_version())
    found = f"{tests} tests, {skipped} of them skipped"
    if here in pins:
        wanted = pins[here]
        if (tests, skipped) == wanted:
            return ""
        return f"{found}, where collected.txt has {wanted[0]} and {wanted[1]} for {method}"
    near = sorted(pin for pin in pins if pin[:2] == here[:2])
    if not near:
        return (
            f"{found}; collected.txt has nothing for Python {here[0]}.{here[1]}: count, and add it"
        )
    pin = max((v for v in near if v < here), default=near[0])
    run = pins[pin][0] - pins[pin][1]
    if tests - skipped >= run:
        return ""
    name = ".".join(map(str, pin))
    return (
        f"{found}: fewer run than the {run} that collected.txt has for {name}, the nearest to this"
    )


def number(version: str) -> tuple[int, ...]:
    """A version in numbers; "3.14.0rc1" counts as 3.14.0."""
    return tuple(int(re.match(r"\d+", part)[0]) for part in version.split(".")[:3])  # type: ignore[index]


def unexpected(test: str, said: str) -> list[str]:
    """The lines that the processes of a test should not have written."""
    allowed, _ = SAYS.get(test, ("", ""))
    return [line for line in said.splitlines() if not re.fullmatch(allowed, line)]


def foreign(test: str, calls: list[str]) -> bool:
    """Whether what these calls made is polyipc's to make; for threads it is not."""
    return not test.startswith("WithThreads") and not any(call in OWN for call in calls)
