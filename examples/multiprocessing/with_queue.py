"""multiprocessing's introduction to queues, on polyipc: with_queue.py [fork|spawn|forkserver]."""

import sys

from polyipc.multiprocessing import Process, Queue, set_start_method


def f(q):
    q.put("Hello from Process")


if __name__ == "__main__":
    set_start_method(sys.argv[1] if sys.argv[1:] else None)
    q = Queue()
    p = Process(target=f, args=(q,))
    p.start()
    print(q.get())
    p.join()
