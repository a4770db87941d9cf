"""What is loaded in a scenario: which cells it is in, how they are shown, what a request does.

Syncs are in `syncs`, caches in `caches`; `loaded` puts all together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.custom.calling import Answer, Refused, Sync, refusal
from kubelemma.model.custom.declarations import Code, Controller, CustomEvent
from kubelemma.model.custom.legal import DEPLOYMENT
from kubelemma.model.custom.objects import FrozenMap, Object, Objects
from kubelemma.model.custom.requests import ApiError, Request, perform
from kubelemma.model.system import Outcome

from .state import DeploymentState
from .world import Workload, World

Outcomes: TypeAlias = Iterator[Outcome]

ACTIONS = frozenset(("sync", "create", "update", "patch", "delete", "get", "restart", "watch"))
"""What loaded controllers do; events are called by their own names."""
DEPLOYMENT_ACTIONS = frozenset(
    (
        "rollout",
        "scale",
        "pause",
        "resume",
        "rollback",
        "create-replicaset",
        "scale-replicaset",
        "annotate-revision",
        "delete-replicaset",
        "write-status",
    )
)
"""What others do that may change a Deployment as loaded code sees it."""
DOES = "does"
"""The argument of an outcome that has the sentence to tell it by."""


@dataclass(frozen=True, slots=True)
class Custom:
    """The loaded part of a scenario.

    Attributes:
        predicates: the code of loaded properties, on which verdicts depend, too.
        objects: those at the start, of every kind that is kept as objects.
        restarts: how often each controller may restart.
        lag: by how many events the caches may lag; 0 where the controllers read what is.
        most: the greatest number of objects of each kind that is explored.
    """

    controllers: tuple[Controller, ...]
    events: tuple[CustomEvent, ...]
    predicates: tuple[Code, ...]
    objects: Mapping[str, Objects]
    restarts: int
    lag: int
    most: Mapping[str, int]

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that anything of it acts on."""
        declared: tuple[Controller | CustomEvent, ...] = (*self.controllers, *self.events)
        acted_on = (kind for each in declared for kind in each.kinds)
        return tuple(dict.fromkeys((*self.objects, *acted_on)))


NOTHING = Custom((), (), (), {}, 0, 0, {})
"""Of a scenario that nothing is loaded for."""


class Source(NamedTuple):
    """A cell in which objects of a kind are, and how they are shown."""

    kind: str
    cell: str
    shown: Callable[[Any], Objects]


def objects_cell(kind: str) -> str:
    """The name of the cell with the objects of a kind."""
    return f"{kind} objects"


def sync_cell(controller: Controller) -> str:
    """The name of the cell with the sync under way, or None."""
    return f"sync of {controller.name}"


def restarts_cell(controller: Controller) -> str:
    """The name of the cell with the number of restarts that may still happen."""
    return f"event {controller.name}: restart of {controller.name}"


def sources(world: World, kinds: tuple[str, ...]) -> tuple[Source, ...]:
    """Where the objects of these kinds are."""
    return tuple(source for kind in kinds for source in _sources_of(world, kind))


def _sources_of(world: World, kind: str) -> Iterator[Source]:
    if kind != DEPLOYMENT:
        yield Source(kind, objects_cell(kind), _as_they_are)
        return
    for workload in world.workloads:
        yield Source(kind, workload.cell, partial(_deployment, workload))


def _as_they_are(objects: Objects) -> Objects:
    return objects


def _deployment(workload: Workload, state: DeploymentState) -> Objects:
    """The Deployment as an object; available is what the statuses of its ReplicaSets say."""
    available = sum(s.status_available for s in state.sets)
    return (
        Object(
            DEPLOYMENT,
            workload.namespace,
            workload.name,
            spec=FrozenMap({"replicas": state.replicas, "paused": bool(state.paused)}),
            status=FrozenMap({"availableReplicas": available}),
        ),
    )


def gathered(found: tuple[Source, ...], shown: tuple[Objects, ...]) -> dict[str, Objects]:
    """The objects by kind, put together from their sources."""
    result: dict[str, Objects] = {}
    for source, objects in zip(found, shown, strict=True):
        result[source.kind] = (*result.get(source.kind, ()), *objects)
    return result


# Requests


def answered(request: Request, objects: Objects, sync: Sync) -> tuple[Answer, Objects]:
    """The answer to a request, and the objects of the kind afterwards."""
    try:
        performed = perform(request, objects, sync.key[0])
    except ApiError as error:
        return refusal(error), objects
    return performed.answer, performed.objects


def refused_because(request: Request, objects: Objects, sync: Sync) -> str:
    """Why a request would be refused; empty where it would not."""
    answer, _ = answered(request, objects, sync)
    return answer.message if isinstance(answer, Refused) else ""


def stored(value: Any, objects: Objects) -> Any:
    """What the cell holds afterwards: of a Deployment, only what may be written is taken over."""
    if not isinstance(value, DeploymentState):
        return objects
    spec = objects[0].spec
    return value._replace(replicas=spec["replicas"], paused=spec["paused"])


def told(action: str, does: str, writes: Mapping[str, Any], why: str) -> Outcome:
    """An outcome that brings its sentence along."""
    return Outcome(action, writes, ((DOES, does),), why)


def sentence(request: Request, answer: Answer, *, changed: bool) -> str:
    """What a request did, for a story."""
    if isinstance(answer, Refused):
        return f"tries to {request.verb} and is refused: {answer.message}"
    if request.verb == "get":
        return f"looks up {request}: {answer or 'there is none'}".replace("up get", "up")
    verb = {"create": "creates", "update": "updates", "patch": "patches", "delete": "deletes"}
    parts = [name for name in request.parts if name not in ("owners", "finalizers")]
    which = " the status of" if parts == ["status"] else ""
    unchanged = "" if changed else ", which changes nothing"
    return f"{verb[request.verb]}{which} {answer}{unchanged}"
