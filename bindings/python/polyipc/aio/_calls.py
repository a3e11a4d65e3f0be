"""Calls of a manager's objects, for the tasks of a loop.

The methods of polyipc.manager's proxies say what is asked of the server. Here a method is run with
a stand-in for its proxy, which knows the answers so far: at the first question without one it is
left, the task waits for the answer, and the method is run again.
"""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Callable, NamedTuple

from polyipc import errors
from polyipc._c import loop as c
from polyipc._c import manager as c_manager
from polyipc._manager import Manager
from polyipc._manager_link import Link
from polyipc._manager_make import Makes
from polyipc._manager_proxy import Convert, Proxy, method_name
from polyipc.aio import _pending
from polyipc.aio._locks import owner
from polyipc.errors import Status

_FULL = (int(Status.TIMEOUT), int(Status.FULL), int(Status.INTERRUPTED))

_ROOM = 0.001  # seconds between two looks for room on the way to the server
_CONFIRM = 50_000_000  # ns for room for what tells the server that a result has come


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


class Calls:
    """The calls of a loop by one connection, and the events that it waits for."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self._loop = weakref.ref(asyncio.get_running_loop())
        self._link = manager._current()
        self._minded: dict[int, asyncio.Future[None]] = {}
        self._listens = False

    def current(self) -> Link:
        """Return the connection. It belongs to one loop at a time."""
        link = self.manager._current()
        loop = asyncio.get_running_loop()
        before = self._loop()
        if before is not loop or link is not self._link:
            if before is not None and before is not loop and self._link.own and self._minded:
                raise RuntimeError(
                    "this manager is used in another loop, where calls wait: connect in each loop"
                )
            self._loop, self._link, self._listens = weakref.ref(loop), link, False
            self._minded = {}
        return link

    async def told(self, number: int, *, events: bool = False) -> None:
        """Wait for news of a call, or of a subscription's events."""
        link = self._link
        key = number << 1 | events
        future = self._minded[key] = asyncio.get_running_loop().create_future()
        try:
            c.mind(link.handle, number, events=events)
            self._listen()
            await future
        finally:
            self._minded.pop(key, None)

    def _listen(self) -> None:
        if self._listens or not self._minded:
            return
        pending = _pending.waits().pending()
        status, _ = pending.begin(c.TOLD, self._link.handle, self._tell)
        if status != 0:
            raise errors.of_status(status, "wait for a manager's answers")
        self._listens = True

    def _tell(self, ended: c.Ended, _detail: str) -> None:
        self._listens = False
        keys = c.news(self._link.handle) if ended.status == 0 else list(self._minded)
        for key in keys:
            future = self._minded.get(key)
            if future is not None and not future.done():
                future.set_result(None)
        if any(not future.done() for future in self._minded.values()):
            self._listen()

    async def answer(self, question: Question, what: str) -> Any:
        """Have the server answer, and return the value; raise what it raises there.

        One that is cancelled is given up, and what it was given goes back.
        """
        link = self.current()
        packed = link.packed(question.args)
        names = link.packed_named(question.named) if question.named else b""
        while True:
            status, call = c_manager.start(
                link.handle, question.object, question.method, packed, names, owner(), 0
            )
            if status not in _FULL:
                break
            await asyncio.sleep(_ROOM)
        if status != 0:
            raise link.failure(status, what, question.args)
        timeout = self.manager.timeout
        ended = False
        try:
            if timeout is None:
                await self.told(call)
            else:
                await asyncio.wait_for(self.told(call), timeout)
            found = link.calls.finish(call, _CONFIRM)
            ended = True
        except asyncio.TimeoutError:
            raise errors.TimedOutError(f"{what}: no answer in {timeout} seconds") from None
        finally:
            if not ended:
                link.forget(call)
        if type(found) is bytes:
            return self.manager._read(link, found)
        raise link.failure(found, what, question.args)

    async def run(self, proxy: Proxy | None, function: Callable[..., Any], args: Any) -> Any:
        """Return what a method of a proxy's class, or of Makes, returns for (args, named)."""
        answers = Answers()
        self.current()
        if proxy is not None and not proxy._link.own:
            proxy._renewed()
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
