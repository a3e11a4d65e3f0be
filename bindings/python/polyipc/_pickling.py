"""Pickles of what MessagePack cannot carry.

A program that uses multiprocessing has taught its pickler more than pickle knows: sockets and
descriptors come with it, and types that were registered with its reduction. So that pickler is
used, once it is there; importing it is left to the program.
"""

from __future__ import annotations

import io
import pickle
import sys

PROTOCOL = 5  # the highest that all supported Pythons read

loads = pickle.loads


def dumps(obj: object) -> bytes:
    """Return the pickle of obj. Errors are pickle's own."""
    reduction = getattr(sys.modules.get("multiprocessing.context"), "reduction", None)
    if reduction is None:
        return pickle.dumps(obj, protocol=PROTOCOL)
    file = io.BytesIO()
    reduction.ForkingPickler(file, PROTOCOL).dump(obj)
    return file.getvalue()
