"""Runs test cases under one start method and says what comes of each, a JSON object a line.

    COMPAT_METHOD=spawn worker.py EVENTS TEST ...

EVENTS is a file; run.py reads it. This file is the main module of what the tests start: children
import it, and so get the test cases, whatever the start method.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import unittest
from pathlib import Path
from typing import Any, TextIO

import cases

CASES = {n: c for n, c in vars(cases).items() if isinstance(c, type)}


def collect() -> list[str]:
    """The names of all tests, class by class."""
    names = []
    for name, case in CASES.items():
        if issubclass(case, unittest.TestCase):
            names += [f"{name}.{t}" for t in unittest.defaultTestLoader.getTestCaseNames(case)]
    return names


class Reporter(unittest.TestResult):
    """Writes an event when a test starts and one when it is over."""

    def __init__(self, events: TextIO) -> None:
        super().__init__()
        self._events = events
        self._outcome, self._text = "passed", ""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._outcome, self._text = "passed", ""
        self.tell("start", name(test))

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.tell(self._outcome, name(test), self._text)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._note(test, "failed", "".join(traceback.format_exception(*err)))

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.addError(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", f"{subtest}\n" + "".join(traceback.format_exception(*err)))

    def _note(self, test: Any, outcome: str, text: str) -> None:
        if not isinstance(test, unittest.TestCase):  # what happens around the tests of a class
            self.tell(outcome, name(test), text)
            return
        if self._outcome != "failed":
            self._outcome = outcome
        self._text += text

    def tell(self, event: str, test: str, text: str = "") -> None:
        """Writes an event."""
        self._events.write(json.dumps({"event": event, "test": test, "text": text}) + "\n")
        self._events.flush()


def name(test: Any) -> str:
    """A test's name without its module; for what happens around tests, that of the class."""
    if isinstance(test, unittest.TestCase):
        return ".".join(test.id().split(".")[-2:])
    # unittest calls it "setUpClass (cases.WithManagerTestPool)".
    when, _, where = str(test).partition(" ")
    return f"{where.strip('()').rpartition('.')[2]}.({when})"


def main() -> None:
    """Runs the tests named on the command line."""
    with Path(sys.argv[1]).open("a") as events:
        if len(sys.argv) == 2:
            for test in collect():
                events.write(json.dumps({"event": "collected", "test": test, "text": ""}) + "\n")
            return
        os.register_at_fork(after_in_child=events.close)
        loader = unittest.defaultTestLoader
        unittest.TestSuite(loader.loadTestsFromNames(sys.argv[2:], cases)).run(Reporter(events))


if __name__ == "__main__":
    main()
