"""Problems of the deletion ranking: which pods the ReplicaSet controller's rules delete.

Pods of one template have one deletion cost here, so that a problem becomes one for each cost: the
pods with this cost are the ReplicaSet's, all others belong to another one of the same Deployment,
and count for co-location as they did. Of times and restarts the model knows nothing: it may delete
whichever of the pods that nothing else tells apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kubelemma.model.cluster.setting import Choices, Start
from kubelemma.model.cluster.state import (
    ACTIVE,
    DeploymentState,
    NodeState,
    Phase,
    Queue,
    SetState,
    shifted,
)
from kubelemma.model.cluster.world import (
    NODES,
    Behaviour,
    NodeShape,
    PodClass,
    Rollout,
    Workload,
    World,
)
from kubelemma.model.components.replicaset.decision import deletion_cost_of
from kubelemma.model.components.replicaset.keys import REPLICASET
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.system import State, System

from . import AGREES, Case, Found

COST = "controller.kubernetes.io/pod-deletion-cost"
NO_NODE = ""

PHASE = "a phase that pods of the model do not have: Unknown, or Running without a node"
ONE_COST = "pods of one ReplicaSet have one deletion cost"
GATE = "the feature gate PodDeletionCost is off"
TOO_FEW = "fewer than two pods of one deletion cost and a phase that pods of the model have"
CIRCLE = "a cycle, or a tie: none of the pods goes before all others"


class Place(NamedTuple):
    """All that tells one pod of a template from another: its node, and where it stands there."""

    node: str
    phase: Phase


class Key(NamedTuple):
    """What the ranking looks at before times and restarts; the greatest goes first."""

    unassigned: bool
    pending: bool
    unready: bool
    colocated: int


class Ranked(NamedTuple):
    """Pods of one ReplicaSet with their ranks, those of others, and the deletion cost of all."""

    own: tuple[Place, ...]
    ranks: tuple[int, ...]
    others: tuple[Place, ...] = ()
    cost: int = 0

    def keys(self) -> tuple[Key, ...]:
        """The key of each of its pods."""
        return tuple(_key(p, rank) for p, rank in zip(self.own, self.ranks, strict=True))


def _key(place: Place, rank: int) -> Key:
    unassigned = place.node == NO_NODE
    ready = place.phase in (Phase.READY, Phase.AVAILABLE)
    return Key(unassigned, unassigned or place.phase is Phase.ASSIGNED, not ready, rank)


# Translation


def place_of(raw: Case) -> Place | None:
    """Where a recorded pod stands; None if no pod of the model stands like this."""
    node = raw.get("spec", {}).get("nodeName", NO_NODE)
    status = raw.get("status", {})
    ready = {"type": "Ready", "status": "True"}
    is_ready = any(ready.items() <= c.items() for c in status.get("conditions", ()))
    if status.get("phase") == "Pending" and not is_ready:
        return Place(node, Phase.ASSIGNED)
    if status.get("phase") == "Running" and node:
        return Place(node, Phase.AVAILABLE if is_ready else Phase.STARTING)
    return None


def _bystander(raw: Case) -> Place | None:
    """Where an active pod of another ReplicaSet stands; only its node matters."""
    terminal = raw["status"].get("phase") in ("Succeeded", "Failed")
    if terminal or "deletionTimestamp" in raw["metadata"] or "nodeName" not in raw["spec"]:
        return None
    return Place(raw["spec"]["nodeName"], Phase.AVAILABLE)


def subproblems(case: Case) -> Iterator[tuple[Ranked, tuple[int, ...]]]:
    """A problem for each deletion cost, with the positions of its pods in the recorded one."""
    given = case["input"]
    by_cost: dict[int, list[int]] = {}
    for i, raw in enumerate(given["pods"]):
        if place_of(raw):
            cost = deletion_cost_of(raw["metadata"].get("annotations", {}))
            by_cost.setdefault(cost, []).append(i)
    names = [raw["metadata"]["name"] for raw in given["pods"]]
    for cost, members in by_cost.items():
        own = {names[i] for i in members}
        others = (raw for raw in given["relatedPods"] if raw["metadata"]["name"] not in own)
        yield (
            Ranked(
                tuple(place for i in members for place in [place_of(given["pods"][i])] if place),
                tuple(case["expect"]["rank"][names[i]] for i in members),
                tuple(place for raw in others for place in [_bystander(raw)] if place),
                cost,
            ),
            tuple(members),
        )


# Comparison


def compare_first(case: Case) -> Found:
    """The pod that goes first may go first, and so may its equals, but no other."""
    compared, circle = False, False
    for asked, members in subproblems(case):
        real = list(_first(members, case["expect"]["less"]))
        if len(members) < 2 or not real:
            circle |= not real
            continue
        compared = True
        found = first_of(asked, real)
        if found.difference:
            return found
    return AGREES if compared else Found(skipped=CIRCLE if circle else TOO_FEW)


def compare_several(case: Case) -> Found:
    """Of half of the pods at once: the real ones may go, and none of lower rank."""
    if not case["expect"]["strictTotalOrder"]:
        return Found(skipped=CIRCLE)
    names = [raw["metadata"]["name"] for raw in case["input"]["pods"]]
    order = [names.index(name) for name in case["expect"]["order"]]
    reason = TOO_FEW
    for asked, members in subproblems(case):
        if len(members) > 1:
            reason = ""
            real = [members.index(i) for i in order if i in members][: len(members) // 2]
            found = several_of(asked, real)
            if found.difference:
                return found
    return Found(skipped=reason)


def _first(members: Sequence[int], less: Sequence[str]) -> Iterator[int]:
    """The positions of those that go before all others; several only if they are equal."""
    for position, i in enumerate(members):
        if not any(less[j][i] == "<" for j in members):
            yield position


def compare_upstream(case: Case) -> Found:
    """A case of the controller's own tables, as far as it is about what the model knows."""
    given, test = case["input"], case["test"]
    if not given.get("featureGates", {}).get("PodDeletionCost", True):
        return Found(skipped=GATE)
    if test == "TestGetPodsToDelete":
        return _to_delete(given, case["expect"])
    if test == "TestSortingActivePods":
        kept = [raw for raw in given["pods"] if place_of(raw)]
        places = tuple(place for raw in kept for place in [place_of(raw)] if place)
        return first_of(Ranked(places, _ranks(places)), [0])
    first, second = ("p1", "p2") if "p1" in given else ("lesser", "greater")
    raws = given[first], given[second]
    if len({raw["metadata"].get("annotations", {}).get(COST) for raw in raws}) > 1:
        return Found(skipped=ONE_COST)
    if "p1" in given:
        return _pair(raws, (given["rank1"], given["rank2"]), [0, 1])
    return _pair(raws, (given["lesserRank"], given["greaterRank"]), [0])


def _pair(raws: tuple[Case, Case], ranks: tuple[int, int], real: list[int]) -> Found:
    """Two pods on nodes of their own, with as many others there as their ranks say."""
    found = [place_of(raw) for raw in raws]
    own = tuple(p._replace(node=p.node and f"{p.node}-{i}") for i, p in enumerate(found) if p)
    if len(own) < len(found):
        return Found(skipped=PHASE)
    others = tuple(
        Place(place.node, Phase.AVAILABLE)
        for place, rank in zip(own, ranks, strict=True)
        for _ in range(rank - 1)
        if place.node
    )
    told = tuple(rank if p.node else 0 for p, rank in zip(own, ranks, strict=True))
    return first_of(Ranked(own, told, others), real)


def _to_delete(given: Case, expect: Case) -> Found:
    places = [place_of(raw) for raw in given["pods"]]
    own = tuple(place for place in places if place)
    assert len(own) == len(places)
    related = Counter(place for raw in given["relatedPods"] for place in [place_of(raw)] if place)
    others = tuple((related - Counter(own)).elements())
    names = [raw["metadata"]["name"] for raw in given["pods"]]
    left, real = list(enumerate(names)), []
    for name in expect["toDelete"]:
        at = next(pair for pair in left if pair[1] == name)
        left.remove(at)
        real.append(at[0])
    return several_of(Ranked(own, _ranks((*own, *others))[: len(own)], others), real)


def _ranks(places: Sequence[Place]) -> tuple[int, ...]:
    on_node = Counter(place.node for place in places)
    return tuple(on_node[place.node] for place in places)


def first_of(asked: Ranked, real: Iterable[int]) -> Found:
    """Whether exactly the equals of those that really go first may go first."""
    keys = asked.keys()
    allowed = {place for gone in deleted(asked, 1) for place in gone}
    for i in real:
        equals = {p for p, key in zip(asked.own, keys, strict=True) if key == keys[i]}
        if allowed != equals:
            return Found(difference=f"{_told(allowed)} may go first, not {_told(equals)}")
    return AGREES


def several_of(asked: Ranked, real: Sequence[int]) -> Found:
    """Whether those that really go may go, and with them only the highest keys of the start."""
    together = Counter(asked.own[i] for i in real)
    highest = sorted(asked.keys(), reverse=True)[: len(real)]
    endings = deleted(asked, len(real))
    if together not in endings:
        return Found(difference=f"never {_told(together.elements())} together")
    # All pods at one place have one key, unless they have no node: then their rank is the same.
    key_at = dict(zip(asked.own, asked.keys(), strict=True))
    for gone in endings:
        if sorted((key_at[place] for place in gone.elements()), reverse=True) != highest:
            return Found(difference=f"{_told(gone.elements())} may go, which rank lower")
    return AGREES


def _told(places: Iterable[Place]) -> str:
    return ", ".join(sorted(f"{phase.name} on {node or 'no node'}" for node, phase in places))


# The rules


def deleted(asked: Ranked, number: int) -> list[Counter[Place]]:
    """What the controller may delete, by place, when the ReplicaSet is to lose so many pods.

    All its rules may act, and nobody else, until only statuses are left to be written.
    """
    system = _system(asked, number)
    nodes = _node_names(asked)
    before = _own_pods(system, system.initial, nodes)
    return [before - _own_pods(system, state, nodes) for state in _endings(system)]


def _endings(system: System) -> Iterator[State]:
    """The states in which the controller has nothing to create or delete any more."""
    waiting, seen = [system.initial], {system.initial}
    while waiting:
        state = waiting.pop()
        steps = [step for step in system.successors(state) if step.rule.actor == REPLICASET]
        after = {step.state for step in steps if step.outcome.action != "write-status"}
        # All victims are chosen before the first of them goes: their order makes no difference.
        gone = [step.state for step in steps if step.outcome.action == "delete-pod"]
        after = set(gone[:1]) or after
        if not after:
            yield state
        waiting += after - seen
        seen |= after


def _own_pods(system: System, state: State, nodes: Sequence[str]) -> Counter[Place]:
    found: Counter[Place] = Counter()
    for position in system.positions[NODES]:
        node: NodeState = state[position]
        for group in node.pods:
            if group.pod_class == 0 and group.phase in ACTIVE:
                found[Place(nodes[node.shape], Phase(group.phase))] += group.size
    (queue,) = system.positions["pods without a node of default/web"]
    found[Place(NO_NODE, Phase.ASSIGNED)] = state[queue].waiting[0]
    return found


def _node_names(asked: Ranked) -> tuple[str, ...]:
    return tuple(sorted({p.node for p in (*asked.own, *asked.others)} - {NO_NODE}))


def _system(asked: Ranked, number: int) -> System:
    classes = tuple(_pod_class(template, asked.cost) for template in range(2))
    workload = Workload(
        index=0,
        kind="Deployment",
        namespace="default",
        name="web",
        classes=(0, 1),
        templates=2,
        rollout=Rollout(
            recreate=False,
            max_surge=IntOrPercent(1),
            max_unavailable=IntOrPercent(0),
            revision_history_limit=10,
        ),
    )
    names = _node_names(asked)
    world = World(
        workloads=(workload,),
        classes=classes,
        shapes=tuple(NodeShape(Node(metadata=ObjectMeta(name=n)), (), "", n) for n in names),
        sizes=(1,) * len(names),
        unique_keys=frozenset(),
    )
    return assemble(world, (_start(asked, number, names),), (), Choices())


def _start(asked: Ranked, number: int, names: Sequence[str]) -> Start:
    nodes: Mapping[str, NodeState] = {n: NodeState(i) for i, n in enumerate(names)}
    found = dict(nodes)
    for pod_class, places in enumerate((asked.own, asked.others)):
        for place in places:
            if place.node:
                node = found[place.node]
                pods = shifted(node.pods, pod_class, place.phase, 1)
                found[place.node] = node._replace(pods=pods)
    queue = Queue.of((sum(place.node == NO_NODE for place in asked.own), 0))
    sizes = len(asked.own) - number, len(asked.others)
    sets = tuple(
        SetState(t, 2 - t, size, sum(sizes), sum(sizes) + 1) for t, size in enumerate(sizes)
    )
    return Start((DeploymentState(sum(sizes), 0, False, sets),), (queue,), tuple(found.values()))


def _pod_class(template: int, cost: int) -> PodClass:
    return PodClass(
        index=template,
        workload=0,
        template=template,
        pod=Pod(),
        behaviour=Behaviour.HEALTHY,
        min_ready_seconds=0,
        deletion_cost=cost,
        selector=LabelSelector(),
    )
