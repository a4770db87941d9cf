"""A state of a run as people see a cluster: workloads, nodes and pods with names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from kubelemma.model.cluster.owners import revision_hash
from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.cluster.state import Marks, NodeState, OwnerState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.manifests import did_you_mean
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.model.visible import visible
from kubelemma.reports.narrate.cast import Cast
from kubelemma.reports.narrate.names import full_name
from kubelemma.reports.narrate.phases import PHASES


class _Named(Protocol):
    @property
    def name(self) -> str: ...


NamedT = TypeVar("NamedT", bound=_Named)

_READY = ("ready", "available")


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod.

    Attributes:
        name: as stories call it.
        workload: what it belongs to, as ``namespace/name``.
        version: ``v1`` for the template at the start, ``v2`` for the next.
        phase: pending, bound, not ready, ready, available, or terminating.
        node: where it is; empty where it has no node.
    """

    name: str
    workload: str
    version: str
    phase: str
    node: str

    @property
    def ready(self) -> bool:
        """Whether the API shows it as Ready."""
        return self.phase in _READY

    @property
    def available(self) -> bool:
        """Whether it has been Ready for ``minReadySeconds``."""
        return self.phase == "available"

    @property
    def terminating(self) -> bool:
        """Whether it is being deleted."""
        return self.phase == "terminating"


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node.

    ``up`` is the truth, ``ready`` what the API shows; ``evicting`` tells that it is tainted
    NoExecute because it is unreachable.
    """

    name: str
    zone: str
    up: bool
    ready: bool
    evicting: bool
    cordoned: bool
    draining: bool
    pods: tuple[PodView, ...]


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """A workload with its pods.

    ``replicas`` and ``version`` are what its owner asks for; ``replica_sets`` has the
    ``spec.replicas`` of each of its ReplicaSets by version, of one that is none itself.
    """

    kind: str
    name: str
    replicas: int
    version: str
    paused: bool
    replica_sets: Mapping[str, int]
    pods: tuple[PodView, ...]

    @property
    def pending(self) -> int:
        """How many pods have no node."""
        return sum(not pod.node for pod in self.pods)

    @property
    def ready(self) -> int:
        """How many pods the API shows as Ready."""
        return sum(pod.ready for pod in self.pods)

    @property
    def available(self) -> int:
        """How many pods have been Ready for ``minReadySeconds``."""
        return sum(pod.available for pod in self.pods)

    @property
    def updated(self) -> int:
        """How many pods, terminating ones aside, are of the version that is asked for."""
        return sum(pod.version == self.version and not pod.terminating for pod in self.pods)

    @property
    def complete(self) -> bool:
        """Whether all is as its owner asks for: ``kubectl rollout status`` would be done."""
        alive = [pod for pod in self.pods if not pod.terminating]
        right = [pod for pod in alive if pod.available and pod.version == self.version]
        return len(alive) == len(right) == self.replicas


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One state of a run. ``cells`` has what the model itself holds, by name."""

    workloads: tuple[WorkloadView, ...]
    nodes: tuple[NodeView, ...]
    pods: tuple[PodView, ...]
    cells: Mapping[str, Any]

    @property
    def deployments(self) -> tuple[WorkloadView, ...]:
        """Those of the workloads that are Deployments."""
        return tuple(found for found in self.workloads if found.kind == "Deployment")

    def deployment(self, name: str) -> WorkloadView:
        """The Deployment of this name, ``namespace/name``, or ``name`` where that says it.

        Raises:
            LookupError: there is none, or there are several.
        """
        return _named("Deployment", name, self.deployments)

    def workload(self, name: str) -> WorkloadView:
        """The workload of this name, likewise; its kind may stand before, as in ``Kind/name``.

        Raises:
            LookupError: there is none, or there are several.
        """
        kind, slash, rest = name.partition("/")
        of_kind = tuple(found for found in self.workloads if slash and found.kind == kind)
        return _named(kind, rest, of_kind) if of_kind else _named("workload", name, self.workloads)

    def node(self, name: str) -> NodeView:
        """The node of this name.

        Raises:
            LookupError: there is none.
        """
        return _found("Node", name, self.nodes)

    def __str__(self) -> str:
        return "\n".join(map(visible, _lines(self)))


def _named(kind: str, name: str, options: tuple[WorkloadView, ...]) -> WorkloadView:
    short = [found for found in options if name in (found.name, found.name.partition("/")[2])]
    return short[0] if len(short) == 1 else _found(kind, name, options)


def _found(kind: str, name: str, options: Iterable[NamedT]) -> NamedT:
    known = {option.name: option for option in options}
    if name in known:
        return known[name]
    listed = ", ".join(known) or "none"
    raise LookupError(f'there is no {kind} "{name}"{did_you_mean(name, known)}: there are {listed}')


def _lines(cluster: ClusterView) -> Iterator[str]:
    for found in cluster.workloads:
        if found.kind != "Deployment":
            yield f"{found.kind} {found.name}: {found.replicas}"
            continue
        asked = f"{found.replicas} of {found.version}"
        sets = ", ".join(f"{v} has {n}" for v, n in found.replica_sets.items())
        yield f"{found.name}: {asked}{', paused' if found.paused else ''} ({sets})"
    homeless = [pod for pod in cluster.pods if not pod.node]
    if homeless:
        yield f"no node: {', '.join(pod.name for pod in homeless)}"
    for node in cluster.nodes:
        pods = ", ".join(f"{pod.name} {pod.phase}" for pod in node.pods)
        yield f"{node.name}{_conditions(node)}: {pods or 'empty'}"


def _conditions(node: NodeView) -> str:
    present = ((not node.up, "down"), (not node.ready, "not Ready"), (node.cordoned, "cordoned"))
    words = ", ".join(word for there, word in present if there)
    return f" ({words})" if words else ""


def look(scenario: Scenario, state: State, cast: Cast) -> ClusterView:
    """The state in which pods are called as in the cast."""
    seen = Snapshot(scenario, state)
    pods = tuple(sorted(_pods(scenario, cast), key=lambda pod: pod.name))
    return ClusterView(
        workloads=tuple(
            _workload(workload, seen.owner(workload), pods) for workload in scenario.world.owners
        ),
        nodes=tuple(_node(scenario, *node, pods) for node in sorted(seen.nodes().items())),
        pods=pods,
        cells={cell.name: seen.value(cell.name) for cell in scenario.system.cells},
    )


def _pods(scenario: Scenario, cast: Cast) -> Iterator[PodView]:
    for place, names in cast.names.items():
        pod_class = scenario.world.classes[place.pod_class]
        workload = scenario.world.workloads[pod_class.workload]
        for name in names:
            version = revision_hash(pod_class.template)
            yield PodView(name, full_name(workload), version, PHASES[place.phase], place.node)


def _node(scenario: Scenario, name: str, state: NodeState, pods: Iterable[PodView]) -> NodeView:
    return NodeView(
        name=name,
        zone=scenario.world.shapes[state.shape].zone,
        up=state.up,
        ready=state.ready,
        evicting=bool(state.evicting),
        cordoned=state.cordoned,
        draining=any(group.marks & Marks.LISTED for group in state.pods),
        pods=tuple(pod for pod in pods if pod.node == name),
    )


def _workload(workload: Workload, state: OwnerState, pods: Iterable[PodView]) -> WorkloadView:
    own = state.sets if workload.rollout is not None else ()
    return WorkloadView(
        kind=workload.kind,
        name=f"{workload.namespace}/{workload.name}",
        replicas=state.replicas,
        version=revision_hash(state.template),
        paused=bool(state.paused),
        replica_sets={revision_hash(s.template): s.replicas for s in own},
        pods=tuple(pod for pod in pods if pod.workload == full_name(workload)),
    )
