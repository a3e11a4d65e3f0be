"""How the suites are run in a copy of the tree: each builds what its own tests need."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PROGRAMS = {"c": "bindings/c/tests", "fork": "tests/fork/c"}  # where cmake/c.cmake has them from


def python(tests: str) -> str:
    """Runs tests of the Python package, the copy's own, also in the programs that they start.

    Of one that hangs, pytest says after a minute where it stands.
    """
    return on_library(f"-m pytest -q -x -o faulthandler_timeout=60 bindings/python/tests/{tests}")


def on_library(arguments: str) -> str:
    """Runs Python, whose `polyipc` and library are the copy's."""
    return _built(
        "polyipc_library",
        'export PYTHONPATH="$PWD/bindings/python"\n'
        f"exec timeout 300 {shlex.quote(sys.executable)} {arguments}",
    )


def c(*tests: str) -> str:
    """Runs C tests by the names that ctest lists; a * at the end stands for all that begin so."""
    targets = []
    for test in tests:
        prefix, _, pattern = test.partition("-")
        targets += [f"{prefix}-{p.stem}" for p in (TOP / PROGRAMS[prefix]).glob(f"{pattern}.c")]
    chosen = "|".join(test.replace("*", ".*") for test in tests)
    return _built(
        " ".join(sorted(targets)),
        f"exec ctest --test-dir build --stop-on-failure --timeout 60 -R '^({chosen})$'",
    )


def _built(targets: str, command: str) -> str:
    return "sh -c " + shlex.quote(
        "if ! { { test -e build/CMakeCache.txt || cmake -S . -B build; }"
        f" && cmake --build build --parallel --target {targets}; }} >/dev/null 2>&1\n"
        f'then echo "[build failed]"; exit 1; fi\n{command}'
    )
