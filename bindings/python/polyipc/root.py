"""A root as a whole: the directory in which objects lie."""

from __future__ import annotations

from polyipc import _arguments, errors
from polyipc._c import library
from polyipc._c import root as c

__all__ = ["gc"]


def gc(root: _arguments.Path | None = None) -> int:
    """Remove what dead processes left in a root, and return how many files that were.

    Every process does this as it begins and ends to use a root, so it is seldom needed.
    """
    status, removed = c.gc(_arguments.root_for_c(_arguments.root(root)))
    if status != 0:
        raise errors.of_status(status, library.detail())
    return removed
