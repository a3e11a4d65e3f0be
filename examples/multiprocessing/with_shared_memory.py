"""multiprocessing's introduction to shared memory, on polyipc:

with_shared_memory.py [fork|spawn|forkserver]
"""

import sys

from polyipc.multiprocessing import Array, Process, Value, set_start_method


def f(n, a):
    n.value = 3.14159
    for i in range(len(a)):
        a[i] *= 2


if __name__ == "__main__":
    set_start_method(sys.argv[1] if sys.argv[1:] else None)
    num = Value("d", 0.0)
    arr = Array("i", range(5))
    p = Process(target=f, args=(num, arr))
    p.start()
    p.join()
    print(num.value)
    print(arr[:])
