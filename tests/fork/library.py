"""libpolyipc.so as the fork tests call it, and children that are waited for with a limit.

The tests go through the functions that the Python binding goes through (capi/pyshim.h), and not
through the binding: what they show must hold for the library alone.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATH = os.environ.get("POLYIPC_LIBRARY") or str(
    Path(__file__).resolve().parents[2] / "build" / "lib" / "libpolyipc.so"
)

RAW, MSGPACK = 0, 1
OK, TIMEOUT, EMPTY, FULL, INTERRUPTED, BAD_HANDLE, INVALID = 0, 1, 2, 3, 6, 13, 14
FOREVER, TRY = -1, 0

# The list of pyshim.h itself, so that it is never an old one.
SHIMS = Path(__file__).resolve().parents[2] / "capi" / "pyshim.h"
PYTHON_FUNCTIONS = re.findall(r"^    X\((\w+),", SHIMS.read_text(), re.MULTILINE)

plain = ctypes.CDLL(PATH)
shims = ctypes.PyDLL(PATH)

addresses = (ctypes.c_void_p * len(PYTHON_FUNCTIONS))(
    *(ctypes.cast(getattr(ctypes.pythonapi, n), ctypes.c_void_p) for n in PYTHON_FUNCTIONS)
)
tell = ctypes.py_object(lambda: None)
assert shims.polyipc_py_init(addresses, len(PYTHON_FUNCTIONS) - 1, tell) == INVALID
assert shims.polyipc_py_init(addresses, len(PYTHON_FUNCTIONS), tell) == OK

shims.polyipc_py_queue.restype = ctypes.py_object

Message = Any  # bytes, (bytes, format), or an int, the status


def detail() -> str:
    """What the last failed call of this thread has to say."""
    buffer = ctypes.create_string_buffer(1024)
    plain.polyipc_error_detail(buffer, ctypes.c_size_t(len(buffer)))
    return buffer.value.decode()


class Queue:
    """An anonymous queue."""

    def __init__(self) -> None:
        out = ctypes.c_uint32()
        assert plain.polyipc_queue_create(None, None, ctypes.byref(out)) == OK, detail()
        self.id = out.value
        self.calls = shims.polyipc_py_queue(self.id)

    def put(self, data: bytes, timeout_us: int = FOREVER, format_: int = MSGPACK) -> int:
        status: int = self.calls[0](data, format_, timeout_us * 1000)
        return status

    def put_many(self, messages: Any, start: int = 0, timeout_us: int = FOREVER) -> int:
        n: int = self.calls[1](messages, start, MSGPACK, timeout_us * 1000)
        return n

    def get(self, timeout_us: int = 20_000_000) -> Message:
        return self.calls[2](timeout_us * 1000)

    def get_many(self, most: int, timeout_us: int = 20_000_000) -> Any:
        return self.calls[3](most, timeout_us * 1000)

    def lease(self, timeout_us: int = 20_000_000) -> Any:
        return self.calls[4](timeout_us * 1000)

    def ack(self, lease: bytes) -> int:
        status: int = self.calls[5](lease)
        return status

    def size(self) -> int:
        out = ctypes.c_int64()
        assert plain.polyipc_queue_size(self.id, ctypes.byref(out)) == OK, detail()
        return out.value

    def close(self) -> int:
        status: int = plain.polyipc_queue_close(self.id)
        return status

    def use(self) -> None:
        """A message of our own through the queue, which nobody else uses now."""
        text = b"from %d" % os.getpid()
        assert self.put(text) == OK, detail()
        assert self.get() == text


def start(work: Callable[[], object]) -> int:
    """Forks a child that does the work, and ends with 0 if it raises nothing."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        # Python 3.12 and later warn of forks beside threads, Go's among them.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def await_status(pid: int, seconds: float = 30) -> int:
    """Waits for a child and returns its wait status. One that hangs is killed and fails."""
    fd = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([fd], [], [], seconds)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(fd)
    assert ready, f"child {pid} hangs"
    return status


def in_child(work: Callable[[], object], seconds: float = 30) -> None:
    """Does the work in a forked child."""
    assert await_status(start(work), seconds) == 0
