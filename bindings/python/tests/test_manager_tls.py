"""TLS for a manager's remote clients."""

from __future__ import annotations

import pickle
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from managed import until
from running import fork, output, reap

from polyipc import errors, manager
from polyipc.manager import Manager, Server

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

KEY = "k" * 32
TOP = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certs")
    subprocess.run(["go", "run", "./tests/certs/make", str(made)], cwd=TOP, check=True)
    return made


def files(certs: Path, who: str, ca: str = "ca") -> dict[str, Any]:
    names = {"tls_ca": f"{ca}.pem", "tls_cert": f"{who}.pem", "tls_key": f"{who}.key"}
    return {key: certs / name for key, name in names.items()}


@pytest.fixture
def far(certs: Path) -> Iterator[Server]:
    with Server("far", listen="127.0.0.1:0", key=KEY, **files(certs, "server")) as s:
        yield s


def polls() -> list[str]:
    """Return the descriptors of event loops, ours and Go's."""
    names = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return [name for name in names if "eventpoll" in name]


def connect(far: Server, **tls: Any) -> Manager:
    assert far.address is not None
    return manager.connect(far.address, key=KEY, **tls)


def test_calls(far: Server, certs: Path) -> None:
    with connect(far, **files(certs, "client")) as m:
        d = m.dict("d", {"big": b"x" * 3_000_000})
        assert len(d["big"]) == 3_000_000
        assert pickle.loads(pickle.dumps(d))._same(d)
        m.reconnect()
        assert len(d["big"]) == 3_000_000
        with far.connect() as near:
            assert near.dict("d") == d
    with connect(far, tls_server_name="scores.test", **files(certs, "client")) as m:
        assert m.ping(1) == 1


def test_children_come_by_tls_too(
    far: Server, certs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(certs)
    with connect(far, tls_ca="ca.pem", tls_cert="client.pem", tls_key="client.key") as m:
        hits = m.counter("hits")
        monkeypatch.chdir("/")  # the files are still those

        def child() -> None:
            assert polls() == []
            for _ in range(10):
                hits.increment()
            reap(fork(grandchild))

        def grandchild() -> None:
            assert polls() == []
            hits.increment()

        reap(*(fork(child) for _ in range(3)))
        assert hits.get() == 33
        until(lambda: m.stat()["clients"] == 1)
        program = """
import sys
from polyipc import manager
names = ("tls_ca", "tls_cert", "tls_key")
with manager.connect(sys.argv[1], key=sys.argv[2], **dict(zip(names, sys.argv[3:]))) as m:
    print(m.counter("hits").get())
"""
        paths = [str(p) for p in files(certs, "client").values()]
        assert output(program, str(far.address), KEY, *paths) == "33\n"


def test_who_is_wrong_is_told(far: Server, certs: Path) -> None:
    with pytest.raises(errors.DeniedError, match="asks for a certificate: give one"):
        connect(far, tls_ca=certs / "ca.pem")
    with pytest.raises(errors.DeniedError, match="is of no CA in"):
        connect(far, **files(certs, "client", "otherca"))
    with pytest.raises(errors.DeniedError, match='is not for "elsewhere"'):
        connect(far, tls_server_name="elsewhere", **files(certs, "client"))
    with pytest.raises(errors.InvalidError, match="no certificate and its key"):
        connect(far, tls_ca=certs / "ca.pem", tls_cert=certs / "ca.pem", tls_key=certs / "self.key")
    with pytest.raises(errors.InvalidError, match=r"the CA, /none, cannot be opened: no such file"):
        connect(far, tls_ca="/none")
    with pytest.raises(errors.InvalidError, match="leave TLS out"):
        manager.connect("far", key=KEY, tls_ca=certs / "ca.pem")
    with pytest.raises(errors.InvalidError, match="give the path of a file"):
        connect(far, tls_ca="")
    with pytest.raises(errors.InvalidError, match="give a name or an IP address"):
        connect(far, tls_server_name="", **files(certs, "client"))
    with pytest.raises(TypeError, match="tls_ca"):
        connect(far, tls_ca=b"ca.pem")
    with pytest.raises(errors.InvalidError, match="give an address to listen on"):
        Server("near", key=KEY, **files(certs, "server"))
    with pytest.raises(errors.InvalidError, match="has expired, at"):
        Server("late", listen="127.0.0.1:0", key=KEY, **files(certs, "expired"))
    with (
        Server("plain", listen="127.0.0.1:0", key=KEY) as plain,
        pytest.raises(errors.VersionError, match="speaks no TLS"),
    ):
        connect(plain, **files(certs, "client"))


def test_a_signal_interrupts_who_connects(certs: Path) -> None:
    class RangError(Exception):
        pass

    def ring(*_: object) -> None:
        raise RangError

    before = signal.signal(signal.SIGALRM, ring)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        try:
            for tls in {}, files(certs, "client"):
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                began = time.monotonic()
                with pytest.raises(RangError):
                    manager.connect(address, key=KEY, **tls)
                assert time.monotonic() - began < 3
                silent.accept()[0].close()
            silent.setblocking(False)
            with pytest.raises(BlockingIOError):
                silent.accept()  # each came once
        finally:
            signal.signal(signal.SIGALRM, before)


def test_renewed_files_are_used(certs: Path, tmp_path: Path) -> None:
    for kind in "pem", "key":
        shutil.copy(certs / f"server.{kind}", tmp_path / f"mine.{kind}")
    mine: dict[str, Any] = {"tls_cert": tmp_path / "mine.pem", "tls_key": tmp_path / "mine.key"}
    with Server("far", listen="127.0.0.1:0", key=KEY, **mine) as s:
        with connect(s, tls_ca=certs / "ca.pem") as m:
            for kind in "key", "pem":
                shutil.copy(certs / f"self.{kind}", tmp_path / f"mine.{kind}")
            with connect(s, tls_ca=certs / "self.pem") as other:
                assert other.ping(1) == m.ping(1)
        with pytest.raises(errors.DeniedError):
            connect(s, tls_ca=certs / "ca.pem")
