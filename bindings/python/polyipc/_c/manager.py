"""The functions of polyipc/manager.h as Python sees them.

What moves calls and results are builtin functions that the library makes for each connection: bind.
Why is said in polyipc._c.queue.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple

from polyipc._c import library
from polyipc._c.library import load

SELF = 0  # the object that stands for the manager

CALL, CANCEL, DROP = 1, 2, 3  # what a host is told of

_bind_manager: Callable[[int], tuple[Any, ...]]


class ManagerCalls(NamedTuple):
    """The functions of one connection, which take their arguments by position; capi/pyshim.h."""

    call: Callable[..., Any]  # object, method, args, named, ns
    finish: Callable[[int, int], Any]  # call, ns
    next_event: Callable[[int, int], Any]  # subscription, ns
    next_call: Callable[[int], Any]  # ns
    reply: Callable[[int, bytes], int]  # call, result
    release: Callable[[int, int], int]  # object, count


class TLS(NamedTuple):
    """What polyipc_manager_options says of TLS."""

    ca: bytes | None
    cert: bytes | None
    key: bytes | None
    server_name: bytes | None


NO_TLS = TLS(None, None, None, None)


class _Options(ctypes.Structure):
    """polyipc_manager_options."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("root", ctypes.c_char_p),
        ("key", ctypes.c_char_p),
        ("key_size", ctypes.c_size_t),
        *((n, ctypes.c_char_p) for n in ("tls_ca", "tls_cert", "tls_key", "tls_server_name")),
        ("listen", ctypes.c_char_p),
        *((n, ctypes.c_int64) for n in ("frame", "clients", "objects", "idle_ns")),
    )


class _Info(ctypes.Structure):
    """polyipc_manager_info_t."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("epoch", ctypes.c_uint64),
        ("client", ctypes.c_uint64),
        ("frame", ctypes.c_int64),
    )


class _Call(ctypes.Structure):
    """polyipc_manager_call_t."""

    _fields_ = (
        ("object", ctypes.c_uint64),
        ("method", ctypes.c_char_p),
        ("args", ctypes.c_char_p),
        ("args_size", ctypes.c_size_t),
        ("named", ctypes.c_char_p),
        ("named_size", ctypes.c_size_t),
        ("thread", ctypes.c_uint64),
    )


@library.on_load
def _bind(c: ctypes.CDLL, shims: ctypes.PyDLL) -> None:
    global _bind_manager
    i, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    ns, text, number = ctypes.c_int64, ctypes.c_char_p, ctypes.c_uint64
    c.polyipc_manager_serve.argtypes = [text, pointer, pointer]
    c.polyipc_manager_server_wait.argtypes = [i, ns]
    c.polyipc_manager_server_name.argtypes = [i, text, size]
    c.polyipc_manager_server_address.argtypes = [i, text, size]
    c.polyipc_manager_connect.argtypes = [text, pointer, ns, pointer]
    c.polyipc_manager_info.argtypes = [i, pointer]
    c.polyipc_manager_start.argtypes = [i, pointer, ns, pointer]
    c.polyipc_manager_batch.argtypes = [i, text, size, number, ns, pointer]
    c.polyipc_manager_cancel.argtypes = [i, number]
    c.polyipc_manager_forget.argtypes = [i, number]
    c.polyipc_manager_fail.argtypes = [i, number, text, text, text]
    shims.polyipc_py_manager.restype = ctypes.py_object
    _bind_manager = shims.polyipc_py_manager


def _options(
    flags: int,
    root: bytes | None,
    key: bytes | None,
    tls: TLS,
    listen: bytes | None = None,
    numbers: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Any:
    secret = key, len(key or b"")
    size = ctypes.sizeof(_Options)
    return ctypes.byref(_Options(size, flags, root, *secret, *tls, listen, *numbers))


def serve(
    name: bytes | None,
    root: bytes | None,
    flags: int,
    key: bytes | None,
    tls: TLS,
    listen: bytes | None,
    numbers: tuple[int, int, int, int],
) -> tuple[int, int]:
    """Return the status and the handle of a new server; numbers: frame, clients, objects, ns."""
    server = ctypes.c_uint32(0)
    options = _options(flags, root, key, tls, listen, numbers)
    status = load().polyipc_manager_serve(name, options, ctypes.byref(server))
    return library.opened(status), server.value


def server_wait(server: int, ns: int) -> int:
    """Return the status: 0 when the server has stopped."""
    return int(load().polyipc_manager_server_wait(server, ns))


def server_name(server: int) -> tuple[int, str]:
    """Return the status and the name."""
    return library.name(load().polyipc_manager_server_name, server)


def server_address(server: int) -> tuple[int, str]:
    """Return the status and the address for remote clients."""
    buffer = ctypes.create_string_buffer(257)
    status = load().polyipc_manager_server_address(server, buffer, len(buffer))
    return status, buffer.value.decode()


def server_close(server: int) -> int:
    """Return the status of stopping."""
    status = int(load().polyipc_manager_server_close(server))
    library.tell()
    return status


def connect(
    name: bytes, root: bytes | None, flags: int, key: bytes | None, tls: TLS, ns: int
) -> tuple[int, int]:
    """Return the status and the handle of a connection."""
    manager = ctypes.c_uint32(0)
    options = _options(flags, root, key, tls)
    status = load().polyipc_manager_connect(name, options, ns, ctypes.byref(manager))
    return library.opened(status), manager.value


def close(manager: int) -> int:
    """Return the status of closing."""
    status = int(load().polyipc_manager_close(manager))
    library.tell()
    return status


def info(manager: int) -> dict[str, int]:
    """Return the fields of polyipc_manager_info_t of an open connection."""
    now = _Info(size=ctypes.sizeof(_Info))
    load().polyipc_manager_info(manager, ctypes.byref(now))
    return {field[0]: getattr(now, field[0]) for field in now._fields_}


def bind(manager: int) -> ManagerCalls:
    """Return the functions of a connection."""
    return ManagerCalls(*_bind_manager(manager))


def start(
    manager: int,
    object_: int,
    method: bytes,
    args: bytes,
    named: bytes | None,
    thread: int,
    ns: int,
) -> tuple[int, int]:
    """Return the status and the number of a call that is begun."""
    what = _Call(object_, method, args, len(args), named, len(named or b""), thread)
    call = ctypes.c_uint64(0)
    status = load().polyipc_manager_start(manager, ctypes.byref(what), ns, ctypes.byref(call))
    return status, call.value


def batch(manager: int, calls: bytes, thread: int, ns: int) -> tuple[int, int]:
    """Return the status and the number of a batch that is begun."""
    call = ctypes.c_uint64(0)
    function = load().polyipc_manager_batch
    status = function(manager, calls, len(calls), thread, ns, ctypes.byref(call))
    return status, call.value


def cancel(manager: int, call: int) -> int:
    """Return the status of asking the server to give a call up."""
    return int(load().polyipc_manager_cancel(manager, call))


def forget(manager: int, call: int) -> int:
    """Return the status of giving a call up whose result nobody wants."""
    return int(load().polyipc_manager_forget(manager, call))


def fail(manager: int, call: int, type_name: bytes, message: bytes, traceback: bytes) -> int:
    """Return the status of answering a hosted call with a failure."""
    return int(load().polyipc_manager_fail(manager, call, type_name, message, traceback))
