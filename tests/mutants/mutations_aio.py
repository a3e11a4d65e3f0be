"""Mutants of polyipc.aio."""

from __future__ import annotations

from mutant import Mutant
from suites import python

SUITES_AIO = {
    "host": "go test -count=1 -failfast -timeout 60s ./runtime/host",
    "news": "go test -count=1 -failfast -timeout 60s -run News ./runtime/manager",
    "given up": "go test -count=1 -failfast -timeout 90s -run GivenUpBehind ./runtime/manager",
    "aio": python("test_aio_*.py"),
}

PENDING_GO = "runtime/host/pending.go"
PENDING = "bindings/python/polyipc/aio/_pending.py"
LOOP = "bindings/python/polyipc/aio/_loop.py"
CALL_GO = "runtime/manager/call.go"
NEWS_GO = "runtime/manager/news.go"
CALLS = "bindings/python/polyipc/aio/_calls.py"
WAITS = "bindings/python/polyipc/aio/_waits.py"

MUTANTS_AIO = (
    Mutant(
        "a cancelled wait keeps what it got",
        PENDING_GO,
        "	if u.unwanted {\n		u.undo()\n	}\n",
        "",
        "host",
    ),
    Mutant(
        "a wait that is cancelled goes on for a moment",
        PENDING_GO,
        "		u.cancel()\n		<-u.done\n		return\n",
        "		u.cancel()\n		return\n",
        "host",
    ),
    Mutant(
        "a closed loop keeps what nobody was told of",
        PENDING_GO,
        "	for _, u := range ended {\n		u.undo()\n	}\n",
        "	_ = ended\n",
        "host",
    ),
    Mutant(
        "a task that is cancelled as it gets a lock keeps it",
        PENDING,
        "                _give_back(want, future.result())\n",
        "                pass\n",
        "aio",
    ),
    Mutant(
        "a lock that comes for a cancelled task stays held",
        PENDING,
        "        want.undo()\n    else:\n        future.set_result(found)\n",
        "        pass\n    else:\n        future.set_result(found)\n",
        "aio",
    ),
    Mutant(
        "a task that leaves does not let the next one wait",
        PENDING,
        "                pending.cancel(want.wait)\n            self._go_on()\n",
        "                pending.cancel(want.wait)\n",
        "aio",
    ),
    Mutant(
        "a task that was called and is cancelled keeps the others from being called",
        LOOP,
        "        self._line.remove(place)\n        self.tried(place)\n",
        "        self._line.remove(place)\n",
        "aio",
    ),
    Mutant(
        "a large put spins",
        LOOP,
        "        if place.failures > _PATIENCE:\n",
        "        if False:\n",
        "aio",
    ),
    Mutant(
        "a task that always finds something keeps the loop",
        LOOP,
        "        if self._turns % _BREATH == 0:\n",
        "        if False:\n",
        "aio",
    ),
    Mutant(
        "an event that is set and cleared wakes nobody in a loop",
        WAITS,
        "            if mark == began and mark % 2 == 0:\n",
        "            if mark % 2 == 0:\n",
        "aio",
    ),
    Mutant(
        "a cancelled wait in a condition keeps its notification",
        WAITS,
        "            if notified:\n                self.notify()\n",
        "            pass\n",
        "aio",
    ),
    Mutant(
        "a call that has ended is not told of",
        NEWS_GO,
        "	c.note(id << 1)\n}\n\n// MindEvents",
        "}\n\n// MindEvents",
        "news",
    ),
    Mutant(
        "a loop is not told that a manager's server died",
        "runtime/manager/client.go",
        "			call.finish(nil, err)\n			c.noteEnd(id, call)\n",
        "			call.finish(nil, err)\n			_ = id\n",
        "news",
    ),
    Mutant(
        "a cancelled call of a manager is not given up",
        CALLS,
        "            if not ended:\n                news.link.forget(call)\n",
        "            pass\n",
        "aio",
    ),
    Mutant(
        "a call is given up, and if there is no room to say so the server never learns",
        CALL_GO,
        "		go c.takeBack(id, version)\n",
        "		_ = version\n",
        "given up",
    ),
    Mutant(
        "a lock whose ack found no room stays held if there is none for its return either",
        CALL_GO,
        "	_ = c.sendOn(context.Background(), version,",
        "	_ = c.sendOn(object.Until(time.Now().Add(cancelGrace)), version,",
        "given up",
    ),
    Mutant(
        "a wait in a manager's condition that is out of time has lost its lock",
        CALLS,
        '                await insist(self._answer(again, "condition.acquire", None))\n',
        "                pass\n",
        "aio",
    ),
    Mutant(
        "a deadline keeps what is held within it",
        CALLS,
        "        deadline.set(None)\n        running",
        "        running",
        "aio",
    ),
    Mutant(
        "who waits on a connection that is closed is not told",
        CALLS,
        "            for future in left:\n                future.set_exception(e)\n",
        "            pass\n",
        "aio",
    ),
)
