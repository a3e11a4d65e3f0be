"""Packages that work on top of multiprocessing, as they are on PyPI, on top of polyipc.

Each program beside this file is run under each start method, in a root of its own. It has failed if
it exits with an error, writes to stderr, hangs, or leaves something in its root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = sorted(p.stem for p in HERE.glob("*.py") if not p.stem.startswith("test_"))
SECONDS = 120


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="test-root-", dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, method: str, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / f"{program}.py", method],
        env={**os.environ, "POLYIPC_ROOT": str(root)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "all right"
    assert [p.name for p in root.iterdir() if p.name != "members"] == []
