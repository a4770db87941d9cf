"""What a file declares: controllers, and what users and faults may do to its resources."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from kubelemma.model.system import Action

from .actions import DOES
from .objects import Cluster, Object, Objects
from .requests import Request

Writes: TypeAlias = Generator[Request, Any, None]
"""What a controller's function gives where it sends several requests in one sync."""

Decision: TypeAlias = Writes | Request | None
Reconcile: TypeAlias = Callable[[Object, Cluster], Decision]
Happening: TypeAlias = Callable[..., Iterable[Request] | Request | None]
Actor: TypeAlias = Literal["user", "fault"]


class DeclarationError(ValueError):
    """Something is declared that makes no sense; the message says what."""


class Code(NamedTuple):
    """A function of a loaded file.

    Attributes:
        name: as the file calls it.
        file, line: where it begins.
        text: what its docstring says, on one line.
    """

    name: str
    file: str
    line: int
    text: str
    function: Callable[..., Any]

    @property
    def title(self) -> str:
        """Its name as reports show it: with hyphens, as components of Kubernetes are called."""
        return self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller: its function is called for one object of ``kind`` at a time, as in a sync.

    ``reads`` are the other kinds that it watches. It may write all of them, and its own kind. It
    has as many syncs under way as it has ``workers``, but never two of one object. Objects of the
    kinds in ``cluster_scoped``, which only a scenario knows, have no namespace. One that is
    ``managed`` is a part of the controller manager, and restarts with it; others by themselves.
    """

    code: Code
    kind: str
    reads: tuple[str, ...]
    workers: int = 1
    cluster_scoped: frozenset[str] = frozenset()
    managed: bool = False

    @property
    def name(self) -> str:
        """What it is called as an actor."""
        return self.code.title

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that it sees."""
        return tuple(dict.fromkeys((self.kind, *self.reads)))


@dataclass(frozen=True, slots=True)
class CustomEvent:
    """Something that users or faults may do with one request, at most ``times`` times.

    Its function gives the requests that are possible, of which one is sent. With ``kind`` it is
    called for each object of that kind. ``cluster_scoped`` is as in `Controller`.
    """

    code: Code
    kind: str | None
    reads: tuple[str, ...]
    times: int
    actor: Actor
    cluster_scoped: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What the event is called."""
        return self.code.title

    @property
    def action(self) -> Action:
        """What users or faults do."""
        return Action(self.name, DOES)

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that it sees and may change."""
        own = (self.kind,) if self.kind else ()
        return tuple(dict.fromkeys((*own, *self.reads)))


class Brought(NamedTuple):
    """What a component has reconciled: controllers, and the objects at the start, by kind.

    These are kinds that the model has no idea of its own of, and whose objects are few and named.
    """

    controllers: tuple[Controller, ...] = ()
    objects: Mapping[str, Objects] = MappingProxyType({})


def controller(
    *, reconciles: str, reads: Iterable[str] = (), workers: int = 1
) -> Callable[[Reconcile], Controller]:
    """Declare a controller.

    The function takes an object of the kind that it reconciles, and the `Cluster` as the
    controller's caches show it. It gives the one request that it sends, or None; or it is a
    generator that yields one request after the other and is given the answer of each. Anything may
    happen between its start and its first request, and between two requests; a restart there
    forgets the rest. ``workers`` syncs, each of another object, may be under way at once.

    Raises:
        DeclarationError: the function does not take two arguments, a kind is no string, or there
            is no worker.
    """

    def declare(function: Reconcile) -> Controller:
        code = code_of(function, ("object", "cluster"))
        if type(workers) is not int or workers < 1:
            raise DeclarationError(
                f"{code.name}: workers is {workers!r}, which is no number from 1"
            )
        return Controller(code, _kind(reconciles, code), kinds_of(reads, code), workers)

    return declare


def event(
    *, about: str | None = None, reads: Iterable[str] = (), times: int = 1, actor: Actor = "user"
) -> Callable[[Happening], CustomEvent]:
    """Declare what users (or faults) may do, at any time, at most ``times`` times.

    The function takes an object of the kind ``about``, if there is one, and the `Cluster` as it is;
    it gives the request, or a list of requests of which any may be sent, or None.

    Raises:
        DeclarationError: the function does not take these arguments, or a kind is no string.
    """

    def declare(function: Happening) -> CustomEvent:
        code = code_of(function, ("object", "cluster") if about else ("cluster",))
        if times < 1:
            raise DeclarationError(f"{code.name}: times is {times}, which is less than 1")
        if actor not in ("user", "fault"):
            raise DeclarationError(f'{code.name}: actor is "{actor}", where user or fault can be')
        kind = None if about is None else _kind(about, code)
        return CustomEvent(code, kind, kinds_of(reads, code), times, actor)

    return declare


def code_of(function: Callable[..., Any], arguments: tuple[str, ...]) -> Code:
    """The function as it stands in its file.

    Raises:
        DeclarationError: it cannot be called with so many arguments.
    """
    name = getattr(function, "__name__", "")
    code = getattr(function, "__code__", None)
    if code is None:
        raise DeclarationError(f"{function!r} is decorated, which is no function")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        wanted = ", ".join(arguments)
        raise DeclarationError(f"{name} must take ({wanted}): {error}") from error
    text = " ".join((inspect.getdoc(function) or "").split())
    return Code(name, code.co_filename, code.co_firstlineno, text, function)


def kinds_of(given: Iterable[str], code: Code) -> tuple[str, ...]:
    """Kinds as a tuple.

    Raises:
        DeclarationError: what is given is a single string, or holds something else than strings.
    """
    if isinstance(given, str):
        raise DeclarationError(f'{code.name}: reads takes several kinds: write reads=("{given}",)')
    return tuple(_kind(kind, code) for kind in given)


def _kind(given: object, code: Code) -> str:
    if not isinstance(given, str) or not given:
        raise DeclarationError(f"{code.name}: {given!r} is no kind such as ConfigMap")
    return given
