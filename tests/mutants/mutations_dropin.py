"""Mutants of the drop-in for multiprocessing: connections, pickles, managers' proxies."""

from __future__ import annotations

from mutant import Mutant
from suites import python

PACKAGE = "bindings/python/polyipc/"


SUITES_DROPIN = {
    "connections": python("test_mp_connection.py"),
    "pickles": python("test_pickling.py"),
    "buffers": python("test_pickle_buffers.py"),
    "upgrade": python("test_mp_upgrade.py"),
    "importing": python("test_importing.py"),
    "first": python("test_codec_first.py"),
    "values": python("test_mp_values.py"),
    "managers": python("test_managers.py"),
    "queues": python("test_dropin_queues.py"),
    "pool": python("test_dropin_pool.py"),
    "forks": python("test_dropin_fork.py -k processes"),
    "descriptors": python("test_wait.py -k 'closed or forked'"),
    "exits": python("test_dropin_programs.py -k exits-fork"),
    "arguments": python("test_dropin_programs.py -k objects-spawn"),
}

MUTANTS_DROPIN = (
    Mutant(
        "terminate of a pool waits for the task that it saw",
        PACKAGE + "multiprocessing/pool.py",
        "                inqueue._reader.recv(timeout=0)\n",
        "                if not inqueue._reader.poll():\n"
        "                    return\n"
        "                inqueue._reader.recv()\n",
        "pool",
    ),
    Mutant(
        "a child polls its parent's descriptor",
        PACKAGE + "_handle.py",
        "os.register_at_fork(after_in_child=_in_child)\n",
        "_ = _in_child\n",
        "descriptors",
    ),
    Mutant(
        "what is closed has a descriptor still",
        PACKAGE + "_handle.py",
        "if where is not _here or not self._finalizer.alive:",
        "if where is not _here:",
        "descriptors",
    ),
    Mutant(
        "a fork does not wait for a load of the codec's libraries",
        PACKAGE + "codec.py",
        "    with _loading:\n",
        "    with threading.Lock():\n",
        "importing",
    ),
    Mutant(
        "forked children import the codec's libraries each",
        PACKAGE + "multiprocessing/context.py",
        "codec.load() if _handle.any_open() else None",
        "None",
        "importing",
    ),
    Mutant(
        "the modules of a new process come with it all",
        PACKAGE + "_handle.py",
        "import threading\nimport weakref\n",
        "import threading\nimport uuid  # noqa: F401\nimport weakref\n",
        "importing",
    ),
    Mutant(
        "a first message is read although bytes follow it",
        PACKAGE + "_codec_first.py",
        "return value if end == len(data) else OTHER",
        "return value",
        "first",
    ),
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
        "pickle.Pickler if reduction is None else",
        "pickle.Pickler if True else",
        "pickles",
    ),
    Mutant(
        "buffers are in the memory of a lease's message",
        PACKAGE + "_lease.py",
        "_read((self.body, self._format), (self.body,))",
        "_read((self.body, self._format))",
        "buffers",
    ),
    Mutant(
        "a large buffer is not behind its pickle's padding",
        PACKAGE + "_pickling.py",
        "        at += pad + view.nbytes\n",
        "        at += view.nbytes\n",
        "buffers",
    ),
    Mutant(
        "a buffer may lie outside of its message",
        PACKAGE + "_pickling.py",
        "        if at + size > table:\n",
        "        if False:\n",
        "buffers",
    ),
    Mutant(
        "pieces overwrite each other in a ring",
        "runtime/internal/fifo/put.go",
        "\t\t\tpayload = payload[len(b):]\n",
        "",
        "buffers",
    ),
    Mutant(
        "a message that refers to objects goes to nobody",
        "runtime/internal/fifo/links.go",
        "\tif q.lost(false) {\n",
        "\tif false {\n",
        "buffers",
    ),
    Mutant(
        "what pickles in a manager's message hold counts as its depth",
        PACKAGE + "codec.py",
        " or opening.pickle is not None:\n",
        ":\n",
        "values",
    ),
    Mutant(
        "a ticket's descriptor stays open in forked children",
        PACKAGE + "multiprocessing/_tickets.py",
        "os.register_at_fork(after_in_child=_in_child)\n",
        "",
        "connections",
    ),
    Mutant(
        "a client sends the name of a pipe that is not its own",
        PACKAGE + "multiprocessing/_upgrade.py",
        "if not os.path.sameopenfile(held[0], library.descriptor(end._id)):",
        "if False:",
        "upgrade",
    ),
    Mutant(
        "a former listener's advert is believed",
        PACKAGE + "multiprocessing/_upgrade.py",
        "        if _PEER.unpack(peer)[0] == pid:\n",
        "        if True:\n",
        "upgrade",
    ),
    Mutant(
        "nothing holds a pipe that waits to be accepted",
        PACKAGE + "multiprocessing/_upgrade.py",
        "[library.descriptor(end._id)]",
        "[s.fileno()]",
        "upgrade",
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
    Mutant(
        "children of multiprocessing do not close what they have",
        PACKAGE + "multiprocessing/context.py",
        "    lambda _: util.Finalize(None, _handle.close_all, exitpriority=LAST),\n",
        "    lambda _: None,\n",
        "forks",
    ),
    Mutant(
        "they close all but segments",
        PACKAGE + "_handle.py",
        "    c_segment.leave()\n",
        "",
        "forks",
    ),
    Mutant(
        "they close what their threads still use",
        PACKAGE + "_handle.py",
        "            thread.join()\n",
        "            pass\n",
        "exits",
    ),
    Mutant(
        "a program's exit closes what its pools and managers end with",
        PACKAGE + "multiprocessing/context.py",
        "atexit.unregister(util._exit_function)  # type: ignore[attr-defined]\n"
        "atexit.register(util._exit_function)  # type: ignore[attr-defined]\n",
        "",
        "exits",
    ),
    Mutant(
        "a queue that its maker drops does not reach the child",
        PACKAGE + "multiprocessing/queues.py",
        "        return _handle._keeper(self._id), self._reopen_with()\n",
        "        return None, self._reopen_with()\n",
        "arguments",
    ),
    Mutant(
        "what refers to objects is put into a closed queue",
        PACKAGE + "multiprocessing/queues.py",
        "self._c_put = self._c_get = self._pack = fail",
        "self._c_put = self._c_get = fail",
        "queues",
    ),
    Mutant(
        "a closed queue says whether it is empty to who has put",
        PACKAGE + "multiprocessing/queues.py",
        "        if self._closed and self._put_by == os.getpid():\n",
        "        if self._closed and self._put_by is None:\n",
        "queues",
    ),
    Mutant(
        "a closed queue does not say whether it is empty to who has not put",
        PACKAGE + "multiprocessing/queues.py",
        "        if self._closed and self._put_by == os.getpid():\n",
        "        if self._closed:\n",
        "queues",
    ),
)
