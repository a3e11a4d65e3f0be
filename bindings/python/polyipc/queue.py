"""Queues between processes: many producers, many competing consumers, in Python, Go and C.

    import polyipc

    jobs = polyipc.Queue(name="jobs")  # any process opens it by its name
    jobs.put({"page": 1})
    with jobs.lease() as job:  # comes back if the block raises, or this process dies
        work(job.value)

Methods and exceptions are those of multiprocessing.Queue and JoinableQueue and of queue.Queue;
leases, batches, raw bytes and names come on top. A put is committed when it returns: there is no
feeder thread, and an object that cannot be put is a TypeError at the call.

Messages are MessagePack: polyipc.codec says which objects can be put; they come out equal and of
the same type.

Everything here may be called from any thread, also several at once on one queue, and in a forked
child. Leases stay with the process that took them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from polyipc import (
    _arguments,
    _calls,
    _later,
    _queue_referring,
    _referring,
    _waiting,
    codec,
    errors,
)
from polyipc._c import queue as c
from polyipc._codec_types import ReferencesMetError
from polyipc._lease import Lease
from polyipc._messages import INTERRUPTED, MSGPACK, RAW, SHALLOW, SHORT, Buffer, Messages

if TYPE_CHECKING:
    from polyipc._stat import QueueStat

__all__ = ["Lease", "Queue", "QueueStat", "unlink"]

T = TypeVar("T")
Self = TypeVar("Self", bound="Queue[Any]")


class Queue(Messages[T]):
    """A FIFO that any process opens by its name. T is what messages are: Queue[int](), say.

    Queue(...) opens the queue, or makes it if there is none; Queue.create and Queue.open do only
    the one. close ends this object's use of it; unlink removes the name. As a context manager a
    queue closes itself, and so does one that is no longer referenced.

    Pickling one, as multiprocessing does with arguments of a process, gives a queue that opens the
    same name in the same root. So does copying.
    """

    __slots__ = ("_c_get", "_c_put", "_calls", "_pack")
    _kind = "queue"
    _remove = staticmethod(c.unlink)
    _getting = "get from"
    _expired = errors.Empty

    def __init__(
        self,
        maxsize: int = 0,
        *,
        name: str | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open the queue of that name, or make it.

        maxsize -- most messages it holds, those on lease included: up to 2**40; 0 or less: no limit
        name -- 1 to 128 of [A-Za-z0-9._-], not starting with "."; None makes an anonymous queue
        capacity -- bytes for messages, each with 24 bytes of header, rounded up to a power of two
            of at least 64 KiB: up to 2**36; None: grows as needed
        transient -- whether it goes with its last user, however that ends, or is kept until
            unlinked; None: if it is anonymous
        pickle -- whether objects that MessagePack cannot carry are pickled, and pickles are
            opened, which may run any code: only for processes that trust each other
        trust_group -- whether pickle=True is meant also in a root that is shared with a group (a
            directory with the set-group-id bit that its group can write to), each member of which
            can then run code here; DeniedError without it. Else it changes nothing
        root -- directory of the queue; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

        Raises MismatchError if it exists with other options, InvalidError, NoSpaceError,
        DeniedError, CorruptError, VersionError, WrongKindError, NoMemoryError, LimitError.
        """
        self._open("open_or_create", maxsize, name, capacity, transient, pickle, trust_group, root)

    @classmethod
    def create(
        cls: type[Self],
        maxsize: int = 0,
        *,
        name: str | None = None,
        capacity: int | None = None,
        transient: bool | None = None,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Make a queue; ExistsError if there is one of that name. Otherwise as Queue()."""
        queue = cls.__new__(cls)
        cls._open(queue, "create", maxsize, name, capacity, transient, pickle, trust_group, root)
        return queue

    @classmethod
    def open(
        cls: type[Self],
        name: str,
        *,
        pickle: bool = False,
        trust_group: bool = False,
        root: _arguments.Path | None = None,
    ) -> Self:
        """Open a queue; NotFoundError if there is none of that name. Otherwise as Queue().

        pickle -- MismatchError if the queue was not made for pickles.
        trust_group -- as in Queue()
        """
        if name is None:
            raise TypeError("name None: say which queue to open")
        queue = cls.__new__(cls)
        cls._open(queue, "open", 0, name, None, None, pickle, trust_group, root)
        return queue

    @classmethod
    def _reopen(
        cls: type[Self], name: str, pickle: bool, trust_group: bool, root: str | None
    ) -> Self:
        return cls.open(name, pickle=pickle, trust_group=trust_group, root=root)

    def _open(
        self,
        how: str,
        maxsize: int,
        name: str | None,
        capacity: int | None,
        transient: bool | None,
        pickle: bool,
        trust_group: bool,
        root: _arguments.Path | None,
    ) -> None:
        self._root = _arguments.root(root)
        self._pickle, self._trust_group = bool(pickle), bool(trust_group)
        status, number = c.open_(
            how,
            _arguments.name_or_none(name),
            self._root_for_c(),
            _arguments.flags(transient, pickle=pickle, trust_group=trust_group),
            max(0, _arguments.limit("maxsize", maxsize)),
            0 if capacity is None else _arguments.limit("capacity", capacity),
        )
        _calls.check(status)
        self._begin(number)

    def _begin(self, number: int) -> None:
        """Take over the handle of an open queue."""
        self._own(number, c.close)
        self._calls = c.bind(number)
        self._c_put, self._c_get = self._calls.put, self._calls.get
        _, self._name = c.name(number)
        self._pack: Callable[[object], bytes] = codec.pack_plain
        if self._pickle:
            self._pack = codec.pack_pickling

    @classmethod
    def _of_handle(cls: type[Self], number: int, carrier: _referring.Carrier) -> Self:
        """Return the queue of a handle that came in a message."""
        queue = cls.__new__(cls)
        cls._arrive(queue, number, carrier)
        return queue

    def _arrive(self, number: int, carrier: _referring.Carrier) -> None:
        self._root, self._trust_group = carrier.root, carrier.trust_group
        self._pickle = False
        self._begin(number)
        if carrier.pickle and self.stat().pickle:
            self._pickle = True
            self._pack = codec.pack_pickling

    # ---- putting ----

    def put(self, obj: T, block: bool = True, timeout: float | None = None) -> None:
        """Put obj. When this returns, the message is in the queue and survives this process.

        timeout -- seconds to wait for room, 0 or more; None: for ever. Not looked at unless block.

        Raises TypeError, naming the place within obj, if it cannot be carried; Full, ShutDown,
        TooLargeError, NoSpaceError, ClosedError: in all these cases nothing was put.
        """
        try:
            body = self._pack(obj)
        except ReferencesMetError as met:
            _queue_referring.put(self, met.packed or obj, block, timeout)
            return
        if timeout is None and len(body) <= SHORT:
            status = self._c_put(body, MSGPACK, -1 if block else 0)
            if status == 0:
                return
            if status != INTERRUPTED:
                raise self._failure(status, "put to", errors.Full)
        self._put(body, MSGPACK, block, timeout)

    def put_nowait(self, obj: T) -> None:
        """Put obj if there is room: put(obj, block=False)."""
        self.put(obj, block=False)

    def put_bytes(self, data: Buffer, block: bool = True, timeout: float | None = None) -> None:
        """Put bytes as they are, of anything that has the buffer protocol. Otherwise as put.

        Python's get returns them as bytes; Go and C see that the message's format is raw.
        """
        if type(data) is not bytes:
            with memoryview(data) as view:
                if not view.c_contiguous:
                    data = bytes(view)
        elif timeout is None:
            status = self._c_put(data, RAW, -1 if block else 0)
            if status == 0:
                return
            if status != INTERRUPTED:
                raise self._failure(status, "put to", errors.Full)
        self._put(data, RAW, block, timeout)

    def _put(self, body: Buffer, form: int, block: bool, timeout: float | None) -> None:
        """Put with all that a quick way leaves out."""
        if form == MSGPACK and len(body) > codec.MAX_SIZE:
            raise errors.TooLargeError(
                f'put to queue "{self._name}": the message has {len(body)} bytes; '
                f"the limit is {codec.MAX_SIZE}: send raw bytes, or parts"
            )
        args: tuple[Any, ...] = (c.put_buffer, self._id, body, form)
        if type(body) is bytes:
            args = (self._c_put, body, form)
        status = _waiting.call(*args, block=block, timeout=timeout)
        if status != 0:
            raise self._failure(status, "put to", errors.Full)

    def put_many(
        self, objects: Iterable[T], block: bool = True, timeout: float | None = None
    ) -> None:
        """Put objects in order, as many at a time as there is room for; quicker than one by one.

        timeout -- seconds for all of them together, 0 or more; None: for ever.

        Raises as put does. After TypeError nothing was put. Full and ShutDown say in their
        attribute put how many were; after Ctrl-C it is not known.
        """
        objects = list(objects)
        try:
            bodies = [self._pack(obj) for obj in objects]
        except ReferencesMetError:
            _queue_referring.put_each(self, objects, block, timeout)
            return
        put = 0

        def put_some(ns: int) -> Any:
            count = self._calls.put_many(bodies, put, MSGPACK, ns)
            return (count,) if count > 0 else -count  # a count must not look like a status

        waits = _waiting.Left(timeout if block else None)
        while put < len(bodies):
            result = _waiting.call(put_some, block=block, timeout=waits.seconds())
            if type(result) is int:
                error = self._failure(result, "put to", errors.Full)
                if isinstance(error, (errors.Full, errors.ShutDown)):
                    error.put = put
                raise error
            put += result[0]

    # ---- getting ----

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        """Take the oldest message. If this process dies in the call, the message may be lost.

        timeout -- seconds to wait for one, 0 or more; None: for ever. Not looked at unless block.

        Raises Empty; ShutDown when the queue was shut down and nothing is left; DecodeError, which
        has the message; CorruptError, ClosedError.
        """
        ns = -1 if block else 0
        found: Any = self._c_get(ns) if timeout is None else INTERRUPTED
        if type(found) is bytes and len(found) <= SHALLOW:
            try:
                return codec.decode(found)  # type: ignore[no-any-return]
            except Exception:  # noqa: BLE001 - what it was is found out below
                pass
        elif type(found) is int:
            found = self._wait(found, "get from", self._c_get, block=block, timeout=timeout)
        return self._read(found)

    def get_nowait(self) -> T:
        """Take the oldest message if there is one: get(block=False)."""
        return self.get(block=False)

    def get_bytes(self, block: bool = True, timeout: float | None = None) -> bytes:
        """Take the oldest message as the bytes it was put as. Otherwise as get.

        Those of a put are its MessagePack, which polyipc.codec.unpackb reads.
        """
        ns = -1 if block else 0
        found: Any = self._c_get(ns) if timeout is None else INTERRUPTED
        if type(found) is int:
            found = self._wait(found, "get from", self._c_get, block=block, timeout=timeout)
        return found if type(found) is bytes else found[0]

    def get_many(self, max_count: int, block: bool = True, timeout: float | None = None) -> list[T]:
        """Wait for one message, then take what else is there: 1 to max_count messages, in order.

        max_count -- 1 or more. Otherwise as get.
        """
        if max_count < 1:
            raise errors.InvalidError(f"max_count {max_count}: give 1 or more")
        most = min(max_count, sys.maxsize)
        ns = -1 if block else 0
        found: Any = self._calls.get_many(most, ns) if timeout is None else INTERRUPTED
        if type(found) is int:
            get = self._calls.get_many
            found = self._wait(found, "get from", get, most, block=block, timeout=timeout)
        try:
            return [
                codec.decode(m) if type(m) is bytes and len(m) <= SHALLOW else self._read(m)
                for m in found
            ]
        except Exception:  # noqa: BLE001 - one of them; which, and why, is found out now
            bodies = [m if type(m) is bytes else m[0] for m in found]
            return [self._read(m, bodies) for m in found]

    def lease(self, block: bool = True, timeout: float | None = None) -> Lease[T]:
        """Take the oldest message, but leave it the queue's until it is acked. Otherwise as get.

            with queue.lease() as lease:
                work(lease.value)

        acks when the block ends, and gives the message back when it raises. When this process dies
        the message is delivered again, before newer ones.
        """
        ns = -1 if block else 0
        found: Any = self._calls.lease(ns) if timeout is None else INTERRUPTED
        if type(found) is int:
            found = self._wait(found, "lease from", self._calls.lease, block=block, timeout=timeout)
        return Lease(self, *found)

    def __iter__(self) -> Iterator[T]:
        """Get messages until the queue is shut down and empty."""
        while True:
            try:
                obj = self.get()
            except errors.ShutDown:
                return
            yield obj

    # ---- keeping count ----

    def qsize(self) -> int:
        """Return how many messages a get could take now. Stale as soon as it returns."""
        status, size = c.size(self._id)
        self._check(status, "size")
        return size

    def empty(self) -> bool:
        """Return whether a get would find nothing now. Stale as soon as it returns."""
        return self.qsize() == 0

    def full(self) -> bool:
        """Return whether a put would find no room now, even for an empty message. Stale at once."""
        now = self.stat()
        held = now.messages + now.leased + now.reserved
        return 0 < now.maxsize <= held or 0 < now.capacity < now.bytes + c.RECORD_BYTES

    def task_done(self) -> None:
        """Say that the work on one message is done that a get took. A lease's ack does it itself.

        Raises InvalidError, a ValueError, if called more often than messages were put.
        """
        self._check(c.task_done(self._id), "call task_done on")

    def join(self, timeout: float | None = None) -> None:
        """Wait until every message is done that was put: acked, or gotten and task_done.

        timeout -- seconds, 0 or more; None: for ever. TimedOutError when they are over.

        Consumers that die between get and task_done leave join waiting; with leases they don't.
        """
        status = _waiting.call(c.join, self._id, block=True, timeout=timeout)
        self._check(status, "join")

    def stat(self) -> QueueStat:
        """Return a consistent snapshot of the queue's state and counters."""
        status, fields = c.stat(self._id)
        self._check(status, "stat")
        from polyipc._stat import of_fields

        return of_fields(fields)

    # ---- ending ----

    def shutdown(self, immediate: bool = False) -> None:
        """End the queue for all processes and for good. Puts then raise ShutDown.

        Gets empty what is left, then raise ShutDown; with immediate what is left is discarded and
        counts as done. Leases already given may still be acked. Calling it again is allowed.
        """
        self._check(c.shutdown(self._id, bool(immediate)), "shut down")

    def join_thread(self) -> None:
        """Do nothing: there is no thread. For programs written for multiprocessing."""

    def cancel_join_thread(self) -> None:
        """Do nothing: there is no thread. For programs written for multiprocessing."""


def unlink(name: str, *, root: _arguments.Path | None = None) -> None:
    """Remove the name of a queue; fine if there is none.

    Who has the queue open goes on using it; it goes with the last of them.

    root -- directory of the queue; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

    Raises WrongKindError; CorruptError for a file that is not polyipc's, which stays.
    """
    _calls.unlink(c.unlink, name, root)


_referring.opens(_referring.QUEUE, Queue)


if not TYPE_CHECKING:
    __getattr__, __dir__ = _later.of(globals(), {"polyipc._stat": "QueueStat"})
