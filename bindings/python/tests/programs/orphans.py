"""A pool whose parent is killed: orphans.py METHOD prints the pids of its workers and waits."""

from __future__ import annotations

import os
import sys
import time

import polyipc.multiprocessing as mp


def pid(x: int) -> int:  # noqa: ARG001
    time.sleep(0.01)
    return os.getpid()


if __name__ == "__main__":
    mp.set_start_method(sys.argv[1])
    pool = mp.Pool(2)
    pids: set[int] = set()
    while len(pids) < 2:
        pids |= set(pool.map(pid, range(20), chunksize=1))
    print(*pids, flush=True)
    time.sleep(600)
