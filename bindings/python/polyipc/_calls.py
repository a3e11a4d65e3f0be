"""Calls that need no open object: the exceptions for their statuses, and unlink of every noun."""

from __future__ import annotations

from typing import Callable

from polyipc import _arguments, errors
from polyipc._c import library


def check(status: int) -> None:
    """Raise what the status of the call just made says, if it is not 0."""
    if status != 0:
        raise errors.of_status(status, library.detail())


def unlink(
    remove: Callable[[bytes, bytes | None], int], name: str, root: _arguments.Path | None
) -> None:
    """Remove a name by a noun's function of C."""
    where = _arguments.root_for_c(_arguments.root(root))
    check(remove(_arguments.name(name), where))
