"""The only module that knows ctypes: libpolyipc loaded, and its functions as Python sees them.

Called by polyipc.queue; calls the C functions of polyipc/queue.h and capi/pyshim.h. Everything here
takes and returns ints, str and bytes, and a status instead of raising: what a status means for the
caller is decided one floor up.

Speed. A call through ctypes takes longer than a put or a get. So the verbs that move messages are
builtin functions that the library makes, one set for each queue: bind.

The library is loaded when the first queue is made, not at import: it starts threads. A forked child
goes on with what its parent loaded.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable, NamedTuple

from polyipc import _events, _find

VERSION = "0.1.0"  # of this package and, since the shims are its own, of the library
ABI = 1

RAW = 0
MSGPACK = 1
KEPT = 1
TRANSIENT = 2
PICKLE = 4
TRUST_GROUP = 8
RECORD_BYTES = 24  # of header with each message

_c: ctypes.CDLL | None = None
_bind_queue: Callable[[int], QueueCalls]
_load_lock = threading.Lock()


class QueueCalls(NamedTuple):
    """The functions of one queue, which take their arguments by position; capi/pyshim.h.

    Each has the GIL to begin with and lets go of it to wait or to copy much. ns is a timeout: 0
    tries, negative waits for ever.
    """

    put: Callable[[bytes, int, int], int]  # body, format, ns: status
    put_many: Callable[[list[bytes], int, int, int], int]  # bodies, start, format, ns
    get: Callable[[int], Any]  # ns: bytes, (bytes, format), or the status
    get_many: Callable[[int, int], Any]  # most, ns: a list of such, or the status
    lease: Callable[[int], Any]  # ns: (bytes, format, lease, deliveries), or the status
    ack: Callable[[bytes], int]  # lease: status
    nack: Callable[[bytes], int]  # lease: status


class _Options(ctypes.Structure):
    """polyipc_queue_options."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("max_size", ctypes.c_int64),
        ("capacity", ctypes.c_int64),
        ("root", ctypes.c_char_p),
    )


class _Stat(ctypes.Structure):
    """polyipc_queue_stat_t."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        *((n, ctypes.c_int64) for n in ("max_size", "capacity", "messages", "bytes", "leased")),
        *((n, ctypes.c_int64) for n in ("reserved", "unfinished")),
        *((n, ctypes.c_uint64) for n in ("put", "taken", "redelivered", "take_overs")),
        *((n, ctypes.c_uint64) for n in ("abandoned", "grown")),
        ("rings", ctypes.c_uint32),
        ("shutdown", ctypes.c_uint32),
    )


class _Buffer(ctypes.Structure):
    """Py_buffer, of which only the first three fields are looked at."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("rest", ctypes.c_char * 128),  # more than any version's
    )


# ---- loading ------------------------------------------------------------------------------------


def load() -> ctypes.CDLL:
    """Return the library, loaded and checked on the first call. ImportError if it cannot be."""
    return _load_once() if _c is None else _c


def _load_once() -> ctypes.CDLL:
    with _load_lock:
        if _c is not None:  # another thread was first
            return _c
        path, library = _find.load(ctypes.CDLL)
        _check_versions(path, library)
        _bind(library, ctypes.PyDLL(path))
        _events.log.debug("loaded libpolyipc %s from %s", VERSION, path)
        return library


def _check_versions(path: str, c: ctypes.CDLL) -> None:
    """Raise ImportError unless the library is this package's, before anything else is called."""
    try:
        c.polyipc_version.restype = ctypes.c_char_p
        version, abi = c.polyipc_version().decode(), c.polyipc_abi()
    except AttributeError as e:
        raise ImportError(f"{path} is not a libpolyipc: {e}") from e
    if (version, abi) != (VERSION, ABI):
        raise ImportError(
            f"polyipc {VERSION} (ABI {ABI}) in {os.path.dirname(__file__)} does not fit "  # noqa: PTH120
            f"libpolyipc {version} (ABI {abi}) in {path}: install the two from the same version"
        )
    if not hasattr(c, "polyipc_py_queue"):
        raise ImportError(f"{path} is an older build of libpolyipc {VERSION}: build it again")


def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    """Give the functions their types where they need them, and Python its signals."""
    global _c, _bind_queue
    _hand_over_python(shims)

    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    ns, text = ctypes.c_int64, ctypes.c_char_p
    c.polyipc_error_detail.argtypes = [text, size]
    c.polyipc_error_detail.restype = size
    for how in ("create", "open", "open_or_create"):
        getattr(c, "polyipc_queue_" + how).argtypes = [text, pointer, pointer]
    c.polyipc_queue_unlink.argtypes = [text, text]
    c.polyipc_queue_name.argtypes = [i, text, size]
    c.polyipc_queue_put.argtypes = [i, pointer, size, i, ns]
    c.polyipc_queue_join.argtypes = [i, ns]
    c.polyipc_queue_size.argtypes = [i, pointer]
    c.polyipc_queue_stat.argtypes = [i, pointer]
    c.polyipc_gc.argtypes = [text, pointer]

    c.polyipc_py_events.argtypes = [pointer, size, pointer]

    shims.polyipc_py_queue.restype = ctypes.py_object
    _bind_queue = shims.polyipc_py_queue
    _c = c
    _mind_signals()
    _tell()  # the library collects from the first time on


def _hand_over_python(shims: ctypes.PyDLL) -> None:
    """Tell the shims where Python's functions are: POLYIPC_PY_FUNCTIONS, in its order."""
    names = (
        *("PyBytes_FromStringAndSize", "PyBytes_AsStringAndSize", "_PyBytes_Resize"),
        *("PyLong_FromLong", "PyLong_AsLong", "PyTuple_New", "PyTuple_SetItem"),
        *("PyList_New", "PyList_Append", "PyList_Size", "PyList_GetItem"),
        *("Py_IncRef", "Py_DecRef", "PyErr_Occurred", "PyErr_BadArgument", "PyCFunction_NewEx"),
        *("PyObject_CallObject", "PyEval_SaveThread", "PyEval_RestoreThread"),
    )
    addresses = (ctypes.cast(getattr(ctypes.pythonapi, n), ctypes.c_void_p) for n in names)
    table = (ctypes.c_void_p * len(names))(*addresses)
    status = shims.polyipc_py_init(table, len(names), ctypes.py_object(_tell))
    if status != 0:
        raise ImportError(f"libpolyipc does not take Python's functions (status {status})")


# ---- signals ------------------------------------------------------------------------------------

# Python runs signal handlers in its main thread alone. There a wait must end when a signal comes,
# so that the handler runs, and is taken up again: polyipc._waiting.

# Raises what a handler raises; does nothing in other threads. Without it handlers would run at the
# next bytecode, but Python 3.13 forgets that in a child that was forked by another thread.
run_signal_handlers: Callable[[], int] = ctypes.pythonapi.PyErr_CheckSignals


def _mind_signals() -> None:
    """Have the main thread's waits end at signals, whichever thread loads the library."""
    global _pending
    if threading.current_thread() is threading.main_thread():
        _interruptible()
    else:  # the setting is the thread's own: the main thread makes it before its next bytecode
        _pending = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(_interruptible)
        ctypes.pythonapi.Py_AddPendingCall(_pending, None)


_pending: Any = None  # what C calls must stay


def _interruptible(_unused: int | None = None) -> int:
    if _c is not None:
        _c.polyipc_thread_interruptible(1)  # needs no Go, so it starts nothing in a forked child
    return 0


def _in_child() -> None:
    """After a fork: the only thread is the main thread, and no other will ever end a load."""
    global _load_lock
    _load_lock = threading.Lock()
    _interruptible()


os.register_at_fork(after_in_child=_in_child)


# ---- events -------------------------------------------------------------------------------------

# The library keeps them until they are fetched: by the verbs that move messages as they begin, by
# others here as they end. So logging is called where any function might call it, and holds no lock.


def _tell() -> None:
    """Log what happened since the last time."""
    c = load()
    buffer, size = ctypes.create_string_buffer(1 << 14), ctypes.c_size_t(0)
    while c.polyipc_py_events(buffer, len(buffer), ctypes.byref(size)) == 0 and size.value > 0:
        _events.tell(buffer.raw[: size.value].decode("utf-8", "replace"))


# ---- calls that are not so frequent -------------------------------------------------------------


def detail() -> str:
    """Return what the last failed call of this thread has to say."""
    c = load()
    size = 512
    while True:
        buffer = ctypes.create_string_buffer(size)
        length: int = c.polyipc_error_detail(buffer, size)
        if length < size:
            break
        size = length + 1
    _tell()
    return buffer.value.decode("utf-8", "replace")


def queue_open(
    how: str, name: bytes | None, root: bytes | None, flags: int, max_size: int, capacity: int
) -> tuple[int, int]:
    """Call create, open or open_or_create; return the status and the queue's id."""
    options = _Options(ctypes.sizeof(_Options), flags, max_size, capacity, root)
    queue = ctypes.c_uint32(0)
    function = getattr(load(), "polyipc_queue_" + how)
    status = function(name, ctypes.byref(options), ctypes.byref(queue))
    if status == 0:  # else detail does it
        _tell()
    return status, queue.value


def bind(queue: int) -> QueueCalls:
    """Return the functions of an open queue."""
    return QueueCalls(*_bind_queue(queue))


def queue_close(queue: int) -> int:
    """Return the status of closing."""
    status = int(load().polyipc_queue_close(queue))
    _tell()
    return status


def queue_unlink(name: bytes, root: bytes | None) -> int:
    """Return the status of removing a name."""
    return int(load().polyipc_queue_unlink(name, root))


def queue_name(queue: int) -> tuple[int, str]:
    """Return the status and the name."""
    buffer = ctypes.create_string_buffer(129)
    status = load().polyipc_queue_name(queue, buffer, len(buffer))
    return status, buffer.value.decode()


def queue_put_buffer(queue: int, data: object, form: int, ns: int) -> int:
    """Put the memory of any object that has the buffer protocol, without a copy; a status.

    BufferError if it is not contiguous, TypeError if the object has no buffer.
    """
    api, view = ctypes.pythonapi, _Buffer()
    api.PyObject_GetBuffer(ctypes.py_object(data), ctypes.byref(view), 0)
    try:
        return int(load().polyipc_queue_put(queue, view.buf, view.len, form, ns))
    finally:
        api.PyBuffer_Release(ctypes.byref(view))


def queue_task_done(queue: int) -> int:
    """Return the status."""
    return int(load().polyipc_queue_task_done(queue))


def queue_join(queue: int, ns: int) -> int:
    """Return the status."""
    return int(load().polyipc_queue_join(queue, ns))


def queue_shutdown(queue: int, immediate: bool) -> int:
    """Return the status."""
    return int(load().polyipc_queue_shutdown(queue, int(immediate)))


def queue_size(queue: int) -> tuple[int, int]:
    """Return the status and how many messages a get could take."""
    size = ctypes.c_int64(0)
    status = load().polyipc_queue_size(queue, ctypes.byref(size))
    return status, size.value


def queue_stat(queue: int) -> tuple[int, dict[str, int]]:
    """Return the status and the fields of polyipc_queue_stat_t."""
    stat = _Stat(size=ctypes.sizeof(_Stat))
    status = load().polyipc_queue_stat(queue, ctypes.byref(stat))
    if status == 0:
        _tell()
    return status, {field[0]: getattr(stat, field[0]) for field in stat._fields_}


def gc(root: bytes | None) -> tuple[int, int]:
    """Return the status and how many files were removed."""
    removed = ctypes.c_int64(0)
    status = load().polyipc_gc(root, ctypes.byref(removed))
    if status == 0:
        _tell()
    return status, removed.value
