"""What of a pod's own specification makes it wait, or lets it stand beside its like.

These facts tell what could be changed: each has the field of the manifest where that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.scheduler.decision import profile
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.findings import FieldPath
from kubelemma.model.objects.pod import Affinity, Pod
from kubelemma.reports.narrate.amounts import amount_text
from kubelemma.reports.narrate.scene import Seen, Standstill
from kubelemma.reports.narrate.written import Written
from kubelemma.reports.story import Fact, Hindrance, NodeReview

_KEEPS_OUT = frozenset({profile.TAINT_TOLERATION, profile.NODE_UNSCHEDULABLE})
_HASH = "pod-template-hash"


def hinders(end: Standstill, place: Place, reviews: Iterable[NodeReview]) -> Iterator[Fact]:
    """Why the pods at a place wait for a node, as far as their own specification says so."""
    if place.node:
        return
    pod_class = end.world.classes[place.pod_class]
    workload = end.world.workloads[pod_class.workload]
    plugins = {review.plugin for review in reviews}
    if profile.NODE_RESOURCES_FIT in plugins:
        yield from _at_its_start(end.written, workload, pod_class.pod, reviews)
    if profile.POD_TOPOLOGY_SPREAD in plugins:
        yield from _spread(end, workload, pod_class.pod, aside=bool(plugins & _KEEPS_OUT))
    if profile.INTER_POD_AFFINITY in plugins:
        required = (rule for rule in _rules(pod_class.pod) if rule.required and not rule.apart)
        yield from _unknown(end.world, end.written, workload, required)


def _at_its_start(
    written: Written, workload: Workload, pod: Pod, reviews: Iterable[NodeReview]
) -> Iterator[Fact]:
    """The init containers without which a pod would ask for less of what it lacks."""
    lacking = {reason.removeprefix("Insufficient ") for r in reviews for reason in r.reasons}
    whole = fit_request(pod)
    containers = pod.spec.init_containers or ()
    for number, container in enumerate(containers):
        rest = (*containers[:number], *containers[number + 1 :])
        without = fit_request(_starting_with(pod, rest))
        for name in sorted(lacking & whole.keys()):
            left = without.get(name, 0)
            if container.restart_policy != "Always" and left < whole[name]:
                asked, instead = amount_text(name, whole[name]), amount_text(name, left)
                value = f"{container.name}: {name} {asked}, without it {instead}"
                path: FieldPath = ("initContainers", number)
                exact: FieldPath = (*path, "resources", "requests", name)
                yield Fact(Hindrance.INIT_CONTAINER, value, written.template(workload, exact, path))


def _starting_with(pod: Pod, containers: tuple[object, ...]) -> Pod:
    spec = msgspec.structs.replace(pod.spec, init_containers=containers)
    return msgspec.structs.replace(pod, spec=spec)


def _spread(end: Standstill, workload: Workload, pod: Pod, *, aside: bool) -> Iterator[Fact]:
    """What of its spread is in the way; ``aside``: some nodes take no such pod at all."""
    required = [rule for rule in _rules(pod) if rule.required and rule.spread]
    yield from _unknown(end.world, end.written, workload, required)
    for number, constraint in enumerate(pod.spec.topology_spread_constraints or ()):
        if constraint.when_unsatisfiable != "DoNotSchedule":
            continue
        path: FieldPath = ("topologySpreadConstraints", number)
        if aside and constraint.node_taints_policy != "Honor":
            exact: FieldPath = (*path, "nodeTaintsPolicy")
            value = "Ignore" if constraint.node_taints_policy else "Ignore (by default)"
            yield Fact(Hindrance.TAINTS_POLICY, value, end.written.template(workload, exact, path))
        keys = constraint.match_label_keys or ()
        if workload.rollout is not None and _HASH not in keys:
            position = end.written.template(workload, path)
            yield Fact(Hindrance.EVERY_REVISION, constraint.topology_key, position)


# Rules over a topology


class _Rule(NamedTuple):
    """A rule about where pods stand in relation to others.

    ``apart`` tells rules that keep pods away from each other, ``spread`` those that are spread
    constraints.
    """

    key: str
    path: FieldPath
    required: bool
    apart: bool
    spread: bool = False


def _rules(pod: Pod) -> Iterator[_Rule]:
    for number, constraint in enumerate(pod.spec.topology_spread_constraints or ()):
        must = constraint.when_unsatisfiable == "DoNotSchedule"
        path: FieldPath = ("topologySpreadConstraints", number)
        yield _Rule(constraint.topology_key, path, must, apart=True, spread=True)
    affinity = pod.spec.affinity or Affinity()
    for part, name in (
        (affinity.pod_anti_affinity, "podAntiAffinity"),
        (affinity.pod_affinity, "podAffinity"),
    ):
        if part is None:
            continue
        apart = name == "podAntiAffinity"
        for number, term in enumerate(part.required or ()):
            field = "requiredDuringSchedulingIgnoredDuringExecution"
            path = ("affinity", name, field, number)
            yield _Rule(term.topology_key, path, required=True, apart=apart)
        for number, weighted in enumerate(part.preferred or ()):
            field = "preferredDuringSchedulingIgnoredDuringExecution"
            path = ("affinity", name, field, number)
            yield _Rule(weighted.pod_affinity_term.topology_key, path, required=False, apart=apart)


def _known(world: World, key: str) -> bool:
    """Whether some node has the key."""
    return key in world.unique_keys or bool(world.values_of(key))


def _unknown(
    world: World, written: Written, workload: Workload, rules: Iterable[_Rule]
) -> Iterator[Fact]:
    for rule in rules:
        if not _known(world, rule.key):
            field = "topologyKey" if rule.spread or rule.required else "podAffinityTerm"
            position = written.template(workload, (*rule.path, field), rule.path)
            yield Fact(Hindrance.UNKNOWN_KEY, rule.key, position)


def spacing(seen: Seen, workload: Workload, written: Written) -> Iterator[Fact]:
    """How many replicas a workload has, and what keeps them apart, or does not."""
    if workload.rollout is not None:
        replicas = seen.owner(workload).replicas
        yield Fact(Hindrance.REPLICAS, str(replicas), written.replicas(workload, replicas))
    pod = seen.world.classes[workload.classes[0]].pod
    rules = [rule for rule in _rules(pod) if rule.apart]
    yield from _unknown(seen.world, written, workload, rules)
    for rule in rules:
        if _known(seen.world, rule.key):
            name = Hindrance.APART if rule.required else Hindrance.WISH
            yield Fact(name, rule.key, written.template(workload, rule.path))
