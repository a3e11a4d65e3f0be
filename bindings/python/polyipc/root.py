"""A root as a whole: the directory in which objects lie."""

from __future__ import annotations

from polyipc import _arguments, _calls
from polyipc._c import root as c

__all__ = ["gc"]


def gc(root: _arguments.Path | None = None) -> int:
    """Remove what dead processes left in a root, and return how many files that were.

    Every process does this as it begins and ends to use a root, so it is seldom needed.
    """
    status, removed = c.gc(_arguments.root_for_c(_arguments.root(root)))
    _calls.check(status)
    return removed
