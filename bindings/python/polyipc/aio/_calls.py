"""Calls of a manager's objects, for the tasks of a loop.

The methods of polyipc.manager's proxies say what is asked of the server. Here a method is run with
a stand-in for its proxy, which knows the answers so far: at the first question without one it is
left, the task waits for the answer, and the method is run again.
"""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
import weakref
from collections.abc import Coroutine
from typing import Any, Callable, NamedTuple

from polyipc import errors
from polyipc._c import loop as c
from polyipc._c import manager as c_manager
from polyipc._manager import Manager
from polyipc._manager_batch import Batch
from polyipc._manager_link import Link
from polyipc._manager_make import Makes
from polyipc._manager_proxy import Convert, Proxy, method_name
from polyipc.aio import _loop, _pending
from polyipc.aio._locks import acting, owner
from polyipc.errors import Status

_FULL = (int(Status.TIMEOUT), int(Status.FULL), int(Status.INTERRUPTED))

_ROOM = 0.001  # seconds between two looks for room on the way to the server
_CONFIRM = 1_000_000_000  # ns for room for what tells the server that a result has come

deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar(
    "polyipc_deadline", default=None
)
"""When all calls of a block have to have ended, by time.monotonic."""


class Question(NamedTuple):
    """What is asked of the server."""

    object: int
    method: bytes
    args: list[Any]
    named: dict[str, Any]


class _Ask(BaseException):  # no method's own handlers are to see it
    """A question without an answer."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question


class Answers:
    """The answers so far of one method."""

    __slots__ = ("_answers", "_at")

    def __init__(self) -> None:
        self._answers: list[tuple[Any, Exception | None]] = []
        self._at = 0

    def rewind(self) -> None:
        """Begin again."""
        self._at = 0

    def add(self, value: Any, error: Exception | None = None) -> None:
        """Add the answer to the latest question."""
        self._answers.append((value, error))

    def ask(self, question: Question, convert: Convert | None) -> Any:
        """Return the answer, or raise it."""
        if self._at == len(self._answers):
            raise _Ask(question)
        value, error = self._answers[self._at]
        self._at += 1
        if error is not None:
            raise error
        return value if convert is None else convert(value)


class _StandIn(Proxy):
    """What stands for a proxy in its methods. Its slot _call has the answers."""

    __slots__ = ()

    def _ask(self, method: bytes, args: list[Any], convert: Convert | None = None) -> Any:
        answers: Any = self._call
        return answers.ask(Question(self._object, method, args, {}), convert)

    def _ask_named(self, method: bytes, args: list[Any], named: dict[str, Any]) -> Any:
        answers: Any = self._call
        return answers.ask(Question(self._object, method, args, named), None)

    def __del__(self) -> None:
        """Release nothing: the reference is the proxy's."""


_stand_ins: dict[type[Proxy], type[Proxy]] = {}


def _stand_in(proxy: Proxy, answers: Answers) -> Any:
    cls = type(proxy)
    made = _stand_ins.get(cls)
    if made is None:
        made = _stand_ins[cls] = type(cls.__name__, (_StandIn, cls), {"__slots__": ()})
    it = made.__new__(made)
    put = object.__setattr__
    for slot in ("_link", "_manager", "_object", "_type"):
        put(it, slot, getattr(proxy, slot))
    put(it, "_call", answers)
    it._prepare()
    return it


class _Maker(Makes):
    """What stands for a manager in the methods that make objects, and in those about itself."""

    def __init__(self, manager: Manager, answers: Answers) -> None:
        self._manager, self._answers = manager, answers

    def _own(self, method: bytes, args: list[Any], named: dict[str, Any] | None = None) -> Any:
        return self._answers.ask(Question(c_manager.SELF, method, args, named or {}), None)

    def _each(self, values: Any) -> list[Any]:
        return self._manager._each(values)

    def _pairs(self, entries: Any) -> dict[Any, Any]:
        return self._manager._pairs(entries)


class News:
    """What the tasks of a loop wait for by one connection: ends of calls, and events."""

    __slots__ = ("_listens", "_minded", "link")

    def __init__(self, link: Link) -> None:
        self.link = link
        self._minded: dict[int, asyncio.Future[bool]] = {}
        self._listens = False

    @property
    def waited_for(self) -> bool:
        """Whether a task waits."""
        return bool(self._minded)

    async def told(self, number: int, end: float | None, *, events: bool = False) -> bool:
        """Wait for news of a call, or of a subscription's events; False: the time is over."""
        loop = asyncio.get_running_loop()
        key = number << 1 | events
        future = self._minded[key] = loop.create_future()
        timer = None if end is None else loop.call_at(end, _loop.expire, future)
        try:
            c.mind(self.link.handle, number, events=events)
            self._listen()
            in_time: bool = await future
            return in_time
        finally:
            if timer is not None:
                timer.cancel()
            self._minded.pop(key, None)

    def _listen(self) -> None:
        if self._listens or not self._minded:
            return
        pending = _pending.waits().pending()
        status, _ = pending.begin(c.TOLD, self.link.handle, self._tell)
        if status != 0:
            raise errors.of_status(status, "wait for a manager's answers")
        self._listens = True

    def _tell(self, ended: c.Ended, _detail: str) -> None:
        self._listens = False
        keys = c.news(self.link.handle) if ended.status == 0 else list(self._minded)
        for key in keys:
            future = self._minded.get(key)
            if future is not None and not future.done():
                future.set_result(True)
        left = [future for future in self._minded.values() if not future.done()]
        try:
            if left:
                self._listen()
        except errors.Error as e:  # the connection was closed: no call of it ends any more
            for future in left:
                future.set_exception(e)


class Calls:
    """The calls of a loop by one connection, and the events that it waits for."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self._loop = weakref.ref(asyncio.get_running_loop())
        self._news = News(manager._current())

    def current(self) -> News:
        """Return the connection's. It belongs to one loop at a time."""
        link, loop, before = self.manager._current(), asyncio.get_running_loop(), self._loop()
        if before is not loop or link is not self._news.link:
            other = before is not None and before is not loop
            if other and self._news.link.own and self._news.waited_for:
                raise RuntimeError(
                    "this manager is used in another loop, where calls wait: connect in each loop"
                )
            self._loop, self._news = weakref.ref(loop), News(link)
        return self._news

    def _end(self) -> float | None:
        """Return the loop's time when a call that begins now has to have ended."""
        seconds, until = self.manager.timeout, deadline.get()
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise errors.TimedOutError("the deadline is over")
            seconds = left if seconds is None else min(left, seconds)
        return _loop.end_of(seconds)

    async def answer(self, question: Question, what: str) -> Any:
        """Have the server answer, and return the value; raise what it raises there.

        One that is cancelled is given up, and what it was given goes back.
        """
        return await self._answer(question, what, self._end())

    async def _answer(self, question: Question, what: str, end: float | None) -> Any:
        news, call = await self._ask(question, what, end)
        found = await self._found(news, call, what, end)
        return self._value(news.link, found, what, question)

    def _value(self, link: Link, found: Any, what: str, question: Question) -> Any:
        if type(found) is bytes:
            return self.manager._read(link, found)
        raise link.failure(found, what, question.args)

    async def _ask(self, question: Question, what: str, end: float | None) -> tuple[News, int]:
        news = self.current()
        link = news.link
        packed = link.packed(question.args)
        names = link.packed_named(question.named) if question.named else b""

        def begin() -> tuple[int, int]:
            return c_manager.start(
                link.handle, question.object, question.method, packed, names, owner(), 0
            )

        return news, await self._begun(link, begin, what, end, question.args)

    async def _begun(
        self,
        link: Link,
        begin: Callable[[], tuple[int, int]],
        what: str,
        end: float | None,
        args: Any = (),
    ) -> int:
        """Return the number of a call that is sent as soon as there is room for it."""
        while True:
            status, call = begin()
            if status == 0:
                return call
            if status not in _FULL:
                raise link.failure(status, what, args)
            if end is not None and end <= _loop.now():
                raise errors.TimedOutError(f"{what}: it could not be sent in time")
            await asyncio.sleep(_ROOM)

    async def _found(self, news: News, call: int, what: str, end: float | None) -> Any:
        """Return what finish returns of a call, which is given up if this is not waited for."""
        ended = False
        try:
            if not await news.told(call, end):
                raise errors.TimedOutError(f"{what}: no answer in time")
            found = news.link.calls.finish(call, _CONFIRM)
            ended = True
        finally:
            if not ended:
                news.link.forget(call)
        return found

    async def notified(self, proxy: Proxy, timeout: float | None = None) -> bool:
        """Wait in a condition. However that ends, its lock is held, unless the manager is gone."""
        arguments = [] if timeout is None else [max(0.0, timeout)]
        question = Question(proxy._object, b"wait", arguments, {})
        self._renew(proxy)
        end = self._end()
        news, call = await self._ask(question, "condition.wait", end)
        try:
            found = await self._found(news, call, "condition.wait", end)
            return bool(self._value(news.link, found, "condition.wait", question))
        except (asyncio.CancelledError, TimeoutError):
            # The server freed the lock.
            again = Question(proxy._object, b"acquire", [], {})
            with contextlib.suppress(Exception):
                await insist(self._answer(again, "condition.acquire", None))
            raise

    async def batch(self, batch: Batch) -> None:
        """Have the server do a batch's calls."""
        news, end = self.current(), self._end()
        link = news.link
        message = batch._message(link)

        def begin() -> tuple[int, int]:
            return c_manager.batch(link.handle, message, owner(), 0)

        call = await self._begun(link, begin, "batch", end)
        batch._ran(link, await self._found(news, call, "batch", end))

    def _renew(self, proxy: Proxy) -> None:
        self.current()
        if not proxy._link.own:
            proxy._renewed()

    async def run(self, proxy: Proxy | None, function: Callable[..., Any], args: Any) -> Any:
        """Return what a method of a proxy's class, or of Makes, returns for (args, named)."""
        answers = Answers()
        if proxy is None:
            self.current()
        else:
            self._renew(proxy)
        while True:
            answers.rewind()
            it: Any = _Maker(self.manager, answers)
            if proxy is not None:
                it = _stand_in(proxy, answers)
            try:
                value = function(it, *args[0], **args[1])
            except _Ask as asked:
                question = asked.question
            else:
                if proxy is not None and hasattr(type(it), "owner_died"):
                    proxy.owner_died = it.owner_died  # type: ignore[attr-defined]
                return value
            kind = "manager" if proxy is None else proxy._type
            try:
                answers.add(await self.answer(question, f"{kind}.{question.method.decode()}"))
            except Exception as e:  # noqa: BLE001 - the method raises it
                answers.add(None, e)

    async def call(self, proxy: Proxy, name: str, args: Any) -> Any:
        """Return what a hosted object's method returns."""
        question = Question(proxy._object, method_name(name), list(args[0]), args[1])
        return await self.answer(question, f"{proxy._type}.{name}")


async def insist(calling: Coroutine[Any, Any, Any]) -> Any:
    """Return what a call returns that is made to its end, for this task, which may be cancelled."""
    with acting():
        before = deadline.get()
        deadline.set(None)
        running = asyncio.ensure_future(calling)
        deadline.set(before)
    cancelled = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as e:
            cancelled = cancelled or e
    error = running.exception()
    if cancelled is not None:
        raise cancelled
    if error is not None:
        raise error
    return running.result()
