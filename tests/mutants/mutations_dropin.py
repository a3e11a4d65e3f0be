"""Mutants of the drop-in for multiprocessing: connections, pickles, managers' proxies."""

from __future__ import annotations

from mutant import Mutant

PACKAGE = "bindings/python/polyipc/"


def _tests(file: str) -> str:
    return f"""sh -c '
        if ! {{ cmake -S . -B build && cmake --build build --parallel; }} >/dev/null 2>&1
        then echo "[build failed]"; exit 1; fi
        python -m pytest -q -x bindings/python/tests/{file}'"""


SUITES_DROPIN = {
    "connections": _tests("test_mp_connection.py"),
    "pickles": _tests("test_pickling.py"),
    "managers": _tests("test_managers.py"),
}

MUTANTS_DROPIN = (
    Mutant(
        "a pickled proxy is not kept for its reader",
        PACKAGE + "_manager_link.py",
        "    _pickled.append((time.monotonic(), proxy))\n",
        "",
        "managers",
    ),
    Mutant(
        "a manager's primitives are the native ones in children",
        PACKAGE + "_manager_proxy.py",
        "manager._classes.get(ref.name, Hosted)",
        "classes.get(ref.name, Hosted)",
        "managers",
    ),
    Mutant(
        "a reference of a subclass comes back as its base",
        PACKAGE + "_codec_write.py",
        "else others <= REFERABLE)",
        "else all(issubclass(k, Referable) for k in others))",
        "pickles",
    ),
    Mutant(
        "pickles know nothing of multiprocessing",
        PACKAGE + "_pickling.py",
        "    if reduction is None:\n",
        "    if True:\n",
        "pickles",
    ),
    Mutant(
        "a refused client's connection stays open",
        PACKAGE + "multiprocessing/connection.py",
        "    except BaseException:\n        conn.close()\n        raise\n",
        "    except BaseException:\n        raise\n",
        "connections",
    ),
    Mutant(
        "an empty key is none",
        PACKAGE + "multiprocessing/connection.py",
        "        if self._authkey is not None:\n",
        "        if self._authkey:\n",
        "connections",
    ),
)
