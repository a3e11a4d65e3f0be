"""Programs of multiprocessing for tests: each on its own, in a file, since spawn runs it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from running import PATIENCE

METHODS = ("fork", "spawn", "forkserver")

HEAD = """
import gc, os, sys, threading, time
import polyipc
import polyipc.multiprocessing as multiprocessing

context = multiprocessing.get_context(sys.argv[1])

class Gate:
    "Holds its reader up, and so whatever is pickled behind it, until the file is there."

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return passed, (self.path,)

def passed(path):
    while not os.path.exists(path):
        time.sleep(0.01)

def run(target, *args, dropped=()):
    "Runs a process whose arguments their maker drops, or closes, before it can see them."
    gate = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "gate")
    p = context.Process(target=target, args=(Gate(gate), *args))
    p.start()
    del args
    for x in dropped:
        x.close()
    del dropped
    drop(p)
    gc.collect()
    with open(gate, "w"):
        pass
    p.join(60)
    assert p.exitcode == 0, p.exitcode

def drop(process):
    "What a process keeps of its arguments in its parent."
    for name in ("_args", "_kwargs", "_target"):
        if hasattr(process, name):
            delattr(process, name)
"""

TAIL = """

if __name__ == "__main__":
    main()
    print("done")
"""


def run(folder: Path, method: str, program: str) -> None:
    """Runs a program, whose main function must return, under a start method."""
    file = folder / "program.py"
    file.write_text(HEAD + program + TAIL)
    with subprocess.Popen(
        [sys.executable, str(file), method],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what it started
            raise
    assert (process.returncode, out, err) == (0, "done\n", ""), err
