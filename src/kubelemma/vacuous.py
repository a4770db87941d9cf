"""Why a promise says nothing of a scenario in which its premise never came true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from .model.cluster.snapshot import Snapshot
from .model.cluster.state import Phase
from .model.cluster.world import SOUND, Workload
from .model.components.cloudnodelifecycle.actions import MACHINE_MISSING
from .model.components.deployment.actions import ROLLOUT
from .model.components.drain.actions import START_DRAIN
from .model.components.kubelet.actions import (
    BECOME_READY,
    NODE_FAILURES,
    NODE_SHUTDOWN,
    REMOVE_NODE,
)
from .model.components.nodelifecycle.actions import REGISTER_NODE
from .model.components.replicaset.actions import DELETE_POD
from .model.components.users.actions import CORDON
from .model.manifests.machines import ONCE_DRAINED
from .model.scenario import Scenario
from .properties.deployment import promised
from .solver.result import PropertyResult, Statistics


class _Silence(NamedTuple):
    """A scenario in which nothing was to be said of a workload."""

    scenario: Scenario
    workload: Workload
    happened: frozenset[str]

    @property
    def start(self) -> Snapshot[Scenario]:
        """The first of the states in which it may begin."""
        return Snapshot(self.scenario, self.scenario.system.initial)


Reason: TypeAlias = Callable[[_Silence], Iterator[str]]


def why(found: PropertyResult, scenario: Scenario, statistics: Statistics) -> str:
    """The reason in a few words; empty where none is known."""
    happened = frozenset(action for action, count in statistics.actions if count)
    if found.property.id.startswith(_OF_NODES):
        return next(_of_nodes(found.property.id, scenario, happened), "")
    workloads = scenario.world.workloads
    workload = next((w for w in workloads if w.cell == found.property.subject), None)
    if workload is None:
        return ""
    silence = _Silence(scenario, workload, happened)
    reasons = (_gated, _idle, *_OWN.get(found.property.id, ()))
    return next((text for reason in reasons for text in reason(silence)), "")


_OF_NODES = ("NODE-", "SHUT-", "MEM-", "GC-", "CCM-")
"""The first letters of promises about nodes."""


def _of_nodes(name: str, scenario: Scenario, happened: frozenset[str]) -> Iterator[str]:
    """What an event of a node waits for, which never comes."""
    waiting = [event for event in scenario.events if event.action not in happened]
    for event in waiting:
        if event.options == ONCE_DRAINED and happened.isdisjoint((CORDON, START_DRAIN)):
            yield f"{_WAITS[event.action]} until a node is drained, and nobody drains any"
        elif event.options == ONCE_DRAINED:
            yield f"{_WAITS[event.action]} until a node is drained, and none ever is"
        elif event.action == MACHINE_MISSING:
            yield "the cloud misses only machines of nodes that are down, and none ever is"
        elif event.action == REGISTER_NODE and REMOVE_NODE not in happened:
            yield "only a Node that was deleted is registered again, and none ever is deleted"
    if name == "NODE-5" and happened.isdisjoint((CORDON, START_DRAIN)):
        yield "no Node is ever cordoned"
    if name in ("NODE-1", "NODE-2") and happened.isdisjoint(NODE_FAILURES):
        yield "no machine is ever lost"


_WAITS: Mapping[str, str] = {
    NODE_SHUTDOWN: "the shutdown waits",
    REMOVE_NODE: "the deletion of a Node waits",
}


def _gated(found: _Silence) -> Iterator[str]:
    classes = (found.scenario.world.classes[index] for index in found.workload.classes)
    if all(pod_class.gated for pod_class in classes):
        yield "scheduling gates keep its pods out of the queue"


def _idle(found: _Silence) -> Iterator[str]:
    """Pods that are not there at the start, and never come to run."""
    if not found.workload.templates or not found.start.owner(found.workload).replicas:
        return
    own = (p for p in found.start.places() if p.pod_class in found.workload.classes)
    if all(p.phase != Phase.AVAILABLE for p in own) and BECOME_READY not in found.happened:
        yield "no pod of it ever starts"


def _unpromised(found: _Silence) -> Iterator[str]:
    if found.workload.rollout is None:
        return
    deployment = found.start.deployment(found.workload)
    if not promised(found.workload, deployment):
        yield f"nothing is promised: maxUnavailable lets go of {deployment.replicas} of its pods"
    elif DELETE_POD not in found.happened:
        yield "none of its pods is ever deleted by its controllers"


def _never_ready(found: _Silence) -> Iterator[str]:
    """The version that is rolled out in the end decides whether an end is promised."""
    if found.workload.rollout is not None and ROLLOUT not in found.happened:
        return
    newest = found.workload.one_of(found.workload.templates - 1)
    if found.scenario.world.classes[newest].behaviour not in SOUND:
        yield "its new version never becomes Ready, so no end of the rollout is promised"


def _never_rolled_out(found: _Silence) -> Iterator[str]:
    if ROLLOUT not in found.happened:
        yield "it is never rolled out"


_OWN: Mapping[str, tuple[Reason, ...]] = MappingProxyType(
    {
        "DEP-1": (_never_rolled_out,),
        "DEP-2": (_unpromised,),
        "DEP-3": (_never_rolled_out,),
        "DEP-4": (_never_ready, _never_rolled_out),
        "STUCK": (_never_ready, _never_rolled_out),
    }
)
"""What else to look at, by property."""
