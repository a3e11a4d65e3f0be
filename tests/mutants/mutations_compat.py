"""Mutants of CPython's tests over the drop-in: that they run over it, and see what is wrong."""

from __future__ import annotations

from mutant import Mutant
from suites import on_library

SUITES_COMPAT = {
    "compat": on_library("tests/compat/compat.py --method fork --only WithProcessesTestQueue"),
}

MUTANTS_COMPAT = (
    Mutant(
        "the tests run over multiprocessing itself",
        "tests/compat/swap.py",
        'if level or name.partition(".")[0] != THEIRS or unchanged():',
        "if name:",
        "compat",
    ),
    Mutant(
        "a queue of the drop-in has no bound",
        "bindings/python/polyipc/multiprocessing/queues.py",
        "super().__init__(maxsize, pickle=True, **options)",
        "super().__init__(0, pickle=True, **options)",
        "compat",
    ),
    Mutant(
        "a test is said to deviate that passes",
        "tests/compat/deviations.txt",
        "all 3.9 WithProcessesTestQueue.test_queue_feeder_donot_stop_onexc an",
        "all 3.9 WithProcessesTestQueue.test_put an",
        "compat",
    ),
)
