"""Synthetic clusters for placement whose answer is known from how they are made.

Nodes come in five machine types in three zones: 15 classes. Feasible kinds are packed first: every
node is filled with pods of some hundred shapes until nothing more goes in, then pods are taken away
until the scarcer of cpu and memory has the headroom of the kind, and what is left is dealt out to
Deployments, half of them spread over the zones, some with one pod a host, some pinned to a machine
type. So a placement exists, and the one who is asked does not see it. Infeasible kinds add to such
a cluster what an argument of one sentence forbids (``Known.argument``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Node, NodeSpec, NodeStatus, Taint
from kubelemma.model.objects.pod import (
    Affinity,
    Container,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    PodSpec,
    ResourceRequirements,
    Toleration,
    TopologySpreadConstraint,
)
from kubelemma.model.objects.quantity import Quantity
from kubelemma.solver.placement.problem import Answer, Cluster, Problem, Workload

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
TYPE = "node.kubernetes.io/instance-type"
ZONES = ("a", "b", "c")
NAMESPACE = "bench"
PODS_A_NODE = 110
MIB = 2**20

HEADROOM = {
    "spare": Fraction(45, 100),
    "comfortable": Fraction(30, 100),
    "tight5": Fraction(5, 100),
    "tight2": Fraction(2, 100),
    "tight1": Fraction(1, 100),
    "preloaded": Fraction(10, 100),
}
"""The feasible kinds, and the share of the scarcer resource that stays free.

``spare`` has more than a zone's worth, so that one may be lost."""


@dataclass(frozen=True, slots=True)
class Known:
    """A problem with its answer, and why that is the answer."""

    problem: Problem
    answer: Answer | None
    argument: str


class Machine(NamedTuple):
    """A type of node: millicores and MiB that pods may have."""

    name: str
    cpu: int
    memory: int
    dedicated: bool = False


MACHINES = (
    Machine("small", 3900, 15 * 1024),
    Machine("general", 7900, 30 * 1024),
    Machine("compute", 15800, 30 * 1024),
    Machine("memory", 7900, 61 * 1024, dedicated=True),
    Machine("large", 15800, 61 * 1024),
)


class Shape(NamedTuple):
    """What a pod requests: millicores and MiB; whether it may go to dedicated nodes."""

    cpu: int
    memory: int
    tolerant: bool = False


class Place(NamedTuple):
    """A node of the cluster under construction."""

    index: int
    machine: Machine
    zone: str


def seeded(seed: int) -> Random:
    """The source of chance of a benchmark, the same for the same seed."""
    return Random(seed)  # noqa: S311 (no secrets here)


def places(count: int) -> tuple[Place, ...]:
    """Nodes by turns in the three zones, then by turns of the five types."""
    return tuple(
        Place(i, MACHINES[i // len(ZONES) % len(MACHINES)], ZONES[i % len(ZONES)])
        for i in range(count)
    )


def node(place: Place) -> Node:
    """The Node object of a place."""
    name = node_name(place)
    taints = (Taint(key="dedicated", value="memory", effect="NoSchedule"),)
    amounts = {"cpu": place.machine.cpu, "memory": place.machine.memory}
    return Node(
        metadata=ObjectMeta(
            name=name, labels={HOSTNAME: name, ZONE: place.zone, TYPE: place.machine.name}
        ),
        spec=NodeSpec(taints=taints if place.machine.dedicated else None),
        status=NodeStatus(allocatable=requests(**amounts) | {"pods": Quantity(PODS_A_NODE)}),
    )


def node_name(place: Place) -> str:
    """The name of the node of a place."""
    return f"node-{place.index:04d}"


def requests(cpu: int, memory: int, **more: int) -> dict[str, Quantity]:
    """Quantities by resource name; cpu in millicores, memory in MiB."""
    extended = {name: Quantity(amount) for name, amount in more.items()}
    return {"cpu": Quantity(Fraction(cpu, 1000)), "memory": Quantity(memory * MIB)} | extended


class Rule(NamedTuple):
    """The constraints that a Deployment has beside its requests."""

    spread: bool = False
    lonely: bool = False
    machine: str | None = None


def pod(name: str, shape: Shape, rule: Rule = Rule()) -> Pod:  # noqa: B008 (a named tuple)
    """A pod of the Deployment of that name, with its defaults."""
    itself = LabelSelector(match_labels={"app": name})
    spread = TopologySpreadConstraint(
        max_skew=1, topology_key=ZONE, when_unsatisfiable="DoNotSchedule", label_selector=itself
    )
    apart = PodAffinity(required=(PodAffinityTerm(topology_key=HOSTNAME, label_selector=itself),))
    tolerations = (Toleration(key="dedicated", value="memory", effect="NoSchedule"),)
    resources = ResourceRequirements(requests=requests(shape.cpu, shape.memory))
    return Pod(
        metadata=ObjectMeta(name=name, namespace=NAMESPACE, labels={"app": name}),
        spec=PodSpec(
            containers=(Container(name="main", resources=resources),),
            node_selector={TYPE: rule.machine} if rule.machine else None,
            affinity=Affinity(pod_anti_affinity=apart) if rule.lonely else None,
            topology_spread_constraints=(spread,) if rule.spread else None,
            tolerations=tolerations if shape.tolerant else None,
            priority=0,
        ),
    )


def workload(name: str, shape: Shape, count: int, rule: Rule = Rule()) -> Workload:  # noqa: B008
    """A Deployment as a workload."""
    return Workload(f"Deployment {NAMESPACE}/{name}", pod(name, shape, rule), count)


# --- packing -----------------------------------------------------------------------------------


SIZES = (50, 100, 200, 250, 400, 500, 500, 750, 1000, 1000, 1500, 2000, 4000)
RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def catalogue(random: Random) -> tuple[Shape, ...]:
    """About 60 shapes of 50 to 4000 millicores, most of them small, at 1 to 8 GiB a core.

    The smallest is always among them, so that nodes fill up.
    """
    drawn = {(random.choice(SIZES), random.choice(RATIOS)) for _ in range(120)}
    return tuple(
        Shape(cpu, max(1, round(cpu * ratio * 1.024 / 64)) * 64, tolerant=ratio >= 4)  # noqa: PLR2004
        for cpu, ratio in sorted({*drawn, (SIZES[0], RATIOS[0])})
    )


class Bound(NamedTuple):
    """One pod of a shape on a node."""

    shape: Shape
    place: Place


def fill(
    place: Place, shapes: Sequence[Shape], random: Random, used: tuple[int, int] = (0, 0)
) -> Iterator[Bound]:
    """Pods for one node until no shape fits any more, cpu and memory filled evenly."""
    machine = place.machine
    cpu, memory = machine.cpu - used[0], machine.memory - used[1]
    allowed = [s for s in shapes if s.tolerant or not machine.dedicated]
    for _ in range(PODS_A_NODE):
        allowed = [s for s in allowed if s.cpu <= cpu and s.memory <= memory]
        if not allowed:
            return
        drawn = [random.choice(allowed) for _ in range(4)]
        best = min(drawn, key=lambda s: abs((cpu - s.cpu) * memory - (memory - s.memory) * cpu))
        cpu, memory = cpu - best.cpu, memory - best.memory
        yield Bound(best, place)


def cut(pods: Sequence[Bound], nodes: Sequence[Place], free: Fraction, used: Shape) -> list[Bound]:
    """As many of the pods, from the first on, as leave that share of cpu and memory free."""
    cpu = sum(p.machine.cpu for p in nodes) * (1 - free) - used.cpu
    memory = sum(p.machine.memory for p in nodes) * (1 - free) - used.memory
    kept = []
    for bound in pods:
        cpu, memory = cpu - bound.shape.cpu, memory - bound.shape.memory
        if cpu < 0 or memory < 0:
            break
        kept.append(bound)
    return kept


REPLICAS = (2, 3, 4, 6, 8, 10, 12, 15, 20, 24, 30, 40, 60, 80)


def deployments(pods: Iterable[Bound], zones: Sequence[str], random: Random) -> list[Workload]:
    """The packed pods dealt out to Deployments whose constraints the packing fulfils."""
    pools: dict[Shape, dict[str, list[Place]]] = {}
    for bound in pods:
        pools.setdefault(bound.shape, {z: [] for z in zones})[bound.place.zone].append(bound.place)
    dealt = []
    for shape in sorted(pools):
        pool = pools[shape]
        while any(pool.values()):
            count, rule = _deal(pool, random)
            dealt.append(workload(f"app-{len(dealt):04d}", shape, count, rule))
    return dealt


def _deal(pool: dict[str, list[Place]], random: Random) -> tuple[int, Rule]:
    """Take one Deployment's pods out of what is packed of a shape: their number, and a rule."""
    wanted = random.choice(REPLICAS)
    wish = random.choices((_take_spread, _take_lonely, _take_pinned), (60, 8, 12))[0]
    # Where the zones ran uneven, no spread is left to be had: then anything goes.
    return (random.random() < 0.8 and wish(pool, wanted)) or _take_any(pool, wanted)  # noqa: PLR2004


def _take_any(pool: dict[str, list[Place]], wanted: int) -> tuple[int, Rule]:
    """From the fullest zone each time, so that the zones stay even."""
    taken = min(wanted, sum(map(len, pool.values())))
    for _ in range(taken):
        max(pool.values(), key=len).pop()
    return taken, Rule()


def _take_spread(pool: dict[str, list[Place]], wanted: int) -> tuple[int, Rule] | None:
    """So many from each zone that no zone has more than one above another."""
    order = sorted(pool, key=lambda zone: -len(pool[zone]))
    shares = {z: (wanted + len(order) - 1 - i) // len(order) for i, z in enumerate(order)}
    if any(len(pool[zone]) < share for zone, share in shares.items()):
        return None
    for zone, share in shares.items():
        del pool[zone][len(pool[zone]) - share :]
    return wanted, Rule(spread=True)


def _take_where(pool: dict[str, list[Place]], wanted: int, accept: Callable[[Place], bool]) -> int:
    taken = 0
    for zone in sorted(pool, key=lambda zone: -len(pool[zone])):
        kept = []
        for place in pool[zone]:
            if taken < wanted and accept(place):
                taken += 1
            else:
                kept.append(place)
        pool[zone] = kept
    return taken


def _take_lonely(pool: dict[str, list[Place]], wanted: int) -> tuple[int, Rule]:
    """At most one from each node."""
    seen: set[int] = set()

    def unseen(place: Place) -> bool:
        if place.index in seen:
            return False
        seen.add(place.index)
        return True

    return _take_where(pool, wanted, unseen), Rule(lonely=True)


def _take_pinned(pool: dict[str, list[Place]], wanted: int) -> tuple[int, Rule]:
    """All from nodes of one type: that of the first."""
    machine = max(pool.values(), key=len)[0].machine
    taken = _take_where(pool, wanted, lambda place: place.machine == machine)
    return taken, Rule(machine=machine.name)


# --- the kinds ---------------------------------------------------------------------------------


def packed(
    nodes: Sequence[Place], free: Fraction, random: Random, taken: Mapping[int, Shape]
) -> list[Bound]:
    """Pods on the nodes, beside what is ``taken`` there by index, with that share left free."""
    shapes = catalogue(random)
    none = Shape(0, 0)
    pods = [b for p in nodes for b in fill(p, shapes, random, taken.get(p.index, none)[:2])]
    random.shuffle(pods)
    used = Shape(sum(s.cpu for s in taken.values()), sum(s.memory for s in taken.values()))
    return cut(pods, nodes, free, used)


def feasible(kind: str, count: int, seed: int) -> Known:
    """A cluster that was packed first; for ``preloaded`` every node already runs another pod."""
    random = seeded(seed)
    nodes = places(count)
    taken = _preload(nodes, random) if kind == "preloaded" else {}
    pods = packed(nodes, HEADROOM[kind], random, taken)
    problem = Problem(
        Cluster(tuple(map(node, nodes)), tuple(_loads(nodes, taken)), {NAMESPACE: {}}),
        tuple(deployments(pods, ZONES[:count], random)),
    )
    return Known(problem, Answer.YES, f"packed first, then cut to {float(HEADROOM[kind]):.0%} free")


def _preload(nodes: Sequence[Place], random: Random) -> dict[int, Shape]:
    """A different amount for every node, between none and half of it."""
    return {
        p.index: Shape(
            random.randrange(1, p.machine.cpu // 2), random.randrange(1, p.machine.memory // 2)
        )
        for p in nodes
    }


def _loads(nodes: Sequence[Place], taken: Mapping[int, Shape]) -> Iterator[Pod]:
    for place in nodes:
        if place.index in taken:
            name = f"load-{place.index:04d}"
            template = pod(name, taken[place.index])
            yield replace(template, spec=replace(template.spec, node_name=node_name(place)))


def _base(nodes: Sequence[Place], pods: Sequence[Bound], random: Random) -> Problem:
    cluster = Cluster(tuple(map(node, nodes)), (), {NAMESPACE: {}})
    return Problem(cluster, tuple(deployments(pods, ZONES[: len(nodes)], random)))


def _with(problem: Problem, more: Iterable[Workload]) -> Problem:
    return Problem(problem.cluster, (*problem.workloads, *more))


def short(count: int, seed: int) -> Known:
    """More cpu is asked for than all nodes have, by 3 %; every pod alone would find a node."""
    random, nodes = seeded(seed), places(count)
    base = _base(nodes, packed(nodes, Fraction(0), random, {}), random)
    wanted = sum(w.count * _millicores(w.pod) for w in base.workloads)
    offered = sum(p.machine.cpu for p in nodes)
    more = -(-(offered * 103 // 100 - wanted) // (250 * 20))
    extra = [workload(f"more-{i:04d}", Shape(250, 256), 20) for i in range(more)]
    total = wanted + more * 20 * 250
    argument = f"{total} millicores are asked for, {offered} are there"
    return Known(_with(base, extra), Answer.NO, argument)


def _millicores(pod: Pod) -> int:
    (container,) = pod.spec.containers or ()
    asked = container.resources and container.resources.requests
    return int((asked or {})["cpu"].amount * 1000)


SMALLER, GREATER = Shape(2650, 2048), Shape(4000, 2048)
WEIGHTS = {SMALLER: Fraction(2, 3), GREATER: Fraction(1)}
FRAGMENTED = MACHINES[2]


def heaviest(machine: Machine) -> Fraction:
    """The greatest weight of pods of the two shapes that one node can hold, by trying them all."""
    return max(
        a * WEIGHTS[SMALLER] + b * WEIGHTS[GREATER]
        for a, b in product(range(PODS_A_NODE), repeat=2)
        if a * SMALLER.cpu + b * GREATER.cpu <= machine.cpu
        and a * SMALLER.memory + b * GREATER.memory <= machine.memory
    )


def fragmented(count: int, seed: int) -> Known:
    """Totals fit, in every pool too, but pods of 2650m and 4000m do not fill their nodes.

    A 2650m pod weighs 2/3, a 4000m pod 1; no node of their type holds more than ``heaviest``, and
    one pod more than that allows is asked for.
    """
    random, nodes = seeded(seed), places(count)
    pool = [p for p in nodes if p.machine == FRAGMENTED]
    others = [p for p in nodes if p.machine != FRAGMENTED]
    room = len(pool) * heaviest(FRAGMENTED)
    greater = len(pool) * 3 // 2
    smaller = int((room - greater * WEIGHTS[GREATER]) / WEIGHTS[SMALLER]) + 1
    rule = Rule(machine=FRAGMENTED.name)
    extra = [
        workload(f"{name}-{i:04d}", shape, min(20, total - 20 * i), rule)
        for name, shape, total in (("great", GREATER, greater), ("less", SMALLER, smaller))
        for i in range(-(-total // 20))
    ]
    ordinary = packed(others, Fraction(10, 100), random, {})
    weight = greater * WEIGHTS[GREATER] + smaller * WEIGHTS[SMALLER]
    argument = f"weight {weight} on {len(pool)} nodes that hold {room} at most"
    return Known(_with(_base(nodes, ordinary, random), extra), Answer.NO, argument)


def _too_many_lonely(nodes: Sequence[Place]) -> tuple[list[Workload], str]:
    hosts = sum(p.machine.name == "general" for p in nodes)
    rule = Rule(lonely=True, machine="general")
    lonely = workload("lonely", Shape(50, 64), hosts + 1, rule)
    return [lonely], f"{hosts + 1} replicas with one pod a host, {hosts} hosts of their type"


def _everywhere_and_apart(_: Sequence[Place]) -> tuple[list[Workload], str]:
    everywhere = workload("everywhere", Shape(50, 64), len(ZONES), Rule(spread=True))
    shy = workload("shy", Shape(50, 64), 1)
    away = PodAffinityTerm(
        topology_key=ZONE, label_selector=LabelSelector(match_labels={"app": "everywhere"})
    )
    affinity = Affinity(pod_anti_affinity=PodAffinity(required=(away,)))
    apart = replace(shy.pod, spec=replace(shy.pod.spec, affinity=affinity))
    more = [everywhere, Workload(shy.name, apart, 1)]
    return more, "one pod of everywhere must be in each zone, and shy shares a zone with none"


def _one_zone_of_three(_: Sequence[Place]) -> tuple[list[Workload], str]:
    stuck = workload("stuck", Shape(50, 64), 3, Rule(spread=True))
    (constraint,) = stuck.pod.spec.topology_spread_constraints or ()
    ignoring = replace(constraint, node_affinity_policy="Ignore")
    spec = replace(
        stuck.pod.spec, node_selector={ZONE: "a"}, topology_spread_constraints=(ignoring,)
    )
    more = [Workload(stuck.name, replace(stuck.pod, spec=spec), 3)]
    return more, "3 replicas may only be in zone a, the other zones count as empty, maxSkew is 1"


CONFLICTS = (_too_many_lonely, _everywhere_and_apart, _one_zone_of_three)


def conflict(count: int, seed: int) -> Known:
    """5 % headroom, and a few small pods whose constraints contradict each other.

    Which contradiction it is goes by the seed: see ``CONFLICTS``.
    """
    random, nodes = seeded(seed), places(count)
    base = _base(nodes, packed(nodes, HEADROOM["tight5"], random, {}), random)
    extra, argument = CONFLICTS[seed % len(CONFLICTS)](nodes)
    return Known(_with(base, extra), Answer.NO, argument)


INFEASIBLE = {"short": short, "fragmented": fragmented, "conflict": conflict}
KINDS = (*HEADROOM, *INFEASIBLE)


def known(kind: str, count: int, seed: int = 0) -> Known:
    """A cluster of that kind with ``count`` nodes, at least 10; the same for the same seed."""
    if kind in HEADROOM:
        return feasible(kind, count, seed)
    return INFEASIBLE[kind](count, seed)
