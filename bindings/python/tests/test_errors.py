"""The exceptions: what they are, that they keep to the C header, and that they travel."""

from __future__ import annotations

import copy
import pickle
import queue
import re
from pathlib import Path

import pytest

import polyipc
from polyipc import codec, errors
from polyipc._c import library
from polyipc._c import queue as c_queue
from polyipc.errors import Status

INCLUDE = Path(__file__).resolve().parents[3] / "include/polyipc"


def statuses_of_the_header() -> dict[str, int]:
    text = (INCLUDE / "status.h").read_text()
    return {name: int(number) for name, number in re.findall(r"X\((\w+), (\d+),", text)}


def test_statuses_are_those_of_the_header() -> None:
    assert {s.name: int(s) for s in Status} == statuses_of_the_header()


def test_the_version_is_that_of_the_header() -> None:
    text = (INCLUDE / "version.h").read_text()
    assert f'#define POLYIPC_VERSION_STRING "{polyipc.__version__}"' in text
    assert f"#define POLYIPC_ABI {library.ABI}" in text


def test_constants_are_those_of_the_header() -> None:
    text = "".join(header.read_text() for header in INCLUDE.glob("*.h"))
    for name in ("RAW", "MSGPACK"):
        assert f"#define POLYIPC_{name} {getattr(c_queue, name)}u" in text
    text = (INCLUDE / "options.h").read_text()
    for name in ("KEPT", "TRANSIENT", "PICKLE", "TRUST_GROUP"):
        assert f"#define POLYIPC_{name} {getattr(library, name)}u" in text


@pytest.mark.parametrize("status", [s for s in Status if s != Status.OK])
def test_every_status_has_an_exception(status: Status) -> None:
    error = errors.of_status(status, "what and why")
    assert isinstance(error, polyipc.Error)
    assert str(error) == "what and why"
    assert error.status == status
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert (str(twin), twin.status) == ("what and why", status)
        assert getattr(twin, "errno", None) == getattr(error, "errno", None)


def test_an_unknown_status_is_an_internal_error() -> None:
    assert isinstance(errors.of_status(999, "x"), polyipc.InternalError)


@pytest.mark.parametrize(
    ("status", "builtin", "number"),
    [
        (Status.EMPTY, queue.Empty, None),
        (Status.FULL, queue.Full, None),
        (Status.TIMEOUT, TimeoutError, 110),
        (Status.CLOSED, ValueError, None),
        (Status.BAD_HANDLE, ValueError, None),
        (Status.EXISTS, FileExistsError, 17),
        (Status.NOT_FOUND, FileNotFoundError, 2),
        (Status.GONE, FileNotFoundError, 2),
        (Status.INVALID, ValueError, None),
        (Status.MISMATCH, ValueError, None),
        (Status.WRONG_KIND, ValueError, None),
        (Status.TOO_LARGE, ValueError, None),
        (Status.DENIED, PermissionError, 13),
        (Status.NO_SPACE, OSError, 28),
        (Status.NO_MEMORY, MemoryError, None),
        (Status.LIMIT, OSError, 24),
        (Status.CORRUPT, OSError, 5),
        (Status.VERSION, OSError, None),
        (Status.UNSUPPORTED, OSError, 95),
        (Status.LEASE_LOST, LookupError, None),
        (Status.INTERNAL, RuntimeError, None),
    ],
)
def test_exceptions_are_what_programs_expect(
    status: Status, builtin: type[BaseException], number: int | None
) -> None:
    error = errors.of_status(status, "x")
    assert isinstance(error, builtin)
    if number is not None:
        assert error.errno == number  # type: ignore[attr-defined]


def test_attributes_travel_too() -> None:
    error = errors.DecodeError("x")
    error.taken = (b"1", b"2")
    assert pickle.loads(pickle.dumps(error)).taken == (b"1", b"2")
    full = polyipc.Full("x")
    full.put = 3
    assert pickle.loads(pickle.dumps(full)).put == 3


def test_the_codecs_errors_are_errors_of_polyipc() -> None:
    with pytest.raises(polyipc.Error) as caught:
        codec.unpackb(b"\xc1")
    assert isinstance(caught.value, ValueError)
    assert caught.value.status == Status.INVALID
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    with polyipc.Queue[object]() as q:
        with pytest.raises(polyipc.Error) as caught:
            q.put(deep)
        assert caught.value.status == Status.TOO_LARGE
        assert q.empty()
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (str(twin), twin.status) == (str(caught.value), Status.TOO_LARGE)


def test_everything_public_is_listed() -> None:
    for name in polyipc.__all__:
        assert hasattr(polyipc, name)
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, polyipc.Error) and name[0] != "_":
            assert name in polyipc.__all__
