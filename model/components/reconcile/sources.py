"""What is reconciled in a scenario: in which cells it is, how they are shown, what a request does.

Syncs are in `syncs`, caches in `caches`; `rules` puts all together. Whether a file that is loaded
has brought a controller or a component of Kubernetes, is no matter of any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.cluster.state import DeploymentState, NodeState
from kubelemma.model.cluster.world import NODES, World
from kubelemma.model.errors import ModelError
from kubelemma.model.system import Action, Outcome

from . import builtin
from .actions import DOES
from .calling import Answer, Refused, refusal
from .declarations import Brought, Code, Controller, CustomEvent
from .legal import BUILT_IN, DEPLOYMENT, NODE
from .objects import Objects
from .requests import ApiError, Request, perform

Outcomes: TypeAlias = Iterator[Outcome]


@dataclass(frozen=True, slots=True)
class Custom:
    """What is reconciled in a scenario.

    Attributes:
        predicates: the code of loaded properties, on which verdicts depend, too.
        objects: those at the start, of every kind that is kept as objects.
        restarts: how often each controller may restart that is no part of the controller manager.
        managed_restarts: whether the controller manager may restart.
        lag: by how many events the caches may lag; 0 where the controllers read what is.
        lists: by how many events the lists may lag that a controller gets when it restarts.
        most: the greatest number of objects of each kind that is explored.
        built_in: the kinds that anything of it looks at and that the model has its own idea of.
    """

    controllers: tuple[Controller, ...]
    events: tuple[CustomEvent, ...]
    predicates: tuple[Code, ...]
    objects: Mapping[str, Objects]
    restarts: int
    lag: int
    lists: int
    most: Mapping[str, int]
    built_in: frozenset[str]
    managed_restarts: bool = False

    def restarts_of(self, controller: Controller) -> int:
        """How often a controller may restart by itself."""
        return 0 if controller.managed else self.restarts

    def with_brought(self, found: Iterable[Brought], *, restarts: bool) -> Custom:
        """With what components bring; ``restarts`` says whether the controller manager may.

        Raises:
            ModelError: a component brings a kind of which the model has its own idea.
        """
        controllers, objects = self.controllers, dict(self.objects)
        for each in found:
            controllers += each.controllers
            for kind, more in each.objects.items():
                if kind in BUILT_IN:
                    raise ModelError(f"a component brings {kind}, which are no objects here")
                known = {there.key: there for there in (*more, *objects.get(kind, ()))}
                objects[kind] = tuple(known[key] for key in sorted(known))
        return replace(self, controllers=controllers, objects=objects, managed_restarts=restarts)

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that anything of it acts on."""
        declared: tuple[Controller | CustomEvent, ...] = (*self.controllers, *self.events)
        acted_on = (kind for each in declared for kind in each.kinds)
        return tuple(dict.fromkeys((*self.objects, *acted_on)))


NOTHING = Custom((), (), (), {}, 0, 0, 0, {}, frozenset())
"""Of a scenario that nothing is loaded for."""


class Source(NamedTuple):
    """A cell in which objects of a kind are, and how they are shown.

    Nodes are a family, of which a rule sees one member: each is a `Source` to whoever writes, and
    all of them are to whoever reads (``summed``), by a tally.
    """

    kind: str
    cell: str
    shown: Callable[[Any], Objects]
    summed: bool = False


def objects_cell(kind: str) -> str:
    """The name of the cell with the objects of a kind."""
    return f"{kind} objects"


def sync_cells(controller: Controller) -> tuple[str, ...]:
    """The names of the cells with the syncs under way, or None: one for each worker."""
    one = f"sync of {controller.name}"
    more = (f"{one} by worker {number}" for number in range(2, controller.workers + 1))
    return (one, *more)


def restarts_cell(controller: Controller) -> str:
    """The name of the cell with the number of restarts that may still happen."""
    return f"event {controller.name}: restart of {controller.name}"


def sources(world: World, kinds: tuple[str, ...]) -> tuple[Source, ...]:
    """Where the objects of these kinds are read, the summed ones last."""
    summed = (Source(NODE, builtin.NODE_OBJECTS, _as_they_are, summed=True),)
    return (*_cells(world, kinds), *(summed if NODE in kinds else ()))


def targets(world: World, kinds: tuple[str, ...]) -> tuple[Source, ...]:
    """Where the objects of these kinds are written."""
    member = (Source(NODE, NODES, partial(builtin.shown_node, world)),)
    return (*_cells(world, kinds), *(member if NODE in kinds else ()))


def cells_of(found: Iterable[Source]) -> tuple[str, ...]:
    """The cells that a rule or property over these sources sees first."""
    return tuple(source.cell for source in found if not source.summed)


def reads_of(found: Iterable[Source]) -> tuple[str, ...]:
    """The tallies that it sees then."""
    return tuple(source.cell for source in found if source.summed)


def existing(world: World, kind: str) -> frozenset[tuple[str, str]]:
    """What identifies the objects of a built-in kind; they are always the same."""
    if kind == NODE:
        return frozenset(("", shape.name) for shape in world.shapes)
    return frozenset((w.namespace, w.name) for w in world.workloads if w.kind == kind)


def _cells(world: World, kinds: tuple[str, ...]) -> Iterator[Source]:
    for kind in kinds:
        if kind == DEPLOYMENT:
            for workload in (w for w in world.workloads if w.kind == kind):
                shown = partial(builtin.shown_deployment, world, workload)
                yield Source(kind, workload.cell, shown)
        elif kind != NODE:
            yield Source(kind, objects_cell(kind), _as_they_are)


def _as_they_are(objects: Objects) -> Objects:
    return objects


def gathered(found: tuple[Source, ...], shown: tuple[Objects, ...]) -> dict[str, Objects]:
    """The objects by kind, put together from their sources."""
    result: dict[str, Objects] = {}
    for source, objects in zip(found, shown, strict=True):
        result[source.kind] = (*result.get(source.kind, ()), *objects)
    return result


# Requests


def answered(request: Request, objects: Objects) -> tuple[Answer, Objects]:
    """The answer to a request, and the objects of the kind afterwards."""
    try:
        performed = perform(request, objects)
    except ApiError as error:
        return refusal(error), objects
    return performed.answer, performed.objects


def refused_because(request: Request, objects: Objects) -> str:
    """Why a request would be refused; empty where it would not."""
    answer, _ = answered(request, objects)
    return answer.message if isinstance(answer, Refused) else ""


def stored(value: Any, objects: Objects) -> Any:
    """What the cell holds afterwards: of built-in kinds, only what may be written is taken over."""
    if isinstance(value, DeploymentState):
        return builtin.written_deployment(value, objects[0])
    return builtin.written_node(value, objects[0]) if isinstance(value, NodeState) else objects


def told(action: Action, does: str, writes: Mapping[str, Any], why: str) -> Outcome:
    """An outcome that brings its sentence along."""
    return Outcome(action, writes, ((DOES, does),), why)


def sentence(request: Request, answer: Answer, *, changed: bool) -> str:
    """What a request did, for a story."""
    if isinstance(answer, Refused):
        return f"tries to {request.verb} and is refused: {answer.message}"
    if request.verb == "get":
        return f"looks up {request.target}: {answer or 'there is none'}"
    verb = {"create": "creates", "update": "updates", "patch": "patches", "delete": "deletes"}
    unchanged = "" if changed else ", which changes nothing"
    return f"{verb[request.verb]}{_part(request)} {answer}{unchanged}"


PAST = {"create": "created", "update": "updated", "patch": "patched", "delete": "deleted"}
"""What requests have done that write."""


def deed(request: Request, answer: Answer) -> str:
    """What a request has come to, such as ``created Bucket default/corner-1``."""
    if isinstance(answer, Refused):
        return f"tried to {intention(request)}, and was refused: {answer.message}"
    if request.verb == "get":
        return f"looked up {request.target}: {answer or 'there was none'}"
    return f"{PAST[request.verb]}{_part(request)} {answer}"


def intention(request: Request) -> str:
    """What a request is to do, such as ``patch the status of Shop default/corner``."""
    what = "look up" if request.verb == "get" else f"{request.verb}{_part(request)}"
    return f"{what} {request.target}"


def _part(request: Request) -> str:
    parts = [name for name in request.parts if name not in ("owners", "finalizers")]
    return " the status of" if parts == ["status"] else ""
