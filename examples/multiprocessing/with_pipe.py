"""multiprocessing's introduction to pipes, on polyipc: with_pipe.py [fork|spawn|forkserver]."""

import sys

from polyipc.multiprocessing import Pipe, Process, set_start_method


def f(conn):
    conn.send("Hello from Process")
    conn.close()


if __name__ == "__main__":
    set_start_method(sys.argv[1] if sys.argv[1:] else None)
    parent_conn, child_conn = Pipe()
    p = Process(target=f, args=(child_conn,))
    p.start()
    print(parent_conn.recv())
    p.join()
