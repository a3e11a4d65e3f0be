"""libpolyipc loaded and checked; what its functions have in common.

The library is loaded when the first object is made, not at import: it starts threads. A forked
child goes on with what its parent loaded.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable

from polyipc import _events, _find

VERSION = "0.1.0"  # of this package and, since the shims are its own, of the library
ABI = 1

KEPT = 1
TRANSIENT = 2
PICKLE = 4
TRUST_GROUP = 8

Binder = Callable[[ctypes.CDLL, ctypes.PyDLL], None]

_c: ctypes.CDLL | None = None
_shims: ctypes.PyDLL | None = None
_load_lock = threading.Lock()
_binders: list[Binder] = []


# ---- loading ------------------------------------------------------------------------------------


def load() -> ctypes.CDLL:
    """Return the library, loaded and checked on the first call. ImportError if it cannot be."""
    return _load_once() if _c is None else _c


def on_load(bind: Binder) -> Binder:
    """Have bind called as the library is loaded: it gives a noun's functions their types.

    Its second argument has those functions that want the GIL: see capi/pyshim.h.
    """
    _binders.append(bind)
    if _shims is not None:
        bind(load(), _shims)
    return bind


def _load_once() -> ctypes.CDLL:
    with _load_lock:
        if _c is not None:  # another thread was first
            return _c
        path, library = _find.load(ctypes.CDLL)
        _check_versions(path, library)
        _bind(library, ctypes.PyDLL(path))
        _events.loaded(VERSION, path)
        return library


def _check_versions(path: str, c: ctypes.CDLL) -> None:
    """Raise ImportError unless the library is this package's, before anything else is called."""
    try:
        c.polyipc_version.restype = ctypes.c_char_p
        version, abi = c.polyipc_version().decode(), c.polyipc_abi()
    except AttributeError as e:
        raise ImportError(f"{path} is not a libpolyipc: {e}") from e
    if (version, abi) != (VERSION, ABI):
        package = os.path.dirname(_find.__file__)  # noqa: PTH120
        raise ImportError(
            f"polyipc {VERSION} (ABI {ABI}) in {package} does not fit "
            f"libpolyipc {version} (ABI {abi}) in {path}: install the two from the same version"
        )
    if not hasattr(c, "polyipc_py_queue"):
        raise ImportError(f"{path} is an older build of libpolyipc {VERSION}: build it again")


def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    """Give the functions their types where they need them, and Python its signals."""
    global _c, _shims
    _hand_over_python(shims)

    size, pointer, text = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p
    c.polyipc_error_detail.argtypes = [text, size]
    c.polyipc_error_detail.restype = size
    c.polyipc_py_events.argtypes = [pointer, size, pointer]
    for bind in _binders:
        bind(c, shims)
    _c, _shims = c, shims
    _mind_signals()
    tell()  # the library collects from the first time on


def _hand_over_python(shims: ctypes.PyDLL) -> None:
    """Tell the shims where Python's functions are: POLYIPC_PY_FUNCTIONS, in its order."""
    names = (
        *("PyBytes_FromStringAndSize", "PyBytes_AsStringAndSize", "_PyBytes_Resize"),
        *("PyLong_FromLong", "PyLong_AsLong", "PyLong_FromLongLong"),
        *("PyLong_FromUnsignedLongLong", "PyLong_AsUnsignedLongLongMask", "Py_BuildValue"),
        *("PyTuple_GetItem", "PyTuple_New", "PyTuple_SetItem"),
        *("PyList_New", "PyList_Append", "PyList_Size", "PyList_GetItem"),
        *("Py_IncRef", "Py_DecRef", "PyErr_Occurred", "PyErr_BadArgument", "PyErr_CheckSignals"),
        "PyCFunction_NewEx",
        *("PyObject_CallObject", "PyObject_Call", "PyDict_New", "PyDict_SetItem"),
        *("PyTuple_Size", "PyDict_Next", "PyObject_Type", "PyObject_Size", "PyCapsule_New"),
        "PyCapsule_GetPointer",
        *("PyEval_SaveThread", "PyEval_RestoreThread"),
    )
    addresses = (ctypes.cast(getattr(ctypes.pythonapi, n), ctypes.c_void_p) for n in names)
    table = (ctypes.c_void_p * len(names))(*addresses)
    status = shims.polyipc_py_init(table, len(names), ctypes.py_object(tell))
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


def tell() -> None:
    """Log what happened since the last time."""
    c = load()
    buffer, size = ctypes.create_string_buffer(1 << 14), ctypes.c_size_t(0)
    while c.polyipc_py_events(buffer, len(buffer), ctypes.byref(size)) == 0 and size.value > 0:
        _events.tell(buffer.raw[: size.value].decode("utf-8", "replace"))


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
    tell()
    return buffer.value.decode("utf-8", "replace")


def descriptor(handle: int) -> int:
    """Return the descriptor of an open handle, or -1: a duplicate of it keeps the object."""
    return int(load().polyipc_py_descriptor(handle))


def opened(status: int) -> int:
    """Return the status of an open, its events logged; after a failure detail does it."""
    if status == 0:
        tell()
    return status


def name(function: Callable[..., int], handle: int) -> tuple[int, str]:
    """Return the status and the name of an object, of polyipc_<noun>_name."""
    buffer = ctypes.create_string_buffer(129)
    status = function(handle, buffer, len(buffer))
    return status, buffer.value.decode()
