"""Making, opening and removing queues; bad names, options and files."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any, Callable

import pytest
from running import output

import polyipc


def test_create_open_and_either() -> None:
    with pytest.raises(FileNotFoundError) as missing:
        polyipc.Queue.open("jobs")
    assert isinstance(missing.value, polyipc.NotFoundError)
    assert missing.value.errno == 2
    with polyipc.Queue[int].create(name="jobs") as first:
        with pytest.raises(FileExistsError) as exists:
            polyipc.Queue.create(name="jobs")
        assert exists.value.errno == 17
        assert str(exists.value).startswith('create queue "jobs": ')
        with polyipc.Queue[int](name="jobs") as second, polyipc.Queue[int].open("jobs") as third:
            first.put(1)
            second.put(2)
            assert third.get_many(2) == [1, 2]
        first.unlink()
        first.unlink()
        with pytest.raises(polyipc.NotFoundError):
            polyipc.Queue.open("jobs")
        first.put(3)
        assert first.get() == 3


def test_named_queues_are_kept_and_anonymous_ones_are_not(root: Path) -> None:
    with polyipc.Queue[int](name="kept") as q:
        q.put(1)
    with polyipc.Queue[int].open("kept") as q:
        assert q.get() == 1
        assert not q.stat().transient
    polyipc.unlink("kept")
    with polyipc.Queue[int]() as q:
        assert q.stat().transient
        assert (root / q.name).exists()
    with polyipc.Queue[int](transient=False) as q:
        name = q.name
    with polyipc.Queue[int](name=name) as q:
        q.unlink()
    with polyipc.Queue[int](name="fleeting", transient=True):
        assert (root / "fleeting").exists()
    assert [p.name for p in root.iterdir()] in ([], ["members"])


def test_other_options_are_a_mismatch() -> None:
    with polyipc.Queue[int](5, name="five") as q:
        q.unlink()
        wrong: list[dict[str, Any]] = [{"maxsize": 6}, {"capacity": 1 << 20}, {"pickle": True}]
        wrong += [{"transient": True}]
    with polyipc.Queue[int](5, name="five") as q:
        for options in wrong:
            with pytest.raises(polyipc.MismatchError, match="max size 5"):
                polyipc.Queue(**{"maxsize": 5, **options}, name="five")
        with pytest.raises(polyipc.MismatchError, match="no pickle"):
            polyipc.Queue.open("five", pickle=True)
        q.unlink()


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "/etc/passwd",
        "../x",
        "a\0b",
        "\0",
        " ",
        "é",
        chr(0xD800),
        "a\n",
    ],
)
def test_bad_names(name: str) -> None:
    calls: list[Callable[[str], object]] = [
        lambda name: polyipc.Queue(name=name),
        lambda name: polyipc.Queue.create(name=name),
        polyipc.Queue.open,
        polyipc.unlink,
    ]
    for call in calls:
        with pytest.raises(ValueError, match="name") as caught:
            call(name)
        assert isinstance(caught.value, polyipc.InvalidError)


def test_long_names() -> None:
    with polyipc.Queue[int](name="n" * 128) as q:
        assert q.name == "n" * 128
        q.unlink()
    for size in (129, 10_000):
        with pytest.raises(ValueError, match="name"):
            polyipc.Queue(name="n" * size)


@pytest.mark.parametrize("name", [5, b"bytes", ["x"], Path("x")])
def test_names_of_other_types(name: Any) -> None:
    with pytest.raises(TypeError, match="name"):
        polyipc.Queue(name=name)
    with pytest.raises(TypeError, match="name"):
        polyipc.Queue.open(name)
    with pytest.raises(TypeError):
        polyipc.Queue.open(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"maxsize": 2**40 + 1},
        {"maxsize": 2**63},
        {"maxsize": 2**64},
        {"maxsize": 10**30},
        {"capacity": -1},
        {"capacity": 2**36 + 1},
        {"capacity": 2**64 + 1},
        {"capacity": -(2**70)},
    ],
)
def test_absurd_limits(options: dict[str, int]) -> None:
    with pytest.raises(polyipc.InvalidError):
        polyipc.Queue(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"maxsize": "5"}, {"maxsize": 1.5}, {"capacity": "1"}])
def test_limits_of_other_types(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        polyipc.Queue(**options)


def test_limits_at_their_ends() -> None:
    with polyipc.Queue[int](2**40) as q:
        assert q.stat().maxsize == 2**40
    with polyipc.Queue[int](-5) as q:
        assert q.stat().maxsize == 0
    with polyipc.Queue[int](capacity=1) as q:
        assert q.stat().capacity == 1 << 16


def test_more_than_the_filesystem_holds() -> None:
    with pytest.raises(polyipc.NoSpaceError) as caught:
        polyipc.Queue(capacity=2**36)
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == 28


def test_bad_roots(tmp_path: Path, root: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    file = tmp_path / "file"
    file.write_text("x")
    for bad in (link, file, tmp_path / "missing" / "deep", "/proc"):
        with pytest.raises((OSError, ValueError), match=Path(bad).name) as caught:
            polyipc.Queue(root=bad)
        assert isinstance(caught.value, polyipc.Error)
    for bad in ("", "a\0b"):
        with pytest.raises(ValueError, match="root"):
            polyipc.Queue(root=bad)
    with pytest.raises(TypeError):
        polyipc.Queue(root=5)  # type: ignore[arg-type]


def test_a_root_that_others_can_write_to(root: Path) -> None:
    root.chmod(0o777)
    with pytest.raises(PermissionError) as caught:
        polyipc.Queue()
    assert isinstance(caught.value, polyipc.DeniedError)
    root.chmod(0o700)


def test_pickle_where_a_group_shares_the_root(root: Path) -> None:
    root.chmod(0o2770)
    calls: list[Callable[..., polyipc.Queue[object]]] = [
        lambda **o: polyipc.Queue(name="p", **o),
        lambda **o: polyipc.Queue.create(name="p", **o),
        lambda **o: polyipc.Queue.open("p", **o),
    ]
    for call in calls:
        with pytest.raises(PermissionError, match="trust_group=True") as caught:
            call(pickle=True)
        assert isinstance(caught.value, polyipc.DeniedError)
    assert list(root.iterdir()) == []
    with polyipc.Queue[object].create(name="p", pickle=True, trust_group=True) as q:
        with pytest.raises(polyipc.DeniedError):
            polyipc.Queue.open("p", pickle=True)
        with polyipc.Queue[object].open("p", pickle=True, trust_group=True) as other:
            q.put(3 + 4j)
            assert other.get() == 3 + 4j
        # A queue that is handed on says what its maker said.
        handed: polyipc.Queue[object]
        for handed in (pickle.loads(pickle.dumps(q)), copy.copy(q)):
            with handed:
                q.put(5 + 6j)
                assert handed.get() == 5 + 6j
        with polyipc.Queue[object].open("p") as strict:
            q.put(7 + 8j)
            with pytest.raises(polyipc.DecodeError, match="pickle"):
                strict.get()
        with polyipc.Queue[object](name="plain", trust_group=True, transient=True) as plain:
            assert not plain.stat().pickle
        q.unlink()
    root.chmod(0o700)
    with polyipc.Queue[object](pickle=True, trust_group=True) as q:
        q.put(9j)
        assert q.get() == 9j


def test_a_relative_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    with polyipc.Queue[int](name="q", root=root.name, transient=True) as q:
        monkeypatch.chdir("/")
        q.put(1)
        with polyipc.Queue[int].open("q") as other:
            assert other.get() == 1
        q.unlink()


def test_files_that_are_no_queues(root: Path) -> None:
    for content in (b"", b"x", bytes(4096), os.urandom(1 << 17)):
        (root / "bad").write_bytes(content)
        with pytest.raises(polyipc.Error) as caught:
            polyipc.Queue.open("bad")
        assert isinstance(caught.value, (polyipc.CorruptError, polyipc.VersionError))
        with pytest.raises(polyipc.CorruptError):
            polyipc.unlink("bad")
        (root / "bad").unlink()


def test_a_queue_that_was_truncated_under_our_feet(root: Path) -> None:
    # A program of its own: pytest's faulthandler, if it was enabled after the library was loaded,
    # gets the SIGBUS first and ends the process.
    said = output("""
import os, polyipc
q = polyipc.Queue(name="cut")
q.put(1)
os.truncate(os.environ["POLYIPC_ROOT"] + "/cut", 0)
for call in (q.get, lambda: q.put(1), q.lease, q.stat, lambda: q.get_many(2)):
    try:
        call()
    except polyipc.CorruptError as e:
        print("corrupt")
q.close()
""")
    assert said == "corrupt\n" * 5
    (root / "cut").unlink()


def test_gc_takes_what_is_stale(root: Path) -> None:
    with polyipc.Queue[int](name="kept") as q:
        assert polyipc.gc() == 0
        assert polyipc.gc(root) == 0
        q.put(1)
        assert q.get() == 1
        q.unlink()
