"""Listener and Client of polyipc talk through a pipe, and CPython's do not notice."""

from __future__ import annotations

import array
import os
import socket
import subprocess
import sys
import uuid
from multiprocessing import connection as theirs
from pathlib import Path
from typing import Any

import pytest
from running import PATIENCE

import polyipc
from polyipc.multiprocessing import _upgrade
from polyipc.multiprocessing import connection as ours

FAR = """
import sys
from polyipc.multiprocessing import connection
conn = connection.Client(sys.argv[1], authkey=b"k" if "k" in sys.argv else None)
print(type(conn).__name__)
conn.send({"class": Exception})
conn.send_bytes(b"x" * 100000)
"""


def far(address: Any, *args: str, root: Path | None = None) -> str:
    """Runs a client that says something and ends, and returns what it talks through."""
    env = {**os.environ, **({} if root is None else {"POLYIPC_ROOT": str(root)})}
    command = [sys.executable, "-c", FAR, address, *args]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout.strip()


def test_a_client_may_end_before_it_is_accepted(tmp_path: Path) -> None:
    with ours.Listener(str(tmp_path / "s"), backlog=5) as listener:
        assert far(listener.address) == "PipeConnection"
        polyipc.gc()
        conn = listener.accept()
        assert type(conn) is ours.PipeConnection
        assert listener.last_accepted == ""
        with conn:
            assert conn.recv() == {"class": Exception}
            assert conn.recv_bytes() == b"x" * 100_000
            with pytest.raises(EOFError):
                conn.recv()
            with pytest.raises(BrokenPipeError):
                conn.send(1)


def test_another_root_and_other_families(tmp_path: Path) -> None:
    elsewhere = tmp_path / "root"
    elsewhere.mkdir(mode=0o700)
    with ours.Listener(str(tmp_path / "s"), backlog=5) as listener:
        assert far(listener.address, root=elsewhere) == "SocketConnection"
        with listener.accept() as conn:
            assert conn.recv() == {"class": Exception}
    with ours.Listener(family="AF_INET", backlog=5) as listener:
        conn = ours.Client(listener.address)
        assert type(conn) is ours.SocketConnection
        conn.close()


def test_cpython_on_either_side(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with ours.Listener(path) as listener, theirs.Client(path) as client, listener.accept() as conn:
        assert type(conn) is ours.SocketConnection
        client.send(1)
        assert conn.recv() == 1
    with theirs.Listener(path) as their, ours.Client(path) as client, their.accept():
        assert type(client) is ours.SocketConnection
        assert their.last_accepted == ""


def test_a_listener_closes_with_clients_that_wait(tmp_path: Path) -> None:
    with ours.Listener(str(tmp_path / "s"), backlog=5) as listener:
        client = ours.Client(listener.address)
        client.send("to nobody")
    with client:
        assert client.poll(PATIENCE)
        with pytest.raises(EOFError):
            client.recv()


def test_the_advert_of_a_former_listener(tmp_path: Path) -> None:
    """An address that is CPython's now, although an advert says something else."""
    with theirs.Listener(str(tmp_path / "s")) as listener:
        name = _upgrade._advert(listener.address)
        with polyipc.Segment.create(
            8, name=name, transient=True, initial=(1).to_bytes(8, "little")
        ):
            client = ours.Client(listener.address)
            assert type(client) is ours.SocketConnection
            with client:
                listener.accept().close()  # of the first try
                with listener.accept() as conn:
                    client.send(1)
                    assert conn.recv() == 1


def test_who_connects_by_another_path(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "s")
    with ours.Listener(str(tmp_path / "s")) as listener:
        conn = ours.Client(str(link))
        with conn, listener.accept() as other:
            assert type(conn) is type(other) is ours.PipeConnection


def test_what_is_no_pipe_is_refused(tmp_path: Path) -> None:
    others = ours.Pipe()  # one that could be opened by its name
    with ours.Listener(str(tmp_path / "s"), backlog=9) as listener, others[0], others[1] as other:
        fds: list[Any]
        for name, fds in (
            (b"x", []),
            (uuid.uuid4().bytes * 3, [0]),
            (b"../" * 12, [0]),
            (str(uuid.uuid4()).encode(), [0]),
            (other.name.encode(), []),
            (other.name.encode(), [0]),
            (other.name.encode(), [0, 0, 0]),
        ):
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(_upgrade.PREFIX + uuid.uuid4().hex.encode())
                s.connect(listener.address)
                beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
                s.sendmsg([name], beside if fds else [])
                s.shutdown(socket.SHUT_WR)
                with pytest.raises((OSError, polyipc.Error)):
                    listener.accept()
        with socket.socket(socket.AF_UNIX) as s:  # it ends before it says anything
            s.bind(_upgrade.PREFIX + b"1")
            s.connect(listener.address)
            s.close()
            with listener.accept() as conn, pytest.raises(EOFError):
                conn.recv()
