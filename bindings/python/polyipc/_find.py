"""Where libpolyipc is. Called by polyipc._c.library when the library is first needed."""

# ruff: noqa: PTH113, PTH118, PTH120 - importing pathlib takes as long as what is left here

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

SONAME = "libpolyipc.so.0"
VARIABLE = "POLYIPC_LIBRARY"

_HERE = os.path.dirname(os.path.realpath(__file__))

Loaded = TypeVar("Loaded")


def candidates() -> Iterator[str]:
    """Yield what to try: the path that the user named, else files that exist, then the system's."""
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    beside = os.path.join(_HERE, SONAME)  # as the wheel has it
    tree = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))
    in_tree = os.path.join(tree, "build", "lib", SONAME)  # as `make build` leaves it
    for path in (beside, in_tree):
        if os.path.isfile(path):
            yield path
    yield SONAME  # the dynamic linker looks in the directories it knows


def load(open_library: Callable[[str], Loaded]) -> tuple[str, Loaded]:
    """Return the path and the library of the first candidate that is there.

    One that is there but cannot be loaded ends the search, since a library found further on would
    not be the one that belongs to this package. ImportError says what was tried.
    """
    tried = []
    for path in candidates():
        try:
            return path, open_library(path)
        except OSError as e:
            if os.path.isfile(path):
                raise ImportError(f"polyipc cannot load its library: {e}") from e
            tried.append(str(e))
    raise ImportError(
        f"polyipc cannot find its library: {'; '.join(tried)}: install the wheel, run `make build` "
        f"in a source tree, or let ${VARIABLE} name the file"
    )
