"""What queues and pipes have in common: messages that become objects, and waiting for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, ClassVar, Generic, TypeVar, Union

from polyipc import _referring, _waiting, codec, errors
from polyipc._c import codec as c_codec  # noqa: F401 - makes the codec quicker
from polyipc._c import queue as c
from polyipc._c.reference import REFERENCES
from polyipc._handle import Waitable
from polyipc.errors import Status

T = TypeVar("T")
Buffer = Union[bytes, bytearray, memoryview]

INTERRUPTED = int(Status.INTERRUPTED)  # an int is quicker to compare than an IntEnum's member
MSGPACK, RAW = c.MSGPACK, c.RAW
SHORT = codec.MAX_SIZE  # what the quick way of a put need not look at
SHALLOW = codec.MAX_DEPTH  # a message of so few bytes cannot be nested too deeply


class Messages(Waitable, Generic[T]):
    """A handle of what carries messages. T is what they are."""

    __slots__ = ()

    _getting: ClassVar[str]
    """The operation as in sentences: "get from"."""
    _expired: ClassVar[type[errors.Error]]
    """What a get raises for want of time."""

    def _wait(
        self,
        found: int,
        operation: str,
        function: Callable[..., Any],
        *args: int,
        block: bool,
        timeout: float | None,
    ) -> Any:
        """Go on after a status that a first call came back with; return what is no status."""
        result: Any = found
        if found == INTERRUPTED:
            result = _waiting.call(function, *args, block=block, timeout=timeout)
            if type(result) is not int:
                return result
        raise self._failure(result, operation, self._expired)

    def _read(self, message: Any, taken: Sequence[bytes] = ()) -> T:
        """Return the object of a message: of bytes that are MessagePack, or of (bytes, format).

        taken -- what DecodeError is to have, if not the one message, and what is kept of it: else
            objects of it may be in the memory of the message
        """
        body: Any
        body, form = (message, MSGPACK) if type(message) is bytes else message
        try:
            if form == RAW:
                return body  # type: ignore[no-any-return]
            if form == MSGPACK:
                return codec.unpack(body, self._pickle, not taken)  # type: ignore[no-any-return]
            if form & REFERENCES:
                return _referring.read(body, form, self._carrier(), not taken)  # type: ignore[no-any-return]
            raise ValueError(f"its format is {form}, which this version does not know")
        except errors.GoneError as e:
            e.taken = tuple(taken) or (body,)
            raise
        except Exception as e:
            error = errors.DecodeError(
                f'{self._getting} {self._kind} "{self._name}": a message cannot be read: '
                f"{type(e).__name__}: {e}"
            )
            error.taken = tuple(taken) or (body,)
            raise error from e

    def _carrier(self) -> _referring.Carrier:
        return _referring.Carrier(self._root, self._root_for_c(), self._pickle, self._trust_group)
