"""What locks and their kin have in common: how they are opened, described and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, ClassVar, TypeVar

from polyipc import _arguments, _calls, _referring, _waiting
from polyipc._c import library
from polyipc._c import sync as c
from polyipc._handle import Handle, _keeper, _reopened
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._sync_stat import SyncStat

Self = TypeVar("Self", bound="Sync")
P = TypeVar("P", bound="Plain")

OK, TIMEOUT, INVALID, DIED, INTERRUPTED = (
    int(s)
    for s in (*(Status.OK, Status.TIMEOUT, Status.INVALID, Status.OWNER_DIED, Status.INTERRUPTED),)
)


class Sync(Handle):
    """An object of polyipc.sync. Cls(...) opens it, or makes it if there is none.

    Cls.create and Cls.open do only the one. Pickling one, as multiprocessing does with arguments of
    a process, gives one that opens the same name in the same root.
    """

    __slots__ = ()
    _type: ClassVar[str]  # in C's names
    _remove = staticmethod(c.unlink)

    @classmethod
    def open(cls: type[Self], name: str, *, root: _arguments.Path | None = None) -> Self:
        """Open one; NotFoundError if there is none of that name."""
        if name is None:
            raise TypeError(f"name None: say which {cls._kind} to open")
        self = cls.__new__(cls)
        self._prepare()
        self._open("open", name, None, root)
        return self

    def _prepare(self) -> None:
        """Set what __init__ sets besides, for an object that is made without it."""

    def _open(
        self,
        how: str,
        name: str | None,
        transient: bool | None,
        root: _arguments.Path | None,
        value: int = 0,
        reclaim: bool = False,
    ) -> None:
        self._root = _arguments.root(root)
        status, number = c.open_(
            self._type,
            how,
            _arguments.name_or_none(name),
            self._root_for_c(),
            _arguments.flags(transient) | (c.RECLAIM if reclaim else 0),
            _arguments.limit("value", value),
        )
        _calls.check(status)
        self._begin(number)

    @classmethod
    def _of_handle(cls: type[Self], number: int, carrier: _referring.Carrier) -> Self:
        """Return the object of a handle that came in a message."""
        self = cls.__new__(cls)
        self._prepare()
        self._arrive(number, carrier)
        return self

    def _arrive(self, number: int, carrier: _referring.Carrier) -> None:
        self._root = carrier.root
        self._begin(number)

    def _begin(self, number: int) -> None:
        """Take over the handle of an open object."""
        self._own(number, c.close(self._type))
        _, self._name = c.name(self._type, number)
        self._bound(c.bind(self._type, number))

    def _bound(self, functions: tuple[Callable[..., int], ...]) -> None:
        """Take the builtin functions of the object."""

    def __reduce__(self) -> tuple[Any, ...]:
        self._pickled()
        return _reopened, (_keeper(self._id), _opened, (type(self), self._name, self._root))

    def stat(self) -> SyncStat:
        """Return how things stand, without stopping anybody."""
        status, fields = c.stat(self._type, self._id)
        self._check(status, "stat")
        from polyipc._sync_stat import SyncStat

        return SyncStat(
            kind=self._type,
            transient=bool(fields["flags"] & library.TRANSIENT),
            reclaim=bool(fields["flags"] & c.RECLAIM),
            broken=bool(fields["broken"]),
            language=fields["language"].decode(),
            held=fields["held_ns"] / 1e9,
            **{
                n: fields[n]
                for n in (
                    *("limit", "value", "holder", "depth", "waiters", "take_overs", "reclaimed"),
                )
            },
        )

    def _told(self, verb: str) -> int:
        """Return what a verb tells."""
        status, told = c.ask(f"{self._type}_{verb}", self._id)
        self._check(status, "look at")
        return told


class Plain(Sync):
    """One that is made without further options."""

    __slots__ = ()

    def __init__(
        self,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Open the object of that name, or make it.

        name -- 1 to 128 of [A-Za-z0-9._-], not starting with "."; None makes an anonymous one
        transient -- whether it goes with its last user, however that ends, or is kept until
            unlinked; None: if it is anonymous
        root -- directory of the object; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

        Raises MismatchError if it exists with other options, WrongKindError if it is something
        else, InvalidError, NoSpaceError, DeniedError, CorruptError, VersionError, NoMemoryError,
        LimitError.
        """
        self._open("open_or_create", name, transient, root)

    @classmethod
    def create(
        cls: type[P],
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> P:
        """Make one; ExistsError if there is one of that name."""
        self = cls.__new__(cls)
        self._prepare()
        self._open("create", name, transient, root)
        return self


def _opened(cls: type[Sync], name: str, root: str | None) -> Sync:
    """Open an object again, in another process perhaps."""
    return cls.open(name, root=root)


def unlink(name: str, *, root: _arguments.Path | None = None) -> None:
    """Remove the name of an object of this module, of any type; fine if there is none.

    Who has it open goes on using it; it goes with the last of them.

    root -- directory of the object; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>

    Raises WrongKindError; CorruptError for a file that is not polyipc's, which stays.
    """
    _calls.unlink(c.unlink, name, root)


def take(function: Callable[[int], int], block: bool, timeout: float | None) -> int:
    """Return the status of acquiring; as in multiprocessing, a negative timeout is none."""
    if timeout is not None and timeout < 0:
        timeout = 0.0
    status: int = _waiting.call(function, block=block, timeout=timeout)
    return status
