"""Some fifty kinds of value come out of the drop-in as they come out of multiprocessing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import PATIENCE

PROGRAM = Path(__file__).with_name("support") / "carry_values.py"


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(
    "way", ["queue", "joinable", "simple", "pipe", "dict", "list", "proxy", "live"]
)
def test_values(way: str, method: str) -> None:
    command = [sys.executable, "-W", "ignore", str(PROGRAM), method, way]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
