"""The Python peer: does with queues what it reads on standard input. ../PROTOCOL.md says how."""

from __future__ import annotations

import os
import random
import signal
import sys
from typing import Any, Callable

import work
from body import body_of, show
from crowds import Crowds
from managers import Managers, RemoteFailed
from many import Many
from pipe_ends import Pipes
from refs import Refs
from segments import Segments
from syncs import Syncs

import polyipc
from polyipc import codec, errors

Words = list[str]


class ProtocolError(Exception):
    """A command that makes no sense."""


class Peer:
    """What the commands have opened so far."""

    def __init__(self) -> None:
        self.queues: list[polyipc.Queue[Any]] = []
        self.leases: list[polyipc.Lease[Any]] = []
        self.children: dict[int, int] = {}
        self.syncs = Syncs()
        self.pipes = Pipes()
        self.segments = Segments()
        self.refs = Refs(
            queue=self.queues,
            sync=self.syncs.objects,
            pipe=self.pipes.ends,
            segment=self.segments.open,
        )
        self.many = Many(self.queues)
        self.managers = Managers()
        nouns: dict[str, list[Any]] = {
            "queue": self.queues,
            "pipe": self.pipes.ends,
            "segment": self.segments.open,
        }
        self.crowds = Crowds(lambda kind: nouns.get(kind, self.syncs.objects))
        self.verbs: dict[str, Callable[[polyipc.Queue[Any], Words], str]] = {
            "name": lambda q, _: q.name or "",
            "put": self.put,
            "put_many": self.put_many,
            "get": self.get,
            "get_many": self.get_many,
            "lease": self.lease,
            "ack": lambda _, w: nothing(lambda: self.leases[int(w[0])].ack()),
            "nack": lambda _, w: nothing(lambda: self.leases[int(w[0])].nack()),
            "task_done": lambda q, _: nothing(lambda: q.task_done()),
            "join": lambda q, w: nothing(lambda: q.join(wait(w[0])[1])),
            "shutdown": lambda q, w: nothing(lambda: q.shutdown(immediate=w[0] == "1")),
            "size": lambda q, _: str(q.qsize()),
            "empty": lambda q, _: str(int(q.empty())),
            "full": lambda q, _: str(int(q.full())),
            "stat": self.stat,
            "close": lambda q, _: nothing(lambda: q.close()),
            "produce": work.produce,
            "consume": work.consume,
        }

    def answer(self, words: Words) -> str:
        """Do a command and say what came of it."""
        try:
            return ("ok " + self.do(words)).rstrip()
        except RemoteFailed as e:
            return f"err REMOTE_ERROR {e}".replace("\n", " ")
        except errors.Error as e:
            return f"err {errors.Status(e.status).name} {e}".replace("\n", " ")
        except KeyboardInterrupt:
            return "err INTERRUPTED by Ctrl-C"
        except (ProtocolError, LookupError, ValueError, TypeError) as e:
            return f"err PROTOCOL {type(e).__name__} {e}: {words}".replace("\n", " ")

    def do(self, words: Words) -> str:
        """Do a command and return the words behind ok."""
        verb, rest = words[0], words[1:]
        if verb.startswith("sync."):
            return self.syncs.do(verb[len("sync.") :], rest)
        if verb.startswith("pipe."):
            return self.pipes.do(verb[len("pipe.") :], rest)
        if verb.startswith("ref."):
            return self.refs.do(verb[len("ref.") :], rest)
        if verb.startswith("segment."):
            return self.segments.do(verb[len("segment.") :], rest)
        if verb.startswith("many."):
            return self.many.do(verb[len("many.") :], rest)
        if verb.startswith("manager."):
            return self.managers.do(verb[len("manager.") :], rest)
        if verb.startswith("crowd."):
            return self.crowds.do(verb[len("crowd.") :], rest)
        if verb in ("create", "open_or_create"):
            return self.make(verb, rest)
        if verb == "open":
            return self.keep(polyipc.Queue.open(rest[0]))
        if verb == "unlink":
            return nothing(lambda: polyipc.unlink(rest[0]))
        if verb == "fork":
            return self.fork(rest)
        if verb not in self.verbs:
            raise ProtocolError("no such command")
        return self.verbs[verb](self.queues[int(rest[0])], rest[1:])

    def make(self, verb: str, words: Words) -> str:
        """Create a queue, or open it if it may exist."""
        name, maxsize, capacity, flags = words
        how = polyipc.Queue.create if verb == "create" else polyipc.Queue
        queue: polyipc.Queue[Any] = how(
            int(maxsize),
            name=None if name == "-" else name,
            capacity=int(capacity) or None,
            transient={"k": False, "t": True, "-": None}[flags],
        )
        return self.keep(queue)

    def keep(self, queue: polyipc.Queue[Any]) -> str:
        self.queues.append(queue)
        return str(len(self.queues) - 1)

    def put(self, queue: polyipc.Queue[Any], words: Words) -> str:
        block, timeout = wait(words[0])
        body = body_of(words[1])
        if words[1][0] == "m":
            queue.put(codec.unpackb(body), block, timeout)
        else:
            queue.put_bytes(body, block, timeout)
        return ""

    def put_many(self, queue: polyipc.Queue[Any], words: Words) -> str:
        block, timeout = wait(words[0])
        if any(word[0] != "m" for word in words[1:]):
            raise ProtocolError("put_many of Python puts objects")
        objects = [codec.unpackb(body_of(word)) for word in words[1:]]
        try:
            queue.put_many(objects, block, timeout)
        except (errors.Full, errors.ShutDown) as e:
            if not e.put:
                raise
            return f"{e.put}"
        return str(len(objects))

    def get(self, queue: polyipc.Queue[Any], words: Words) -> str:
        return show(queue.get(*wait(words[0])))

    def get_many(self, queue: polyipc.Queue[Any], words: Words) -> str:
        return " ".join(show(obj) for obj in queue.get_many(int(words[1]), *wait(words[0])))

    def lease(self, queue: polyipc.Queue[Any], words: Words) -> str:
        lease = queue.lease(*wait(words[0]))
        self.leases.append(lease)
        return f"{len(self.leases) - 1} {lease.deliveries} {show(lease.value)}"

    def stat(self, queue: polyipc.Queue[Any], _: Words) -> str:
        s = queue.stat()
        names = [
            "messages",
            "leased",
            "reserved",
            "unfinished",
            "put",
            "taken",
            "abandoned",
            "redelivered",
            "rings",
        ]
        return " ".join(f"{name}={getattr(s, name)}" for name in names)

    def fork(self, words: Words) -> str:
        """Let a forked child do the command."""
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            answer = self.answer(words)
            os.write(writes, answer.encode() + b"\n")
            self.close()
            os._exit(0)  # not through what the parent had planned for its own end
        os.close(writes)
        self.children[pid] = reads
        return str(pid)

    def wait(self, words: Words) -> str:
        """Return the whole answer of a forked child."""
        pid = int(words[1])
        with os.fdopen(self.children.pop(pid)) as pipe:
            answer: str = pipe.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return f"err KILLED {os.WTERMSIG(status)}"
        return answer.rstrip("\n")

    def close(self) -> None:
        for opened in (*self.queues, *self.pipes.ends):
            opened.close()
        self.managers.close()


def nothing(call: Callable[[], None]) -> str:
    """Do what has no result."""
    call()
    return ""


def wait(milliseconds: str) -> tuple[bool, float | None]:
    """Return block and timeout."""
    n = int(milliseconds)
    if n == 0:
        return False, None
    return True, None if n < 0 else n / 1000


def main() -> None:
    random.seed(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    peer = Peer()
    for line in sys.stdin:
        words = line.split()
        answer = peer.wait(words) if words[0] == "wait" else peer.answer(words)
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()
    peer.leases.clear()
    peer.close()


if __name__ == "__main__":
    main()
