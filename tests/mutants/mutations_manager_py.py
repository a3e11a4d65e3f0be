"""Mutants of the manager in Python."""

from __future__ import annotations

from mutant import Mutant
from suites import python

SUITES_MANAGER_PY = {
    "python manager": python("test_manager_*.py"),
}

PROXY = "bindings/python/polyipc/_manager_proxy.py"
LINK = "bindings/python/polyipc/_manager_link.py"
HOST = "bindings/python/polyipc/_manager_host.py"
CALLS = "bindings/python/polyipc/_manager_calls.py"
VALUES = "bindings/python/polyipc/_manager_values.py"
SYNC = "bindings/python/polyipc/_manager_sync.py"

MUTANTS_MANAGER_PY = (
    Mutant(
        "a proxy keeps its object for ever",
        PROXY,
        "        drop(self._link, self._object)\n",
        "        pass\n",
        "python manager",
    ),
    Mutant(
        "a child's proxy does not refer",
        PROXY,
        "        self._retain(link)\n        return True\n",
        "        self._use(link)\n        return True\n",
        "python manager",
    ),
    Mutant(
        "a proxy of a dead server takes any object of that number",
        PROXY,
        "        if link.epoch != self._link.epoch:\n",
        "        if False:\n",
        "python manager",
    ),
    Mutant(
        "what is dropped behind a fork is given back at once",
        LINK,
        "if _dropped or time.monotonic() < due:",
        "if False:",
        "python manager",
    ),
    Mutant(
        "what is dropped after a connection was closed is kept",
        LINK,
        "    if link.own and link.open:\n",
        "    if link.own:\n",
        "python manager",
    ),
    Mutant(
        "each fork puts off what was dropped before it",
        LINK,
        "            if row[0] > at:\n",
        "            if max(row[0], _forked + _GRACE) > at:\n",
        "python manager",
    ),
    Mutant(
        "what is dropped behind a fork is never given back",
        LINK,
        "    for _, link, object_ in _due(_dropped, at):\n",
        "    for _, link, object_ in ():\n",
        "python manager",
    ),
    Mutant(
        "one thread hosts",
        HOST,
        "            if self._idle == 0:\n                self._start()\n            what,",
        "            what,",
        "python manager",
    ),
    Mutant(
        "cancels of calls that were answered are kept",
        HOST,
        "        if len(self._early) > _EARLY:\n",
        "        if False:\n",
        "python manager",
    ),
    Mutant(
        "a call that is given up before it begins does not hear of it",
        HOST,
        "        if call in self._early:\n",
        "        if False:\n",
        "python manager",
    ),
    Mutant(
        "a host's threads all stay",
        HOST,
        "            if self._idle >= _IDLE:\n",
        "            if False:\n",
        "python manager",
    ),
    Mutant(
        "hosted objects stay",
        HOST,
        "            self._objects.pop(number, None)\n",
        "            pass\n",
        "python manager",
    ),
    Mutant(
        "a dropped future's call goes on",
        CALLS,
        "            self._link.forget(self._call)\n",
        "            pass\n",
        "python manager",
    ),
    Mutant(
        "references of another server are sent",
        VALUES,
        "        if ref.uuid.bytes[:8] != epoch:\n",
        "        if False:\n",
        "python manager",
    ),
    Mutant(
        "an owner's death is not told",
        SYNC,
        "self.owner_died = found == _DIED",
        "self.owner_died = False",
        "python manager",
    ),
    Mutant(
        "a wait that is interrupted leaves the lock",
        SYNC,
        '                self._link.run(self._object, b"acquire", b"\\x90", b"", None)\n',
        "                pass\n",
        "python manager",
    ),
)
