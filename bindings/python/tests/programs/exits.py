"""A program that ends with everything still in use, as short scripts do: exits.py METHOD."""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any

import polyipc.multiprocessing as mp


def square(x: int) -> int:
    return x * x


def wait(q: Any) -> None:
    q.get()


def late(q: Any) -> None:
    """Leave a thread behind that uses a queue when all finalizers of this process have run."""
    over = threading.Event()
    mp.util.Finalize(None, over.set, exitpriority=-(10**6))

    def put() -> None:
        over.wait(0.3)
        q.put("late")

    threading.Thread(target=put).start()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ResourceWarning)  # of the pool
    mp.set_start_method(sys.argv[1])
    pool = mp.Pool(2)
    print(pool.map(square, range(3)))
    values = mp.Manager().dict(a=1)
    print(values["a"])
    q = mp.Queue()
    mp.Process(target=late, args=(q,)).start()
    print(q.get(timeout=60))
    mp.Process(target=wait, args=(q,), daemon=True).start()
    threading.Thread(target=wait, args=(q,), daemon=True).start()
    print("over")
