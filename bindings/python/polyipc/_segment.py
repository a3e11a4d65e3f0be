"""The segment itself: memory with a name, its cells and its lock."""

# ruff: noqa: SLF001, A002 - lock and cells are parts of it; format is what struct and numpy call it

from __future__ import annotations

import operator
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from polyipc import _arguments, _calls, _format, _referring, _waiting, errors
from polyipc._c import library
from polyipc._c import segment as c
from polyipc._handle import Handle, _keeper, _reopened
from polyipc._segment_lock import SegmentLock

if TYPE_CHECKING:
    from polyipc._segment_stat import SegmentStat

Self = TypeVar("Self", bound="Segment")


# Width and sign of the cells that go by a type code.
_CELLS = {
    "i": (4, True),
    "I": (4, False),
    "q": (8, True),
    "Q": (8, False),
    "l": (8, True),
    "L": (8, False),
    "n": (8, True),
    "N": (8, False),
}


class Segment(Handle):
    """Memory that any process opens by its name.

    Segment(...) opens the segment, or makes it if there is none; Segment.create and Segment.open do
    only the one. unlink removes the name; close ends this object's use of it, and is a BufferError
    while views of the memory exist. Without close it ends with this object and the last view.

    Pickling one, as multiprocessing does with arguments of a process, gives a segment that opens
    the same name in the same root. So does copying.
    """

    __slots__ = ("_base", "_lock", "_max_size", "_view", "format", "itemsize", "shape")
    _kind = "segment"
    _remove = staticmethod(c.unlink)

    format: str
    """What one item is, in canonical notation of PEP 3118; "" for plain bytes."""
    itemsize: int
    """Bytes of an item; 1 for plain bytes."""
    shape: tuple[int, ...]
    """Items in each dimension as it was made; () for a single item or plain bytes."""

    def __init__(
        self,
        size: int = 0,
        *,
        name: str | None = None,
        max_size: int | None = None,
        format: str | None = None,
        shape: int | Iterable[int] = (),
        itemsize: int = 0,
        initial: object = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open the segment of that name, or make it.

        size -- bytes, 1 to 2**44; 0 with a format, which has its own
        name -- 1 to 128 of [A-Za-z0-9._-], not starting with "."; None makes an anonymous segment
        max_size -- bytes that it may grow to; None: size. Costs address space, but no memory
        format -- what one item is: a type code of struct, or a structure, as in PEP 3118; None:
            plain bytes
        shape -- items, in each dimension if there are several; (): a single item
        itemsize -- bytes of an item, which the format must agree with; 0: as the format says
        initial -- bytes, or a ctypes object, that a new segment begins with; None: zeros
        transient -- whether it goes with its last user, however that ends, or is kept until
            unlinked; None: if it is anonymous
        root -- directory of the segment; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

        Raises MismatchError if it exists with other options, InvalidError, NoSpaceError,
        DeniedError, CorruptError, VersionError, WrongKindError, NoMemoryError, LimitError.
        """
        self._open(
            *("open_or_create", name, root, size, max_size, format, shape, itemsize),
            initial,
            transient,
        )

    @classmethod
    def create(
        cls: type[Self],
        size: int = 0,
        *,
        name: str | None = None,
        max_size: int | None = None,
        format: str | None = None,
        shape: int | Iterable[int] = (),
        itemsize: int = 0,
        initial: object = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Make a segment; ExistsError if there is one of that name. Otherwise as Segment()."""
        segment = cls.__new__(cls)
        segment._open(
            *("create", name, root, size, max_size, format, shape, itemsize), initial, transient
        )
        return segment

    @classmethod
    def open(
        cls: type[Self],
        name: str,
        *,
        format: str | None = None,
        shape: int | Iterable[int] = (),
        itemsize: int = 0,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Open a segment; NotFoundError if there is none of that name. Otherwise as Segment().

        format, shape -- MismatchError if they are not the segment's. Without, format and shape of
            the segment tell what it is.
        """
        if name is None:
            raise TypeError("name None: say which segment to open")
        segment = cls.__new__(cls)
        segment._open("open", name, root, 0, None, format, shape, itemsize, None, None)
        return segment

    def _open(
        self,
        how: str,
        name: str | None,
        root: _arguments.Path | None,
        size: int,
        max_size: int | None,
        form: str | None,
        shape: int | Iterable[int],
        itemsize: int,
        initial: object,
        transient: bool | None,
    ) -> None:
        self._root = _arguments.root(root)
        dims = (shape,) if isinstance(shape, int) else tuple(shape)
        status, number = c.open_(
            how,
            _arguments.name_or_none(name),
            self._root_for_c(),
            _arguments.flags(transient),
            _arguments.limit("size", size),
            0 if max_size is None else _arguments.limit("max_size", max_size),
            None if form is None else form.encode(),
            [_arguments.limit("shape", operator.index(n)) for n in dims],
            _arguments.limit("itemsize", itemsize),
            initial,
        )
        _calls.check(status)
        self._begin(number)

    @classmethod
    def _of_handle(cls: type[Self], number: int, carrier: _referring.Carrier) -> Self:
        """Return the segment of a handle that came in a message."""
        segment = cls.__new__(cls)
        cls._arrive(segment, number, carrier)
        return segment

    def _arrive(self, number: int, carrier: _referring.Carrier) -> None:
        self._root = carrier.root
        self._begin(number)

    def _begin(self, number: int) -> None:
        """Take over the handle of an open segment."""
        self._id = number
        _, self._name = c.name(number)
        status, at, _ = c.data(number)
        details, fields = c.stat(number) if status == 0 else (status, {})
        if details != 0:
            c.close(number)
            raise errors.of_status(details, library.detail())
        self._max_size = fields["max_bytes"]
        self._base = c.base(number, at, self._max_size)
        _, self.format, self.shape, self.itemsize = c.describe(number)
        self._view = c.view(self._base, 0)
        self._lock: Callable[[], SegmentLock | None] = lambda: None

    def close(self) -> None:
        """End this object's use of the segment; others go on. Again is allowed.

        BufferError while there are views of the memory (slices of buf, numpy arrays, ctypes
        objects): release them first. The lock, and other threads waiting on a cell, get a
        ClosedError. A transient segment without another user goes.
        """
        if not self._id:
            return
        base = weakref.ref(self._base)
        try:
            self._view.release()
        except BufferError:
            pass
        else:
            self._base = None
        if base() is not None:
            self._base = base()
            self._view = c.view(self._base, 0)
            raise BufferError(
                f'close segment "{self._name}": views of its memory exist: release them first'
            )
        self._id = 0

    def __reduce__(self) -> tuple[Any, ...]:
        self._pickled()
        return _reopened, (_keeper(self._id), _opened, (type(self), self._name, self._root))

    # ---- memory ----

    @property
    def size(self) -> int:
        """Bytes that are usable now."""
        status, _, size = c.data(self._id)
        self._check(status, "size of")
        return size

    @property
    def max_size(self) -> int:
        """Bytes that it may grow to."""
        return self._max_size

    @property
    def buf(self) -> memoryview:
        """The bytes that are usable now. After a grow, by whomever, it is another, longer view."""
        size = self.size
        if len(self._view) != size:
            self._view = c.view(self._base, size)
        return self._view

    def grow(self, size: int) -> None:
        """Make at least size bytes usable for everybody; what comes on top is zero.

        Views stay valid. Raises TooLargeError beyond max_size, NoSpaceError, NoMemoryError.
        """
        self._check(c.grow(self._id, _arguments.limit("size", size)), "grow")

    def _current_shape(self) -> tuple[int, ...]:
        """Return the shape as it is now: a segment that has grown has more rows."""
        if not self.format:
            return (self.size,)
        row = self.itemsize
        for n in self.shape[1:]:
            row *= n
        return (self.size // row, *self.shape[1:]) if self.shape and row else self.shape

    def items(self) -> memoryview:
        """Return a memoryview of the items, which has their format and shape.

        TypeError for formats that memoryviews have not, such as structures; numpy has those.
        """
        code = _format.native(self.format) if self.format else "B"
        if code is None:
            raise TypeError(
                f'items of segment "{self._name}": memoryviews have no format {self.format}: '
                "use numpy()"
            )
        shape = self._current_shape()
        count = self.itemsize
        for n in shape:
            count *= n
        view: Any = self.buf[:count]
        result: memoryview = view.cast(code) if 0 in shape else view.cast(code, list(shape or [1]))
        return result

    def numpy(self) -> Any:
        """Return a numpy array of the items, without a copy. ImportError without numpy."""
        import numpy as np

        dtype = np.dtype(_format.numpy_dtype(_format.parse(self.format)) if self.format else "u1")
        return np.ndarray(self._current_shape(), dtype, buffer=self.buf)

    # ---- lock and cells ----

    @property
    def lock(self) -> SegmentLock:
        """The lock that every segment has. It keeps nobody from the memory who does not take it."""
        lock = self._lock()
        if lock is None:
            lock = SegmentLock(self)
            self._lock = weakref.ref(lock)  # not the lock, which has the segment
        return lock

    def atomic(self, offset: int = 0, format: str = "q") -> Atomic:
        """Return the cell at an offset in bytes, a multiple of its width.

        format -- of the integer there: i, I (4 bytes), q, Q, l, L, n, N (8 bytes)
        """
        try:
            width, has_sign = _CELLS[format.lstrip("@=<")]
        except KeyError:
            raise errors.InvalidError(
                f'cell of segment "{self._name}": format {format!r}: give one of {" ".join(_CELLS)}'
            ) from None
        offset = _arguments.limit("offset", offset)
        cell = Atomic(self, *c.cell(self._id, offset, width, has_sign, self._cell_failed))
        cell.load()
        return cell

    def _cell_failed(self, status: int) -> None:
        raise self._failure(status, "atomic operation on")

    def stat(self) -> SegmentStat:
        """Return how things stand, without stopping anybody."""
        status, fields = c.stat(self._id)
        self._check(status, "stat")
        from polyipc._segment_stat import SegmentStat

        return SegmentStat(
            size=fields["bytes"],
            max_size=fields["max_bytes"],
            transient=bool(fields["flags"] & library.TRANSIENT),
            format=self.format,
            itemsize=self.itemsize,
            shape=self.shape,
            waiters=fields["waiters"],
            take_overs=fields["take_overs"],
            holder=fields["lock_pid"],
            held=fields["lock_held_ns"] / 1e9,
        )


def _opened(cls: type[Segment], name: str, root: str | None) -> Segment:
    """Open a segment again, in another process perhaps."""
    return cls.open(name, root=root)


class Atomic:
    """An integer in a segment, changed as a whole by all processes and languages that have it.

    Everything is sequentially consistent. Integers that are too large wrap around. Each operation
    returns what the cell held before it.
    """

    __slots__ = (
        *("_segment", "_wait", "add", "and_", "compare_exchange", "exchange", "load", "notify"),
        *("or_", "store", "sub", "xor"),
    )

    load: Callable[[], int]
    """Return the value."""
    store: Callable[[int], None]
    """Set the value."""
    exchange: Callable[[int], int]
    """Set the value; return the one before."""
    add: Callable[[int], int]
    """Add; return the value before."""
    sub: Callable[[int], int]
    """Subtract; return the value before."""
    and_: Callable[[int], int]
    """And with a mask; return the value before."""
    or_: Callable[[int], int]
    """Or with a mask; return the value before."""
    xor: Callable[[int], int]
    """Exclusive or with a mask; return the value before."""
    compare_exchange: Callable[[int, int], int]
    """compare_exchange(expected, desired): set desired if the value is expected; return the value
    before, which is expected if it was set."""
    notify: Callable[[], None]
    """Wake everybody who waits on this cell, after it was changed."""

    def __init__(self, segment: Segment, *functions: Callable[..., Any]) -> None:
        """Only for Segment.atomic."""
        self._segment = segment
        self.load, self.store, self.exchange, self.add, self.sub = functions[:5]
        self.and_, self.or_, self.xor, self.compare_exchange = functions[5:9]
        self._wait, self.notify = functions[9:]

    def wait(self, expected: int, timeout: float | None = None) -> int:
        """Return the value as soon as it is not expected.

        Who changes it calls notify; without that it is seen within 90 ms. A change that is undone
        before anyone looks is not seen.

        timeout -- seconds, 0 or more; None: for ever

        Raises TimedOutError, ClosedError, CorruptError.
        """
        found = _waiting.call(self._wait, expected, block=True, timeout=timeout)
        if type(found) is tuple:
            value: int = found[0]
            return value
        raise self._segment._failure(found, "wait on")


def unlink(name: str, *, root: _arguments.Path | None = None) -> None:
    """Remove the name of a segment; fine if there is none.

    Who has the segment open goes on using it; it goes with the last of them.

    root -- directory of the segment; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

    Raises WrongKindError; CorruptError for a file that is not polyipc's, which stays.
    """
    _calls.unlink(c.unlink, name, root)


_referring.opens(_referring.SEGMENT, Segment)
