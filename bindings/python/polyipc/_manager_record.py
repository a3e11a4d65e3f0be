"""Calls that are not made but recorded, as a batch has them on the wire: [object, method, args] or
[object, method, args, named].

A method of a proxy is recorded by calling its function with a recorder in the proxy's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from polyipc._manager_proxy import Convert, Method, Proxy, method_name

if TYPE_CHECKING:
    from polyipc._manager import Manager


class Recorded(NamedTuple):
    """A call that was not made."""

    proxy: Proxy
    method: bytes
    args: list[Any]
    named: dict[str, Any]
    convert: Convert | None

    def value(self, result: Any) -> Any:
        """Return what the method would have returned for the result."""
        return result if self.convert is None else self.convert(result)

    @property
    def what(self) -> str:
        """What is called, for sentences."""
        return f"{self.proxy._type}.{self.method.decode()}"


class _Texts(dict[bytes, str]):
    """Names of methods as text: each is decoded once."""

    def __missing__(self, method: bytes) -> str:
        text = self[method] = method.decode()
        return text


_texts = _Texts()


class Recorder(Proxy):
    """What stands for a proxy while its methods are recorded."""

    __slots__ = ()

    _recorded: list[list[Any]]
    _converts: dict[int, Convert]
    _proxy: Proxy  # which lives as long as its id stands for this

    def _ask(self, method: bytes, args: list[Any], convert: Convert | None = None) -> Any:
        recorded = self._recorded
        if convert is not None:
            self._converts[len(recorded)] = convert
        recorded.append([self._object, _texts[method], args])

    def _ask_named(self, method: bytes, args: list[Any], named: dict[str, Any]) -> Any:
        self._recorded.append([self._object, _texts[method], args, named])

    def __del__(self) -> None:
        """Release nothing: the reference is the proxy's."""


_recorders: dict[type[Proxy], type[Recorder]] = {}


def _recording(cls: type[Proxy]) -> type[Recorder]:
    made: Any = _recorders.get(cls)
    if made is None:
        slots = {"__slots__": ("_converts", "_proxy", "_recorded")}
        made = _recorders[cls] = type(cls.__name__, (Recorder, cls), slots)
    return made  # type: ignore[no-any-return]


class Recording:
    """Calls in their order, and how their results are converted."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self.calls: list[list[Any]] = []
        self.converts: dict[int, Convert] = {}
        self.recorders: dict[int, Recorder] = {}  # by the id of the proxy

    def add(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Record the call that function(*args, **named) makes, a method of one of the manager's
        proxies.

        Raises TypeError if it is none, or makes more than one call, or none.
        """
        proxy = getattr(function, "__self__", None)
        if not isinstance(proxy, Proxy) or proxy._manager is not self._manager:
            raise TypeError(f"{function!r}: give a method of one of this manager's proxies")
        recorder = self._recorder(proxy)
        before = len(self.calls)
        try:
            if isinstance(function, Method):
                name = method_name(function.__name__)
                if named:
                    recorder._ask_named(name, list(args), named)
                else:
                    recorder._ask(name, list(args))
            else:
                getattr(recorder, function.__name__)(*args, **named)
            made = len(self.calls) - before
            if made != 1:
                raise TypeError(f"{function.__name__} makes {made} calls: call it by itself")
        except BaseException:
            self.forget(before)
            raise

    def _recorder(self, proxy: Proxy) -> Recorder:
        recorder = self.recorders.get(id(proxy))
        if recorder is None:
            cls = _recording(type(proxy))
            recorder = cls.__new__(cls)
            put = object.__setattr__
            for slot in ("_link", "_manager", "_object", "_type"):
                put(recorder, slot, getattr(proxy, slot))
            put(recorder, "_proxy", proxy)
            put(recorder, "_recorded", self.calls)
            put(recorder, "_converts", self.converts)
            self.recorders[id(proxy)] = recorder
        return recorder

    def forget(self, before: int) -> None:
        """Drop what was recorded since there were so many calls."""
        for at in range(before, len(self.calls)):
            self.converts.pop(at, None)
        del self.calls[before:]


def record(
    manager: Manager, function: Any, args: tuple[Any, ...], named: dict[str, Any]
) -> Recorded:
    """Return the call that function(*args, **named) makes. Errors are those of Recording.add."""
    recording = Recording(manager)
    recording.add(function, args, named)
    _, method, values, *names = recording.calls[0]
    of = function.__self__
    return Recorded(
        of, method.encode(), values, names[0] if names else {}, recording.converts.get(0)
    )
