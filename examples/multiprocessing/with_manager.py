"""multiprocessing's introduction to managers, on polyipc:

with_manager.py [fork|spawn|forkserver]
"""

import sys

from polyipc.multiprocessing import Manager, Process, set_start_method


def f(d, key):
    d[key] = "Hello from Process"


if __name__ == "__main__":
    set_start_method(sys.argv[1] if sys.argv[1:] else None)
    d = Manager().dict()
    p = Process(target=f, args=(d, "greeting"))
    p.start()
    p.join()
    print(d["greeting"])
