"""Starting programs, in any language, and handing objects over to them.

    child = polyipc.spawn(["./worker"], objects={"jobs": jobs, "results": results})
    ready = polyipc.wait([results, child])

The program finds them by their roles: polyipc.inherited("jobs") in Python, polyipc_inherited in C,
queue.Inherited and so on in Go. An anonymous object lives as long as the child holds it, although
the parent lets go of it as soon as spawn has returned. docs/spec/process.md is how the two speak.
"""

from __future__ import annotations

import errno
import os
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Union

from polyipc import _arguments, _calls, _referring, errors
from polyipc._c import wait as c
from polyipc._handle import Handle

__all__ = ["Child", "inherited", "spawn"]

VARIABLE = "POLYIPC_OBJECTS"

Argument = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


class Child(subprocess.Popen[Any]):
    """A program that spawn started: a subprocess.Popen with a sentinel.

    So it has pid, returncode, poll, wait, communicate, terminate, kill, stdin, stdout, stderr.
    polyipc.wait takes it as it is, and finds it ready when the process is gone.
    """

    sentinel: int
    """A descriptor that select, poll and epoll find readable when the process is gone."""

    def __init__(
        self, argv: Sequence[Argument], objects: Mapping[str, Handle], **options: Any
    ) -> None:
        value, fds = _hand_over(objects)
        try:
            env = options.pop("env", None)
            options["env"] = _environment(os.environ if env is None else env, value)
            options["pass_fds"] = (*options.pop("pass_fds", ()), *fds)
            super().__init__(argv, **options)
        finally:
            c.let_go(fds)
        try:
            self.sentinel = os.pidfd_open(self.pid)
        except (AttributeError, OSError) as e:
            self.kill()
            self.wait()
            if isinstance(e, OSError) and e.errno not in (errno.ENOSYS, errno.EPERM):
                raise
            raise errors.UnsupportedError(
                "spawn: no pidfd_open here: Linux 5.3, and a Python made for it, are needed"
            ) from e
        weakref.finalize(self, os.close, self.sentinel)

    def fileno(self) -> int:
        """Return the sentinel."""
        return self.sentinel


def spawn(
    argv: Sequence[Argument],
    objects: Mapping[str, Handle] | None = None,
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: Any = None,
    stdout: Any = None,
    stderr: Any = None,
    **options: Any,
) -> Child:
    """Start a program and hand objects over to it.

    argv -- the program, looked for in PATH, and its arguments
    objects -- open objects of polyipc by role: 1 to 128 of [A-Za-z0-9._-]; at most 256
    env -- its environment; None: this process's own. What is handed over is added
    cwd, stdin, stdout, stderr and others -- as for subprocess.Popen

    Raises what subprocess.Popen raises, FileNotFoundError say; InvalidError for a role,
    ClosedError, LimitError, UnsupportedError before Linux 5.3.
    """
    files = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    return Child(argv, objects or {}, env=env, cwd=cwd, **files, **options)


def _hand_over(objects: Mapping[str, Handle]) -> tuple[str, list[int]]:
    """Return the variable's value and descriptors for objects."""
    if not objects:
        return "", []
    for role, obj in objects.items():
        if not isinstance(obj, Handle):
            raise TypeError(f"objects[{role!r}]: {obj!r} is no object of polyipc")
        if "\0" in role:
            raise errors.InvalidError(
                f"role {role!r}: a NUL in it: give 1 to 128 of [A-Za-z0-9._-]"
            )
    rows = [(role.encode("utf-8", "surrogatepass"), obj._id) for role, obj in objects.items()]  # noqa: SLF001
    status, value, fds = c.hand_over(rows)
    _calls.check(status)
    return os.fsdecode(value), fds


def _environment(env: Mapping[str, str], value: str) -> dict[str, str]:
    """Return env for a child that gets what value says, and nothing else."""
    own = {name: text for name, text in env.items() if name not in (VARIABLE, VARIABLE.encode())}
    if value:
        own[VARIABLE] = value
    return own


def inherited(role: str, *, pickle: bool = False, trust_group: bool = False) -> Any:
    """Open what the parent process handed over in that role. It may be called again.

    pickle, trust_group -- as for Queue.open, where the object carries messages

    Raises NotFoundError for a role that nothing was handed over in, which lists those there are, or
    if the object is gone by now; otherwise as the open of its class.
    """
    kind, root = _look_up(role)
    flags = _arguments.flags(pickle=pickle, trust_group=trust_group)
    status, handle = c.inherited(_arguments.name(role), kind, flags)
    _calls.check(status)
    carrier = _referring.Carrier(root, _arguments.root_for_c(root), bool(pickle), bool(trust_group))
    return _referring.of_handle(kind, handle, carrier)


def _look_up(role: str) -> tuple[int, str | None]:
    """Return the kind and root of what was handed over in a role.

    What is wrong with the variable, or that there is no such role, is for the library to say.
    """
    for line in os.environ.get(VARIABLE, "").split("\n"):
        fields = line.split(" ", 5)
        if len(fields) == 6 and fields[0] == role and fields[1] in _KINDS:
            return _KINDS[fields[1]], fields[5].replace("%0A", "\n").replace("%25", "%")
    return _referring.QUEUE, None


# Kinds of references, docs/spec/codec.md, as docs/spec/process.md calls them.
_KINDS = {
    "queue": 1,
    "pipe": 2,
    "segment": 3,
    "lock": 5,
    "rlock": 6,
    "semaphore": 7,
    "condition": 8,
    "event": 9,
    "barrier": 10,
    "rwlock": 11,
    "bounded_semaphore": 12,
    "pipe_end": 13,
}
