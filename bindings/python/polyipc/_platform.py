"""Where polyipc runs. Imported first, so that elsewhere the import fails with a clear sentence."""

from __future__ import annotations

import os
import sys


def why_unsupported() -> str | None:
    """Return why polyipc cannot work in this interpreter, or None."""
    if sys.platform != "linux":
        return f"this is {sys.platform}"
    if sys.maxsize < 2**32:
        return "this Python is a 32-bit one"
    if sys.implementation.name != "cpython":
        return f"this Python is {sys.implementation.name}, not CPython"
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        libc = None
    if not libc:
        return "this system's C library is not glibc"
    return None


def check() -> None:
    """Raise ImportError where polyipc cannot work."""
    why = why_unsupported()
    if why is not None:
        raise ImportError(f"polyipc runs on 64-bit Linux with glibc and CPython only: {why}")
