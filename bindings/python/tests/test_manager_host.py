"""Objects that a client of a manager hosts."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from managed import m, server, until  # noqa: F401 - fixtures
from running import InThread, program

from polyipc import errors, manager
from polyipc._c import manager as c
from polyipc._manager_host import Host, Type
from polyipc.manager import Manager, Server


class Account:
    made: ClassVar[weakref.WeakSet[Account]] = weakref.WeakSet()

    def __init__(self, owner: str, balance: int = 0) -> None:
        if balance < 0:
            raise ValueError(f"a balance of {balance}")
        self.owner_, self.balance_ = owner, balance
        Account.made.add(self)

    def deposit(self, amount: int, times: int = 1) -> int:
        self.balance_ += amount * times
        return self.balance_

    def balance(self) -> int:
        return self.balance_

    def fail(self, kind: str) -> None:
        raise {"key": KeyError("k"), "zero": ZeroDivisionError("by zero"), "own": Own("mine")}[kind]

    def leave(self) -> None:
        raise SystemExit(3)

    def unfit(self) -> object:
        return object()

    def wait_for(self, event: Any) -> str:
        event.wait()
        return "waited"

    def twin(self) -> Account:
        return Account(self.owner_ + "'s twin", self.balance_)

    def put_into(self, box: Any) -> None:
        box.append(self.balance_)

    def until_cancelled(self, told: Any) -> None:
        until(manager.cancelled)
        told.set()

    def _private(self) -> None:
        """What nobody else may call."""


class Own(Exception):  # noqa: N818
    pass


@pytest.fixture
def host(server: Server) -> Iterator[Manager]:  # noqa: F811
    with server.connect() as h:
        h.register("Account", Account, returns={"twin": "Account"})
        yield h


@pytest.mark.usefixtures("host")
def test_calls(m: Manager) -> None:  # noqa: F811
    a = m.create("Account", "ann", balance=5)
    assert repr(a) == "<polyipc.manager.Hosted Account 1 of 'test'>"
    assert (a.balance(), a.deposit(2), a.deposit(amount=1, times=3), a.deposit(1, times=2)) == (
        *(5, 7, 10, 12),
    )
    b = m.create("Account", "bob", name="bob")
    assert b.deposit(1) == m.create("Account", "is there", name="bob").balance() == 1
    assert m.open("bob")._same(b)
    assert m.types()["Account"] == sorted(
        n for n in dir(Account) if not n.startswith("_") and n != "made"
    )
    assert "deposit" in dir(a)
    assert m.submit(a.deposit, 1, times=2).result() == 14
    box = m.list(None, [a])
    box[0].put_into(box)
    assert box[1] == 14


@pytest.mark.usefixtures("host")
def test_failures(m: Manager) -> None:  # noqa: F811
    with pytest.raises(ValueError, match="a balance of -1") as caught:
        m.create("Account", "ann", -1)
    assert m.stat()["objects"] == 0
    assert "in __init__" in str(caught.value.__cause__)
    a = m.create("Account", "ann")
    with pytest.raises(KeyError) as key:
        a.fail("key")
    assert key.value.args == ("k",)
    with pytest.raises(ZeroDivisionError, match="by zero") as zero:
        a.fail(kind="zero")
    assert zero.value.traceback.startswith("Traceback")  # type: ignore[attr-defined]
    assert "in fail" in zero.value.traceback  # type: ignore[attr-defined]
    assert "polyipc/_manager_host" not in zero.value.traceback  # type: ignore[attr-defined]
    with pytest.raises(errors.RemoteError, match="Own: mine") as own:
        a.fail("own")
    assert own.value.type_name == "Own"
    with pytest.raises(errors.RemoteError, match="SystemExit: 3"):
        a.leave()
    with pytest.raises(TypeError, match="cannot be carried"):
        a.unfit()
    with pytest.raises(TypeError, match="argument"):
        a.deposit()
    for missing in ("nothing", "owner_"):
        with pytest.raises(AttributeError, match=missing):
            getattr(a, missing)()
    with pytest.raises(AttributeError, match="_private"):
        a._private()
    with pytest.raises(AttributeError, match="_private"):
        a._ask(b"_private", [])
    with pytest.raises(errors.NotFoundError, match="Nothing"):
        m.create("Nothing")
    assert a.balance() == 0


@pytest.mark.usefixtures("host")
def test_a_method_that_waits_holds_nobody_up(m: Manager) -> None:  # noqa: F811
    a, e = m.create("Account", "ann"), m.Event()
    threads = [InThread(a.wait_for, e) for _ in range(20)]
    until(lambda: m.stat()["parked"] >= 40)  # the calls, and their waits
    assert a.deposit(1) == 1
    e.set()
    assert [t.result() for t in threads] == ["waited"] * 20
    until(lambda: sum(t.name == "polyipc host" for t in threading.enumerate()) <= 5)


@pytest.mark.usefixtures("host")
def test_objects_go_with_their_last_reference(m: Manager) -> None:  # noqa: F811
    a = m.create("Account", "ann")
    box = m.list(None, [a])
    del a
    gc.collect()
    assert box[0].balance() == 0
    assert len(Account.made) == 1
    box.clear()
    until(lambda: gc.collect() is not None and len(Account.made) == 0)


def test_results_that_are_objects(m: Manager, host: Manager) -> None:  # noqa: F811
    a = m.create("Account", "ann", 5)
    twin = a.twin()
    assert twin.deposit(1) == 6
    assert a.balance() == 5
    mine = Account("host's own", 1)
    m.dict("shared")["account"] = twin
    host.dict("shared")["own"] = host.adopt("Account", mine)
    assert m.dict("shared")["own"].deposit(2) == 3
    assert mine.balance() == 3
    m.dict("shared").clear()
    del a, twin, mine
    until(lambda: gc.collect() is not None and len(Account.made) == 0)


@pytest.mark.usefixtures("host")
def test_a_caller_who_gives_up(m: Manager) -> None:  # noqa: F811
    a, told = m.create("Account", "ann"), m.Event()
    future = m.submit(a.until_cancelled, told)
    until(lambda: m.stat()["parked"] == 1)
    assert future.cancel()
    assert told.wait(30)
    assert not manager.cancelled()


class Line:
    """What a host is told, one thing after the other, by a thread that takes it all."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []
        self.asked: list[bool] = []
        link = SimpleNamespace(calls=self, handle=0, epoch=b"", pickle=False)
        made: Any = SimpleNamespace(_read=lambda _link, body: body)
        self.host = Host(made, link)  # type: ignore[arg-type]
        self.host._types["T"] = Type("T", self.make, None, {})

    def make(self) -> None:
        """Do a call, during which the rest is told."""
        self.take()
        self.asked.append(manager.cancelled())

    def next_call(self, _timeout: int) -> Any:
        what, call = self.told.pop(0)
        return what, call, call, 0, 0, ("T", "__init__", [], None)

    def reply(self, _call: int, _result: bytes) -> int:
        return 0

    def take(self) -> None:
        while self.told:
            self.host._idle = 2  # so that it starts no other thread
            assert self.host._take()

    def kept(self) -> int:
        return len(self.host.cancelled) + len(self.host._early) + len(self.host._running)


def test_cancels_of_calls_that_are_answered_are_not_kept_for_ever() -> None:
    line = Line()
    late = [(c.CANCEL, call) for call in range(10, 5010)]
    line.told = [(c.CALL, 1), (c.CANCEL, 1), *late]
    line.take()
    assert line.asked == [True]  # 5,000 others did not push it out
    assert line.kept() <= 1024
    line.told = [(c.CANCEL, 6000), (c.CALL, 6000)]  # as threads that overtake each other see it
    line.take()
    line.told = [(c.CALL, 6001)]
    line.take()
    assert line.asked == [True, True, False]
    assert line.kept() < 1024
    assert not line.host.cancelled


def test_exposed(m: Manager, host: Manager) -> None:  # noqa: F811
    host.register("Teller", lambda: Account("t"), exposed=["balance", "_private"])
    t = m.create("Teller")
    assert (t.balance(), m.types()["Teller"]) == (0, ["_private", "balance"])
    t._ask(b"_private", [])
    with pytest.raises(AttributeError, match="deposit"):
        t.deposit(1)
    host.register("Any", lambda: Account("a"))
    assert m.create("Any").deposit(4) == 4
    for taken in ("Teller", "dict"):
        with pytest.raises(errors.ExistsError):
            m.register(taken, Account)


def test_a_host_that_leaves(m: Manager, server: Server) -> None:  # noqa: F811
    with server.connect() as other:
        other.register("Account", Account)
        a = m.create("Account", "ann")
        future = m.submit(a.wait_for, m.Event())
        until(lambda: m.stat()["parked"] == 2)
    with pytest.raises(errors.PeerDiedError, match="Account"):
        future.result()
    with pytest.raises(errors.PeerDiedError, match="Account"):
        a.balance()
    assert "Account" not in m.types()
    assert m.ping(1) == 1
    m.register("Account", Account)
    assert m.create("Account", "new").balance() == 0


HOST = """
import sys
from polyipc import manager

class Greeter:
    def greet(self, name, *, loud=False):
        return f"hello {name}".upper() if loud else f"hello {name}"

m = manager.connect("test")
m.register("Greeter", Greeter)
print("ready", flush=True)
try:
    m.serve()
except KeyboardInterrupt:
    pass
"""


def test_a_host_of_its_own(m: Manager) -> None:  # noqa: F811
    with program(HOST) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        g = m.create("Greeter")
        assert (g.greet("you"), g.greet("you", loud=True)) == ("hello you", "HELLO YOU")
        process.send_signal(2)
        process.wait()
        with pytest.raises(errors.PeerDiedError):
            g.greet("you")


def test_the_servers_own(server: Server, m: Manager) -> None:  # noqa: F811
    server.register("Account", Account)
    assert m.create("Account", "ann", 3).balance() == 3
    with pytest.raises(errors.NotFoundError):
        m.serve()
    with pytest.raises(errors.NotFoundError):
        m.adopt("Account", Account("x"))
