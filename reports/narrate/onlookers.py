"""Services and disruption budgets: what their counts come to in a state.

No controller of the model acts on them; what is shown follows from the pods that there are, by the
formulas of the real controllers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple, TypeAlias

from kubelemma.model.cluster.state import DeploymentState, NodeState, Phase
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.disruption.budget import covers
from kubelemma.model.components.disruption.decision import Covered, disruptions
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.reports.picture import BudgetBox, ServiceBox

from .cast import Cast, node_name
from .written import Written

_READY = (Phase.READY, Phase.AVAILABLE)


class Onlookers(NamedTuple):
    """The Services and budgets of one moment."""

    services: tuple[ServiceBox, ...]
    budgets: tuple[BudgetBox, ...]


Look: TypeAlias = Callable[[State, Cast], Onlookers]


class _Selected(NamedTuple):
    """What a selector matches: classes of pods in focus, and on each shape of node pods beside."""

    classes: frozenset[int]
    standing: tuple[int, ...]


class _Pod(NamedTuple):
    """A pod that is matched."""

    name: str
    workload: int
    phase: int
    node: str


def onlookers(scenario: Scenario, written: Written) -> Look:
    """A function that counts for every Service and budget that matches a workload's pods."""
    services = [
        (manifest.object, selected)
        for manifest in written.manifests.of(Service)
        if (selected := _selected(scenario, partial(_serves, manifest.object))).classes
    ]
    budgets = [
        (manifest.object, selected, _standing_scale(scenario, written, manifest.object))
        for manifest in written.manifests.of(PodDisruptionBudget)
        if (selected := _selected(scenario, partial(_covers, manifest.object))).classes
    ]

    def look(state: State, cast: Cast) -> Onlookers:
        moment = _Moment(scenario, state, cast)
        return Onlookers(
            tuple(sorted((_service_box(moment, *found) for found in services), key=_name)),
            tuple(sorted((_budget_box(moment, *found) for found in budgets), key=_name)),
        )

    return look


def _name(box: ServiceBox | BudgetBox) -> str:
    return box.name


def _serves(service: Service, pod: Pod) -> bool:
    """A Service without a selector has its endpoints from somebody else."""
    wanted = (service.spec.selector or {}).items()
    labels = pod.metadata.label_map()
    same = service.metadata.namespace == pod.metadata.namespace
    return bool(wanted) and same and all(labels.get(key) == value for key, value in wanted)


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    same = budget.metadata.namespace == pod.metadata.namespace
    return same and covers(budget.spec.selector, pod.metadata.label_map())


def _selected(scenario: Scenario, matches: Callable[[Pod], bool]) -> _Selected:
    world = scenario.world
    return _Selected(
        frozenset(c.index for c in world.classes if matches(c.pod)),
        tuple(sum(map(matches, shape.standing)) for shape in world.shapes),
    )


class _Moment(NamedTuple):
    """A state with the names of its pods."""

    scenario: Scenario
    state: State
    cast: Cast

    def pods(self, selected: _Selected) -> Iterator[_Pod]:
        """The matched pods that are in focus."""
        world = self.scenario.world
        for place, names in self.cast.names.items():
            if place.pod_class in selected.classes:
                workload = world.workloads[world.classes[place.pod_class].workload]
                for name in names:
                    whole = f"{workload.namespace}/{name.rpartition('/')[2]}"
                    yield _Pod(whole, workload.index, place.phase, place.node)

    def nodes(self) -> dict[str, NodeState]:
        """The nodes by name."""
        positions = self.scenario.system.positions[NODES]
        return {node_name(self.scenario, p): self.state[p] for p in positions}

    def standing(self, selected: _Selected, *, all_nodes: bool = False) -> dict[str, int]:
        """The matched pods that stand by, by node; without those that the API shows unready."""
        return {
            name: selected.standing[node.shape]
            for name, node in self.nodes().items()
            if node.ready or all_nodes
        }

    def scale(self, workloads: Iterable[int]) -> int:
        """Σ ``spec.replicas`` of these workloads."""
        cells = (self.scenario.world.workloads[index].cell for index in workloads)
        found: list[DeploymentState] = [
            self.state[self.scenario.system.positions[cell].start] for cell in cells
        ]
        return sum(deployment.replicas for deployment in found)


def _service_box(moment: _Moment, service: Service, selected: _Selected) -> ServiceBox:
    """Who receives traffic: pods that the API shows Ready and that are not being deleted."""
    ready = [pod for pod in moment.pods(selected) if pod.phase in _READY]
    standing = moment.standing(selected)
    down = {name for name, node in moment.nodes().items() if not node.up}
    return ServiceBox(
        name=_whole_name(service.metadata),
        endpoints=tuple(sorted(pod.name for pod in ready)),
        others=sum(standing.values()),
        silent=sum(pod.node in down for pod in ready)
        + sum(number for name, number in standing.items() if name in down),
    )


def _budget_box(
    moment: _Moment, budget: PodDisruptionBudget, selected: _Selected, standing_scale: int
) -> BudgetBox:
    pods = list(moment.pods(selected))
    covered = Covered(
        pods=len(pods) + sum(moment.standing(selected, all_nodes=True).values()),
        healthy=sum(pod.phase in _READY for pod in pods) + sum(moment.standing(selected).values()),
        scale=standing_scale + moment.scale({pod.workload for pod in pods}),
    )
    found = disruptions(budget.spec, covered)
    return BudgetBox(
        name=_whole_name(budget.metadata),
        healthy=found.current_healthy,
        desired=found.desired_healthy,
        expected=found.expected_pods,
        allowed=found.disruptions_allowed,
    )


def _standing_scale(scenario: Scenario, written: Written, budget: PodDisruptionBudget) -> int:
    """Replicas of the other Deployments that have covered pods on the nodes."""
    focus = {(w.namespace, w.name) for w in scenario.world.workloads}
    standing = [
        pod for shape in scenario.world.shapes for pod in shape.standing if _covers(budget, pod)
    ]
    total = 0
    for manifest in written.manifests.of(Deployment):
        metadata, spec = manifest.object.metadata, manifest.object.spec
        selector = spec.selector
        if (metadata.namespace, metadata.name) in focus or selector is None:
            continue
        own = (pod.metadata for pod in standing if pod.metadata.namespace == metadata.namespace)
        if any(selector.matches(pod.label_map()) for pod in own):
            total += spec.replicas or 0
    return total


def _whole_name(metadata: ObjectMeta) -> str:
    return f"{metadata.namespace}/{metadata.name}"
