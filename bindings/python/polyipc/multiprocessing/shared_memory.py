"""multiprocessing.shared_memory on top of polyipc's segments.

A block is a segment of its name, which Go, C and polyipc.Segment.open open too. SharedMemory opens
blocks that CPython's own made as well; CPython's own does not open ours.

As there, a block is there until it is unlinked, whoever closes it, and at the latest until the main
process that made it is gone. No tracker watches over it: it is transient, and its maker's hold ends
with that process, however that ends. What a child process makes is kept until it is unlinked.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing import parent_process, util
from multiprocessing import shared_memory as _theirs
from pathlib import Path
from typing import Any

from polyipc import _shareable_list
from polyipc._c import library
from polyipc._segment import Segment
from polyipc.errors import CorruptError, NotFoundError
from polyipc.multiprocessing import _rest, resource_tracker

__all__ = ["ShareableList", "SharedMemory"]

_kept: dict[str, Segment] = {}  # what this process made and closed, by name
_maker = 0  # the process that this was
_sweep_at = 0
_tracked: set[str] = set()  # names that this program removes at its end


class SharedMemory(_theirs.SharedMemory):
    """A block of shared memory that any process opens by its name.

    name -- 1 to 128 of [A-Za-z0-9._-], not starting with "."; None: one that nobody has, to create
    create -- make it, else open it, also one that CPython's own SharedMemory made
    size -- bytes, to create
    track -- None: it goes with the process that makes it, if that is no child; True: likewise, and
        one that is opened goes with the program that opens it, which warns of it at its end: as
        with multiprocessing, where that is the default; False: it stays until it is unlinked
    """

    _segment: Segment | None = None  # none of a block of CPython's
    _made_by = 0  # the process with which it goes, at the latest
    _buf: Any
    _prepend_leading_slash: bool

    def __init__(
        self,
        name: str | None = None,
        create: bool = False,
        size: int = 0,
        *,
        track: bool | None = None,
        transient: bool | None = None,
        initial: object = None,
    ) -> None:
        """Make it or open it: FileExistsError, FileNotFoundError.

        transient -- whether it goes with this process, also if that is a child; None: as track says
        initial -- bytes that a new one begins with; None: zeros
        """
        if not size >= 0:
            raise ValueError("'size' must be a positive integer")
        if create:
            self._flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
            if size == 0:
                raise ValueError("'size' must be a positive number different from zero")
        if name is None and not self._flags & os.O_EXCL:
            raise ValueError("'name' can only be None if create=True")
        if transient is None:
            transient = track is not False and parent_process() is None
        if not self._find(name, track):
            self._make(name, size=size, transient=transient, initial=initial)

    def _find(self, name: str | None, track: bool | None) -> bool:
        """Open the block, and report whether that was to be done."""
        if name is None or self._flags & os.O_EXCL:
            return False
        self._name = self._slashed(name)
        try:
            self._take(Segment.open(_bare(name)))
        except NotFoundError:
            if self._flags & os.O_CREAT:
                return False
            knows = hasattr(_theirs.SharedMemory, "_track")
            options: Any = {"track": track is not False} if knows else {}
            super().__init__(name, **options)
            if track is not False or not knows:
                resource_tracker._blocks.add(self._name)
        else:
            if track:
                _remove_at_end(_bare(name))
        return True

    def _make(self, name: str | None, **options: Any) -> None:
        while True:
            # Looked up each time, since tests of theirs replace it.
            self._name = vars(_theirs)["_make_filename"]() if name is None else self._slashed(name)
            try:
                segment = Segment.create(name=_bare(self._name), **options)
            except FileExistsError:
                if name is not None:
                    raise
            else:
                break
        self._take(segment)
        if options["transient"]:
            self._made_by = os.getpid()

    def _slashed(self, name: str) -> str:
        return "/" + name if self._prepend_leading_slash else name

    def _take(self, segment: Segment) -> None:
        self._segment = segment
        self._size = segment.size
        self._buf = segment.buf

    @property
    def buf(self) -> Any:
        """A memoryview of the block; None once it was closed."""
        return self._buf

    def close(self) -> None:
        """End this object's use of the block; BufferError while views of its memory exist."""
        segment = self._segment
        if segment is None:
            super().close()
        elif self._buf is not None:
            keeper = _opened_again(segment) if self._made_by == os.getpid() else None
            segment.close()
            self._buf = None
            _keep(keeper)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if self._segment is None:
            super().__del__()
        elif ending():
            return  # all is closed, and this module's names may be gone
        elif self._buf is not None and self._made_by == os.getpid():
            _keep(_opened_again(self._segment))

    def unlink(self) -> None:
        """Remove the name: the block goes with its last user. FileNotFoundError if it is gone."""
        if self._segment is None:
            super().unlink()
            return
        name = _bare(self._name)
        try:
            block = Segment.open(name)
        except NotFoundError:
            text = os.strerror(errno.ENOENT)
            raise FileNotFoundError(errno.ENOENT, text, self._name) from None
        _kept.pop(name, None)
        _tracked.discard(name)
        block.unlink()
        block.close()


class ShareableList(_shareable_list.ShareableList):
    """A list of fixed length in a block of shared memory: polyipc.ShareableList.

    shm -- the block, a SharedMemory
    """

    def __init__(
        self,
        sequence: Iterable[Any] | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
    ) -> None:
        """Make a list of what is in sequence, or open that of a name.

        transient -- as of SharedMemory
        """
        if sequence is None and name is not None:
            shm = SharedMemory(name)
        else:
            whole = _shareable_list.laid_out(sequence or ())
            shm = SharedMemory(
                name, create=True, size=len(whole), transient=transient, initial=whole
            )
        if shm._segment is None:
            shm.close()
            raise CorruptError(
                f'open list "{name}": multiprocessing made it: open it with multiprocessing'
            )
        self._find(shm._segment)
        self.shm: Any = shm

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), name=self.shm.name), ()

    def _get_packing_format(self, position: int) -> str:
        return self._format_of(self._index(position, "Requested position out of range."))


def _bare(name: str) -> str:
    """Return the name without the slash that those of shm_open begin with."""
    return name.lstrip("/")


def _remove_at_end(name: str) -> None:
    """Remove a block when this program ends; a child's has a main process that sees to it."""
    if parent_process() is None:
        if not _tracked:
            util.Finalize(None, _remove_tracked, exitpriority=-1)
        _tracked.add(name)


def _remove_tracked() -> None:
    left = []
    for name in sorted(_tracked):
        try:
            block = Segment.open(name)
        except NotFoundError:
            continue
        block.unlink()
        block.close()
        left.append(name)
    _tracked.clear()
    if left:  # in the words of multiprocessing's tracker, for those who filter its warnings
        warnings.warn(
            f"resource_tracker: There appear to be {len(left)} leaked shared_memory objects"
            f" to clean up at shutdown: {left}",
            stacklevel=1,
        )


def _opened_again(segment: Segment) -> Segment | None:
    """Open a segment by its name, unless that is another's now, or nobody's."""
    try:
        again = Segment.open(segment.name)
    except NotFoundError:
        return None
    same = os.path.samestat(*(os.fstat(library.descriptor(s._id)) for s in (segment, again)))
    return again if same else None


def _keep(segment: Segment | None) -> None:
    """Keep a block that this process made and has closed, until its name is removed."""
    global _maker, _sweep_at
    if segment is None:
        return
    if _maker != os.getpid():
        _kept.clear()  # a forked child's parent keeps them
        _maker = os.getpid()
    if len(_kept) >= _sweep_at:
        for name, kept in list(_kept.items()):
            # The file of one that another process has unlinked has another name.
            if Path(f"/proc/self/fd/{library.descriptor(kept._id)}").readlink().name != name:
                del _kept[name]
        _sweep_at = 2 * len(_kept)
    _kept[segment.name] = segment


__getattr__, __dir__ = _rest.of(_theirs, globals())
