"""multiprocessing.queues on top of polyipc's queues and pipes.

Whatever can be pickled can be put, and a put raises what pickling it raises: there is no feeder
thread, and what was put is there when put returns.
"""

from __future__ import annotations

import copyreg
import functools
import os
import threading
import weakref
from multiprocessing import queues as _theirs
from multiprocessing import reduction
from multiprocessing import synchronize as _their_locks
from queue import Empty, Full
from typing import Any, Callable, Generic, TypeVar

from polyipc import _handle, codec, errors
from polyipc import queue as native
from polyipc._c.queue import QueueCalls
from polyipc._messages import INTERRUPTED, RAW
from polyipc.errors import Status
from polyipc.multiprocessing import _rest, connection
from polyipc.wait import wait

__all__ = ["Empty", "Full", "JoinableQueue", "Queue", "SimpleQueue"]

T = TypeVar("T")

CAPACITY = 1 << 20
"""Bytes in a SimpleQueue: messages of up to a quarter of that need no file of their own."""


class NoLock:
    """In place of a lock of multiprocessing's: any number may use an end of a queue at once."""

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: ARG002
        return True

    def release(self) -> None:
        pass

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class QueueEnd:
    """A queue as its reader or writer, for code that knows of multiprocessing's pipe within."""

    __slots__ = ("_queue",)

    def __init__(self, queue: Queue[Any]) -> None:
        self._queue = queue

    def __eq__(self, other: object) -> bool:
        """Report whether it is of the same queue: what wait returns is looked for with in."""
        return isinstance(other, QueueEnd) and other._queue is self._queue

    def __hash__(self) -> int:
        return id(self._queue)

    @property
    def closed(self) -> bool:
        return self._queue._closed

    def close(self) -> None:
        """Do nothing: the ends of a queue are closed with it."""

    def send(self, obj: Any) -> None:
        self._queue.put(obj)

    def send_bytes(self, buf: Any) -> None:
        self._queue.put_bytes(buf)

    def recv(self) -> Any:
        return self._queue.get()

    def recv_bytes(self) -> bytes:
        return self._queue.get_bytes()

    def poll(self, timeout: float | None = 0.0) -> bool:
        return bool(wait([self._queue], timeout))

    def fileno(self) -> int:
        return self._queue.fileno()

    def _wait_item(self) -> tuple[int, int, int]:
        return self._queue._wait_item()


class Queue(native.Queue[T]):
    """A queue that pickles; with a name, one that any process opens by it.

    close says that this object neither puts nor gets any more. What is in the queue stays for
    others, and join, qsize and full go on working; so does empty where this process has put nothing
    through this object, and raises OSError where it has, as in multiprocessing.
    """

    _closed = False
    _put_by = 0  # the process that put first through this object
    _rlock = _wlock = NoLock()

    def __init__(self, maxsize: int = 0, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        super().__init__(maxsize, pickle=True, **options)

    def _begin(self, number: int) -> None:
        super()._begin(number)
        self._watch_for_put()

    def _arrive(self, *args: Any) -> None:
        super()._arrive(*args)
        self._watch_for_put()

    def _watch_for_put(self) -> None:
        self._pack = functools.partial(_first, weakref.ref(self), self._pack)

    @property
    def _maxsize(self) -> int:
        return self.stat().maxsize or _their_locks.SEM_VALUE_MAX  # type: ignore[attr-defined]

    @property
    def _reader(self) -> QueueEnd:
        return QueueEnd(self)

    _writer = _reader

    _on_queue_feeder_error = staticmethod(_theirs.Queue._on_queue_feeder_error)  # type: ignore[attr-defined]

    def __init_subclass__(cls, **options: Any) -> None:
        """Tell a class that wants to know of what cannot be put, instead of raising it."""
        super().__init_subclass__(**options)
        if "_on_queue_feeder_error" in vars(cls):
            cls.put = _put_or_tell  # type: ignore[method-assign, assignment]

    def _put(self, body: Any, form: int, block: bool, timeout: float | None) -> None:
        super()._put(body, form, block, _from_now(timeout))

    def _wait(self, *args: Any, block: bool, timeout: float | None) -> Any:
        return super()._wait(*args, block=block, timeout=_from_now(timeout))

    def _read(self, message: Any, taken: Any = ()) -> Any:
        try:
            return super()._read(message, taken)
        except errors.DecodeError as error:
            raise (error.__cause__ or error) from None  # multiprocessing raises what opening raises

    def empty(self) -> bool:
        """Return whether a get would find nothing now. OSError after close, once this has put."""
        if self._closed and self._put_by == os.getpid():
            raise OSError(f'look into queue "{self._name}": it is closed in this process')
        return super().empty()

    def close(self) -> None:
        self._closed = True
        fail = functools.partial(_fail, self._name)  # without the queue, which would keep itself
        self._calls = QueueCalls(*[fail] * len(self._calls))
        self._c_put = self._c_get = self._pack = fail

    # As the classes of multiprocessing that programs derive theirs from.
    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]

    def __getstate__(self) -> tuple[Any, ...]:
        self._pickled()
        return _handle._keeper(self._id), self._reopen_with()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        keeper, (name, pickle, trust_group, root) = state
        options = (0, name, None, None, pickle, trust_group, root)
        _handle._reopened(keeper, self._open, ("open", *options))


def _first(to: weakref.ref[Queue[Any]], pack: Callable[[object], bytes], obj: object) -> bytes:
    """Be how a queue packs until it has noticed that something is put."""
    queue = to()
    if queue is not None:
        queue._pack, queue._put_by = pack, os.getpid()
    return pack(obj)


def _fail(name: str, *_: object) -> Any:
    """Be what a closed queue does."""
    raise errors.ClosedError(f'use queue "{name}": it is closed in this process', Status.CLOSED)


def _from_now(timeout: float | None) -> float | None:
    """Return a timeout that is not negative, as one that is over is here."""
    return None if timeout is None else max(0.0, timeout)


def _put_or_tell(queue: Queue[T], obj: T, block: bool = True, timeout: float | None = None) -> None:
    try:
        Queue.put(queue, obj, block, timeout)
    except errors.Error:
        raise
    except Exception as error:  # noqa: BLE001 - whatever pickling raises
        queue._on_queue_feeder_error(error, obj)


class JoinableQueue(Queue[T]):
    """One whose join waits until each message was gotten and task_done."""


class HeldReader:
    """The reader of a SimpleQueue from when its read lock was first acquired.

    That lock keeps nobody from reading: what poll saw could be another's before recv, which would
    then wait, as terminate of a pool of CPython's does. So for a thread that holds the lock, poll
    takes what it reports, and its recv returns it. For others it is the reader as it was.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._mine = _Mine()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self._reader,)

    def poll(self, timeout: float | None = 0.0) -> bool:
        mine = self._mine
        if not mine.depth or mine.taken:
            return bool(mine.taken or self._reader.poll(timeout))
        try:
            mine.taken.append(self._reader.recv(timeout=_from_now(timeout)))
        except errors.TimedOutError:
            return False
        except EOFError:
            pass  # which recv raises, too
        return True

    def recv(self, **options: Any) -> Any:
        taken = self._mine.taken
        return taken.pop() if taken else self._reader.recv(**options)

    def recv_bytes(self, *args: Any) -> Any:
        if self._mine.taken:
            return bytes(reduction.ForkingPickler.dumps(self.recv()))
        return self._reader.recv_bytes(*args)


class _Mine(threading.local):
    """How often a thread has the lock, and what it has taken: at most one message."""

    def __init__(self) -> None:
        self.depth = 0
        self.taken: list[Any] = []


def _itself(obj: T) -> T:
    return obj


class ReadLock(NoLock):
    """In place of the lock around a SimpleQueue's reader.

    What poll took and nobody received is put back by release, at the end.
    """

    def __init__(self, queue: SimpleQueue[Any]) -> None:
        self._queue = queue

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: ARG002
        reader = self._queue._reader
        if not isinstance(reader, HeldReader):  # the one of the first thread, if many are here
            reader = vars(self._queue).setdefault("_held", HeldReader(reader))
            self._queue._reader = reader
        reader._mine.depth += 1
        return True

    def release(self) -> None:
        held = self._queue._reader
        if isinstance(held, HeldReader) and held._mine.depth:
            held._mine.depth -= 1
            if held._mine.taken and not held._mine.depth:
                self._queue.put(held.recv())


class PicklingEnd(connection.PipeConnection):
    """An end of a pipe that pickles all, as multiprocessing does: nobody but Python reads it.

    For what pools and executors say that is quickest: functions, and large results within tuples.
    """

    __slots__ = ()

    def send(self, obj: Any, *, timeout: float | None = None) -> None:
        packed = codec.pickled(obj)
        if packed.met or len(packed.pieces) > 1:
            self._send_referring(codec.headed(packed), timeout)
            return
        body = bytes(packed.pieces[0])
        if timeout is not None or self._c_send(body, RAW, -1) != 0:
            self._send(body, RAW, timeout)

    def recv(self, *, timeout: float | None = None) -> Any:
        found: Any = self._c_recv(-1) if timeout is None else INTERRUPTED
        if type(found) is int:
            found = self._wait(found, "receive from", self._c_recv, block=True, timeout=timeout)
        return self._read(found)


class SimpleQueue(Generic[T]):
    """A locked pipe, without the lock. It blocks when full, and ends with its last writer.

    What is in it is pickled, unless it has a name, by which Go and C may open it as a pipe.
    """

    _wlock = NoLock()

    def __init__(self, *, ctx: Any = None, **options: Any) -> None:  # noqa: ARG002
        options.setdefault("capacity", CAPACITY)
        end = PicklingEnd if options.get("name") is None else connection.PipeConnection
        self._begin(*end._pair(False, **options, pickle=True))

    def _begin(self, reader: Any, writer: Any) -> None:
        self._reader, self._writer = reader, writer
        if type(self) is SimpleQueue:  # then no subclass can tell that a call was saved
            vars(self).update(get=reader.recv, put=writer.send)

    @property
    def _rlock(self) -> ReadLock:
        return ReadLock(self)

    def get(self) -> T:
        """Wait for the oldest message and take it; EOFError when nobody can put any more."""
        return self._reader.recv()  # type: ignore[no-any-return]

    def put(self, obj: T) -> None:
        """Put obj; waits while the pipe is full."""
        self._writer.send(obj)

    def empty(self) -> bool:
        """Return whether a get would wait now."""
        return not self._reader.poll()

    def close(self) -> None:
        """Close both ends in this process. Again is allowed."""
        self._reader.close()
        self._writer.close()

    def __getstate__(self) -> tuple[Any, ...]:
        return self._reader, self._writer

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._begin(*state)


__getattr__, __dir__ = _rest.of(_theirs, globals())
